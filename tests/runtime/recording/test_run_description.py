import platform
import shutil
import subprocess
import sys

import pytest
import torch

import runtime
from runtime.checkpoints.metadata import plain_json
from runtime.errors import CheckpointError
from runtime.recording.run_description import compare_run, describe_run, git_state

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


def _info(**changes):
    arguments = {
        "name": "Cartpole",
        "mode": "train",
        "seed": 1,
        "device": "cpu",
        "num_threads": 1,
        "settings": {"num_envs": 64, "timeout": None},
        "parameters": {"6": {"learning_rate": 3e-4, "hidden_sizes": [64, 64]}},
    }
    return describe_run(**{**arguments, **changes})


@pytest.fixture
def repository(tmp_path, monkeypatch):
    for name, value in (("NAME", "A"), ("EMAIL", "a@b")):
        monkeypatch.setenv(f"GIT_AUTHOR_{name}", value)
        monkeypatch.setenv(f"GIT_COMMITTER_{name}", value)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    folder = tmp_path / "repository"
    folder.mkdir()
    _git(folder, "init", "--quiet")
    return folder


def _git(folder, *arguments):
    return subprocess.run(
        ["git", "-C", str(folder), *arguments], check=True, capture_output=True, text=True
    ).stdout.strip()


def _commit(folder):
    (folder / "file").write_text("one")
    _git(folder, "add", "file")
    _git(folder, "commit", "--quiet", "-m", "one")
    return _git(folder, "rev-parse", "HEAD")


def test_it_says_what_the_results_depend_on(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["dnne", "train", "a.json"])
    info = _info()
    assert info["command"] == ["dnne", "train", "a.json"]
    assert info["versions"]["dnne"] == runtime.__version__
    assert info["versions"]["python"] == platform.python_version()
    assert info["versions"]["torch"] == str(torch.__version__)
    assert info["versions"]["machine"] == platform.node()
    assert (info["ended"], info["result"]) == (None, None)
    assert plain_json(info, "info") == info


def test_a_setting_that_is_no_json_is_named():
    with pytest.raises(CheckpointError, match=r"run\.settings\.x is a object"):
        _info(settings={"x": object()})


@needs_git
def test_a_clean_and_a_changed_repository(repository):
    commit = _commit(repository)
    assert git_state(repository) == {"commit": commit, "dirty": False}
    (repository / "untracked").write_text("")
    assert git_state(repository) == {"commit": commit, "dirty": False}
    (repository / "file").write_text("two")
    assert git_state(repository) == {"commit": commit, "dirty": True}


@needs_git
def test_a_repository_before_its_first_commit(repository):
    assert git_state(repository) == {"commit": None, "dirty": False}


@needs_git
def test_programs_that_the_repository_names_are_not_run(repository, tmp_path):
    _commit(repository)
    program = tmp_path / "monitor"
    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    program.chmod(0o755)
    _git(repository, "config", "core.fsmonitor", str(program))
    assert git_state(repository)["dirty"] is False
    assert not (tmp_path / "ran").exists()


@needs_git
def test_outside_of_a_repository_there_is_none(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert git_state(tmp_path) is None


def test_without_git_there_is_none(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert git_state(tmp_path) is None


def _fake_git(tmp_path, monkeypatch, script):
    (tmp_path / "git").write_text(f"#!/bin/sh\n{script}\n")
    (tmp_path / "git").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))


def test_git_that_hangs_is_not_waited_for(tmp_path, monkeypatch):
    _fake_git(tmp_path, monkeypatch, "exec /bin/sleep 60")
    assert git_state(tmp_path, timeout=0.1) == {"problem": "git did not answer within 0.1 s"}


def test_git_that_fails_says_why(tmp_path, monkeypatch):
    _fake_git(tmp_path, monkeypatch, "echo 'fatal: detected dubious ownership' >&2; exit 128")
    assert git_state(tmp_path) == {"problem": "fatal: detected dubious ownership"}


def test_git_that_does_not_run_says_why(tmp_path, monkeypatch):
    (tmp_path / "git").write_text("no program")
    (tmp_path / "git").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert git_state(tmp_path)["problem"].startswith("git does not run: Exec format error")


def test_equal_runs_do_not_differ():
    assert compare_run(_info(), _info(command=["other"], name="other", mode="infer")) == []


def test_every_difference_is_a_line():
    old = _info()
    new = _info(
        seed=2,
        device="cuda:0",
        num_threads=4,
        settings={"num_envs": 64, "timeout": "5m", "amp": True},
        parameters={"6": {"learning_rate": 1e-3, "hidden_sizes": [64, 64]}, "7": {"scale": 0.1}},
    )
    old["versions"]["torch"] = "2.4.1"
    new["versions"]["torch"] = "2.13.0"
    old["git"], new["git"] = {"commit": "aaa", "dirty": False}, {"commit": "bbb", "dirty": True}
    assert compare_run(old, new) == [
        'device was "cpu" and is "cuda:0"',
        'git.commit was "aaa" and is "bbb"',
        "num_threads was 1 and is 4",
        "parameters.6.learning_rate was 0.0003 and is 0.001",
        "parameters.7.scale was not set and is 0.1",
        "seed was 1 and is 2",
        "settings.amp was not set and is true",
        'settings.timeout was null and is "5m"',
        'versions.torch was "2.4.1" and is "2.13.0"',
    ]


def test_what_may_differ_is_left_out():
    assert compare_run(_info(), _info(settings={"num_envs": 64, "timeout": 5}), ignore={"settings.timeout"}) == []


def test_names_that_only_begin_alike_are_not_compared():
    assert compare_run({"seeds": 1}, {"seeds": 2}) == []


def test_a_run_json_of_little_content_can_be_compared():
    assert compare_run({}, {"seed": 1}) == ["seed was not set and is 1"]
