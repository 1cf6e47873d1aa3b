"""The dock of plots: drawing, choices, comparison, cursor, following, exporting."""

import csv
import re

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QEnterEvent, QImage, QWheelEvent
from PySide6.QtWidgets import QApplication, QToolButton

from app.document import Document
from app.files.settings import EditorSettings
from app.plots import curve_view
from app.plots.drawing import RunCurves
from app.plots.exporting import write_numbers, write_picture
from app.plots.labels import REWARD_COMPONENTS
from app.plots.metric_plot import MetricPlot
from app.plots.panel import THIS_RUN, Plots
from app.plots.ticks import ValueAxis, count_texts
from app.session import EditorSession
from app.theme import apply_theme, plot_colours
from runtime.errors import StorageError
from runtime.events import Finished, LogMessage, Metrics, RunStarted
from runtime.workflow import Workflow
from tests.app.event_counter import EventCounter


def started(mode="train", resumed=False):
    return RunStarted(0.0, "Cartpole", mode, 0, "cpu", "static", "", resumed=resumed)


def metrics(index, **values):
    named = {"episode/mean_reward": float(index), "train/entropy": 1.0 / index, **values}
    return Metrics(0.5 * index, 64 * index, index, named)


@pytest.fixture
def session(qtbot):
    return EditorSession()


@pytest.fixture
def settings(session, tmp_path):
    return EditorSettings(tmp_path / "settings", session)


@pytest.fixture
def panel(qtbot, session, settings):
    apply_theme(QApplication.instance(), "dark")
    panel = Plots(session, settings)
    qtbot.addWidget(panel)
    panel.resize(900, 420)
    panel.show()
    qtbot.waitExposed(panel)
    yield panel
    panel.stop()


def run(panel, qtbot, count=20, **values):
    panel.take([started(), *(metrics(index, **values) for index in range(1, count + 1))])
    settle(panel, qtbot)


def settle(panel, qtbot):
    qtbot.waitUntil(lambda: not panel._timer.isActive())


def test_without_a_run_it_says_what_to_do(panel):
    assert panel.pages.currentWidget() is panel.nothing
    assert "Press Train" in panel.nothing.text()
    assert not panel.toolbar.add.isEnabled()


def test_curves_appear_while_the_run_goes_on(panel, qtbot):
    run(panel, qtbot, 20)
    assert list(panel.plots) == ["episode/mean_reward", "train/entropy"]
    x, y = panel.plots["episode/mean_reward"].shown[0]
    assert list(x) == [64 * index for index in range(1, 21)]
    assert list(y) == list(range(1, 21))
    panel.take([metrics(21)])
    settle(panel, qtbot)
    assert panel.plots["episode/mean_reward"].shown[0][1][-1] == 21


def test_plots_that_the_run_has_no_metric_for_are_left_out(panel, qtbot):
    run(panel, qtbot, **{"episode/reward_upright": 1.0, "episode/reward_failure": -1.0})
    assert list(panel.plots) == ["episode/mean_reward", "train/entropy", REWARD_COMPONENTS]
    assert len(panel.plots[REWARD_COMPONENTS].shown) == 2


def test_nothing_is_drawn_when_nothing_has_changed(panel, qtbot):
    run(panel, qtbot)
    frames = panel.frames
    panel.take([LogMessage(1.0, "info", "hello")])
    panel.take([])
    qtbot.wait(80)
    assert panel.frames == frames


def test_a_burst_of_events_is_drawn_at_once_and_at_its_end(panel, qtbot):
    run(panel, qtbot)
    frames = panel.frames
    for index in range(21, 60):
        panel.take([metrics(index)])
    settle(panel, qtbot)
    assert panel.plots["train/entropy"].shown[0][1][-1] == 1 / 59
    assert frames + 1 <= panel.frames <= frames + 2


def test_a_growing_run_keeps_its_axes_for_a_while_and_ends_with_its_last_point(panel, qtbot):
    run(panel, qtbot, 400)
    view = panel.plots["train/entropy"].view.view
    before = view.viewRange()[0]
    assert 64 * 400 < before[1] <= 64 * 450
    panel.take([metrics(401)])
    settle(panel, qtbot)
    assert view.viewRange()[0] == before and panel.plots["train/entropy"].shown[0][0][-1] == 64 * 401
    panel.take([Finished(402.0, "iterations reached", 64 * 401, 401)])
    settle(panel, qtbot)
    assert view.viewRange()[0] == pytest.approx([64, 64 * 401])


def show_next(panel, qtbot, index):
    panel.take([metrics(index)])
    settle(panel, qtbot)
    QApplication.processEvents()


def test_a_new_point_paints_each_curve_once_and_no_axes(panel, qtbot):
    run(panel, qtbot, 400)
    QApplication.processEvents()
    views = [plot.view for plot in panel.plots.values()]
    grounds = [view.grounds for view in views]
    paints = EventCounter(QEvent.Type.Paint, *(view.viewport() for view in views))
    show_next(panel, qtbot, 401)
    assert [view.grounds for view in views] == grounds and min(grounds) > 0
    assert paints.count == len(views) == 2


def test_a_frame_makes_no_pens_and_asks_no_scene_for_places(panel, qtbot, monkeypatch):
    run(panel, qtbot, 400)
    QApplication.processEvents()
    asked = []
    for owner, name in ((curve_view.pg, "mkPen"), (curve_view.pg.ViewBox, "boundingRect")):
        monkeypatch.setattr(owner, name, lambda *args, name=name, **named: asked.append(name))
    show_next(panel, qtbot, 401)
    assert asked == []


def test_a_new_number_paints_nothing_that_lies_behind_it(panel, qtbot):
    run(panel, qtbot, 400)
    QApplication.processEvents()
    plots = list(panel.plots.values())
    behind = EventCounter(QEvent.Type.Paint, panel, panel.grid, panel.grid.viewport(), panel.grid.inner, *plots)
    numbers = EventCounter(QEvent.Type.Paint, *(plot.values for plot in plots))
    show_next(panel, qtbot, 401)
    assert (numbers.count, behind.count) == (2, 0)


def test_axes_are_painted_anew_when_size_scale_or_theme_change(panel, qtbot):
    run(panel, qtbot)
    view = panel.plots["train/entropy"].view
    for change in (
        lambda: panel.resize(940, 430),
        lambda: panel.set_axis("iterations"),
        lambda: panel.set_logarithmic("train/entropy", True),
        lambda: apply_theme(QApplication.instance(), "light"),
        lambda: panel.set_range(3.0, 9.0),
    ):
        before = view.grounds
        change()
        settle(panel, qtbot)
        view.viewport().repaint()
        assert view.grounds > before
    corner = view.grab().toImage().pixelColor(view.width() - 2, 2)
    assert corner.name() == "#ffffff"
    apply_theme(QApplication.instance(), "dark")


def test_curves_are_painted_where_their_axes_say(panel, qtbot):
    run(panel, qtbot, 50)
    panel.set_smoothing(0.0)
    settle(panel, qtbot)
    view = panel.plots["episode/mean_reward"].view
    image = view.viewport().grab().toImage()
    for index in (5, 25, 45):
        place = view.mapFromScene(view.view.mapViewToScene(QPointF(64 * index, index)))
        near = {image.pixelColor(place.x() + x, place.y() + y).name() for x in (-1, 0, 1) for y in (-1, 0, 1)}
        assert plot_colours("dark")[0] in near
    assert image.pixelColor(view.width() - 4, view.height() // 2).name() not in plot_colours("dark")


def test_tooltips_name_all_values_and_are_set_only_under_the_mouse(panel, qtbot):
    run(panel, qtbot, **{"episode/reward_upright": 1.0, "episode/reward_failure": -1.0})
    values = panel.plots[REWARD_COMPONENTS].values
    assert values.toolTip() == ""
    place = QPointF(3, 3)
    QApplication.sendEvent(values, QEnterEvent(place, place, place))
    assert values.toolTip() == "failure: -1<br>upright: 1"


def test_a_tooltip_tells_the_smoothed_value_from_the_measured_one(panel, qtbot):
    run(panel, qtbot, 50)
    panel.set_smoothing(0.9)
    settle(panel, qtbot)
    values = panel.plots["episode/mean_reward"].values
    place = QPointF(3, 3)
    QApplication.sendEvent(values, QEnterEvent(place, place, place))
    assert re.fullmatch(r"This run: \S+ smoothed, 50 measured", values.toolTip())


def test_plots_are_made_before_the_run(panel, qtbot):
    panel.prepare()
    made = panel.findChildren(MetricPlot)
    assert len(made) == len(panel.choices.plots) and not any(plot.isVisible() for plot in made)
    run(panel, qtbot)
    assert panel.findChildren(MetricPlot) == made
    assert all(plot in made and plot.isVisible() for plot in panel.plots.values())


def test_hidden_it_draws_nothing_and_catches_up_when_shown(panel, qtbot):
    run(panel, qtbot)
    panel.hide()
    frames = panel.frames
    panel.take([metrics(21)])
    qtbot.wait(80)
    assert (panel.frames, panel._timer.isActive()) == (frames, False)
    panel.show()
    qtbot.waitUntil(lambda: panel.frames > frames)
    assert panel.plots["train/entropy"].shown[0][1][-1] == 1 / 21


def test_only_plots_in_view_are_drawn(panel, qtbot):
    panel.resize(320, 260)
    run(panel, qtbot, **{f"train/{name}": 1.0 for name in ("policy_loss", "value_loss", "approx_kl")})
    first, *_, last = panel.plots.values()
    assert first.shown and not last.shown
    panel.grid.verticalScrollBar().setValue(panel.grid.verticalScrollBar().maximum())
    qtbot.waitUntil(lambda: bool(last.shown))


def test_a_new_run_begins_anew_a_resumed_one_goes_on_and_inference_changes_nothing(panel, qtbot):
    run(panel, qtbot, 20)
    panel.take([started("infer"), Metrics(1.0, 64, 0, {"eval/mean_reward": 1.0})])
    assert len(panel.runs[0].table) == 20
    panel.take([started(resumed=True), metrics(15)])
    assert len(panel.runs[0].table) == 15
    panel.take([started(), metrics(1)])
    assert len(panel.runs[0].table) == 1


def test_metrics_are_added_removed_and_remembered_for_the_workflow(panel, qtbot, session, settings):
    run(panel, qtbot, **{"train/clip_fraction": 0.1})
    panel.show_plot("train/clip_fraction")
    panel.show_plot("train/entropy", False)
    assert list(panel.plots) == ["episode/mean_reward", "train/clip_fraction"]
    session.set_document(Document(Workflow("Other")))
    assert "train/entropy" in panel.plots
    assert "train/clip_fraction" not in panel.choices.plots
    session.set_document(Document())
    assert list(panel.choices.plots)[-1] == "train/clip_fraction"
    again = Plots(session, settings)
    qtbot.addWidget(again)
    assert again.choices == panel.choices


def test_the_menu_of_a_plot_removes_it(panel, qtbot):
    run(panel, qtbot)
    panel.plots["train/entropy"].remove_requested.emit()
    assert list(panel.plots) == ["episode/mean_reward"]
    panel.plots["episode/mean_reward"].remove_requested.emit()
    assert "Add metric" in panel.nothing.text()
    assert panel.pages.currentWidget() is panel.nothing


def test_the_list_of_metrics_is_searched(panel, qtbot):
    run(panel, qtbot, **{"train/clip_fraction": 0.1})
    qtbot.mouseClick(panel.toolbar.add, Qt.MouseButton.LeftButton)
    assert panel.picker.isVisible()
    qtbot.keyClicks(panel.picker.search, "clip")
    shown = [panel.picker.list.item(row) for row in range(panel.picker.list.count())]
    assert [item.text() for item in shown if not item.isHidden()] == ["Clip fraction"]
    qtbot.keyClick(panel.picker.search, Qt.Key.Key_Return)
    assert "train/clip_fraction" in panel.plots
    qtbot.keyClicks(panel.picker.search, "zzz")
    assert panel.picker.nothing.isVisible()
    panel.picker.hide()


@pytest.mark.parametrize(("axis", "last"), [("steps", 1280.0), ("iterations", 20.0), ("time", 10.0)])
def test_the_x_axis_is_chosen_for_all_plots(panel, qtbot, axis, last):
    run(panel, qtbot)
    panel.set_axis(axis)
    settle(panel, qtbot)
    for plot in panel.plots.values():
        assert plot.shown[0][0][-1] == last
        assert last <= plot.view.view.viewRange()[0][1] < 1.25 * last


def test_moving_one_plot_moves_all_and_a_double_click_follows_again(panel, qtbot):
    run(panel, qtbot)
    first, second = panel.plots.values()
    first.view.view.setXRange(200, 600, padding=0)
    first.view.range_moved.emit(200.0, 600.0)
    settle(panel, qtbot)
    assert second.view.view.viewRange()[0] == pytest.approx([200, 600])
    assert not panel.is_following
    assert not panel.toolbar.follow.isChecked()
    panel.take([metrics(21)])
    settle(panel, qtbot)
    assert second.view.view.viewRange()[0] == pytest.approx([200, 600])
    qtbot.mouseDClick(second.view.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(100, 40))
    settle(panel, qtbot)
    assert panel.is_following
    low, high = first.view.view.viewRange()[0]
    assert low == 64 and 64 * 21 <= high < 64 * 26


def test_the_follow_button_holds_the_view(panel, qtbot):
    run(panel, qtbot)
    qtbot.mouseClick(panel.toolbar.follow, Qt.MouseButton.LeftButton)
    panel.take([metrics(21)])
    settle(panel, qtbot)
    assert panel.plots["train/entropy"].view.view.viewRange()[0] == pytest.approx([64, 1280])
    qtbot.mouseClick(panel.toolbar.follow, Qt.MouseButton.LeftButton)
    settle(panel, qtbot)
    low, high = panel.plots["train/entropy"].view.view.viewRange()[0]
    assert low == 64 and 64 * 21 <= high < 64 * 26


def wheel(view, modifiers):
    place = QPointF(view.viewport().rect().center())
    event = QWheelEvent(
        place, QPointF(view.viewport().mapToGlobal(place.toPoint())), QPoint(), QPoint(0, 120),
        Qt.MouseButton.NoButton, modifiers, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(view.viewport(), event)


def test_ctrl_and_the_wheel_zoom_and_the_wheel_alone_is_left_for_scrolling(panel, qtbot):
    run(panel, qtbot)
    view = panel.plots["train/entropy"].view
    view.viewport().repaint()
    before = view.view.viewRange()[0][1]
    wheel(view, Qt.KeyboardModifier.NoModifier)
    assert panel.is_following
    wheel(view, Qt.KeyboardModifier.ControlModifier)
    settle(panel, qtbot)
    low, high = view.view.viewRange()[0]
    assert 64 < low < high < before


def test_the_cursor_shows_values_in_every_plot(panel, qtbot):
    run(panel, qtbot)
    panel.set_smoothing(0.0)
    first, second = panel.plots.values()
    place = first.view.view.mapViewToScene(QPointF(640, 10))
    qtbot.mouseMove(first.view.viewport(), first.view.mapFromScene(place))
    first.view.cursor_moved.emit(640.0)
    settle(panel, qtbot)
    assert first.values.text() == "10"
    assert second.values.text() == "0.1"
    assert second.view.cursor == 640.0
    first.view.cursor_moved.emit(None)
    settle(panel, qtbot)
    assert first.values.text() == "20"
    assert second.view.cursor is None


def test_a_logarithmic_scale_leaves_out_what_has_no_logarithm(panel, qtbot):
    run(panel, qtbot, **{"train/entropy": 100.0})
    panel.take([metrics(21, **{"train/entropy": -1.0}), metrics(22, **{"train/entropy": 1000.0})])
    panel.plots["train/entropy"].logarithmic.setChecked(True)
    settle(panel, qtbot)
    values = panel.plots["train/entropy"].shown[0][1]
    assert list(values[-2:]) == [2.0, 3.0]
    assert panel.choices.logarithmic == ["train/entropy"]


def test_smoothing_is_switched_by_the_slider(panel, qtbot):
    run(panel, qtbot)
    panel.toolbar.smoothing.setValue(0)
    settle(panel, qtbot)
    raw, smooth = panel.plots["episode/mean_reward"]._items[0]
    assert (smooth.isVisible(), panel.toolbar.weight.text()) == (False, "off")
    panel.toolbar.smoothing.setValue(90)
    settle(panel, qtbot)
    raw, smooth = panel.plots["episode/mean_reward"]._items[0]
    assert smooth.isVisible()
    assert smooth.getData()[1][-1] < raw.getData()[1][-1]
    assert panel.choices.smoothing == 0.9


def test_earlier_runs_are_drawn_besides_with_what_differs(panel, qtbot):
    run(panel, qtbot)
    earlier = RunCurves("earlier-run")
    for index in range(1, 31):
        earlier.table.append(64 * index, index, 0.5 * index, {"episode/mean_reward": 2.0 * index, "old/metric": 1.0})
    panel.add_run(earlier)
    panel.set_differences({"earlier-run": "Trainer.learning_rate 1e-4"})
    settle(panel, qtbot)
    assert len(panel.plots["episode/mean_reward"].shown) == 2
    assert 64 * 30 <= panel.plots["episode/mean_reward"].view.view.viewRange()[0][1] < 64 * 36
    assert earlier.colour == 1
    assert panel.legend.isVisible()
    texts = [label.text() for label in panel.legend.findChildren(type(panel.nothing))]
    assert texts == [THIS_RUN, "earlier-run", "Trainer.learning_rate 1e-4"]
    panel.take([started(), metrics(1)])
    assert len(panel.runs) == 2
    (button,) = panel.legend.findChildren(QToolButton)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert len(panel.runs) == 1
    assert not panel.legend.isVisible()


def test_a_million_points_are_reduced_to_what_the_screen_shows(panel, qtbot):
    import numpy as np

    from app.plots.metric_table import MetricTable

    steps = np.arange(1, 1_000_001)
    table = MetricTable.from_columns({"step": steps, "iteration": steps, "train/entropy": np.sin(steps / 1e5)})
    panel.show_table(table)
    settle(panel, qtbot)
    assert len(panel.plots["train/entropy"].shown[0][0]) < 5 * panel.plots["train/entropy"].pixels


def test_themes_are_taken_over(panel, qtbot):
    run(panel, qtbot)
    panel.add_run(RunCurves("earlier", panel.runs[0].table))
    apply_theme(QApplication.instance(), "light")
    settle(panel, qtbot)
    view = panel.plots["train/entropy"].view
    assert view.viewport().grab().toImage().pixelColor(view.width() - 4, 2).name() == "#ffffff"
    apply_theme(QApplication.instance(), "dark")


@pytest.mark.parametrize("ending", ["png", "svg"])
def test_plots_are_exported_as_pictures(panel, qtbot, tmp_path, ending):
    run(panel, qtbot)
    path = tmp_path / f"plots.{ending}"
    write_picture(panel.pages, path)
    image = QImage(str(path))
    assert image.width() / image.height() == pytest.approx(panel.pages.width() / panel.pages.height(), rel=0.01)
    if ending == "svg":
        text = path.read_text(encoding="utf-8")
        assert "<polyline" in text or "<path" in text
        assert text.count("<text") >= 4 * len(panel.plots)  # those of the axes too


def test_numbers_are_exported_to_the_last_bit(panel, qtbot, tmp_path):
    run(panel, qtbot, 3, **{"train/entropy": 0.1 + 0.2})
    panel.take([Metrics(2.0, 256, 4, {"episode/mean_reward": 4.5})])
    write_numbers(panel.runs, ["episode/mean_reward", "train/entropy"], tmp_path / "plots.csv")
    with (tmp_path / "plots.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["run", "steps", "iterations", "time", "episode/mean_reward", "train/entropy"]
    assert rows[1] == [THIS_RUN, "64", "1", "0.5", "1.0", "0.30000000000000004"]
    assert rows[4] == [THIS_RUN, "256", "4", "2", "4.5", ""]


def test_a_place_that_cannot_be_written_is_named(panel, qtbot, tmp_path):
    run(panel, qtbot)
    (tmp_path / "gone").write_text("a file")
    with pytest.raises(StorageError, match="gone"):
        write_picture(panel.pages, tmp_path / "gone" / "plots.png")


@pytest.mark.parametrize(
    ("values", "spacing", "texts"),
    [
        ([0, 200_000, 400_000], 200_000, ["0", "200k", "400k"]),
        ([0, 500_000, 1_000_000], 500_000, ["0", "0.5M", "1.0M"]),
        ([0, 20, 40], 20, ["0", "20", "40"]),
        ([-0.2, 0.0, 0.2], 0.2, ["-0.2", "0", "0.2"]),
        ([0.0, 0.25], 0.25, ["0", "0.25"]),
        ([0.005, 0.01, 0.015], 0.005, ["0.005", "0.010", "0.015"]),
        ([100_500, 101_000], 500, ["100.5k", "101.0k"]),
        ([1_000_005, 1_000_010], 5, ["1.000005M", "1.000010M"]),
    ],
)
def test_ticks_have_readable_texts(values, spacing, texts):
    assert count_texts(values, spacing) == texts


@pytest.mark.parametrize(
    ("values", "spacing", "texts"),
    [
        ([0.5001, 0.5002], 1e-4, ["0.5001", "0.5002"]),
        ([0.0, 2e-4, 4e-4], 2e-4, ["0", "0.0002", "0.0004"]),
        ([1.0002e-5, 1.0004e-5], 2e-9, ["1.0002e-05", "1.0004e-05"]),
    ],
)
def test_ticks_of_values_that_differ_little_differ(qapp, values, spacing, texts):
    assert ValueAxis().tickStrings(values, 1.0, spacing) == texts
