"""Sweeps, with real trainings in processes of their own."""

import contextlib
import csv
import json
import os
import signal
import subprocess
import sys
import time

import pytest

from app import sweep_backends
from app.sweep import SweepError, make_trials, write_plan
from app.sweep_backends import LocalBackend
from runtime.recording import RunFolder
from runtime.recording.run_lock import RunLock
from tests.commands import USER_NODES, insert_node, small_workflow, write_json


def test_every_combination_is_a_trial():
    trials, shared = make_trials(["trainer.learning_rate=1e-4,3e-4", "seed=0..1", "iterations=3"], most=4)
    assert [trial.values for trial in trials] == [
        {"trainer.learning_rate": rate, "seed": seed} for rate in ("1e-4", "3e-4") for seed in ("0", "1")
    ]
    assert shared == ["iterations=3"]
    assert trials[3].name == "3-trainer-learning-rate-3e-4-seed-1"
    assert [trial.group for trial in trials[1:3]] == ["trainer.learning_rate=1e-4", "trainer.learning_rate=3e-4"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["seed=1"], "nothing is swept"),
        (["seed=1,2", "log_dir=x"], "log_dir: a sweep chooses the folders of its runs itself"),
        (["seed=0..300000000"], "seed: 0..300000000 are 300,000,001 values, and 1,000 are allowed; --max-trials N"),
        (["seed=5,-1..-999999999999999999"], "are 1,000,000,000,000,000,000 values, and 1,000 are allowed"),
        (["seed=0..99", "3.a=1..100", "x=1,2"], "100 × 100 × 2 values make 20,000 trainings, and 1,000 are allowed"),
    ],
)
def test_what_is_no_sweep_is_refused(words, message):
    with pytest.raises(SweepError, match=message):
        make_trials(words, most=1000)


def test_the_number_of_trainings_can_be_raised(dnne, small, folder):
    words = ("sweep", small, "seed=0..2", "trainer.gamma=0.9,2", "total_timesteps=1", "--sweep-dir", "s")
    refused = dnne(*words, "--max-trials", 5)
    assert refused.code == 2
    assert "3 × 2 values make 6 trainings, and 5 are allowed; --max-trials N raises that" in refused.err
    assert not (folder / "s").exists()
    assert len(make_trials(words[2:5], most=6)[0]) == 6


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["6.learning_rate=1e-4,3e-4", "trainer.learning_rate=1e-3"], "6.learning_rate and trainer.learning_rate both"),
        (["Trainer.gamma=0.9,0.99", "PPO_Trainer.gamma=0.5,0.6"], "Trainer.gamma and PPO_Trainer.gamma both set the"),
        (["num_envs=4,8", "env.num_envs=4"], "num_envs and env.num_envs both set the parameter num_envs of node 1"),
        (["batch_size=8,16", "minibatch_size=8"], "batch_size and minibatch_size both set the parameter"),
        (["debug=true,false", "verbose=true"], "debug and verbose both set the setting verbose"),
        (["trainer.gamma=0.9,0.99", "--set", "6.gamma=0.5"], "trainer.gamma and 6.gamma both set the parameter gamma"),
        (["seed=1,2", "seed=1,2"], "seed is given twice; put all its values into one list"),
        (["seed=1,2", "trainr.gamma=0.5"], "trainr.gamma=0.5: there is no node 'trainr'; did you mean 'Trainer'?"),
        (["seed=1,2", "iteration=3"], "nothing reads the key 'iteration'; did you mean 'iterations'?"),
    ],
)
def test_keys_that_set_the_same_or_nothing_are_refused_however_they_are_spelt(dnne, small, folder, words, message):
    outcome = dnne("sweep", small, *words, "total_timesteps=1")
    assert outcome.code == 2
    assert message in outcome.err
    assert not (folder / "sweeps").exists()


def test_a_sweep_leaves_run_folders_tables_and_a_picture_and_skips_them_on_resume(dnne, small, folder):
    words = ("sweep", small, "trainer.learning_rate=1e-4,7", "seed=0..1", "iterations=40", "--sweep-dir", "s")
    outcome = dnne(*words, "--jobs", 2)
    assert outcome.code == 1
    assert outcome.err.count("failed (code 2)") == 4, "two lines for each of two"
    assert "see s/2-trainer-learning-rate-7-seed-0.log" in outcome.err
    assert "7 is" in (folder / "s/2-trainer-learning-rate-7-seed-0.log").read_text()
    info = RunFolder.open(folder / "s/1-trainer-learning-rate-1e-4-seed-1", lock=False).read_info()
    assert (info["result"], info["seed"], info["parameters"]["6"]["learning_rate"]) == ("finished", 1, 1e-4)
    rows = list(csv.DictReader((folder / "s/results.csv").read_text().splitlines()))
    assert [row["result"] for row in rows] == ["finished", "finished", "not started", "not started"]
    groups = json.loads((folder / "s/results.json").read_text())["groups"]
    assert [(group["group"], group["finished"]) for group in groups] == [
        ("trainer.learning_rate=1e-4", 2), ("trainer.learning_rate=7", 0)
    ]  # fmt: skip
    rewards = [float(row["mean_reward"]) for row in rows[:2]]
    assert groups[0]["mean"] == pytest.approx(sum(rewards) / 2)
    assert (folder / "s/learning_curves.png").read_bytes().startswith(b"\x89PNG")
    assert "trainer.learning_rate=1e-4" in outcome.out
    again = dnne(*words)
    assert again.code == 2
    assert "s holds a sweep already; go on with --resume" in again.err
    other = dnne("sweep", small, "seed=0..1", "iterations=3", "--sweep-dir", "s", "--resume")
    assert other.code == 2
    assert "s holds another sweep" in other.err
    before = (folder / "s/0-trainer-learning-rate-1e-4-seed-0/metrics.csv").stat().st_mtime_ns
    resumed = dnne(*words, "--resume")
    assert "2 of 4 have finished already" in resumed.err
    assert (folder / "s/0-trainer-learning-rate-1e-4-seed-0/metrics.csv").stat().st_mtime_ns == before


@pytest.fixture
def slow(folder):
    """A workflow whose iterations take a tenth of a second."""
    workflow = small_workflow()
    insert_node(workflow, "9", "SlowNode", "5.rewards", "6", seconds=0.02)
    return write_json(folder / "slow.json", workflow)


def wait_until(condition, seconds=30.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not within {seconds} s"
        time.sleep(0.01)


def result_of(run_folder):
    return json.loads((run_folder / "run.json").read_text()).get("result")


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGKILL])
def test_trainings_end_with_their_sweep_and_save(start, slow, folder, number):
    master, slave = os.openpty()
    words = ("sweep", slow, "seed=0,1", "iterations=100000", "--sweep-dir", "s", "--nodes-dir", USER_NODES)
    running = start(*words, "--jobs", 2, terminal=os.ttyname(slave))
    os.close(slave)
    running.wait_for(lambda: len(list(folder.glob("s/*/metrics.csv"))) == 2)
    pids = [int(path.read_text().split()[1]) for path in folder.glob("s/*/.lock")]
    try:
        os.close(master)
        running.send(number)
        assert running.wait() == (130 if number == signal.SIGHUP else -number)
        runs = [folder / "s/0-seed-0", folder / "s/1-seed-1"]
        wait_until(lambda: [result_of(run) for run in runs] == ["interrupted"] * 2)
        assert all(list(run.glob("resume/iteration_*")) for run in runs)
    finally:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
    assert (folder / "s/results.csv").exists() == (number == signal.SIGHUP), "a closed terminal stops no table"


def test_a_signal_between_the_start_of_a_training_and_its_registration_ends_it(monkeypatch, folder):
    backend, popen = LocalBackend(1), subprocess.Popen

    def start_and_stop(*arguments, **options):
        process = popen(*arguments, **options)
        os.kill(os.getpid(), signal.SIGTERM)
        wait_until(lambda: backend._is_stopped)
        return process

    monkeypatch.setattr(sweep_backends.subprocess, "Popen", start_and_stop)
    command = [sys.executable, "-c", "import time; time.sleep(5)"]
    assert list(backend.run([(command, folder / "log")])) == [(0, -signal.SIGTERM)]


def test_ctrl_c_ends_the_trainings_in_order_and_resume_goes_on(start, dnne, slow, folder):
    words = ("sweep", slow, "seed=0..2", "iterations=30", "--sweep-dir", "s", "--nodes-dir", USER_NODES, "--jobs", 2)
    running = start(*words)
    running.wait_for(lambda: len(list(folder.glob("s/*/metrics.csv"))) == 2)
    running.send(signal.SIGINT)
    assert running.wait(20) == 130
    assert "0-seed-0 interrupted" in running.err
    infos = {path.parent.name: json.loads(path.read_text()) for path in folder.glob("s/*/run.json")}
    assert {name: info["result"] for name, info in infos.items()} == {
        "0-seed-0": "interrupted",
        "1-seed-1": "interrupted",
    }
    resumed = dnne(*words, "--resume")
    assert resumed.code == 0
    assert "0-seed-0 goes on after " in resumed.err
    info = json.loads((folder / "s/0-seed-0/run.json").read_text())
    assert (info["result"], info["summary"]["iterations"], len(info["earlier"])) == ("finished", 30, 1)


@pytest.mark.parametrize("content", ["[]", '{"dnne_sw'])
def test_a_damaged_plan_is_named(dnne, small, folder, content):
    (folder / "s").mkdir()
    (folder / "s/sweep.json").write_text(content)
    outcome = dnne("sweep", small, "seed=0..1", "iterations=1", "--sweep-dir", "s", "--resume")
    assert outcome.code == 2
    assert "s/sweep.json is damaged: " in outcome.err
    assert (folder / "s/sweep.json").read_text() == content


@pytest.mark.parametrize("extra", [[], ["--resume"]])
@pytest.mark.parametrize(
    ("place", "message"),
    [("small.json", "--sweep-dir small.json is a file"), ("/proc/x/y", "cannot write /proc/x/y: No such file")],
)
def test_a_folder_that_cannot_be_used_is_named(dnne, small, place, message, extra):
    outcome = dnne("sweep", small, "seed=0..1", "iterations=1", "--sweep-dir", place, *extra)
    assert outcome.code == 2
    assert message in outcome.err


def planned(folder, small, *words):
    """The words of a sweep that was planned and killed before its first training, and its first run folder."""
    trials, shared = make_trials(["seed=0..1", *words], most=2)
    (folder / "s/0-seed-0").mkdir(parents=True)
    write_plan(folder / "s", str(small), trials, shared, resume=False)
    return ("sweep", small, "seed=0..1", *words, "--sweep-dir", "s", "--resume"), folder / "s/0-seed-0"


def test_a_damaged_description_of_a_run_is_named(dnne, small, folder):
    words, run = planned(folder, small, "iterations=1")
    (run / "run.json").write_text("[]")
    outcome = dnne(*words)
    assert outcome.code == 2
    assert "s/0-seed-0/run.json is no description of a run" in outcome.err


@pytest.mark.parametrize(
    ("locked", "message"),
    [("s", "the sweep in s is still going on"), ("s/0-seed-0", "the run in s/0-seed-0 is still going on")],
)
def test_a_folder_where_another_is_at_work_is_refused(dnne, small, folder, locked, message):
    words, _ = planned(folder, small, "iterations=1")
    (folder / "s/0-seed-0/workflow.json").touch()
    lock = RunLock(folder / locked)
    try:
        outcome = dnne(*words)
    finally:
        lock.release()
    assert outcome.code == 2
    assert message in outcome.err
    assert not list(folder.glob("s/*.log"))


def test_resume_tells_what_becomes_of_trials_that_were_killed(dnne, small, folder):
    words, run = planned(folder, small, "iterations=2")
    train = ("train", small, "iterations=2", "--log-dir", "s", "--run-name")
    assert dnne(*train, "1-seed-1", "seed=1").code == 0
    over = folder / "s/1-seed-1/run.json"
    over.write_text(json.dumps({**json.loads(over.read_text()), "result": "interrupted"}))
    (run / "workflow.json").touch()
    outcome = dnne(*words)
    assert outcome.code == 0, outcome.err
    assert "0-seed-0 begins anew: it had saved no state to go on from; what it left is in s/0-seed-0-un" in outcome.err
    assert "1-seed-1 had come to its end when it was stopped" in outcome.err
    assert "1 of 2 have finished already" in outcome.err
    assert [result_of(folder / "s" / name) for name in ("0-seed-0", "1-seed-1")] == ["finished"] * 2


def test_backends_that_are_not_installed_are_named(dnne, small, monkeypatch):
    for name, extra in (("submitit", "slurm"), ("ray", "ray")):
        monkeypatch.setitem(sys.modules, name, None)
        outcome = dnne("sweep", small, "seed=0..1", "--backend", extra, "--sweep-dir", "s")
        assert outcome.code == 2
        assert f"--backend {extra} needs" in outcome.err
        assert f'pip install "dnne[{extra}]"' in outcome.err


def test_options_of_a_backend_are_not_ignored(dnne, small):
    outcome = dnne("sweep", small, "seed=0..1", "--backend-option", "gpus=1")
    assert outcome.code == 2
    assert "--backend-option has no effect on local processes" in outcome.err


@pytest.mark.parametrize("cluster", ["local", "debug"])
def test_submitit_runs_the_trainings(dnne, small, folder, cluster):
    pytest.importorskip("submitit")
    words = ("sweep", small, "seed=0..1", "iterations=2", "--sweep-dir", "s", "--backend", "slurm")
    outcome = dnne(*words, "--backend-option", f"cluster={cluster}")
    assert outcome.code == 0, outcome.err
    assert [json.loads(path.read_text())["result"] for path in sorted(folder.glob("s/*/run.json"))] == ["finished"] * 2


@pytest.mark.slow
def test_ray_runs_the_trainings(dnne, small, folder):
    pytest.importorskip("ray")
    outcome = dnne("sweep", small, "seed=0..1", "iterations=2", "--sweep-dir", "s", "--backend", "ray")
    assert outcome.code == 0, outcome.err
    assert len(list(folder.glob("s/*/run.json"))) == 2
