"""What a runner writes: its run folder, checkpoints, and the workflow that trains the same elsewhere."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from runtime.checkpoints.format import load_node_checkpoint
from runtime.errors import RunError
from runtime.recording import read_metrics
from runtime.runner import MLPActor
from runtime.workflow import load_workflow
from tests.commands import dnne, events_of, folder, metrics_of  # noqa: F401
from tests.runtime.runner.environments import Reaching
from tests.runtime.runner.test_on_policy_runner import BATCH, Own, runner

ROOT = Path(__file__).resolve().parents[3]


def test_the_workflow_trains_to_the_same_bits_with_the_command(dnne, folder):  # noqa: F811
    options = {"log_reward_components": False, "actor_cfg": {"hidden_dims": [6]}, "critic_cfg": {"hidden_dims": [5]}}
    with runner(log_dir="runs", save_dir="from_python", **options) as made:
        made.to_workflow("x.json")
        made.learn(BATCH)
        made.learn(9 * BATCH)
        by_python = metrics_of(events_of(Path(made.run_dir) / "events.jsonl"))
        weights = made.agent.state_dict()
    assert dnne("validate", "x.json").code == 0
    words = ["--seed", 3, "--total-timesteps", 10 * BATCH, "--save-checkpoint-dir", "by_command", "--run-name", "run"]
    assert dnne("train", "x.json", *words).code == 0
    assert metrics_of(events_of(Path("runs/run/events.jsonl"))) == by_python != {}
    saved = load_node_checkpoint("by_command", "3").state
    assert all(torch.equal(saved[name], tensor) for name, tensor in weights.items())
    saved = load_node_checkpoint("from_python", "3").state
    assert all(torch.equal(saved[name], tensor) for name, tensor in weights.items())


def test_a_run_of_python_is_resumed_by_the_command_bit_for_bit(dnne, folder):  # noqa: F811
    with runner(log_dir="runs") as made, runner() as whole:
        made.learn(BATCH + 16)
        run = made.run_dir
        whole.learn(3 * BATCH)
    assert dnne("train", "--resume", run, "--total-timesteps", 3 * BATCH).code == 0
    metrics = metrics_of(events_of(Path(run) / "events.jsonl"))
    last = {name: value for (iteration, _, name), value in metrics.items() if iteration == 3}
    assert last == whole.published[-1][1]


def test_a_gymnasium_id_becomes_its_own_node(tmp_path):
    pytest.importorskip("gymnasium")
    runner("CartPole-v1", simulator="auto").to_workflow(tmp_path / "x.json")
    assert load_workflow(tmp_path / "x.json").nodes["1"].inputs["env_id"] == "CartPole-v1"


def test_what_no_file_can_hold_says_what_to_do(tmp_path):
    with pytest.raises(RunError, match=r"docs/own_task.md"):
        runner(Reaching()).to_workflow(tmp_path / "x.json")
    with pytest.raises(RunError, match="actor_class or critic_class of your own"):
        runner(actor_class=Own, actor_cfg={"slope": 1.0}).to_workflow(tmp_path / "x.json")
    assert not list(tmp_path.iterdir())


def test_metrics_are_recorded_every_so_many_iterations(tmp_path):
    with runner(Reaching(), log_dir=tmp_path, log_interval=3, cfg={"horizon_length": 8}) as made:
        made.learn(7 * 32)
        path = Path(made.run_dir)
        table = read_metrics(path / "metrics.csv")
    assert table["iteration"] == [3.0, 6.0]
    info = json.loads((path / "run.json").read_text())
    assert info["result"] == "finished" and info["summary"]["iterations"] == 7
    assert not (path / "workflow.json").exists()


def test_checkpoints_are_saved_every_so_many_iterations(tmp_path):
    seen = []
    made = runner(save_dir=tmp_path / "saved", save_interval=2, actor_class=MLPActor)
    file = tmp_path / "saved" / "node_3" / "model.pt"
    made.add_callback("pre_iteration", lambda given: seen.append(file.exists()))
    made.learn(4 * BATCH)
    assert seen == [False, False, True, True]


def test_a_failed_run_is_noted(tmp_path):
    made = runner(log_dir=tmp_path)
    made.add_callback("post_update", lambda given, stats: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        made.learn(BATCH)
    made.close()
    made.close()
    assert json.loads((Path(made.run_dir) / "run.json").read_text())["result"] == "failed"


def test_ctrl_c_ends_the_step_and_the_runner_goes_on():
    whole, made = runner(), runner()
    once = [lambda: os.kill(os.getpid(), signal.SIGINT)]
    made.add_callback("post_iteration", lambda given, stats: once and once.pop()())
    with pytest.raises(KeyboardInterrupt):
        made.learn(100 * BATCH)
    assert made.iteration == 1
    made.learn(BATCH)
    whole.learn(2 * BATCH)
    assert made.published == whole.published


def test_importing_the_runtime_stays_light():
    program = (
        "import sys, runtime; assert 'torch' not in sys.modules and 'runtime.runner' not in sys.modules; "
        "from runtime import OnPolicyRunner; assert OnPolicyRunner.__name__ == 'OnPolicyRunner'; "
        "assert not hasattr(runtime, 'Nothing')"
    )
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, timeout=120)
