"""What an import tells its user."""

from __future__ import annotations

import reprlib
from dataclasses import dataclass, field
from typing import Any, List

from ..workflow import Workflow

_shorten = reprlib.Repr()
_shorten.maxstring = _shorten.maxother = _shorten.maxlong = 80


@dataclass(frozen=True)
class ImportNote:
    """One thing that was translated with a change, or could not be mapped.

    Attributes:
        node_id: The node, or empty for the file as a whole.
        name: The port, parameter, widget or link, by its name in the file; or empty.
        message: What became of it.
        remedy: What to do; empty where nothing is left to do.
        label: The node's title or type.
    """

    node_id: str
    name: str
    message: str
    remedy: str = ""
    label: str = ""

    @property
    def text(self) -> str:
        """One line for the terminal."""
        node = f"node {self.node_id}" + (f" ({self.label})" if self.label else "") if self.node_id else "file"
        where = node + (f", {self.name}" if self.name else "")
        return f"{where}: {self.message}" + (f"; {self.remedy}" if self.remedy else "")


@dataclass
class ImportResult:
    """An imported workflow, and everything that did not come over as it was."""

    workflow: Workflow
    notes: List[ImportNote] = field(default_factory=list)


def shown(value: Any) -> str:
    """A value of the file for a message, cut where it is long."""
    return _shorten.repr(value)
