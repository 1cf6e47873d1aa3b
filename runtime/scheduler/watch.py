"""What a host wants to see of a run; written from any thread, read by the engine at its safe points."""

from __future__ import annotations

import math
import threading
from typing import Any, Sequence, Tuple

from ..errors import DnneError

Output = Tuple[str, str]


class Tap:
    """Keeps the last value that left an output; to the schedule it is one more held wire."""

    __slots__ = ("value", "written")

    def __init__(self) -> None:
        self.value: Any = None
        self.written = False


class Watch:
    """Wishes of a host that looks at a run.

    Attributes:
        is_on: True while there are any; the only thing that a run which nobody looks at has to read.
        outputs: Outputs to be probed, by node id and port.
        env_ids: Environments to be drawn.
        frame_interval: Seconds between two frames of the viewer.
        version: Grows with every change of ``outputs``.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.is_on = False
        self.outputs: Tuple[Output, ...] = ()
        self.env_ids: Tuple[int, ...] = ()
        self.frame_interval = math.inf
        self.version = 0

    def watch_probes(self, outputs: Sequence[Output]) -> None:
        """Probe these outputs, and no others."""
        with self._lock:
            self.outputs = tuple(outputs)
            self.version += 1
            self.is_on = True  # until the engine has taken its taps off

    def watch_viewer(self, env_ids: Sequence[int], hz: float) -> None:
        """Draw these environments so many times a second; none where there are no ids.

        Raises:
            DnneError: The rate or an id makes no sense.
        """
        if any(env_id < 0 for env_id in env_ids):
            raise DnneError(f"environments to draw are {list(env_ids)}; expected whole numbers from 0")
        if env_ids and not (math.isfinite(hz) and hz > 0):
            raise DnneError(f"the viewer's rate is {hz} frames a second; expected a number above 0")
        with self._lock:
            self.env_ids = tuple(env_ids)
            self.frame_interval = 1.0 / hz if env_ids else math.inf
            self.is_on = self.is_on or bool(env_ids)

    def rest(self, version: int) -> None:
        """Switch off where nothing is wished any more (engine only, when it serves this version)."""
        with self._lock:
            if self.version == version:
                self.is_on = bool(self.outputs or self.env_ids)
