"""A real run in the window: its plots, its viewer, its log, and what the history of runs does with it."""

import csv

import pytest
from PySide6.QtCore import Qt

from app.history.actions import RunActions
from app.plots.metric_table import STEPS
from runtime.events import Finished, Metrics, RunStarted, ViewerFrame


@pytest.fixture
def watched(window, run, tmp_path, monkeypatch):
    monkeypatch.setattr(RunActions, "folders", lambda self: [tmp_path / "runs"])
    return window.watching


def train(run, tmp_path, **options):
    run.start("finished", iterations=30, save_checkpoint_dir=str(tmp_path / "checkpoints"), **options)


def test_training_is_plotted_and_logged_and_brings_its_plots_to_the_front(watched, window, run, tmp_path, qtbot):
    train(run, tmp_path)
    qtbot.waitUntil(lambda: not window.docks["plots"].visibleRegion().isEmpty())
    told = [event for event in run.events if isinstance(event, Metrics)]
    steps, values = watched.plots.runs[0].table.points("train/policy_loss", STEPS)
    assert list(steps) == [event.step for event in told]
    assert list(values) == [event.values["train/policy_loss"] for event in told]
    texts = [record.text for record, line in watched.log.model.lines.rows if line < 0]
    assert any(text.startswith("Started: ") for text in texts)
    assert any(text.startswith("Finished: 30 of 30 iterations") for text in texts)


def test_the_viewer_draws_a_run_that_goes_on_only_while_it_can_be_seen(watched, window, run, qtbot):
    window.view.show_panel("viewer")
    run.start("running")
    qtbot.waitUntil(lambda: watched.viewer.scene.state is not None, timeout=20_000)
    assert watched.viewer.scene.state.kind == "cartpole"
    assert watched.viewer.scene.state.env_ids == (0, 1, 2, 3)
    window.view.show_panel("log")
    qtbot.wait(200)
    run.events.clear()
    qtbot.wait(200)
    assert [event for event in run.events if isinstance(event, ViewerFrame)] == []
    run.press("actionStop")
    run.until("finished")


def chosen(watched, qtbot, count=1):
    panel = watched.runs.panel
    panel.refresh()
    qtbot.waitUntil(lambda: len(panel.model.entries) == count and not panel._is_reading, timeout=10_000)
    panel.view.sortByColumn(1, Qt.SortOrder.DescendingOrder)
    panel.view.selectRow(0)
    return panel


def test_a_run_of_the_history_is_inferred_from_its_checkpoint_in_the_viewer(watched, window, run, tmp_path, qtbot):
    train(run, tmp_path)
    panel = chosen(watched, qtbot)
    run.states.clear()
    panel._request("infer")
    run.until("running")
    assert run.controller.mode == "infer"
    qtbot.waitUntil(lambda: watched.viewer.scene.state is not None, timeout=20_000)
    assert len(watched.plots.runs[0].table) == 30
    run.press("actionStop")
    run.until("finished")


def test_a_run_of_the_history_goes_on_where_it_stopped(watched, window, run, tmp_path, qtbot):
    run.start("running")
    qtbot.waitUntil(lambda: len(watched.plots.runs[0].table) > 3, timeout=20_000)
    run.press("actionStop")
    run.until("finished")
    rows = len(watched.plots.runs[0].table)
    panel = chosen(watched, qtbot)
    run.states.clear()
    panel._request("resume")
    run.until("running")
    qtbot.waitUntil(lambda: len(watched.plots.runs[0].table) > rows, timeout=20_000)
    assert [event.resumed for event in run.events if isinstance(event, RunStarted)] == [False, True]
    assert run.controller.options.values["train"] == {}
    run.press("actionStop")
    run.until("finished")


def test_a_run_of_the_history_is_watched(watched, window, run, tmp_path, qtbot):
    train(run, tmp_path)
    losses = list(watched.plots.runs[0].table.points("train/policy_loss", STEPS)[1])
    watched.plots._begin()
    panel = chosen(watched, qtbot)
    run.states.clear()
    panel.buttons["attach"].click()
    qtbot.waitUntil(lambda: len(watched.plots.runs[0].table) == 30, timeout=10_000)
    assert list(watched.plots.runs[0].table.points("train/policy_loss", STEPS)[1]) == losses
    run.until("finished")
    assert any(isinstance(event, Finished) for event in run.events)


def test_two_runs_are_compared(watched, window, run, tmp_path, qtbot):
    train(run, tmp_path, seed=1)
    run.states.clear()
    train(run, tmp_path, seed=2)
    panel = chosen(watched, qtbot, 2)
    panel.view.selectAll()
    panel.buttons["compare"].click()
    qtbot.waitUntil(lambda: len(watched.plots.runs) == 2)
    assert [run.differences for run in watched.plots.runs] == ["seed 2", "seed 1"], "the last run is drawn already"
    said = []
    window.session.message.connect(said.append)
    panel._select({run.controller.run_folder.resolve()})
    panel.buttons["compare"].click()
    assert len(watched.plots.runs) == 2 and said == ["This run is drawn already; choose others to compare it with"]


@pytest.mark.parametrize("host", ["thread", "process"])
def test_a_resumed_run_is_plotted_from_its_beginning(watched, window, run, tmp_path, qtbot, host):
    run.start("finished", iterations=5, seed=1)
    first = run.controller.run_folder
    run.states.clear()
    run.start("finished", iterations=9, seed=2)  # the curves of another run are in the plots now
    run.controller.options.host = host
    run.states.clear()
    run.start("finished", iterations=12, seed="", resume=first)
    table = watched.plots.runs[0].table
    with (first / "metrics.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert table.axis("iterations").tolist() == [int(row["iteration"]) for row in rows] == list(range(1, 13))
    losses = [float(row["train/policy_loss"]) for row in rows]
    assert list(table.points("train/policy_loss", STEPS)[1]) == losses
