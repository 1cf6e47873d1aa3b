"""Isaac Gym's own window: mouse and keys move its camera, V switches its pace, ESC or closing it ends the run."""

import os
import socket
from pathlib import Path
from typing import Any, Optional

from .interface import SimulatorError

QUIT, TOGGLE_SYNC = "QUIT", "toggle_viewer_sync"
CAMERA_POSITION, CAMERA_TARGET = (-6.0, -6.0, 4.0), (2.5, 2.5, 0.5)
PROBE_SECONDS = 2.0
FIRST_X_PORT = 6000


class IsaacGymViewer:
    """The window of a simulation that was made with a graphics device.

    Args:
        gymapi: The module.
        gym: What `acquire_gym` gave.
        sim: The simulation, prepared.
        use_gpu: The simulation uses the GPU pipeline; its results are then fetched before a frame is drawn.

    Raises:
        SimulatorError: No window came up.
    """

    def __init__(self, gymapi: Any, gym: Any, sim: Any, use_gpu: bool):
        self._gym, self._sim, self._use_gpu = gym, sim, use_gpu
        self.is_synced = True
        self._viewer = gym.create_viewer(sim, gymapi.CameraProperties())
        if self._viewer is None:
            raise SimulatorError("Isaac Gym could not open its viewer; its output says why. Run without --visual")
        gym.subscribe_viewer_keyboard_event(self._viewer, gymapi.KEY_ESCAPE, QUIT)
        gym.subscribe_viewer_keyboard_event(self._viewer, gymapi.KEY_V, TOGGLE_SYNC)
        gym.viewer_camera_look_at(
            self._viewer, None, gymapi.Vec3(*CAMERA_POSITION), gymapi.Vec3(*CAMERA_TARGET)
        )  # fmt: skip

    def draw(self) -> Optional[str]:
        """Draw one frame, in real time unless V switched that off.

        Returns:
            Why the run should end, where the user asked for that; nothing is drawn then.
        """
        gym, sim, viewer = self._gym, self._sim, self._viewer
        if gym.query_viewer_has_closed(viewer):
            return "the viewer was closed"
        for event in gym.query_viewer_action_events(viewer):
            if event.action == QUIT and event.value > 0:
                return "ESC in the viewer"
            if event.action == TOGGLE_SYNC and event.value > 0:
                self.is_synced = not self.is_synced
        if not self.is_synced:
            gym.poll_viewer_events(viewer)
            return None
        if self._use_gpu:
            gym.fetch_results(sim, True)
        gym.step_graphics(sim)
        gym.draw_viewer(viewer, sim, True)
        gym.sync_frame_time(sim)
        return None

    def close(self) -> None:
        """Close the window."""
        self._gym.destroy_viewer(self._viewer)


def display_problem() -> str:
    """Why a window cannot be opened; empty where it can. Without a display Isaac Gym crashes and tells nothing."""
    display = os.environ.get("DISPLAY", "")
    if not display:
        return "DISPLAY is not set"
    host, _, number = display.rpartition(":")
    number = number.split(".")[0]
    if not number.isdigit():
        return f"DISPLAY is {display!r}; expected :0 or host:0"
    try:
        _connect(host, int(number))
    except OSError as error:
        return f"DISPLAY is {display!r}, but nothing answers there ({error})"
    return ""


def _connect(host: str, number: int) -> None:
    local = Path(f"/tmp/.X11-unix/X{number}")  # noqa: S108 - where X servers listen
    is_local = host in ("", "unix")
    with socket.socket(socket.AF_UNIX if is_local else socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.settimeout(PROBE_SECONDS)
        probe.connect(str(local) if is_local else (host, FIRST_X_PORT + number))
