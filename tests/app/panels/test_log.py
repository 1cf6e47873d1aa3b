"""The log panel: levels, filter, unfolding, following, the cap."""

import time

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QGuiApplication
from PySide6.QtWidgets import QApplication

from app.panels.log import LogPanel
from app.panels.log_lines import CUT, ERROR, INFO, WARNING, LogLines, LogRecord, clock, record_of
from app.panels.log_model import LEVEL, MESSAGE, NODE, TIME
from app.session import EditorSession
from app.theme import apply_theme, colours
from runtime.events import CheckpointSaved, Failed, Finished, LogMessage, Metrics, ParameterChanged, Paused, RunStarted

TRACEBACK = "Traceback (most recent call last):\n  File a\nValueError: boom\n"


@pytest.fixture
def panel(qtbot):
    apply_theme(QApplication.instance(), "dark")
    session = EditorSession()
    panel = LogPanel(session, most=50)
    panel.kept_session = session
    qtbot.addWidget(panel)
    panel.resize(800, 240)
    panel.show()
    qtbot.waitExposed(panel)
    yield panel
    panel.stop()


def message(text, level=INFO, node_id="", time=1.0):
    return LogMessage(time, level, text, node_id)


def shown(panel, column=MESSAGE):
    return [panel.model.index(row, column).data() for row in range(panel.model.rowCount())]


@pytest.mark.parametrize(
    ("event", "level", "text"),
    [
        (message("hello", WARNING, "6"), WARNING, "hello"),
        (message("odd", "loud"), INFO, "odd"),
        (Failed(2.0, "boom", TRACEBACK, "6", "Trainer", 64), ERROR, "Failed. Trainer: boom"),
        (Failed(2.0, "node 6 (Trainer): boom", TRACEBACK, "6", "Trainer"), ERROR, "Failed. node 6 (Trainer): boom"),
        (Failed(2.0, "no graph", ""), ERROR, "Failed. no graph"),
        (CheckpointSaved(1.0, "runs/a", 1024, 2, "epoch", "3"), INFO,
         "Checkpoint saved after step 1,024 (epoch): runs/a"),
        (CheckpointSaved(1.0, "runs/a", 1, 2, "end"), INFO, "State to resume from saved after step 1 (end): runs/a"),
        (Finished(9.0, "60 of 60 iterations", 61440, 60), INFO,
         "Finished: 60 of 60 iterations; 61,440 steps, 60 iterations"),
        (Finished(9.0, "stopped in the editor", 64, 1, interrupted=True), INFO,
         "Ended: stopped in the editor; 64 steps, 1 iterations"),
        (RunStarted(0.0, "Cartpole", "train", 7, "cpu", "static", ""), INFO,
         "Started: Cartpole, train, device cpu, seed 7"),
        (ParameterChanged(1.0, "6", "learning_rate", 0.1, 0.2, 5), INFO, "learning_rate changed from 0.1 to 0.2"),
    ],
)  # fmt: skip
def test_what_the_log_says_of_events(event, level, text):
    record = record_of(event)
    assert (record.level, record.text, record.time) == (level, text, event.time)


def test_events_that_are_shown_elsewhere_are_not_in_the_log():
    assert record_of(Metrics(1.0, 64, 1, {"a": 1.0})) is None
    assert record_of(Paused(1.0, 64)) is None


def test_messages_of_several_lines_and_tracebacks_are_details():
    assert record_of(message("one\ntwo")).details == ("two",)
    assert record_of(message("")).text == ""
    assert record_of(Failed(1.0, "a\nb", TRACEBACK)).details[0] == "b"
    assert record_of(Failed(1.0, "a", TRACEBACK)).details[-1] == "ValueError: boom"


def test_times():
    assert [clock(value) for value in (0, 61.25, 3723.5)] == ["0:00:00.000", "0:01:01.250", "1:02:03.500"]


def test_lines_are_shown_with_time_level_and_node(panel):
    panel.take([message("hello", WARNING, "6", 1.25)])
    assert [shown(panel, column) for column in (TIME, LEVEL, NODE, MESSAGE)] == [
        ["0:00:01.250"], ["Warning"], ["6"], ["hello"]
    ]  # fmt: skip
    colour = panel.model.index(0, MESSAGE).data(Qt.ItemDataRole.ForegroundRole)
    assert colour == QColor(colours("dark")["warning"])
    apply_theme(QApplication.instance(), "light")
    assert panel.model.index(0, MESSAGE).data(Qt.ItemDataRole.ForegroundRole) == QColor(colours("light")["warning"])


def test_runs_are_told_apart_and_nodes_have_titles(panel, tmp_path):
    (tmp_path / "workflow.json").write_text('{"nodes": {"6": {"class_type": "PPOTrainerNode", "title": "Trainer"}}}')
    panel.run_folder = lambda: tmp_path
    started = RunStarted(0.0, "Cartpole", "train", 7, "cpu", "static", "", run_dir="runs/second")
    panel.take([started, message("one", node_id="6"), message("two", node_id="9")])
    begins = "Started: Cartpole, train, device cpu, seed 7"
    assert shown(panel) == [begins, "one", "two"]
    assert shown(panel, NODE) == ["", "Trainer (6)", "9"]
    assert panel.model.lines.records[1].whole == "0:00:01.000 INFO [node Trainer (6)] one"
    panel.take([started])
    assert shown(panel)[3:] == ["──── Run second began ────", begins]


def test_empty_it_says_so(panel):
    assert panel.pages.currentWidget() is panel.nothing
    panel.take([message("detail", "debug")])
    assert panel.nothing.text() == "All messages are hidden by the filters."
    panel.filters["debug"].click()
    assert shown(panel) == ["detail"]


def test_levels_are_switched_and_counted(panel):
    panel.take([message("a"), message("b", WARNING), message("c", ERROR), message("d", ERROR)])
    assert panel.filters[ERROR].text() == "2"
    assert panel.filters[WARNING].text() == "1"
    panel.filters[ERROR].click()
    assert shown(panel) == ["a", "b"]
    panel.take([message("e", ERROR), message("f")])
    assert shown(panel) == ["a", "b", "f"]


def test_all_words_of_the_filter_must_occur(panel, qtbot):
    panel.take([message("reward is 5"), message("loss is 5", node_id="6"), message("REWARD is 7")])
    qtbot.keyClicks(panel.search, "reward 7")
    qtbot.waitUntil(lambda: shown(panel) == ["REWARD is 7"])
    panel.take([message("no match"), message("7 reward")])
    assert shown(panel) == ["REWARD is 7", "7 reward"]
    panel.search.clear()
    panel.apply_filter()
    assert len(shown(panel)) == 5


def test_a_traceback_is_open_at_once_and_folds(panel, qtbot):
    panel.take([message("before"), Failed(2.0, "boom", TRACEBACK, "6", "Trainer"), message("after")])
    texts = ["before", "Failed. Trainer: boom", *TRACEBACK.splitlines(), "after"]
    assert shown(panel) == texts
    row = panel.view.visualRect(panel.model.index(1, MESSAGE))
    qtbot.mouseClick(panel.view.viewport(), Qt.MouseButton.LeftButton, pos=row.topLeft() + mark(row))
    assert shown(panel) == ["before", "Failed. Trainer: boom", "after"]
    panel.view.setCurrentIndex(panel.model.index(1, MESSAGE))
    qtbot.keyClick(panel.view, Qt.Key.Key_Return)
    assert shown(panel) == texts
    panel.view.setCurrentIndex(panel.model.index(3, MESSAGE))
    qtbot.keyClick(panel.view, Qt.Key.Key_Return)
    assert len(shown(panel)) == 3


def mark(row):
    from PySide6.QtCore import QPoint

    return QPoint(6, row.height() // 2)


def test_the_newest_line_stays_in_view_until_someone_scrolls_up(panel, qtbot):
    bar = panel.view.verticalScrollBar()
    panel.take([message(str(index)) for index in range(40)])
    qtbot.waitUntil(lambda: bar.maximum() > 0 and bar.value() == bar.maximum())
    bar.triggerAction(bar.SliderAction.SliderToMinimum)
    qtbot.waitUntil(lambda: not panel.follow.isChecked())
    panel.take([message("more")])
    qtbot.wait(20)
    assert bar.value() == 0
    qtbot.mouseClick(panel.follow, Qt.MouseButton.LeftButton)
    assert bar.value() == bar.maximum()


def test_lines_are_copied(panel, qtbot):
    panel.take([message("one", node_id="6"), message("two", WARNING), Failed(1.0, "boom", "trace")])
    said = []
    panel.session.message.connect(said.append)
    panel.copy.click()
    assert QGuiApplication.clipboard().text().splitlines() == [
        "0:00:01.000 INFO [node 6] one", "0:00:01.000 WARNING two", "0:00:01.000 ERROR Failed. boom", "trace"
    ]  # fmt: skip
    panel.view.selectRow(1)
    panel.view.setFocus()
    qtbot.keyClick(panel.view, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QGuiApplication.clipboard().text() == "0:00:01.000 WARNING two"
    assert said == ["Copied 3 messages", "Copied 1 message"]


def test_the_log_is_cleared(panel):
    panel.take([message("one", ERROR)])
    panel.clear.click()
    assert (shown(panel), panel.filters[ERROR].text()) == ([], "0")
    assert panel.pages.currentWidget() is panel.nothing


def test_the_oldest_lines_are_forgotten(panel):
    for index in range(0, 60, 3):
        panel.take([message(str(index + offset)) for offset in range(3)])
    lines = panel.model.lines
    assert len(lines.records) <= 50
    assert lines.counts[INFO] == len(lines.records)
    assert shown(panel) == [record.text for record in lines.records]
    assert shown(panel)[-1] == "59"


def test_it_is_told_how_many_lines_are_forgotten_and_where_all_of_them_are(panel, tmp_path):
    panel.take([message(str(index)) for index in range(50)])
    assert panel.older.isHidden() and panel.model.lines.dropped == 0
    panel.run_folder = lambda: tmp_path
    panel.take([message(str(index)) for index in range(1200)])
    lines = panel.model.lines
    assert len(lines.records) == 45 and lines.dropped == 1205
    assert panel.older.isVisible()
    assert panel.older.text() == (
        f"1,205 older messages are not shown any more; the whole log: {tmp_path / 'events.jsonl'}"
    )
    panel.clear.click()
    assert panel.older.isHidden() and lines.dropped == 0


def test_long_messages_count_by_their_length():
    lines = LogLines(100, most_characters=1000)
    for index in range(40):
        lines.rows += lines.add([record_of(message(f"{index} " + "a" * 96 + "\nb" * 100))])
        del lines.rows[: lines.overflow()]
    assert [record.text.split()[0] for record in lines.records] == ["36", "37", "38", "39"]
    assert lines.dropped == 36 and [row[0] for row in lines.rows] == lines.records
    lines.rows += lines.add([record_of(message("x" * 5000))])
    del lines.rows[: lines.overflow()]
    assert [len(record.text) for record in lines.records] == [5000], "the newest one stays, however long"


def test_a_huge_message_is_cut():
    record = record_of(message("x" * 10_000_000))
    assert record.characters < 201_000 and record.text.endswith(CUT)


def test_many_lines_stay_quick():
    lines = LogLines(100_000)
    records = [LogRecord(float(index), INFO, "", f"line {index}") for index in range(100_000)]
    lines.rows += lines.add(records)
    start = time.perf_counter()
    for index in range(100):
        lines.rows += lines.add([LogRecord(0.0, INFO, "", f"more {index}")])
        del lines.rows[: lines.overflow()]
    assert time.perf_counter() - start < 1.0
    assert len(lines.rows) == len(lines.records) <= 100_000
