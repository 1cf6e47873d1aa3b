"""A user's own task: the page that builds one is executed, trained and exported."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from runtime.errors import TaskDefinitionError
from runtime.export.carrying import Carrier
from runtime.export.errors import ExportError
from runtime.registry import load_file
from runtime.simulators.factory import available_tasks, make_simulator, task_spec
from runtime.simulators.interface import SimulatorError
from runtime.simulators.tasks import catalogue
from runtime.simulators.tasks.ant import Ant
from runtime.simulators.tasks.catalogue import own_task
from runtime.simulators.tasks.physics_task import PhysicsTask

ROOT = Path(__file__).resolve().parents[4]


@pytest.fixture(autouse=True)
def nothing_is_left(monkeypatch):
    monkeypatch.setattr(catalogue, "_own", {})


@pytest.fixture
def folder(tmp_path):
    """What the page tells to write."""
    page = (ROOT / "docs" / "own_task.md").read_text(encoding="utf-8")
    (tmp_path / "my_tasks").mkdir()
    for language, name in (("xml", "pendulum.xml"), ("python", "pendulum_task.py")):
        (code,) = re.findall(rf"```{language}\n(.*?)```", page, flags=re.DOTALL)
        (tmp_path / "my_tasks" / name).write_text(code, encoding="utf-8")
    return tmp_path / "my_tasks"


def workflow(path):
    document = json.loads((ROOT / "examples" / "cartpole_ppo.json").read_text(encoding="utf-8"))
    document["nodes"]["1"]["inputs"].update(simulator="mujoco", task="PendulumUp", num_envs=8)
    document["nodes"]["4"]["class_type"] = "PolicyActionNode"
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def command(*arguments, cwd=ROOT):
    return subprocess.run(
        [sys.executable, *map(str, arguments)], cwd=cwd, capture_output=True, text=True, timeout=240, check=False
    )


def test_the_task_of_the_page_is_listed_and_steps(folder):
    pytest.importorskip("mujoco")
    with pytest.raises(SimulatorError, match="PendulumUp"):
        task_spec("PendulumUp", 4, "mujoco")
    load_file(folder / "pendulum_task.py")
    assert "PendulumUp" in available_tasks("mujoco")
    assert "PendulumUp" not in available_tasks("torch")
    assert "PendulumUp" in available_tasks("auto")
    simulator = make_simulator("mujoco", "PendulumUp", 4, "cpu", torch.Generator().manual_seed(0))
    observations = simulator.reset()
    assert torch.allclose(observations[:, :2].square().sum(1), torch.ones(4))
    for _ in range(20):
        result = simulator.step(torch.ones(4, 1))
    total = result.reward_components["upright"] + result.reward_components["effort"]
    assert torch.equal(total, result.rewards)
    assert torch.allclose(result.reward_components["effort"], torch.full((4,), -0.01))
    load_file(folder / "pendulum_task.py")


def test_it_trains_and_is_carried_by_an_export(folder, tmp_path):
    pytest.importorskip("mujoco")
    file = workflow(tmp_path / "pendulum.json")
    train = ["-m", "app.cli", "train", file, "--nodes-dir", folder, "--iterations", "2", "--log-dir", tmp_path / "runs"]
    finished = command(*train, "--run-name", "here")
    assert finished.returncode == 0, finished.stderr
    exported = command("-m", "app.cli", "export", file, "-o", tmp_path / "out", "--nodes-dir", folder)
    assert exported.returncode == 0, exported.stderr
    for name in ("pendulum.xml", "pendulum_task.py"):
        (folder / name).unlink()
    run = command("runner.py", "--iterations", "2", "--run-name", "there", "--log-dir", "runs", cwd=tmp_path / "out")
    assert run.returncode == 0, run.stderr

    def metrics(path):
        lines = [line.split(",") for line in path.read_text(encoding="utf-8").splitlines()]
        kept = [index for index, name in enumerate(lines[0]) if not name.startswith("time/")]
        return [[line[index] for index in kept] for line in lines]

    here = metrics(tmp_path / "runs" / "here" / "metrics.csv")
    assert here == metrics(tmp_path / "out" / "runs" / "there" / "metrics.csv") and len(here) == 3


def test_declarations_that_cannot_work_are_refused():
    with pytest.raises(TaskDefinitionError, match="task Bare lacks evaluate, observe"):
        own_task(type("Bare", (PhysicsTask,), {"name": "Bare"}))
    with pytest.raises(TaskDefinitionError, match="there is a built-in task 'Ant'"):
        own_task(type("MyAnt", (Ant,), {}))
    own_task(type("First", (Ant,), {"name": "Mine", "__module__": "one.node"}))
    with pytest.raises(TaskDefinitionError, match="two tasks are named 'Mine': in .*node and in .*graph"):
        own_task(type("Second", (Ant,), {"name": "Mine", "__module__": "another.graph"}))


def test_a_model_that_lies_elsewhere_cannot_be_carried(folder, tmp_path):
    page = (folder / "pendulum_task.py").read_text(encoding="utf-8")
    (folder / "pendulum.xml").rename(tmp_path / "pendulum.xml")
    (folder / "pendulum_task.py").write_text(
        page.replace('Path(__file__).with_name("pendulum.xml")', 'Path(__file__).parents[1] / "pendulum.xml"'),
        encoding="utf-8",
    )
    module = load_file(folder / "pendulum_task.py")
    with pytest.raises(ExportError, match=r"pendulum_task\.py reads .*pendulum\.xml: an export can carry only files"):
        Carrier().add_class(module.PendulumUp)
