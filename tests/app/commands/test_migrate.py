"""Old command lines and configurations: what comes out is executed."""

import json
import os
import shlex
import subprocess
import sys

import pytest

from app.migration import MigrationError, take_apart
from tests.commands import ROOT

pytest.importorskip("omegaconf")

OLD = """
dataset_path: /data/bowl
domains: a.001, a.002
dataset:
  _target_: ppt_learning.dataset.multi_sim_traj_dataset.MultiTrajDataset
  action_horizon: 16
train:
  total_epochs: 2
  total_iters: 1000000000
  epoch_iters: 2
  last_k_checkpoints: 2
batch_size: 8
seed: 42
debug: false
save_interval: 1
log_interval: 2
output_dir: outputs/${suffix}
suffix: base
strange: 3
trainer:
  gamma: 0.5
"""


@pytest.fixture
def configs(folder, small):
    (folder / "configs").mkdir()
    (folder / "configs/old.yaml").write_text(OLD)
    return folder


def test_a_config_and_its_command_line_are_turned_into_ours_and_train(dnne, configs):
    outcome = dnne("migrate", "--workflow", "small.json", "python", "run.py", "--config-name=old", "seed=7")
    assert outcome.code == 0, outcome.err
    words = shlex.split(outcome.out)
    assert words[:5] == ["dnne", "train", "small.json", "--config", "old-dnne.yaml"]
    for key in ("dataset_path", "domains", "dataset._target_", "dataset.action_horizon"):
        assert f"note: {key}: not applicable: it belongs to imitation learning on recorded datasets" in outcome.err
    assert "note: strange: nothing of this version reads it; left out" in outcome.err
    assert dnne(*words[1:]).code == 0
    run = configs / "outputs/base/cartpole-ppo-base"
    info = json.loads((run / "run.json").read_text())
    assert (info["seed"], info["summary"]["iterations"]) == (7, 4)
    assert (info["parameters"]["6"]["minibatch_size"], info["parameters"]["6"]["gamma"]) == (8, 0.5)
    assert sorted(path.name for path in (run / "checkpoints/node_3/history").iterdir()) == ["000000002", "000000004"]


def test_copies_are_kept_where_they_are_asked_for(dnne, configs):
    words = ("migrate", "--workflow", "small.json")
    command = ("run.py", "--config-name", "old")
    assert dnne(*words, *command).code == 0
    again = dnne(*words, *command)
    assert again.code == 2
    assert "old-dnne.yaml exists; --backup keeps a copy of it" in again.err
    first = (configs / "old-dnne.yaml").read_bytes()
    assert dnne(*words, "--backup", *command).code == 0
    assert (configs / "old-dnne.yaml.bak").read_bytes() == first


def test_wrappers_take_the_old_options_and_train(dnne, configs):
    (configs / "run.py").write_text("print('the old one')\n")
    refused = dnne("migrate", "--workflow", "small.json", "--create-wrappers")
    assert refused.code == 2
    assert "run.py exists" in refused.err
    (configs / "run.py").rename(configs / "run_ddp.py")
    refused = dnne("migrate", "--workflow", "small.json", "--create-wrappers")
    assert refused.code == 2
    assert not (configs / "run.py").exists(), "nothing is written where something is refused"
    (configs / "run_ddp.py").rename(configs / "run.py")
    assert dnne("migrate", "--workflow", "small.json", "--create-wrappers", "--backup").code == 0
    assert (configs / "run.py.bak").read_text() == "print('the old one')\n"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "run.py", "--config-name=old", "train.total_epochs=1"]
    finished = subprocess.run(command, cwd=str(configs), env=environment, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr
    assert "note: domains: not applicable" in finished.stderr
    info = json.loads((configs / "outputs/base/cartpole-ppo-base/run.json").read_text())
    assert (info["seed"], info["summary"]["iterations"]) == (42, 2)
    compile((configs / "run_ddp.py").read_text(), "run_ddp.py", "exec")


def test_a_model_names_its_workflow_and_the_suffix_the_run(dnne, configs):
    (configs / "depth.json").write_text((configs / "small.json").read_text())
    outcome = dnne("migrate", "run_ddp.py", "--model", "depth", "--suffix=try1")
    assert outcome.code == 0, outcome.err
    assert shlex.split(outcome.out) == ["dnne", "train", "depth.json", "suffix=try1", "train_mode=distributed"]
    outcome = dnne("migrate", "torchrun", "--nproc_per_node=2", "run_ddp.py", "--model", "depth")
    assert shlex.split(outcome.out)[3:] == ["train_mode=distributed", "world_size=2"]
    missing = dnne("migrate", "run_ddp.py", "--model", "rgb")
    assert missing.code == 2
    assert "Give --workflow FILE (rgb.json does not exist)" in missing.err


def test_an_evaluation_becomes_evaluate_and_runs(dnne, configs):
    assert dnne("train", "small.json", "--iterations", 1, "--save-checkpoint-dir", "ck").code == 0
    old = ("run_eval_sim.py", "eval_mode=parallel", "n_procs=2", "train.pretrained_dir=ck")
    outcome = dnne("migrate", "--workflow", "small.json", *old)
    words = shlex.split(outcome.out)
    assert words == ["dnne", "evaluate", "small.json", "--load-checkpoint-dir", "ck", "--parallel", "2"]
    assert dnne(*words[1:], "--episodes", 2, "--parallel", 1).code == 0


def test_torchrun_and_unknown_options_are_read():
    old = take_apart(["torchrun", "--nproc_per_node=4", "run_train.py", "--config-name", "a", "--fast", "seed=1"])
    assert (old.script, old.processes, old.options, old.values) == (
        "run_train.py",
        "4",
        {"config-name": "a"},
        {"seed": "1"},
    )
    assert old.notes == ["--fast: it is no option of the earlier scripts; left out"]
    with pytest.raises(MigrationError, match="this calls none of run.py"):
        take_apart(["python", "train.py"])
    with pytest.raises(MigrationError, match="--config-name lacks its value"):
        take_apart(["run.py", "--config-name"])
