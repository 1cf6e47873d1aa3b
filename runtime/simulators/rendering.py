"""Pictures of MuJoCo scenes, drawn off screen. No window is needed, but a graphics library is: EGL or OSMesa."""

from __future__ import annotations

import importlib
import os
from pathlib import Path
from typing import Any, List, Optional, Tuple

from .interface import SimulatorError
from .mujoco.importing import import_mujoco

LARGEST = 4096
_PLATFORMS = ("egl", "osmesa")
_ADVICE = (
    "install a library for drawing off screen (Debian: apt-get install libegl1 libgl1; or libosmesa6, with "
    "MUJOCO_GL=osmesa)"
)


class MujocoRenderer:
    """Draws states of one model. Everything happens in the thread that made it.

    Attributes:
        azimuth, elevation: Direction of the camera. Unit: degrees.
        distance: From the camera to what it looks at. Unit: m.
        lookat: The point that it looks at. Unit: m.
        follow: Look at the centre of mass of the first body that moves, rather than at ``lookat``.
    """

    def __init__(self, model_xml: str, width: int, height: int, model_path: str = ""):
        """Load a model and open a graphics context.

        Args:
            model_xml: The model as MJCF.
            width, height: Of the picture, in pixels.
            model_path: The file that it comes from, where it may name others: meshes, textures, included ones.

        Raises:
            SimulatorError: MuJoCo is not installed, the model does not load, or nothing can be drawn on this machine;
                says what to do.
        """
        if not (0 < width <= LARGEST and 0 < height <= LARGEST):
            raise SimulatorError(f"a picture of {width}×{height} pixels cannot be drawn; expected 1 to {LARGEST}")
        self.width, self.height = width, height
        self._mujoco = mujoco = import_mujoco()
        try:
            self.model = _load(mujoco, model_xml, model_path)
        except ValueError as error:
            raise SimulatorError(f"the model to be drawn does not load: {error}") from error
        visual = self.model.vis.global_
        visual.offwidth, visual.offheight = max(visual.offwidth, width), max(visual.offheight, height)
        self.data = mujoco.MjData(self.model)
        self._context: Any = _open_context(width, height)
        self._scene = mujoco.MjvScene(self.model, maxgeom=10_000)
        self._options, self._camera = mujoco.MjvOption(), mujoco.MjvCamera()
        mujoco.mjv_defaultFreeCamera(self.model, self._camera)
        self._drawer = mujoco.MjrContext(self.model, mujoco.mjtFontScale.mjFONTSCALE_100)
        mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN, self._drawer)
        self.azimuth, self.elevation = float(self._camera.azimuth), float(self._camera.elevation)
        self.distance = float(self._camera.distance)
        x, y, z = self._camera.lookat.tolist()
        self.lookat: Tuple[float, float, float] = (x, y, z)
        self.follow = False

    def frame(self, qpos: Any) -> Any:
        """Draw a state.

        Args:
            qpos: Positions of the joints. Shape: (nq,).

        Returns:
            The picture as a numpy array. Shape: (height, width, 3) uint8.

        Raises:
            SimulatorError: The positions do not belong to this model, or the renderer is closed.
        """
        import numpy as np

        if self._context is None:
            raise SimulatorError("the renderer is closed")
        positions = np.asarray(qpos, dtype=np.float64).reshape(-1)
        if len(positions) != self.model.nq:
            raise SimulatorError(f"{len(positions)} joint positions for a model of {self.model.nq}")
        mujoco = self._mujoco
        self.data.qpos[:] = positions
        mujoco.mj_kinematics(self.model, self.data)
        mujoco.mj_comPos(self.model, self.data)
        mujoco.mj_camlight(self.model, self.data)
        self._place_camera()
        self._context.make_current()
        area = mujoco.MjrRect(0, 0, self.width, self.height)
        mujoco.mjv_updateScene(
            self.model, self.data, self._options, None, self._camera, mujoco.mjtCatBit.mjCAT_ALL, self._scene
        )
        mujoco.mjr_render(area, self._scene, self._drawer)
        picture = np.empty((self.height, self.width, 3), dtype=np.uint8)
        mujoco.mjr_readPixels(picture, None, area, self._drawer)
        return picture[::-1].copy()

    def close(self) -> None:
        """Release the graphics context; a second call does nothing."""
        if self._context is not None:
            self._context.make_current()
            self._drawer.free()
            self._context.free()
            self._context = None

    def _place_camera(self) -> None:
        camera = self._camera
        camera.azimuth, camera.elevation, camera.distance = self.azimuth, self.elevation, self.distance
        moves = self.follow and self.model.nbody > 1
        camera.lookat[:] = self.data.subtree_com[1] if moves else self.lookat


def _load(mujoco: Any, xml: str, path: str) -> Any:
    """The model from its file, where that is there and still the same."""
    if path and Path(path).is_file() and Path(path).read_text(encoding="utf-8") == xml:
        return mujoco.MjModel.from_xml_path(path)
    return mujoco.MjModel.from_xml_string(xml)


def _open_context(width: int, height: int) -> Any:
    """A current graphics context of the platform that ``MUJOCO_GL`` names, or else of the first one that works."""
    wanted: Optional[str] = os.environ.get("MUJOCO_GL", "").lower() or None
    reasons: List[str] = []
    for platform in (wanted,) if wanted in _PLATFORMS else _PLATFORMS:
        try:
            context = importlib.import_module(f"mujoco.{platform}").GLContext(width, height)
            context.make_current()
        except (ImportError, AttributeError, RuntimeError, OSError) as error:
            reasons.append(f"{platform}: {error}")
        else:
            return context
    raise SimulatorError(f"this machine cannot draw off screen ({'; '.join(reasons)}); {_ADVICE}")
