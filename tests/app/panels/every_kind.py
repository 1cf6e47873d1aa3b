"""A node type with parameters of every kind, and an editor with what it said."""

from typing import Any, Dict, List, Optional

from app.panels.editors import make_editor
from runtime.node import Node
from runtime.parameters import param


class EveryKind(Node):
    """Parameters of every kind."""

    title = "Every kind"
    rate: float = param(3e-4, low=0.0, high=1.0, doc="A rate")
    live_rate: float = param(3e-4, low=0.0, high=1.0, doc="A live rate", live=True)
    force: float = param(400.0, low=0.0, high=500.0, unit="N", doc="A force")
    count: int = param(64, low=1, high=1_000_000, doc="A count")
    size: int = param(0, low=1, high=100, auto=True, doc="A size")
    level: int = param(1, choices=(1, 2, 4), doc="A level")
    kind: str = param("elu", choices=("elu", "relu"), doc="A kind")
    switch: bool = param(True, doc="A switch")
    text: str = param("", doc="A text")
    notes: str = param("", widget="multiline", doc="Notes")
    file: str = param("", widget="file", doc="A file")
    folder: str = param("", widget="folder", doc="A folder")
    sizes: List[int] = param([64, 64], low=1, high=1000, doc="Sizes")
    clip: List[float] = param([], doc="A range")
    names: List[str] = param(["*"], doc="Patterns")
    weights: Dict[str, float] = param({}, low=-10.0, high=10.0, doc="Weights")
    ranges: Dict[str, List[float]] = param({"a": [0.0, 1.0]}, doc="Ranges")
    limit: Optional[float] = param(None, low=0.0, doc="A limit")
    anything: Any = param(None, doc="Anything")

    def compute(self):
        """Nothing."""


class Watched:
    """An editor with what it said."""

    def __init__(self, name, show):
        self.declared = EveryKind.parameters[name]
        self.editor = make_editor(self.declared)
        self.values, self.reasons, self.finished = [], [], 0
        self.editor.edited.connect(self.values.append)
        self.editor.rejected.connect(self.reasons.append)
        self.editor.finished.connect(self._finish)
        self.editor.show_value(self.declared.default)
        self.reasons.clear()
        show(self.editor, 240, 160)

    def _finish(self):
        self.finished += 1

    @property
    def reason(self):
        return self.reasons[-1] if self.reasons else ""
