import json
import shlex
import sys
from pathlib import Path

import pytest

from app.commands.demo import EXAMPLE, _script

# matplotlib 3.7, the last for Python 3.8, uses what later versions of its own dependencies call deprecated.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def _run_folder(folder):
    (path,) = (folder / "runs").iterdir()
    return path


def test_the_demo_leaves_a_checkpoint_a_log_and_a_picture_and_says_where(dnne, folder):
    outcome = dnne("demo", "--total-timesteps", 9000)
    assert outcome.code == 0
    run = _run_folder(folder)
    assert run.name.startswith("cartpole-demo-")
    assert (run / "learning_curve.png").read_bytes().startswith(b"\x89PNG")
    assert (run / "checkpoints/node_3/model.pt").is_file()
    assert list((run / "tensorboard").glob("events.out.tfevents.*"))
    shown = run.relative_to(folder)
    picture, board, evaluation = (line[len("  learning curve       ") :] for line in outcome.err.splitlines()[-3:])
    assert picture == f"{shown}/learning_curve.png"
    assert shlex.split(board)[1:] == ["--logdir", f"{shown}/tensorboard"]
    infer, example, *options = shlex.split(evaluation)[1:]
    assert (infer, Path(example).resolve()) == ("infer", EXAMPLE)
    assert options == ["--load-checkpoint-dir", f"{shown}/checkpoints", "--episodes", "64"]
    assert "mean episode reward" in dnne(infer, example, *options).err


def test_the_commands_of_the_demo_can_be_pasted(folder, monkeypatch):
    (folder / "my env/bin").mkdir(parents=True)
    (folder / "my env/bin/dnne").touch()
    monkeypatch.setattr(sys, "executable", str(folder / "my env/bin/python"))
    assert _script("dnne") == "'my env/bin/dnne'"
    assert _script("tensorboard") == "tensorboard", "where it was installed elsewhere"


def test_without_an_end_the_demo_trains_until_the_pole_stands(dnne, folder, monkeypatch):
    monkeypatch.setattr("app.commands.demo.STEPS", 128)
    assert "of 128 steps" in dnne("demo").err
    assert json.loads((_run_folder(folder) / "run.json").read_text())["settings"]["total_timesteps"] == 128


def test_a_demo_too_short_for_a_curve_has_trained_all_the_same(dnne, folder):
    outcome = dnne("demo", "--total-timesteps", 64)
    assert outcome.code == 0
    assert "learning curve       none: " in outcome.err
    assert "train for longer" in outcome.err
    assert not list(_run_folder(folder).glob("*.png"))


def test_a_resumed_demo_draws_the_whole_curve_in_its_own_folder(dnne, folder):
    dnne("demo", "--total-timesteps", 64, "--num-envs", 32, "--run-name", "mine", "--save-checkpoint-dir", "ck")
    outcome = dnne("demo", "--resume", "runs/mine", "--total-timesteps", 9000)
    assert outcome.code == 0
    assert [path.name for path in (folder / "runs").iterdir()] == ["mine"]
    assert (folder / "runs/mine/learning_curve.png").is_file()
    assert "--load-checkpoint-dir ck --episodes 64" in outcome.err
    assert json.loads((folder / "runs/mine/workflow.json").read_text())["nodes"]["1"]["inputs"]["num_envs"] == 32


def test_a_failed_demo_draws_nothing(dnne, folder):
    outcome = dnne("demo", "--total-timesteps", 64, "--events", "/dev/full")
    assert outcome.code == 1
    assert "learning curve" not in outcome.err
