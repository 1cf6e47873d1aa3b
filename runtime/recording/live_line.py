"""The one line at the foot of a terminal that is rewritten while messages scroll past above it.

Colours come from rich where it is installed, which an export does not need.
"""

from typing import Any, List, Optional

from .text_output import TextOutput

_ERASE_LINE = "\r\x1b[2K"
_WIDEST_BAR = 30
_NARROWEST_BAR = 8
_STYLES = {"warning": "yellow", "error": "bold red", "debug": "dim"}


class LiveLine:
    """A line that stays below everything that is printed."""

    def __init__(self, output: TextOutput) -> None:
        self._output = output
        self._paint = Painter(output)
        self._line = ""

    def show(self, fraction: Optional[float], fields: List[str]) -> None:
        """Rewrite the line: a bar where the share of the run is known, and fields, of which the last ones may go."""
        self._line = self._compose(fraction, fields)
        self._output.write(_ERASE_LINE + self._line)

    def print(self, text: str, level: str = "info") -> None:
        """Print whole lines above the line."""
        erase = _ERASE_LINE if self._line else ""
        self._output.write(f"{erase}{self._paint.message(text, level)}\n{self._line}")

    def end(self) -> None:
        """Leave the line as it is, and go on below it."""
        if self._line:
            self._line = ""
            self._output.write("\n")

    def _compose(self, fraction: Optional[float], fields: List[str]) -> str:
        # Writing into the last column would scroll some terminals.
        room = self._output.columns - 1
        shown = _fitting(fields, room)
        text = "  ".join(shown)
        bar_width = min(_WIDEST_BAR, room - len(text) - 2)
        if fraction is None or bar_width < _NARROWEST_BAR:
            return text
        return f"{self._paint.bar(fraction, bar_width)}  {text}"


class Painter:
    """Adds colour where rich is installed and finds that the terminal has colours."""

    def __init__(self, output: TextOutput) -> None:
        self._unicode = output.is_unicode
        self._console: Any = None
        try:
            from rich.console import Console
        except ImportError:
            return
        self._console = Console(file=output.stream, force_terminal=True)

    def message(self, text: str, level: str) -> str:
        """A message in the colour of its level."""
        return self._styled([(text, _STYLES.get(level, ""))])

    def bar(self, fraction: float, width: int) -> str:
        """A bar of ``width`` characters, filled up to ``fraction``."""
        filled = int(fraction * width)
        if self._unicode:
            return self._styled([("━" * filled, "green"), ("─" * (width - filled), "dim")])
        return self._styled([("#" * filled, "green"), ("-" * (width - filled), "dim")])

    def _styled(self, parts: list) -> str:
        if self._console is None:
            return "".join(text for text, _ in parts)
        from rich.text import Text

        with self._console.capture() as capture:
            self._console.print(Text.assemble(*parts), end="", soft_wrap=True)
        return str(capture.get())


def _fitting(fields: List[str], room: int) -> List[str]:
    shown = list(fields)
    while len(shown) > 1 and len("  ".join(shown)) > room:
        shown.pop()
    return [shown[0][:room], *shown[1:]] if shown else []
