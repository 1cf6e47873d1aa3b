"""The grid behind the nodes: kept while the view stands still, and where it should be after it has moved."""

from PySide6.QtCore import QPointF, QRectF


def lines_of(viewer):
    viewer.viewport().repaint()
    return viewer._grid


def test_the_grid_is_made_once_for_a_view(canvas):
    viewer = canvas.viewer
    grid = lines_of(viewer)
    viewer.viewport().repaint(20, 20, 30, 30)
    viewer.scene().update(QRectF(0, 0, 5, 5))
    assert lines_of(viewer) is grid


def test_the_grid_follows_the_view(canvas):
    viewer = canvas.viewer
    for move in (
        lambda: viewer.pan(QPointF(900, 700)),
        lambda: viewer.set_zoom_at(0.3, QPointF(10, 10)),
        lambda: viewer.set_zoom_at(2.0, QPointF(10, 10)),
    ):
        move()
        grid, seen = lines_of(viewer), viewer.visible_rect()
        assert grid.area.contains(seen)
        columns = sorted(line.x1() for line in grid.lines if line.x1() == line.x2())
        assert columns[0] <= seen.left() + grid.step and columns[-1] >= seen.right() - grid.step
        assert all(x % grid.step == 0 for x in columns) and grid.step * viewer.zoom >= 16
        assert {right - left for left, right in zip(columns, columns[1:])} == {grid.step}
