"""The panels that show a run, in the window: places, shortcuts, and what they are fed with."""

import pytest
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QDockWidget, QWidget

from runtime.events import LogMessage, Metrics, RunStarted

PANELS = ("plots", "viewer", "log", "runs")


@pytest.mark.parametrize("name", ["plots", "viewer", "log", "runHistory"])
def test_parts_have_stable_names(window, name):
    assert window.findChild(QWidget, name) is not None


def test_the_panels_lie_in_tabs_below_the_canvas_without_a_second_title(window, qtbot):
    docks = [window.docks[name] for name in ("problems", *PANELS)]
    assert set(window.tabifiedDockWidgets(docks[0])) == set(docks[1:])
    qtbot.waitUntil(lambda: all(dock.titleBarWidget() is not None for dock in docks))
    docks[1].setFloating(True)
    qtbot.waitUntil(lambda: docks[1].titleBarWidget() is None)
    docks[1].setFloating(False)
    docks[1].hide()
    for dock in docks[2:]:
        dock.hide()
    qtbot.waitUntil(lambda: docks[0].titleBarWidget() is None)


@pytest.mark.parametrize(
    ("number", "title"),
    list(enumerate(["Problems", "Plots", "Viewer", "Log", "Runs"], start=1)),
)
def test_each_panel_has_a_shortcut(window, qtbot, number, title):
    action = window.findChild(QAction, f"actionGoTo{title}")
    assert action.shortcut().toString() == f"Ctrl+{number}"
    dock = window.findChild(QDockWidget, f"dock{title}")
    dock.hide()
    action.trigger()
    qtbot.waitUntil(lambda: not dock.visibleRegion().isEmpty())


def test_events_of_the_controller_reach_the_panels(window, qtbot):
    window.view.show_panel("plots")
    window.controller.events.emit(
        [
            RunStarted(0.0, "Cartpole", "train", 0, "cpu", "static", ""),
            Metrics(1.0, 64, 1, {"episode/mean_reward": 5.0}),
            LogMessage(1.0, "warning", "careful"),
        ]
    )
    assert "episode/mean_reward" in window.watching.plots.plots
    assert [row[0].text for row in window.watching.log.model.lines.rows][-1] == "careful"


@pytest.mark.parametrize("ending", ["png", "csv"])
def test_plots_are_exported_through_a_dialog(window, qtbot, choose, tmp_path, ending):
    events = [Metrics(float(index), index, index, {"episode/mean_reward": 1.0}) for index in range(1, 5)]
    window.view.show_panel("plots")
    window.controller.events.emit(events)
    window.findChild(QAction, f"plotsExport{ending.capitalize()}").trigger()
    choose(window, "exportPlotsDialog", tmp_path / f"out.{ending}")
    qtbot.waitUntil(lambda: (tmp_path / f"out.{ending}").exists())
    qtbot.waitUntil(lambda: "Exported" in window.status.currentMessage())


def test_an_export_that_fails_names_the_reason(window, dialog, tmp_path):
    window.controller.events.emit([Metrics(1.0, 1, 1, {"a": 1.0})])
    (tmp_path / "gone").write_text("a file")
    window.watching._write_plots(tmp_path / "gone" / "out.png")
    box = dialog(window, "errorDialog")
    assert "gone" in box.informativeText()
    box.close()
