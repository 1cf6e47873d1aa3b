"""Records environment 0 of a run as a video."""

from __future__ import annotations

import math
from typing import Any, Optional

from ..atomic import PathLike
from ..errors import DnneError, RunError
from ..recording.video_file import VideoFile, video_format
from ..simulators.drawing import StateDrawer
from ..simulators.interface import ViewerState
from .run import Run

TRAINING_FRAMES = 20.0
"""Per second of the clock: in training a video shows what one would have seen."""


class VideoRecorder:
    """Takes a picture after every step, or after every few where a video cannot hold so many.

    In inference the video plays in simulated time, however fast the run was. In training, which may take days, it
    holds at most `TRAINING_FRAMES` pictures per second of the clock, and goes on where pictures fail. It reads the
    states that a viewer reads, and so changes no bit of the run.
    """

    def __init__(self, path: PathLike, run: Run):
        """Record a run that has not begun.

        Raises:
            RunError: The file's ending is unknown, or a package is missing.
        """
        self._format = video_format(path)
        self._path, self._run, self._context = path, run, run.context
        self._drawer = StateDrawer(self._format.width, self._format.height)
        self._video: Optional[VideoFile] = None
        self._steps = self._context.progress.environment_steps
        self._every, self._counted = 1, 0
        self._next_time = 0.0
        self._failed = False
        run.safe_point_listeners.append(self.look)

    def look(self) -> None:
        """Take a picture where one is due; called at every safe point."""
        steps = self._context.progress.environment_steps
        if steps == self._steps:
            return
        self._steps = steps
        self._counted += 1
        if self._failed or not self._is_due():
            return
        try:
            self._take()
        except DnneError as error:
            if self._context.inference:
                raise
            self._failed = True
            self._context.log(f"no more pictures are recorded, and the training goes on: {error}", "error")

    def _take(self) -> None:
        state = self._state()
        if self._video is None:
            self._begin(state)
        if self._video is not None:
            self._video.add(self._drawer.frame(state))

    def _is_due(self) -> bool:
        if self._context.inference:
            return self._counted % self._every == 0
        now = self._context.elapsed
        if now < self._next_time:
            return False
        self._next_time = max(self._next_time + 1 / TRAINING_FRAMES, now)
        return True

    def _begin(self, state: ViewerState) -> None:
        if not self._context.inference:
            self._video = VideoFile(self._path, TRAINING_FRAMES)
            return
        seconds = float(state.description.get("seconds_per_step", 1 / 30))
        self._every = max(1, math.ceil(1 / (seconds * self._format.most_frames)))
        self._video = VideoFile(self._path, 1 / (seconds * self._every))

    def _state(self) -> ViewerState:
        for node in self._run.graph.nodes.values():
            state = node.viewer_state([0])
            if state is not None:
                return state
        raise RunError("--record: no simulation of this workflow can be drawn; leave --record out, or use another one")

    def close(self) -> None:
        """Complete the video; a second call does nothing."""
        self._drawer.close()
        video, self._video = self._video, None
        if video is not None:
            video.close()
            seconds, rate = video.frames / video.frames_per_second, video.frames_per_second
            pictures = f"{video.frames} pictures of environment 0, {seconds:.1f} s at {rate:.3g} pictures/s"
            self._context.log(f"recorded {pictures}: {video.path}")

    def __enter__(self) -> VideoRecorder:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()
