"""What a launcher's restart does with the folder of the run's name."""

import json
import shutil
from pathlib import Path

import pytest

from runtime.recording import RunFolder


@pytest.fixture
def job(monkeypatch):
    """``job("one", 1)``: what a launcher tells the processes of a job, after so many restarts."""

    def say(name, restarts):
        monkeypatch.setenv("TORCHELASTIC_RUN_ID", name)
        monkeypatch.setenv("TORCHELASTIC_RESTART_COUNT", str(restarts))

    return say


def below(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_restart_leaves_a_folder_alone_that_is_no_run(dnne, folder, small, job, monkeypatch):
    (folder / "runs" / "docs").mkdir(parents=True)
    (folder / "runs" / "docs" / "thesis.txt").write_text("x", encoding="utf-8")
    options = ("train", small, "--iterations", "2", "--run-name", "docs")
    job("one", 0)
    first = dnne(*options)
    assert "holds 'thesis.txt' already" in first.err
    job("one", 1)
    again = dnne(*options)
    assert (again.code, again.err) == (first.code, first.err)
    monkeypatch.delenv("TORCHELASTIC_RUN_ID")
    assert "holds 'thesis.txt' already" in dnne(*options).err
    assert list(below(folder / "runs")) == ["docs/thesis.txt"]


@pytest.mark.parametrize("has_state", [True, False])
@pytest.mark.parametrize(("maker", "restarted"), [("one", "two"), ("none", "none"), ("one", "")])
def test_a_restart_leaves_a_run_of_another_job_alone(dnne, folder, small, job, maker, restarted, has_state):
    options = ("train", small, "--run-name", "a")
    job(maker, 0)
    assert dnne(*options, "--iterations", "1").code == 0
    if not has_state:
        shutil.rmtree(folder / "runs" / "a" / "resume")
    before = below(folder / "runs")
    job(restarted, 1)
    result = dnne(*options, "--iterations", "3")
    assert (result.code, "already; to go on with the run there use --resume" in result.err) == (2, True)
    assert ("--rdzv-id" in result.err) == (restarted != "two")
    assert below(folder / "runs") == before


@pytest.mark.parametrize("content", ["[]", "{", '{"job": "one"}'])
def test_a_restart_leaves_a_folder_alone_whose_description_cannot_be_used(dnne, folder, small, job, content):
    (folder / "runs" / "a").mkdir(parents=True)
    (folder / "runs" / "a" / "run.json").write_text(content, encoding="utf-8")
    job("one", 1)
    assert "holds 'run.json' already" in dnne("train", small, "--iterations", "1", "--run-name", "a").err
    assert list(below(folder / "runs")) == ["a/run.json"]


def test_a_restart_goes_on_with_its_own_run_or_moves_it_aside(dnne, folder, small, job, caplog):
    options = ("train", small, "--run-name", "a")
    job("one", 0)
    assert dnne(*options, "--iterations", "1").code == 0
    job("one", 1)
    result = dnne(*options, "--iterations", "2")
    assert (result.code, "resumed at step 16, iteration 1" in result.err) == (0, True)
    shutil.rmtree(folder / "runs" / "a" / "resume")
    job("one", 2)
    assert dnne(*options, "--iterations", "1").code == 0
    name, aside = sorted(path.name for path in (folder / "runs").iterdir())
    assert name == "a" and aside.startswith("a-unfinished-")
    assert f"which holds no state to go on from, is now {Path('runs', aside)}" in caplog.text


def test_a_restart_moves_no_run_aside_that_is_still_going_on(dnne, folder, small, job):
    with RunFolder.create(folder / "runs", "a", "a") as run:
        run.write_info({"dnne_run": 1, "job": "one"})
        job("one", 1)
        result = dnne("train", small, "--iterations", "1", "--run-name", "a")
    assert (result.code, "is still going on" in result.err) == (2, True)
    assert [path.name for path in (folder / "runs").iterdir()] == ["a"]


def test_a_restart_of_a_run_that_is_over_finds_nothing_left_to_do(dnne, folder, small, job, monkeypatch):
    options = ("train", small, "--iterations", "2", "--run-name", "a")
    job("one", 0)
    assert dnne(*options).code == 0
    info = folder / "runs" / "a" / "run.json"
    before = json.loads(info.read_text(encoding="utf-8"))
    del before["ended"], before["result"], before["summary"]
    info.write_text(json.dumps(before), encoding="utf-8")
    job("one", 1)
    result = dnne(*options)
    assert (result.code, "the run was over already (--iterations: 2 of 2 are done)" in result.err) == (0, True)
    after = json.loads(info.read_text(encoding="utf-8"))
    assert (after["result"], after["summary"]["iterations"]) == ("finished", 2)
    monkeypatch.delenv("TORCHELASTIC_RESTART_COUNT")
    assert "give a larger number" in dnne("train", small, "--iterations", "2", "--resume", "runs/a").err
