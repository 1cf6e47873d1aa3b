"""Grid, axes and the texts of their ticks."""

import pytest
from PySide6.QtCore import QRectF, QSize
from PySide6.QtGui import QFont, QFontMetrics
from PySide6.QtWidgets import QApplication

from app.plots.ground import Ground, GroundColours
from app.plots.ticks import RunAxis, ValueAxis

SIZE, PLACE = QSize(300, 160), QRectF(46, 4, 250, 130)


class Recorder:
    """A painter that notes texts with their boxes, and lines."""

    def __init__(self):
        self.metrics = QFontMetrics(QFont())
        self.texts, self.lines, self.filled = {}, [], []

    def fontMetrics(self):  # noqa: N802
        return self.metrics

    def setPen(self, pen):  # noqa: N802
        self.pen = pen

    def fillRect(self, *box):  # noqa: N802
        self.filled.append(box)

    def drawLine(self, *ends):  # noqa: N802
        self.lines.append(ends)

    def drawText(self, x, y, text):  # noqa: N802
        height, width = self.metrics.height(), self.metrics.horizontalAdvance(text)
        self.texts[text] = QRectF(x, y - self.metrics.ascent(), width, height)


def painted(ranges, logarithmic=False, kind="steps"):
    run_axis, value_axis, recorder = RunAxis(), ValueAxis(), Recorder()
    run_axis.kind = kind
    value_axis.setLogMode(logarithmic)
    colours = GroundColours.of("#101010", "#404040", "#a0a0a0")
    Ground(SIZE, PLACE, run_axis, value_axis, ranges, colours).paint(recorder)
    return recorder


def test_ticks_stand_where_their_values_are(qapp):
    recorder = painted([[0.0, 200_000.0], [0.0, 130.0]])
    assert set(recorder.texts) == {"0", "100k", "50", "100"}  # no room for 200k at the end
    assert recorder.texts["100k"].center().x() == pytest.approx(46 + 125, abs=1)
    assert recorder.texts["100"].center().y() == pytest.approx(134 - 100, abs=2)
    assert (46, 134, 296, 134) in recorder.lines and (46, 4, 46, 134) in recorder.lines
    assert recorder.filled[0][:4] == (0, 0, 300, 160)


@pytest.mark.parametrize(
    ("ranges", "logarithmic", "kind"),
    [
        ([[0.0, 1e9], [-1e-5, 1e-5]], False, "steps"),
        ([[3.0, 4.0], [-4.0, 2.0]], False, "iterations"),
        ([[0.0, 9000.0], [-6.0, 2.0]], True, "time"),
        ([[0.0, 90.0], [0.1, 0.4]], True, "time"),
    ],
)
def test_texts_lie_inside_and_apart(qapp, ranges, logarithmic, kind):
    boxes = list(painted(ranges, logarithmic, kind).texts.values())
    assert len(boxes) >= 3
    inside = QRectF(0, -1, SIZE.width(), SIZE.height() + 2)
    assert all(inside.contains(box) for box in boxes)
    assert not any(a.intersects(b) for place, a in enumerate(boxes) for b in boxes[:place])


def test_no_item_of_the_scene_is_painted(qtbot, monkeypatch):
    from app.plots.curve_view import CurveView

    view, asked = CurveView(), []
    qtbot.addWidget(view)
    monkeypatch.setattr(ValueAxis, "paint", lambda *args: asked.append("axis"), raising=False)
    view.resize(300, 160)
    view.show()
    qtbot.waitExposed(view)
    QApplication.processEvents()
    view.show_range("steps", 0.0, 10.0, 0.0, 1.0)
    view.viewport().repaint()
    assert view.grounds >= 1 and asked == []
