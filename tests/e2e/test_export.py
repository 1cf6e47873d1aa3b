"""Exports, executed: in another process, from another folder, with torch alone."""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

import nodes
from runtime.checkpoints.layout import NODE_KIND
from runtime.checkpoints.tensor_file import read_tensor_file
from runtime.events import is_clock_metric
from runtime.export import export_workflow
from runtime.registry import discover
from runtime.workflow import NodeEntry, load_workflow

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "cartpole_ppo.json"
SETTINGS = ("--num-envs", "16", "--total-timesteps", "6400", "--seed", "7")
SAVE_OFTEN = (
    "--set", "Agent.checkpoint_trigger_type=epoch", "--set", "Agent.checkpoint_trigger_value=5",
    "--set", "Trainer.checkpoint_trigger_type=epoch", "--set", "Trainer.checkpoint_trigger_value=5",
)  # fmt: skip
FILES = ("--events", "events.jsonl", "--save-checkpoint-dir", "checkpoints")

# What a machine with nothing but torch lacks, and what an export must not need.
FORBIDDEN = ("app", "nodes", "runtime", "resources", "dnne", "PySide6", "PyQt5", "PyQt6", "Qt", "NodeGraphQt")
ABSENT = (*FORBIDDEN, "numpy", "tensorboard", "matplotlib", "rich", "platformdirs")
ALONE = """
import json, runpy, sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {absent!r}:
            raise ModuleNotFoundError("No module named " + repr(name), name=name)
sys.meta_path.insert(0, Absent())
sys.argv = sys.argv[1:]
try:
    runpy.run_path(sys.argv[0], run_name="__main__")
finally:
    with open({modules!r}, "w") as file:
        json.dump(sorted(sys.modules), file)
"""


def run(command, folder, **environment):
    """Run in a folder that has nothing to do with the repository, with no path to it."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    clean.update(OMP_NUM_THREADS="1", **environment)
    return subprocess.run(command, cwd=folder, env=clean, capture_output=True, text=True, timeout=240, check=False)


def start(runner, *arguments, folder=None, **environment):
    """Start an exported runner in an interpreter without user site-packages and without the working folder."""
    return run([sys.executable, "-I", str(runner), *arguments], folder or runner.parent.parent, **environment)


def metrics(path):
    """(name, value, step, iteration) of every metric that does not depend on the clock."""
    records = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [
        (record["name"], record["value"], record["step"], record["iteration"])
        for record in records
        if record["event"] == "metric" and not is_clock_metric(record["name"])
    ]


def states(folder):
    """The tensors of every checkpoint, by file."""
    return {
        path.relative_to(folder).as_posix(): read_tensor_file(path, NODE_KIND)[0]
        for path in sorted(folder.rglob("model.pt"))
    }


def same(first, second):
    if isinstance(first, torch.Tensor):
        return torch.equal(first, second)
    if isinstance(first, dict):
        return list(first) == list(second) and all(same(first[name], second[name]) for name in first)
    if isinstance(first, (list, tuple)):
        return len(first) == len(second) and all(same(*pair) for pair in zip(first, second))
    return first == second


@pytest.fixture(scope="module")
def registry():
    return discover([nodes])


@pytest.fixture
def runner(tmp_path, registry):
    """The exported example, on a path with spaces and other letters."""
    folder = tmp_path / "my exports" / "Kärtchen 1"
    export_workflow(load_workflow(EXAMPLE), registry, folder)
    return folder / "runner.py"


def edit(runner, module, old, new):
    path = runner.parent / "generated_nodes" / module
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


@pytest.fixture(scope="module")
def trained(tmp_path_factory, registry):
    """A folder with an export, its run, and its checkpoints, made where nothing but torch can be imported."""
    folder = tmp_path_factory.mktemp("exported run")
    export_workflow(load_workflow(EXAMPLE), registry, folder / "cart pole")
    program = ALONE.format(absent=ABSENT, modules=str(folder / "modules.json"))
    command = [sys.executable, "-I", "-c", program, str(folder / "cart pole" / "runner.py")]
    result = run([*command, *SETTINGS, *SAVE_OFTEN, *FILES], folder)
    assert result.returncode == 0, result.stderr
    return folder


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    """The same run by `dnne train`."""
    folder = tmp_path_factory.mktemp("dnne train")
    program = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from app.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", program, "train", str(EXAMPLE)]
    result = run([*command, *SETTINGS, *SAVE_OFTEN, *FILES], folder)
    assert result.returncode == 0, result.stderr
    return folder


class TestTheSameMetrics:
    """As `dnne train`, to the last bit, over episode ends and checkpoints; then resumed, and run for inference."""

    def test_every_metric_is_the_same(self, trained, reference):
        found = metrics(trained / "events.jsonl")
        assert found == metrics(reference / "events.jsonl")
        assert len(found) > 100
        assert [value for name, value, _, _ in found if name == "episode/count"][-1] > 20

    def test_every_checkpoint_is_the_same(self, trained, reference):
        found, expected = states(trained / "checkpoints"), states(reference / "checkpoints")
        assert {name.split("/")[0] for name in found} == {"node_3", "node_6"}
        assert same(found, expected)

    def test_nothing_but_torch_was_needed(self, trained):
        modules = {name.split(".")[0] for name in json.loads((trained / "modules.json").read_text(encoding="utf-8"))}
        assert {"torch", "framework", "generated_nodes"} <= modules
        assert not modules & set(ABSENT)

    def test_a_resumed_run_goes_on_to_the_last_bit(self, trained):
        runner = trained / "cart pole" / "runner.py"
        half = start(
            runner, *SETTINGS[:2], *SETTINGS[4:], "--total-timesteps", "3200", "--run-name", "halves", folder=trained
        )
        assert half.returncode == 0, half.stderr
        rest = start(runner, "--resume", "runs/halves", "--total-timesteps", "6400", *SETTINGS[:2], folder=trained)
        assert rest.returncode == 0, rest.stderr
        assert metrics(trained / "runs" / "halves" / "events.jsonl") == metrics(trained / "events.jsonl")

    def test_the_trained_policy_runs(self, trained):
        runner = trained / "cart pole" / "runner.py"
        arguments = ("--inference", "--load-checkpoint-dir", "checkpoints", "--episodes", "4", "--num-envs", "4")
        result = start(runner, *arguments, "--run-name", "shown", folder=trained)
        assert result.returncode == 0, result.stderr
        assert "4 episodes" in result.stderr

    def test_no_run_on_random_weights(self, trained):
        runner = trained / "cart pole" / "runner.py"
        missing = start(runner, "--inference", "--load-checkpoint-dir", "nowhere", folder=trained)
        assert missing.returncode not in (0, None)
        assert "nowhere" in missing.stderr
        assert start(runner, "--inference", folder=trained).returncode not in (0, None)


class TestEdits:
    def test_an_edited_value_acts(self, runner, tmp_path):
        edit(runner, "ppotrainernode_6.py", "    learning_rate = 0.001\n", "    learning_rate = 0.125e-2\n")
        edit(
            runner,
            "ppotrainernode_6.py",
            '    learning_rate_schedule = "adaptive"\n',
            '    learning_rate_schedule = "fixed"\n',
        )
        edit(runner, "isaacgymenvnode_1.py", "    num_envs = 64\n", "    num_envs = 8\n")
        result = start(runner, "--iterations", "1", "--events", "events.jsonl", folder=tmp_path)
        assert result.returncode == 0, result.stderr
        found = {name: (value, step) for name, value, step, _ in metrics(tmp_path / "events.jsonl")}
        assert found["train/learning_rate"] == (0.00125, 128)

    @pytest.mark.parametrize(
        ("old", "new", "message"),
        [
            ("gamma = 0.99", "gamma = 1.5", r"PPOTrainerNode_6.gamma: 1.5 is out of range; allowed: 0 to 1"),
            ("gamma = 0.99", "gamma = 'high'", r"PPOTrainerNode_6.gamma: 'high' is not a number; allowed: 0 to 1"),
            ("gamma = 0.99", "gama = 0.98", r"PPOTrainerNode_6 has no parameter 'gama'; did you mean 'gamma'\?"),
            ("gamma = 0.99", "gamma: 0.98", r"PPOTrainerNode_6.gamma has an annotation, but no value"),
            ("num_minibatches = 4", "num_minibatches = 7", r"node 6.*num_minibatches"),
        ],
    )
    def test_a_wrong_value_is_one_clear_error(self, runner, old, new, message):
        edit(runner, "ppotrainernode_6.py", f"    {old}\n", f"    {new}\n")
        result = start(runner, "--iterations", "1")
        assert result.returncode == 2
        assert re.search(message, result.stderr)
        assert result.stderr.startswith("error: ")
        assert "Traceback" not in result.stderr
        assert not (runner.parent.parent / "runs").exists()

    def test_a_wrong_wire_is_one_clear_error(self, runner):
        runner.write_text(
            runner.read_text(encoding="utf-8").replace('"5", "rewards"', '"5", "reward"'), encoding="utf-8"
        )
        result = start(runner, "--iterations", "1")
        assert result.returncode == 2
        assert re.search(r"node 6 \(Trainer\), rewards: .*'reward'; did you mean 'rewards'", result.stderr)
        assert "Traceback" not in result.stderr


class TestCommandLine:
    def test_it_starts_from_any_folder_by_a_relative_path(self, runner):
        folder = runner.parent.parent
        result = run([sys.executable, f"{runner.parent.name}/runner.py", "--iterations", "1"], folder)
        assert result.returncode == 0, result.stderr
        assert (folder / "runs").is_dir()

    def test_help_names_all_flags(self, runner):
        result = start(runner, "--help")
        assert result.returncode == 0
        flags = (
            "--timeout --save-checkpoint-dir --inference --load-checkpoint-dir --visual --headless --verbose "
            "--test-mode --total-timesteps --iterations --seed --device --num-envs --set --resume --log-dir --events"
        )
        assert [flag for flag in flags.split() if flag not in result.stdout] == []

    def test_a_rank_that_cannot_find_the_others_is_refused(self, runner):
        result = start(runner, "--iterations", "1", WORLD_SIZE="2", RANK="0")
        assert result.returncode == 2
        assert "MASTER_ADDR is not set" in result.stderr

    def test_a_job_that_is_told_to_end_saves_and_can_be_resumed(self, runner):
        command = [sys.executable, "-I", str(runner), "--run-name", "job", "--timeout", "2m"]
        folder = runner.parent.parent
        process = subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True)
        events = folder / "runs" / "job" / "events.jsonl"
        end = time.monotonic() + 60
        while not (events.exists() and '"metric"' in events.read_text(encoding="utf-8")):
            assert process.poll() is None and time.monotonic() < end
            time.sleep(0.05)
        process.terminate()
        _, output = process.communicate(timeout=60)
        assert process.returncode == 143, output
        done = metrics(events)[-1][-1]
        result = start(runner, "--resume", "runs/job", "--iterations", str(done + 1))
        assert result.returncode == 0, result.stderr
        assert metrics(events)[-1][-1] == done + 1

    def test_the_documented_builtins_are_published_for_users_code(self, tmp_path):
        folder = tmp_path / "my nodes"
        folder.mkdir()
        (folder / "flags.py").write_text(USER_NODE, encoding="utf-8")
        workflow = load_workflow(EXAMPLE)
        workflow.nodes["x 1"] = NodeEntry(
            "x 1", "HalvedRewardNode", {"rewards": ["5", "rewards"], "factor": 0.25}, "Half"
        )
        workflow.nodes["6"].inputs["rewards"] = ["x 1", "halved"]
        export_workflow(workflow, discover([nodes], [folder]), tmp_path / "out")
        assert (tmp_path / "out" / "framework" / "nodes" / "user" / "flags.py").is_file()
        arguments = ("--iterations", "2", "--save-checkpoint-dir", "saved", "--events", "events.jsonl")
        result = start(tmp_path / "out" / "runner.py", *arguments, folder=tmp_path)
        assert result.returncode == 0, result.stderr
        assert "factor 0.25, saved to saved" in (tmp_path / "events.jsonl").read_text(encoding="utf-8")


USER_NODE = '''
import builtins

from runtime.node import Node
from runtime.parameters import param
from runtime.ports import REWARDS, In, Out


class HalvedRewardNode(Node):
    """Makes rewards smaller."""

    title = "Halved Reward"
    rewards = In(REWARDS, "Rewards. Shape: (N,)")
    halved = Out(REWARDS, "Smaller rewards. Shape: (N,)")
    factor: float = param(0.5, low=0.0, high=1.0, doc="Factor")

    def setup(self):
        self.context.log(f"factor {self.factor}, saved to {builtins.SAVE_CHECKPOINT_DIR}")

    def compute(self, rewards):
        return {"halved": rewards * self.factor}
'''


def test_an_export_of_a_cut_down_workflow_carries_less(tmp_path, registry):
    workflow = load_workflow(EXAMPLE)
    export_workflow(workflow, registry, tmp_path / "out")
    carried = {path.stem for path in (tmp_path / "out" / "framework").rglob("*.py")}
    assert "frame_stack" not in carried
    assert not carried & {"policy_export", "workflow_export", "mapping", "ui_form"}
