"""MuJoCo scenes, drawn by a thread of their own so that the window never waits for them."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Dict, List, Optional, Tuple

from PySide6.QtCore import QObject, QRectF, QSize, Signal
from PySide6.QtGui import QPainter

from .painters import Painter, paint_picture

if TYPE_CHECKING:
    from runtime.simulators.interface import ViewerState

logger = logging.getLogger(__name__)

_SIZE_STEP, _LEAST_SIZE, _LARGEST_SIZE = 32, 96, 1280
_DEGREES = 360.0


@dataclass(frozen=True)
class Camera:
    """How a scene is looked at; ``None`` for what the model says."""

    turned: float = 0.0
    tilted: float = 0.0
    distance: float = 1.0
    follow: bool = True


@dataclass(frozen=True)
class Job:
    """Pictures to be drawn."""

    state: ViewerState
    width: int
    height: int
    camera: Camera


class RenderThread(QObject):
    """Draws the newest job; older ones that have not begun are dropped.

    Signals:
        drawn: The pictures of a job, one for each environment.
        failed: Why nothing can be drawn; the thread has ended.
    """

    drawn = Signal(object)
    failed = Signal(str)

    def __init__(self, parent: QObject):
        super().__init__(parent)
        self._changed = threading.Condition()
        self._job: Optional[Job] = None
        self._ends = False
        self._thread = threading.Thread(target=self._run, name="dnne-viewer", daemon=True)
        self._thread.start()

    def draw(self, job: Job) -> None:
        """Draw this as soon as possible."""
        with self._changed:
            self._job = job
            self._changed.notify()

    def close(self) -> None:
        """End, after the picture that is being drawn."""
        with self._changed:
            self._ends = True
            self._changed.notify()
        self._thread.join()

    def _next(self) -> Optional[Job]:
        with self._changed:
            self._changed.wait_for(lambda: self._ends or self._job is not None)
            job, self._job = self._job, None
            return None if self._ends else job

    def _run(self) -> None:
        from runtime.errors import DnneError

        scene = _Scene()
        try:
            while True:
                job = self._next()
                if job is None:
                    return
                self.drawn.emit(scene.draw(job))
        except DnneError as error:
            self.failed.emit(str(error))
        except Exception as error:  # a driver may fail in any way, and the run must go on
            logger.exception("drawing failed")
            self.failed.emit(f"drawing failed: {type(error).__name__}: {error}")
        finally:
            scene.close()


class _Scene:
    """The renderer of the model at hand, in the thread that draws."""

    def __init__(self) -> None:
        self._renderer: Any = None
        self._key: Tuple[str, int, int, str] = ("", 0, 0, "")
        self._first: Dict[str, float] = {}

    def draw(self, job: Job) -> List[Any]:
        from runtime.simulators.rendering import MujocoRenderer

        description = job.state.description
        key = (description["model_xml"], job.width, job.height, description.get("model_path", ""))
        if key != self._key or self._renderer is None:
            self.close()
            self._renderer, self._key = MujocoRenderer(*key), key
            self._first = {name: getattr(self._renderer, name) for name in ("azimuth", "elevation", "distance")}
        renderer, camera = self._renderer, job.camera
        renderer.azimuth = self._first["azimuth"] + camera.turned
        renderer.elevation = max(-89.0, min(89.0, self._first["elevation"] + camera.tilted))
        renderer.distance = self._first["distance"] * camera.distance
        renderer.follow = camera.follow
        return [renderer.frame(row.numpy()) for row in job.state.values["qpos"]]

    def close(self) -> None:
        if self._renderer is not None:
            self._renderer.close()
            self._renderer = None


class MujocoPainter(Painter):
    """Paints the newest pictures of the thread."""

    has_camera = True

    def __init__(self, parent: QObject):
        super().__init__(parent)
        self.camera = Camera()
        self._pictures: List[Any] = []
        self._job: Optional[Job] = None
        self._is_broken = False
        self._thread: Optional[RenderThread] = None

    def set_state(self, state: ViewerState, cell: QSize) -> None:
        """Have it drawn."""
        super().set_state(state, cell)
        self._draw(Job(state, _rounded(cell.width()), _rounded(cell.height()), self.camera))

    def _draw(self, job: Job) -> None:
        self._job = job
        if self._is_broken:
            return
        if self._thread is None:
            self._thread = RenderThread(self)
            self._thread.drawn.connect(self._on_drawn)
            self._thread.failed.connect(self._on_failed)
        self._thread.draw(job)

    def _on_drawn(self, pictures: Any) -> None:
        self._pictures = pictures
        self.ready.emit()

    def _on_failed(self, reason: str) -> None:
        self._is_broken = True
        self.failed.emit(reason)

    def paint(self, painter: QPainter, area: QRectF, row: int) -> None:
        """Paint the newest picture of an environment."""
        if row < len(self._pictures):
            paint_picture(painter, area, self._pictures[row])

    def orbit(self, right: float, up: float) -> None:
        """Turn around what is looked at."""
        camera = self.camera
        self._look(replace(camera, turned=camera.turned - right * _DEGREES, tilted=camera.tilted - up * _DEGREES / 2))

    def zoom(self, factor: float) -> None:
        """Come nearer or go away."""
        self._look(replace(self.camera, distance=min(max(self.camera.distance * factor, 0.05), 20.0)))

    def set_follow(self, on: bool) -> None:
        """Keep what moves in the middle."""
        self._look(replace(self.camera, follow=on))

    def _look(self, camera: Camera) -> None:
        self.camera = camera
        if self._job is not None:
            self._draw(replace(self._job, camera=camera))

    def close(self) -> None:
        """End the thread."""
        if self._thread is not None:
            self._thread.close()
            self._thread = None


def _rounded(pixels: int) -> int:
    """A size in steps, so that dragging a border does not open a new graphics context for each pixel."""
    return min(max(_LEAST_SIZE, pixels // _SIZE_STEP * _SIZE_STEP), _LARGEST_SIZE)
