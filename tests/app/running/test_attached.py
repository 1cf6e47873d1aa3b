"""Looking at a run folder: of a run that is over, goes on, is torn, or was replaced, however large its files are."""

import json
import shutil
import threading

import pytest

from app.plots.metric_table import ITERATIONS
from app.running import attached_host
from app.running.attached_host import MOST_WAITING, AttachedHost, Tail
from app.running.controller import MOST_PER_FRAME
from app.running.host import Outcome
from app.running.mailbox import Mailbox
from runtime.events import Finished, LogMessage, Metrics, RunStarted


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


def rows_of(run, name=None):
    """Iterations in the plots, or the values of a metric."""
    table = run.window.watching.plots.runs[0].table
    return table.axis(ITERATIONS).tolist() if name is None else table.points(name, ITERATIONS)[1].tolist()


def change(path, old, new):
    """Put another text into a file in which it occurs."""
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_a_run_that_is_over_is_shown_at_once(run, folder):
    run.controller.attach(folder)
    run.until("finished")
    assert rows_of(run) == [1, 2, 3, 4, 5, 6]
    assert "iteration 6" in run.window.run_view.status.text.text()
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


def test_what_the_run_has_reported_so_far_comes_from_the_table_of_metrics(run, folder):
    change(folder / "events.jsonl", '"iteration": 3, "name": "train/policy_loss", "value": ', '"iteration": 3, "x": ')
    values = [float(line.split(",")[6]) for line in (folder / "metrics.csv").read_text().splitlines()[1:]]
    assert (folder / "metrics.csv").read_text().split(",")[6] == "train/policy_loss"
    run.controller.attach(folder)
    run.until("finished")
    assert rows_of(run, "train/policy_loss") == values and len(values) == 6
    assert [event.iteration for event in run.of(Metrics)] == [6]


@pytest.mark.parametrize("what", ["missing", "torn", "damaged", "another"])
def test_without_a_table_the_metrics_come_from_the_events(run, folder, what, caplog):
    path = folder / "metrics.csv"
    lines = path.read_text().splitlines(keepends=True)
    if what == "missing":
        path.unlink()
    else:
        texts = {
            "torn": [*lines[:3], lines[3][:-9]],
            "damaged": [*lines[:3], "1,2\n", *lines[4:]],
            "another": ["a,b\n1,2\n"],
        }
        path.write_text("".join(texts[what]))
    run.controller.attach(folder)
    run.until("finished")
    assert rows_of(run) == [1, 2, 3, 4, 5, 6] and len(rows_of(run, "train/policy_loss")) == 6
    assert ("taken from the events" in caplog.text) == (what in ("damaged", "another"))


@pytest.mark.parametrize("block", [100, 1000])
def test_pieces_of_any_size_make_the_same_curves(run, folder, block, monkeypatch):
    monkeypatch.setattr(attached_host, "BLOCK", block)
    target = folder.parent / "no-table"
    going_on(folder, target, 10_000)
    run.controller.attach(target)
    run.wait(lambda: rows_of(run) == [1, 2, 3, 4, 5, 6])
    run.wait(lambda: run.of(Finished))
    lines = (folder / "metrics.csv").read_text().splitlines()
    for place, name in enumerate(lines[0].split(",")):
        if name not in ("step", "iteration"):
            wanted = [float(line.split(",")[place]) for line in lines[1:] if line.split(",")[place]]
            assert rows_of(run, name) == wanted, name
    run.stop()


def test_a_reader_waits_for_the_window_and_ends_when_it_is_told_to(folder):
    with (folder / "events.jsonl").open("a") as file:
        for number in range(20 * MOST_WAITING):
            file.write(json.dumps({"event": "log", "time": 1.0, "level": "info", "message": str(number)}) + "\n")
    mailbox, waits = Mailbox(), []
    host = AttachedHost(folder, mailbox)
    wait = host._closed.wait

    def note(seconds):
        waits.append(len(mailbox))
        return wait(seconds)

    host._closed.wait = note
    host.start()
    while waits.count(MOST_WAITING) < 5:
        threading.Event().wait(0.005)
    assert len(mailbox) == max(waits) == MOST_WAITING and host.outcome is None
    found = mailbox.take(10)
    while host.outcome is None or len(mailbox):
        found += mailbox.take(10)
    said = [event.message for event in found if isinstance(event, LogMessage)]
    assert said[-20 * MOST_WAITING :] == [str(number) for number in range(20 * MOST_WAITING)]
    host.close()
    other = AttachedHost(folder, Mailbox())
    other.start()
    while len(other.mailbox) < MOST_WAITING:
        threading.Event().wait(0.005)
    other.close()
    assert other.outcome.code == 0 and len(other.mailbox) <= MOST_WAITING


def test_a_window_takes_events_in_parts_and_all_of_them_before_the_end(run):
    sizes, host = [], AttachedHost.__new__(AttachedHost)
    host.start = host.close = lambda: None
    host.outcome = Outcome(0)
    run.controller.events.connect(lambda events: sizes.append((len(events), run.controller.is_active)))
    for number in range(5 * MOST_PER_FRAME + 1):
        run.controller._mailbox.put(LogMessage(0.0, "info", str(number)))
    run.controller._launch(host)
    run.until("finished")
    assert sizes == [*[(MOST_PER_FRAME, True)] * 5, (1, True)]
    assert [event.message for event in run.of(LogMessage)] == [str(n) for n in range(5 * MOST_PER_FRAME + 1)]


def test_a_tail_reads_whole_lines_and_begins_anew_after_a_replacement(tmp_path):
    path = tmp_path / "events.jsonl"
    tail = Tail(path)
    assert tail.read() == b""
    path.write_bytes(b"one\ntw")
    assert tail.read() == b"one\n"
    with path.open("ab") as file:
        file.write(b"o\nthree\n")
    assert tail.read() == b"two\nthree\n"
    other = tmp_path / "other"
    other.write_bytes(b"new\n")
    other.replace(path)
    assert tail.read() == b"new\n"
    path.write_bytes(b"")
    tail.read()
    path.write_bytes(b"again\n")
    assert tail.read() == b"again\n"
    path.unlink()
    assert tail.read() == b""
    tail.close()


def test_a_line_that_is_longer_than_a_piece_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(attached_host, "BLOCK", 10)
    path = tmp_path / "events.jsonl"
    path.write_bytes(b"x" * 1000 + b"\nshort\nto")
    tail = Tail(path)
    found = tail.read() + tail.read()
    tail.close()
    assert found == b"x" * 1000 + b"\nshort\n"
