"""Looking at a run folder: of a run that is over, goes on, is torn, or was replaced."""

import json
import shutil

import pytest

from app.running.attached_host import Tail
from runtime.events import Finished, Metrics, RunStarted


@pytest.fixture
def folder(dnne, small, tmp_path):
    assert dnne("train", small, "--iterations", 6, "--run-name", "done").code == 0
    return tmp_path / "runs" / "done"


def going_on(folder, target, lines):
    """A copy of a run folder as it was when so many lines had been written."""
    target.mkdir()
    info = json.loads((folder / "run.json").read_text())
    (target / "run.json").write_text(json.dumps({**info, "result": None, "ended": None}))
    whole = (folder / "events.jsonl").read_bytes().splitlines(keepends=True)
    (target / "events.jsonl").write_bytes(b"".join(whole[:lines]))
    return whole


def test_a_run_that_is_over_is_shown_at_once(run, folder):
    run.controller.attach(folder)
    run.until("finished")
    assert [event.iteration for event in run.of(Metrics)] == [1, 2, 3, 4, 5, 6]
    assert run.of(RunStarted) and run.of(Finished) and run.controller.run_folder == folder
    assert not run.window.session.is_locked


def test_a_run_that_goes_on_is_followed_but_not_steered(run, folder, tmp_path):
    target = tmp_path / "elsewhere"
    lines = going_on(folder, target, 20)
    run.controller.attach(target)
    run.until("running")
    assert not run.window.actions_by_name["actionPause"].isEnabled()
    assert run.window.actions_by_name["actionStop"].isEnabled()
    with (target / "events.jsonl").open("ab") as file:
        file.write(b"".join(lines[20:]) + lines[-1][:10])
    run.wait(lambda: len(run.of(Metrics)) and run.of(Metrics)[-1].iteration == 6)
    shutil.copy(folder / "run.json", target / "run.json")
    run.until("finished")


def test_looking_away_ends_nothing(run, folder, tmp_path):
    target = tmp_path / "elsewhere"
    going_on(folder, target, 20)
    before = (target / "events.jsonl").read_bytes()
    run.controller.attach(target)
    run.until("running")
    run.stop()
    assert (target / "events.jsonl").read_bytes() == before


def test_what_is_no_run_is_refused(run, tmp_path):
    run.controller.attach(tmp_path)
    assert run.controller.state == "idle" and "no run's folder" in run.window.notice.text


def test_a_tail_reads_whole_lines_and_begins_anew_after_a_replacement(tmp_path):
    path = tmp_path / "events.jsonl"
    tail = Tail(path)
    assert tail.read() == []
    path.write_bytes(b"one\ntw")
    assert tail.read() == [b"one"]
    with path.open("ab") as file:
        file.write(b"o\nthree\n")
    assert tail.read() == [b"two", b"three"]
    other = tmp_path / "other"
    other.write_bytes(b"new\n")
    other.replace(path)
    assert tail.read() == [b"new"]
    path.write_bytes(b"")
    tail.read()
    path.write_bytes(b"again\n")
    assert tail.read() == [b"again"]
    path.unlink()
    assert tail.read() == []
    tail.close()
