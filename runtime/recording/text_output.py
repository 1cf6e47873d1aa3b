"""Text streams that people or other programs read while a run goes on: standard output and standard error."""

import os
from typing import Optional, TextIO

from ..errors import StorageError


class OutputClosed(StorageError):
    """The program that read our output has ended (``| head``). A command ends without a traceback, with code 141."""


class TextOutput:
    """Writes to a text stream at once, and turns its errors into ours.

    After an error every later write does nothing: the first error has ended the run, and what is said on its way out
    must not raise again.
    """

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self._failed = False

    @property
    def name(self) -> str:
        """What people call the stream: ``<stderr>``."""
        return str(getattr(self.stream, "name", "the output stream"))

    @property
    def is_terminal(self) -> bool:
        """Whether a person watches, on a terminal that can rewrite a line."""
        return self.stream.isatty() and os.environ.get("TERM", "") != "dumb"

    @property
    def is_unicode(self) -> bool:
        """Whether the stream can show more than ASCII."""
        return (getattr(self.stream, "encoding", None) or "ascii").lower().startswith("utf")

    @property
    def columns(self) -> int:
        """Width of the terminal in characters; 80 where it is unknown."""
        try:
            return os.get_terminal_size(self.stream.fileno()).columns or 80
        except OSError:
            return 80

    def write(self, text: str) -> None:
        """Write and flush; characters that the stream cannot show are written as escapes.

        Raises:
            OutputClosed: nobody reads the stream any more.
            StorageError: the stream goes to a file that cannot be written.
        """
        if self._failed:
            return
        try:
            self.stream.write(self._showable(text))
            self.stream.flush()
        except BrokenPipeError as error:
            self._fail()
            raise OutputClosed(f"nobody reads {self.name} any more") from error
        except OSError as error:
            self._fail()
            raise StorageError(f"cannot write to {self.name}: {error.strerror or error}") from error

    def _showable(self, text: str) -> str:
        encoding: Optional[str] = getattr(self.stream, "encoding", None)
        return text.encode(encoding, "backslashreplace").decode(encoding) if encoding else text

    def _fail(self) -> None:
        """What a command still prints, and what Python flushes when it exits, goes nowhere instead of raising again."""
        self._failed = True
        try:
            descriptor = self.stream.fileno()
        except OSError:
            return
        if descriptor in (1, 2):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, descriptor)
            os.close(nowhere)
