"""Painters of the viewer, one for each kind of state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Dict, Optional, Type

from PySide6.QtCore import QObject, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QPainter, QPen

from app.theme import colours, current_theme, plot_colours
from runtime.simulators.cartpole_geometry import cartpole_geometry

if TYPE_CHECKING:
    from runtime.simulators.interface import ViewerState


class Painter(QObject):
    """Draws states of one kind.

    Signals:
        ready: A picture that is painted later than its state has come.
        failed: Nothing can be drawn; says why and what to do.

    Attributes:
        has_camera: The view can be turned and moved.
    """

    ready = Signal()
    failed = Signal(str)
    has_camera = False

    def set_state(self, state: ViewerState, cell: QSize) -> None:
        """Take over a new state, to be painted in cells of a size in pixels of the screen."""
        self.state = state

    def paint(self, painter: QPainter, area: QRectF, row: int) -> None:
        """Paint one environment."""
        raise NotImplementedError

    def orbit(self, right: float, up: float) -> None:
        """Turn the camera by parts of the picture's size."""

    def zoom(self, factor: float) -> None:
        """Move the camera to so many times its distance."""

    def set_follow(self, on: bool) -> None:
        """Let the camera follow what moves."""

    def close(self) -> None:
        """Release what painting needed."""


class CartpolePainter(Painter):
    """Cart, pole, rail, and the marks at which an episode ends."""

    def paint(self, painter: QPainter, area: QRectF, row: int) -> None:
        """Paint one cart-pole."""
        values = {name: float(tensor[row]) for name, tensor in self.state.values.items()}
        parts = cartpole_geometry(
            values["cart_position"], values["pole_angle"], values["pole_length"], area.width(), area.height()
        )
        tokens, palette = colours(current_theme()), plot_colours(current_theme())
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.translate(area.topLeft())
        painter.setPen(QPen(QColor(tokens["faint_text"]), 2))
        painter.drawLine(QPointF(*parts.rail[0]), QPointF(*parts.rail[1]))
        painter.setPen(QPen(QColor(tokens["error"]), 2))
        ground = parts.rail[0][1]
        for x in parts.limits:
            painter.drawLine(QPointF(x, ground - 7), QPointF(x, ground + 7))
        left, top, right, bottom = parts.cart
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(palette[0]))
        painter.drawRoundedRect(QRectF(left, top, right - left, bottom - top), 3, 3)
        pole = QPen(QColor(palette[1]), parts.thickness)
        pole.setCapStyle(Qt.PenCapStyle.RoundCap)
        painter.setPen(pole)
        painter.drawLine(QPointF(*parts.joint), QPointF(*parts.tip))
        painter.restore()


class PixelsPainter(Painter):
    """Frames that the environment itself has drawn."""

    def paint(self, painter: QPainter, area: QRectF, row: int) -> None:
        """Paint one frame, as large as it fits."""
        paint_picture(painter, area, self.state.values["frames"][row].numpy())


def paint_picture(painter: QPainter, area: QRectF, picture: object) -> None:
    """Paint a numpy picture in the middle of an area, as large as fits. Shape: (H, W, 3) uint8."""
    height, width, _ = picture.shape  # type: ignore[attr-defined]
    image = QImage(picture.tobytes(), width, height, 3 * width, QImage.Format.Format_RGB888)  # type: ignore[attr-defined]
    scale = min(area.width() / width, area.height() / height)
    size = QRectF(0, 0, width * scale, height * scale)
    size.moveCenter(area.center())
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, scale < 1)
    painter.drawImage(size, image)


def painter_of(kind: str, parent: QObject) -> Optional[Painter]:
    """A painter for states of a kind; ``None`` where there is none."""
    from .mujoco_painter import MujocoPainter

    known: Dict[str, Type[Painter]] = {
        "cartpole": CartpolePainter, "pixels": PixelsPainter, "mujoco": MujocoPainter
    }  # fmt: skip
    return known[kind](parent) if kind in known else None
