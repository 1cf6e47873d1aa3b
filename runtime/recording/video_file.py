"""Videos that are written frame by frame, and appear under their name when they are complete: MP4 and GIF."""

from __future__ import annotations

import importlib
import math
from pathlib import Path
from typing import Any, Dict, NamedTuple, Type

from ..atomic import PathLike, temporary_path
from ..errors import RunError
from .line_file import storage_errors


class VideoFormat(NamedTuple):
    """What a kind of file can hold, and what writing it takes.

    Attributes:
        width, height: Of the pictures. Unit: pixels.
        most_frames: Per second.
        module: What must be installed.
        packages: The names to install it by.
    """

    width: int
    height: int
    most_frames: float
    module: str
    packages: str


FORMATS: Dict[str, VideoFormat] = {
    ".mp4": VideoFormat(640, 480, 61.0, "imageio_ffmpeg", "imageio imageio-ffmpeg"),
    ".gif": VideoFormat(400, 300, 25.0, "imageio", "imageio pillow"),
}


def video_format(path: PathLike) -> VideoFormat:
    """The format that the ending of a file's name asks for, with what it takes at hand.

    Raises:
        RunError: The ending is of no known format, or a package is missing; names the command that installs it.
    """
    ending = Path(path).suffix.lower()
    if ending not in FORMATS:
        raise RunError(f"{path}: a video's name ends in {' or '.join(FORMATS)}")
    found = FORMATS[ending]
    for module in (found.module, "PIL", "numpy"):
        try:
            importlib.import_module(module)
        except ImportError as error:
            raise RunError(f"recording {path} needs {module}: pip install {found.packages} pillow numpy") from error
    return found


class VideoFile:
    """A video that grows; `close` completes it, and without a frame leaves nothing.

    Attributes:
        path: Where it will lie.
        frames: How many it has.
        frames_per_second: How fast it plays.
    """

    def __init__(self, path: PathLike, frames_per_second: float):
        """Begin a video.

        Raises:
            RunError: See `video_format`.
            StorageError: The folder cannot be made.
        """
        self.path = Path(path)
        self.format = video_format(self.path)
        with storage_errors(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
        self._temporary = temporary_path(self.path)
        writer: Type[Any] = _Mp4 if self.path.suffix.lower() == ".mp4" else _Gif
        self._writer = writer(self._temporary, self.format, frames_per_second)
        self.frames, self.frames_per_second = 0, frames_per_second

    def add(self, picture: Any) -> None:
        """Add a picture, a numpy array. Shape: (height, width, 3) uint8.

        Raises:
            StorageError: It cannot be written.
        """
        with storage_errors(self.path):
            self._writer.add(picture)
        self.frames += 1

    def close(self) -> None:
        """Complete the file; a second call does nothing.

        Raises:
            StorageError: It cannot be completed.
        """
        writer, self._writer = self._writer, None
        if writer is None:
            return
        with storage_errors(self.path):
            writer.close()
            if self.frames:
                self._temporary.replace(self.path)
            elif self._temporary.exists():
                self._temporary.unlink()


class _Mp4:
    """H.264 that every player and browser can show. Its ffmpeg does not hear a Ctrl+C."""

    def __init__(self, path: Path, form: VideoFormat, frames_per_second: float):
        import imageio_ffmpeg

        self._generator = imageio_ffmpeg.write_frames(
            str(path), (form.width, form.height), fps=frames_per_second, codec="libx264", quality=7,
            ffmpeg_log_level="error", output_params=["-f", "mp4", "-movflags", "+faststart"],
        )  # fmt: skip
        self._is_begun = False

    def add(self, picture: Any) -> None:
        if not self._is_begun:
            self._is_begun = True
            self._generator.send(None)
        self._generator.send(picture.tobytes())

    def close(self) -> None:
        self._generator.close()


class _Gif:
    """An animation that repeats; its times are hundredths of a second."""

    def __init__(self, path: Path, form: VideoFormat, frames_per_second: float):
        self._path = path
        self._milliseconds = max(20, math.floor(100 / frames_per_second + 0.5) * 10)
        self._writer: Any = None

    def add(self, picture: Any) -> None:
        if self._writer is None:
            import imageio.v2

            self._writer = imageio.v2.get_writer(
                str(self._path), format="GIF", mode="I", duration=self._milliseconds, loop=0
            )
        self._writer.append_data(picture)

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
