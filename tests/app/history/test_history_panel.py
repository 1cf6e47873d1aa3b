"""The panel of runs in the window: list, sorting, filter, and every action."""

import json
from datetime import datetime
from pathlib import Path

import pytest
from PySide6.QtCore import QFile, Qt
from PySide6.QtWidgets import QWidget

from app.history.actions import RunActions
from app.history.model import DIFFERS, NAME, REWARD, STATE, when
from runtime.events import Metrics, ParameterChanged, RunStarted


@pytest.fixture
def shown(make_window, qtbot, make_run, tmp_path, monkeypatch):
    """The panel in a window whose runs lie in ``tmp_path/runs``; call it with what to wait for."""
    monkeypatch.setattr(RunActions, "folders", lambda self: [tmp_path / "runs"])

    def show(count):
        window = make_window()
        window.view.show_panel("runs")
        panel = window.watching.runs.panel
        qtbot.waitUntil(lambda: len(panel.model.entries) == count)
        qtbot.waitUntil(lambda: not panel._is_reading)
        return window, panel

    return show


def column(panel, number):
    return [panel.proxy.index(row, number).data() for row in range(panel.proxy.rowCount())]


def choose_rows(panel, *names):
    panel._select({entry.path for entry in panel.model.entries if entry.name in names})


def test_without_runs_it_says_where_it_looked(shown, tmp_path):
    _, panel = shown(0)
    assert panel.pages.currentWidget() is panel.nothing
    assert str(tmp_path / "runs") in panel.nothing.text()


def test_runs_are_listed_sorted_and_filtered(shown, make_run, qtbot):
    make_run("a", started="2026-01-01T00:00:00+00:00", reward=5.0, learning_rate=0.1)
    make_run("b", started="2026-02-01T00:00:00+00:00", reward=300.0, learning_rate=0.2)
    make_run("c", started="2026-03-01T00:00:00+00:00", reward=20.0, result="failed", learning_rate=0.1)
    _, panel = shown(3)
    assert column(panel, NAME) == ["c", "b", "a"]
    assert column(panel, STATE) == ["failed", "finished", "finished"]
    assert column(panel, DIFFERS)[0] == "Trainer.learning_rate 0.1"
    panel.view.sortByColumn(REWARD, Qt.SortOrder.DescendingOrder)
    assert column(panel, REWARD) == ["300", "20", "5"]
    qtbot.keyClicks(panel.search, "finished 0.2")
    assert column(panel, NAME) == ["b"]


def test_a_new_run_appears_and_the_selection_stays(shown, make_run, qtbot):
    make_run("a")
    _, panel = shown(1)
    choose_rows(panel, "a")
    make_run("b", started="2026-05-01T00:00:00+00:00")
    qtbot.waitUntil(lambda: column(panel, NAME) == ["b", "a"])
    assert [entry.name for entry in panel.selected()] == ["a"]


def test_behind_another_tab_the_folders_are_left_alone(shown, qtbot):
    window, panel = shown(0)
    window.view.show_panel("plots")
    qtbot.waitUntil(lambda: not panel._poll.isActive())


def test_what_can_be_done_depends_on_the_runs(shown, make_run, tmp_path):
    (tmp_path / "checkpoints" / "node_6").mkdir(parents=True)
    make_run("done", save_dir="checkpoints", resume=True)
    make_run("going", result=None)
    damaged = make_run("broken")
    (damaged / "run.json").write_text("{", encoding="utf-8")
    _, panel = shown(3)

    def allowed(*names):
        choose_rows(panel, *names)
        return {name for name in ("compare", "load", "infer", "resume", "attach", "open", "delete")
                if panel.allowed(name, panel.selected())}  # fmt: skip

    assert allowed() == set()
    assert allowed("done") == {"compare", "load", "infer", "resume", "attach", "open", "delete"}
    assert allowed("going") == {"compare", "load", "attach", "open"}
    assert allowed("broken") == {"compare", "open", "delete"}
    assert allowed("done", "going") == {"compare"}
    assert not panel.buttons["load"].isEnabled()


def test_runs_are_compared_in_the_plots_with_what_differs(shown, make_run, qtbot):
    make_run("a", learning_rate=0.1)
    make_run("b", learning_rate=0.2)
    window, panel = shown(2)
    choose_rows(panel, "a", "b")
    panel.buttons["compare"].click()
    plots = window.watching.plots
    qtbot.waitUntil(lambda: len(plots.runs) == 3)
    assert {run.name: run.differences for run in plots.runs[1:]} == {
        "a": "Trainer.learning_rate 0.1", "b": "Trainer.learning_rate 0.2"
    }  # fmt: skip
    qtbot.waitUntil(lambda: not window.docks["plots"].visibleRegion().isEmpty())
    rows = {row.objectName() for row in plots.legend.findChildren(QWidget) if row.objectName().startswith("legend:")}
    assert rows == {"legend:a", "legend:b"}  # this window has had no run
    plots.legend.remove_requested.emit(1)
    assert [entry.name for entry in window.watching.runs.compared] == [run.name for run in plots.runs[1:]]


def test_a_new_run_and_its_live_edits_are_compared_with_what_is_drawn(shown, make_run, qtbot):
    earlier = make_run("a", learning_rate=0.1)
    edit = {"event": "parameter_changed", "time": 1.0, "node_id": "6", "name": "learning_rate", "old": 0.1, "new": 0.3}
    (earlier / "events.jsonl").write_text('{"event": "started"}\n' + json.dumps(edit) + "\n", encoding="utf-8")
    window, panel = shown(1)
    choose_rows(panel, "a")
    panel.buttons["compare"].click()
    plots, controller = window.watching.plots, window.controller
    qtbot.waitUntil(lambda: len(plots.runs) == 2)

    def begin(path):
        controller.run_folder = path
        controller.events.emit([RunStarted(0.0, "Cartpole PPO", "train", 0, "cpu", "static", "")])
        controller.events.emit([Metrics(1.0, 64, 1, {"episode/mean_reward": 1.0})])
        return [run.differences for run in plots.runs]

    def rate(*values):
        return [f"Trainer.learning_rate {value}" for value in values]

    assert begin(make_run("same", learning_rate=0.3)) == ["", ""]
    assert begin(make_run("new", learning_rate=0.2)) == rate(0.2, 0.3)
    controller.events.emit([ParameterChanged(2.0, "6", "learning_rate", 0.2, 0.5, 1)])
    assert [run.differences for run in plots.runs] == rate(0.5, 0.3)


def test_a_run_without_metrics_is_told(shown, make_run, dialog):
    path = make_run("a")
    (path / "metrics.csv").unlink()
    window, panel = shown(1)
    choose_rows(panel, "a")
    panel.buttons["compare"].click()
    box = dialog(window, "errorDialog")
    assert "metrics.csv" in box.informativeText()
    box.close()


def test_a_run_is_loaded_as_a_copy(shown, make_run):
    make_run("a")
    window, panel = shown(1)
    choose_rows(panel, "a")
    panel.buttons["load"].click()
    assert list(window.session.workflow.nodes) == ["6"]
    assert window.session.document.path is None


def test_a_run_is_watched(shown, make_run, monkeypatch):
    path = make_run("a")
    window, panel = shown(1)
    attached = []
    monkeypatch.setattr(window.controller, "attach", attached.append)
    choose_rows(panel, "a")
    panel.buttons["attach"].click()
    assert attached == [path]


def test_deleting_asks_and_moves_to_the_trash(shown, make_run, qtbot, press, monkeypatch):
    path, kept = make_run("a"), make_run("b")
    window, panel = shown(2)
    trashed = []

    def to_trash(name):
        trashed.append(name)
        Path(name).rename(Path(name).parent.parent / "trash")
        return True, "trash"

    monkeypatch.setattr(QFile, "moveToTrash", to_trash)
    choose_rows(panel, "a")
    panel._request("delete")
    press(window, "deleteRuns", "Cancel")
    assert trashed == []
    panel._request("delete")
    press(window, "deleteRuns", "Delete")
    assert trashed == [str(path)]
    qtbot.waitUntil(lambda: column(panel, NAME) == ["b"])
    assert kept.is_dir()


def test_without_a_trash_it_asks_again(shown, make_run, qtbot, press, monkeypatch):
    path = make_run("a")
    window, panel = shown(1)
    monkeypatch.setattr(QFile, "moveToTrash", lambda name: (False, ""))
    choose_rows(panel, "a")
    panel._request("delete")
    press(window, "deleteRuns", "Delete")
    assert path.is_dir()
    press(window, "removeRuns", "Delete for good")
    assert not path.exists()
    qtbot.waitUntil(lambda: column(panel, NAME) == [])


def test_a_run_that_has_begun_to_go_on_is_not_deleted(shown, make_run, press, dialog):
    path = make_run("a", result="finished")
    window, panel = shown(1)
    choose_rows(panel, "a")
    panel._request("delete")
    import json

    info = json.loads((path / "run.json").read_text(encoding="utf-8"))
    (path / "run.json").write_text(json.dumps({**info, "result": None, "summary": None}), encoding="utf-8")
    press(window, "deleteRuns", "Delete")
    assert "stop it first" in dialog(window, "errorDialog").informativeText()
    dialog(window, "errorDialog").close()
    assert path.is_dir()


def test_another_folder_is_kept(make_window, tmp_path):
    window = make_window()
    window.watching.runs.add_folder(tmp_path / "cluster")
    assert tmp_path / "cluster" in window.watching.runs.folders()
    assert Path.cwd() / "runs" in window.watching.runs.folders()


def test_times():
    now = datetime(2026, 3, 5, 14, 0)
    assert when(datetime(2026, 3, 5, 9, 5), now) == "09:05"
    assert when(datetime(2026, 1, 2, 9, 5), now) == "2 Jan 09:05"
    assert when(datetime(2025, 1, 2, 9, 5), now) == "2 Jan 2025"
    assert when(None, now) == "–"
