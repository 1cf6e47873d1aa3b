"""What the canvas and the status bar show of a run."""

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication, QComboBox

from app.canvas.run_items import PROBE_SIZE, WORKING
from app.running.run_options import RunOptions
from runtime.events import LiveStatistics, Metrics, NodeStats, Paused, ProbeSample, Resumed, RunStarted, WireStats
from tests.app.event_counter import EventCounter
from tests.app.running.conftest import RunUnderTest


def statistics(time, firings, seconds, working="6", queued=0):
    wires = (WireStats("states", queued, 2),)
    nodes = (NodeStats("5", "Step", firings, 0.0, 0), NodeStats("6", "Trainer", firings, seconds, queued, wires))
    return LiveStatistics(time, firings, nodes, working)


@pytest.fixture
def display(window):
    window.run_view.display.begin()
    return window.run_view.display


def test_rates_shares_queues_and_the_working_node(window, display):
    display.show_statistics(statistics(1.0, 100, 0.1))
    display.show_statistics(statistics(2.0, 300, 0.6, queued=2))
    overlay = window.canvas.items.nodes["6"].overlay
    assert overlay.text == "150/s  ·  30 %" and overlay.is_working and overlay.share == 0.3
    assert not window.canvas.items.nodes["5"].overlay.is_working
    chips = [wire.overlay for wire in window.canvas.items.wires.values() if wire.overlay is not None]
    assert [(chip.text, chip.is_full) for chip in chips] == [("2/2", True)]
    display.set_heat(True)
    assert overlay.shows_heat
    window.grab()
    display.end()
    assert not overlay.is_working and chips[0].text == "" and overlay.text == "average 150/s  ·  30 %"


def test_only_what_looks_different_of_a_node_is_painted(window, display):
    display.show_statistics(statistics(1.0, 100, 0.1))
    overlay, painted = window.canvas.items.nodes["6"].overlay, []
    overlay.update = lambda *area: painted.append(area)
    card, look = overlay.node.geometry.rect, ("10/s", 0.5, False, False)
    overlay.set_state(*look)
    painted.clear()
    overlay.set_state(*look)
    assert painted == []
    overlay.set_state("10/s", 0.5, True, False)
    ((bar,),) = painted
    assert bar.bottom() <= card.top()
    overlay.set_state("20/s", 0.6, True, False)
    assert painted[1][0].top() >= card.bottom()
    overlay.set_state("20/s", 0.6, True, True)
    assert painted[2:] == [()]


def test_figures_change_a_few_times_a_second_and_at_once_where_the_run_holds(window, display):
    display.show_statistics(statistics(1.0, 100, 0.1))
    overlay = window.canvas.items.nodes["6"].overlay
    display.show_statistics(statistics(1.2, 200, 0.2, working="5"))
    assert overlay.text == "100/s  ·  10 %" and overlay.is_working
    display.show_statistics(statistics(1.5, 300, 0.3, working="5"))
    assert overlay.text == "200/s  ·  20 %" and not overlay.is_working
    assert window.canvas.items.nodes["5"].overlay.is_working
    display.show_statistics(statistics(1.6, 300, 0.3, working=""))
    assert not window.canvas.items.nodes["5"].overlay.is_working


def test_shares_of_a_steady_run_are_steady_and_at_most_one_altogether(window, display):
    """Updates of 0.9 s, of which nothing is known before they end, between rollouts of 0.3 s."""
    window.controller.events.emit([RunStarted(30.0, "small", "train", 0, "cpu", "static", "")])
    shares = []
    for tick in range(2, 120):
        time = tick / 4
        updates = int((time + 0.01) / 1.2)
        step, trainer = ((name, 8 * updates, share * updates, 0) for name, share in (("Step", 0.3), ("Trainer", 0.9)))
        nodes = (NodeStats("5", *step), NodeStats("6", *trainer))
        display.show_statistics(LiveStatistics(30.0 + time, 8 * updates, nodes, "6"))
        shares.append([window.canvas.items.nodes[node_id].overlay.share for node_id in ("5", "6")])
    assert all(sum(pair) <= 1.0 + 1e-9 for pair in shares)
    assert all(abs(trainer - 0.75) < 0.2 for _, trainer in shares[24:])
    display.end()
    assert window.canvas.items.nodes["6"].overlay.share == pytest.approx(0.73, abs=0.03)


def test_a_new_text_in_the_status_bar_lays_out_nothing_anew(window, qtbot):
    status = window.run_view.status
    window.controller.state_changed.emit("running")
    status._write("Running  ·  1,000 steps")
    for _ in range(5):
        QApplication.processEvents()
    requests = EventCounter(QEvent.Type.LayoutRequest, window, window.status, status)
    status._write("Running  ·  2,000 steps")
    QApplication.processEvents()
    assert requests.count == 0
    assert status.text.text() == "Running  ·  2,000 steps"
    status._write(f"Running  ·  {'9' * 40} steps")
    assert status.text.width() >= status.text.fontMetrics().horizontalAdvance(status.text.text())


def test_a_pause_does_not_count_as_slow_running(window):
    status, events = window.run_view.status, window.controller.events
    window.controller.state_changed.emit("starting")
    events.emit([Metrics(time, 100 * time, time) for time in range(1, 6)])
    events.emit([Paused(5.0, 500), *(statistics(float(time), 500, 0.0) for time in range(6, 26))])
    events.emit([Resumed(25.0, 500), *(statistics(float(time), 100 * time - 2000, 0.0) for time in range(25, 28))])
    assert status._pace.steps_per_second == pytest.approx(100)
    status._show()
    assert "100 steps/s" in status.text.text() and "27s" in status.text.text()  # the run's own time, as its limits are


def test_the_wheel_over_the_settings_changes_nothing_in_passing(window, qtbot):
    panel = window.run_view.settings
    window.actions_by_name["actionRunSettings"].trigger()
    choices = [field.input for field in panel.fields["train"].values() if isinstance(field.input, QComboBox)]
    assert choices
    for combo in (panel.host, *choices):
        combo.clearFocus()
        before = combo.currentIndex()
        turn_wheel(combo, -120)
        assert combo.currentIndex() == before
    assert window.controller.options == RunOptions()


def turn_wheel(widget, angle):
    place = widget.rect().center()
    event = QWheelEvent(
        QPointF(place), QPointF(widget.mapToGlobal(place)), QPoint(), QPoint(0, angle), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(widget, event)


def test_a_probe_is_pinned_by_the_menu_of_a_wire_and_shows_its_samples(window, display):
    wished = []
    display.outputs_changed.connect(wished.append)
    window.canvas.probe_toggled.emit("5", "rewards")
    assert wished == [[("5", "rewards")]] and display.pinned == [("5", "rewards")]
    probe = display.probe(("5", "rewards"))
    assert probe.lines == ("Step.rewards", "no value yet", "")
    for i in range(120):
        display.show_sample(ProbeSample(0.1 * i, "5", "rewards", (64,), "float32", -1.0, 0.1 * i, 2.0, 1.0))
    assert len(probe.samples) == 100
    course = probe._course()
    ends = [(point.x, point.y) for point in (course.elementAt(0), course.elementAt(99))]
    assert course.elementCount() == 100 and ends == [pytest.approx((8.0, 84.0)), pytest.approx((216.0, 54.0))]
    assert probe.lines[1:] == ("float32 (64,)", "min -1   mean 11.9   max 2")
    display.show_sample(ProbeSample(13.0, "5", "rewards", (64,), "float32", -1.0, 0.1, 2.0, 0.5))
    assert "50 % not finite" in probe.lines[2]
    window.grab()
    window.actions_by_name["actionUnpinProbes"].trigger()
    assert display.pinned == [] and wished[-1] == [] and probe.scene() is None


def test_a_wire_under_the_cursor_is_probed_while_a_run_goes_on(window, display, qtbot):
    canvas, wished = window.canvas, []
    display.outputs_changed.connect(wished.append)
    wire = next(wire for wire in canvas.items.wires.values() if wire.look.output == "policy_output")
    canvas.viewer.hovered.emit(wire.path().pointAtPercent(0.4))
    qtbot.waitUntil(lambda: wished == [[("3", "policy_output")]])
    canvas.viewer.hovered.emit(QPointF(-5000, -5000))
    assert wished[-1] == [] and display.probe(("3", "policy_output")) is None


def test_another_document_has_no_probes(window, display):
    display.toggle("5", "rewards")
    window.files.new()
    assert display.wanted == []


def test_the_status_bar_tells_where_the_run_stands(window, qtbot):
    run = RunUnderTest(window, qtbot)
    status = window.run_view.status
    assert not status.isVisible()
    run.start(iterations=100_000)
    run.wait(lambda: len(run.of(Metrics)) > 3 and "steps/s" in status.text.text())
    assert status.text.text().startswith("Running  ·  iteration ") and status.bar.isVisible()
    assert status.bar.maximum() == 1000
    run.stop()
    assert status.text.text().startswith("Stopped  ·  ")
    texts = [record.text for record, line in window.watching.log.model.lines.rows if line < 0]
    assert [text.split(";")[0] for text in texts if text.startswith(("Finished", "Ended"))] == [
        "Ended: stopped in the editor"
    ]
    run.states.clear()
    run.start("finished", iterations=1)
    assert status.text.text().startswith("Finished")


def test_the_settings_panel_writes_the_options_and_says_what_is_wrong(window, qtbot):
    panel, controller = window.run_view.settings, window.controller
    window.actions_by_name["actionRunSettings"].trigger()
    assert panel.isVisible()
    field = panel.fields["train"]["seed"]
    qtbot.keyClicks(field.input, "12x")
    assert "is not a whole number" in field.hint.text() and "--seed" in panel.verdict.text()
    field.input.clear()
    qtbot.keyClicks(field.input, "12")
    assert controller.options.values["train"] == {"seed": "12"} and "--seed=12" in panel.verdict.text()
    panel.show_mode("infer")
    assert "inference needs trained weights" in panel.verdict.text()
    panel.fields["infer"]["untrained"].input.click()
    assert panel.verdict.text().startswith("dnne infer FILE --untrained")


def test_settings_are_kept_for_each_workflow(window, qtbot, tmp_path):
    field = window.run_view.settings.fields["train"]["seed"]
    qtbot.keyClicks(field.input, "7")
    path = window.session.document.path
    window.files.new()
    assert window.controller.options.values["train"] == {}
    window.files.open_path(path)
    assert window.controller.options.values["train"] == {"seed": "7"} and field.text == "7"


def test_an_interpreter_is_tried_in_the_background(window, qtbot):
    import sys

    panel = window.run_view.settings
    panel.host.setCurrentIndex(1)
    panel.host.activated.emit(1)
    panel.interpreter.setText(sys.executable)
    panel.interpreter.editingFinished.emit()
    qtbot.waitUntil(lambda: "torch" in panel.interpreter_says.text(), timeout=30_000)
    assert panel.interpreter_says.text().startswith("Python 3.")
    panel.interpreter.setText("/bin/false")
    panel.interpreter.editingFinished.emit()
    qtbot.waitUntil(lambda: "cannot run DNNE" in panel.interpreter_says.text(), timeout=30_000)


def test_a_selected_node_brings_its_parameters_before_the_run_settings(window, qtbot):
    window.actions_by_name["actionRunSettings"].trigger()
    qtbot.waitUntil(lambda: not window.docks["runSettings"].visibleRegion().isEmpty())
    window.session.select(["6"])
    qtbot.waitUntil(lambda: not window.docks["inspector"].visibleRegion().isEmpty())
    window.docks["inspector"].hide()
    window.session.select(["5"])
    assert window.docks["inspector"].isHidden()


def test_looking_at_a_run_starts_where_the_runs_lie(window, dialog, tmp_path):
    (tmp_path / "runs" / "last").mkdir(parents=True)
    window.controller.run_folder = tmp_path / "runs" / "last"
    window.actions_by_name["actionAttach"].trigger()
    chooser = dialog(window, "attachDialog")
    assert chooser.directory().absolutePath() == str(tmp_path / "runs")
    chooser.reject()


def test_the_working_node_is_not_framed_as_a_selected_one(window, display, qtbot):
    display.show_statistics(statistics(1.0, 100, 0.1))
    canvas = window.canvas
    card = canvas.items.nodes["6"].card
    window.grab()

    def colour(place):
        return canvas.viewer.viewport().grab().toImage().pixelColor(canvas.viewer.mapFromScene(place))

    assert colour(QPointF(card.center().x(), card.top() - 6.5)) == WORKING
    assert colour(QPointF(card.left() - 4, card.center().y())) != canvas.theme.accent


def test_probes_cover_neither_titles_nor_one_another(window, display):
    canvas, outputs = window.canvas, [("2", "output"), ("5", "rewards"), ("3", "policy_output")]
    for output in outputs:
        display.toggle(*output)
    width, height = (length / canvas.viewer.zoom for length in PROBE_SIZE)
    rects = [QRectF(*display.probe(output).pos().toTuple(), width, height) for output in outputs]
    titles = [QRectF(item.card.topLeft(), QSizeF(item.card.width(), 30)) for item in canvas.items.nodes.values()]
    assert not any(rect.intersects(title) for rect in rects for title in titles)
    assert not any(a.intersects(b) for a in rects for b in rects if a is not b)


def test_fields_of_the_settings_say_their_defaults(window):
    fields = window.run_view.settings.fields["train"]
    defaults = {
        name: fields[name].input.placeholderText() for name in ("seed", "num_envs", "resume_interval", "log_dir")
    }
    assert defaults == {
        "seed": "default: 0",
        "num_envs": "default: as in Env",
        "resume_interval": "default: 5m",
        "log_dir": "default: runs, beside the workflow",
    }
    scheduler = fields["scheduler"]
    assert scheduler.input.itemText(0) == "default: auto" and fields["num_envs"].option.label == "Environments"
    scheduler.show_text("queues")
    assert scheduler.text == "queues"
    scheduler.input.setCurrentIndex(0)
    scheduler.input.activated.emit(0)
    assert window.controller.options.values["train"] == {}
