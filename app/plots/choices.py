"""Which plots are shown and how, as it is remembered for each workflow."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field, replace
from typing import Any, List, Optional

from .labels import FIRST_PLOTS
from .metric_table import AXES, STEPS

DEFAULT_SMOOTHING = 0.8


@dataclass(frozen=True)
class PlotChoices:
    """One workflow's choices.

    Attributes:
        plots: In their order.
        axis: What lies on the x axes.
        logarithmic: Plots with a logarithmic scale.
        smoothing: Weight of the past in [0, 0.999]; 0 for none.
    """

    plots: List[str] = field(default_factory=lambda: list(FIRST_PLOTS))
    axis: str = STEPS
    logarithmic: List[str] = field(default_factory=list)
    smoothing: float = DEFAULT_SMOOTHING

    def text(self) -> str:
        """As JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def parse(cls, text: str) -> PlotChoices:
        """From JSON; entries that do not fit, such as those of another version, have their defaults."""
        try:
            found = json.loads(text)
        except ValueError:
            found = None
        default = cls()
        if not isinstance(found, dict):
            return default
        plots, logarithmic = _names(found.get("plots")), _names(found.get("logarithmic"))
        axis, smoothing = str(found.get("axis")), found.get("smoothing", default.smoothing)
        return replace(
            default,
            plots=default.plots if plots is None else plots,
            axis=axis if axis in AXES else default.axis,
            logarithmic=logarithmic or [],
            smoothing=float(smoothing) if _is_share(smoothing) else default.smoothing,
        )


def choices_key(workflow: str) -> str:
    """The name in the settings of the choices of a workflow, which is told by its path or its title."""
    return "plots-" + hashlib.sha256(workflow.encode("utf-8")).hexdigest()[:16]


def _names(value: Any) -> Optional[List[str]]:
    return list(value) if isinstance(value, list) and all(isinstance(name, str) for name in value) else None


def _is_share(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0.0 <= value <= 0.999
