"""Whole runs in Isaac Gym's double, in this process as the editor makes them: viewer, second run, resume note."""

from pathlib import Path

import pytest

import nodes
from runtime.errors import NodeFailure, RunError
from runtime.events import Metrics
from runtime.registry import discover
from runtime.run import Run
from runtime.run.settings import RunSettings
from runtime.simulators import isaacgym_scene, isaacgym_viewer
from runtime.validation import build_graph
from runtime.workflow import load_workflow
from tests.commands import dnne, folder, small_workflow, write_json

__all__ = ["dnne", "folder"]

EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "cartpole_ppo.json"


class Presser:
    """Presses a key in the viewer when the first iteration is done."""

    def __init__(self, gym, key):
        self.gym, self.key = gym, key

    def __call__(self, event):
        if isinstance(event, Metrics) and event.iteration == 1:
            self.gym.viewer.press(self.key)


def execute(num_envs=8, sinks=(), **settings):
    document = load_workflow(EXAMPLE)
    document.nodes["1"].inputs.update(simulator="isaacgym", num_envs=num_envs)
    graph = build_graph(document, discover([nodes], []))
    return Run(graph, RunSettings(**settings), sinks=sinks).execute()


def test_escape_in_the_viewer_ends_the_run_at_a_safe_point(isaacgym, monkeypatch):
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(isaacgym_viewer, "_connect", lambda host, number: None)
    result = execute(sinks=[Presser(isaacgym, "KEY_ESCAPE")], visual=True, iterations=50)
    assert result.reason == "ESC in the viewer"
    assert 1 <= result.iterations < 50
    assert isaacgym.left_open() == ["sim"]


def test_the_viewer_opens_where_it_is_asked_for(isaacgym, monkeypatch, dnne, folder):
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(isaacgym_viewer, "_connect", lambda host, number: None)
    workflow = small_workflow()
    workflow["nodes"]["1"]["inputs"].update(simulator="isaacgym")
    words = ("train", write_json(folder / "gym.json", workflow), "--iterations", 1)

    def viewers():
        return sum(call.line.startswith("create_viewer") for call in isaacgym.calls)

    assert dnne(*words, "--headless").code == 0
    assert viewers() == 0
    isaacgym_scene.destroy_scene()
    outcome = dnne(*words, "--visual")
    assert outcome.code == 0, outcome.err
    assert viewers() == 1


def test_a_second_run_takes_the_simulation_of_the_first_or_says_why_not(isaacgym):
    execute(iterations=1)
    created = [call.line for call in isaacgym.calls if call.line.startswith("create_sim")]
    assert execute(iterations=2).iterations == 2
    assert [call.line for call in isaacgym.calls if call.line.startswith("create_sim")] == created
    with pytest.raises(NodeFailure, match="earlier run's simulation of 8 × Cartpole on cpu.*new process"):
        execute(num_envs=4, iterations=1)
    assert execute(iterations=1).iterations == 1


def test_evaluations_beside_the_training_are_refused_before_the_first_step(isaacgym):
    events = []
    with pytest.raises(RunError, match=r"node 1 \(Env\) allows one simulation per process.*dnne evaluate"):
        execute(sinks=[events.append], iterations=2, eval_interval=1)
    assert not [event for event in events if isinstance(event, Metrics)]
    assert not [call.line for call in isaacgym.calls if call.line.startswith("simulate")]
    assert execute(iterations=1).iterations == 1
