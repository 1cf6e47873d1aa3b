"""Tables of measured figures, each with its target and whether it was met."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Dict, List, Optional, Union

Cell = Union[str, int, float]


@dataclass(frozen=True)
class Target:
    """A limit that a figure has to keep.

    Attributes:
        limit: The limit.
        at_least: Whether the figure must reach it; else it must not exceed it.
    """

    limit: float
    at_least: bool = True

    @property
    def text(self) -> str:
        """``≥ 0.97``."""
        return f"{'≥' if self.at_least else '≤'} {self.limit:g}"

    def met_by(self, value: float) -> bool:
        """Whether the figure keeps the limit; NaN never does."""
        return value >= self.limit if self.at_least else value <= self.limit


@dataclass(frozen=True)
class Row:
    """One line of a table: named cells, and of one of them the target."""

    cells: Dict[str, Cell]
    value: Optional[float] = None
    target: Optional[Target] = None

    @property
    def met(self) -> Optional[bool]:
        """Whether the target is met; ``None`` without one."""
        return None if self.target is None or self.value is None else self.target.met_by(self.value)

    @property
    def verdict(self) -> str:
        """``MET``, ``MISSED``, or nothing."""
        return {True: "MET", False: "MISSED", None: ""}[self.met]

    @property
    def text(self) -> str:
        """All in one line: ``environments 16, × by hand 0.950, target ≥ 0.97``."""
        cells = [f"{name} {_text(cell)}" for name, cell in self.cells.items() if cell != ""]
        return ", ".join(cells + ([f"target {self.target.text}"] if self.target else []))


@dataclass
class Report:
    """One benchmark's result.

    Attributes:
        name: As on the command line.
        title: What was measured, in one line.
        rows: The table; all rows have the same cells.
        notes: How it was measured, and what was found wrong.
    """

    name: str
    title: str
    rows: List[Row] = field(default_factory=list)
    notes: List[str] = field(default_factory=list)

    @property
    def missed(self) -> List[Row]:
        """Rows whose target is not met."""
        return [row for row in self.rows if row.met is False]

    def add(self, value: Optional[float] = None, target: Optional[Target] = None, **cells: Cell) -> None:
        """Append a row; underscores in the names of cells are spaces in print."""
        self.rows.append(Row({name.replace("_", " "): cell for name, cell in cells.items()}, value, target))

    @property
    def text(self) -> str:
        """Title, table and notes."""
        lines = [f"== {self.name}: {self.title} =="]
        if self.rows:
            lines += _table(self.rows)
        return "\n".join(lines + [f"  {note}" for note in self.notes])

    def as_dict(self) -> Dict[str, Any]:
        """For ``--json``."""
        return {
            "title": self.title,
            "rows": [
                {**row.cells, "value": row.value, "target": row.target and row.target.text, "met": row.met}
                for row in self.rows
            ],
            "notes": self.notes,
        }


def _table(rows: List[Row]) -> List[str]:
    names = list(dict.fromkeys(name for row in rows for name in row.cells))
    heads = names + ["target", ""] if any(row.target for row in rows) else names
    lines = [[_text(row.cells.get(name, "")) for name in names] + _verdict(row) for row in rows]
    widths = [max(len(line[column]) for line in [heads, *lines]) for column in range(len(heads))]
    pads = [str.ljust if isinstance(rows[0].cells.get(name), str) else str.rjust for name in names] + [str.ljust] * 2
    padded = ([pad(text, width) for pad, text, width in zip(pads, line, widths)] for line in [heads, *lines])
    return [("  " + "  ".join(line)).rstrip() for line in padded]


def _verdict(row: Row) -> List[str]:
    return [row.target.text if row.target else "", row.verdict]


def _text(cell: Cell) -> str:
    if isinstance(cell, float):
        return f"{cell:.3f}" if abs(cell) < 100 else f"{cell:.0f}"
    return str(cell)
