"""Pictures of simulations without a window: of cart-poles, of frames, and of MuJoCo scenes."""

from __future__ import annotations

from typing import Any, Dict, Optional, Tuple

from ..errors import DnneError
from .cartpole_geometry import cartpole_geometry
from .interface import SimulatorError, ViewerState
from .rendering import MujocoRenderer


class DrawingError(DnneError):
    """A picture cannot be made, as something is missing."""


def draw_cartpole(position: float, angle: float, length: float, width: int, height: int) -> Any:
    """Draw a cart-pole.

    Returns:
        A numpy array. Shape: (height, width, 3) uint8.

    Raises:
        DrawingError: Pillow is not installed.
    """
    import numpy as np

    drawing, image = _canvas(2 * width, 2 * height)
    parts = cartpole_geometry(position, angle, length, 2 * width, 2 * height)
    drawing.line(parts.rail, fill="#9aa3b2", width=4)
    top, bottom = parts.rail[0][1] - 20, parts.rail[0][1] + 20
    for x in parts.limits:
        drawing.line([(x, top), (x, bottom)], fill="#c0323a", width=4)
    drawing.rectangle(parts.cart, fill="#0072b2")
    drawing.line([parts.joint, parts.tip], fill="#d98b00", width=round(parts.thickness))
    radius = parts.thickness * 0.7
    for x, y in (parts.joint, parts.tip):
        drawing.ellipse((x - radius, y - radius, x + radius, y + radius), fill="#d98b00")
    return np.asarray(image.reduce(2))


def _canvas(width: int, height: int) -> Tuple[Any, Any]:
    try:
        from PIL import Image, ImageDraw
    except ImportError as error:
        raise DrawingError("pictures need Pillow: pip install pillow") from error
    image = Image.new("RGB", (width, height), "#ffffff")
    return ImageDraw.Draw(image), image


class StateDrawer:
    """Draws states of any kind; keeps what a kind needs from picture to picture."""

    def __init__(self, width: int, height: int):
        """``width``, ``height``: Of the pictures in pixels."""
        self.width, self.height = width, height
        self._renderer: Optional[MujocoRenderer] = None
        self._model_xml = ""

    def frame(self, state: ViewerState, row: int = 0) -> Any:
        """Draw one environment of a state.

        Returns:
            A numpy array. Shape: (height, width, 3) uint8.

        Raises:
            SimulatorError: The kind is unknown, or its picture cannot be drawn here.
            DrawingError: Pillow is not installed.
        """
        values = {name: tensor[row] for name, tensor in state.values.items()}
        if state.kind == "cartpole":
            return self._cartpole(values)
        if state.kind == "pixels":
            return self._pixels(values)
        if state.kind == "mujoco":
            return self._scene(state.description).frame(values["qpos"].numpy())
        raise SimulatorError(f"states of the kind {state.kind!r} cannot be drawn; expected cartpole, mujoco or pixels")

    def close(self) -> None:
        """Release what pictures needed."""
        if self._renderer is not None:
            self._renderer.close()
            self._renderer = None

    def _cartpole(self, values: Dict[str, Any]) -> Any:
        position, angle, length = (float(values[name]) for name in ("cart_position", "pole_angle", "pole_length"))
        return draw_cartpole(position, angle, length, self.width, self.height)

    def _pixels(self, values: Dict[str, Any]) -> Any:
        import numpy as np

        _, image = _canvas(self.width, self.height)
        from PIL import Image

        frame = Image.fromarray(values["frames"].numpy())
        scale = min(self.width / frame.width, self.height / frame.height)
        size = (max(1, round(frame.width * scale)), max(1, round(frame.height * scale)))
        place = ((self.width - size[0]) // 2, (self.height - size[1]) // 2)
        image.paste(frame.resize(size, Image.Resampling.NEAREST), place)
        return np.asarray(image)

    def _scene(self, description: Dict[str, str]) -> MujocoRenderer:
        model_xml = description["model_xml"]
        if self._renderer is None or model_xml != self._model_xml:
            self.close()
            self._renderer = MujocoRenderer(model_xml, self.width, self.height, description.get("model_path", ""))
            self._model_xml, self._renderer.follow = model_xml, True
        return self._renderer
