"""The learning curve of a run as a picture, drawn from its ``metrics.csv``."""

import io
import math
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

from runtime.atomic import PathLike, write_bytes
from runtime.errors import DnneError
from runtime.recording.csv_metrics import read_metrics
from runtime.recording.tally import MEAN_REWARD

STEPS = "step"

_SMOOTHED_SHARE = 0.03
_SCALES = ((1e9, "G"), (1e6, "M"), (1e3, "k"))
_CURVE, _SOLVED, _TEXT, _GRID = "#2563a8", "#2e8b57", "#333333", "#e4e4e4"


class LearningCurveError(DnneError):
    """A learning curve cannot be drawn."""


class _Panel(NamedTuple):
    title: str
    names: Tuple[str, ...]
    logarithmic: bool = False


# The first of a panel's metrics that the run has reported is drawn.
_SMALL_PANELS = (
    _Panel("Policy loss", ("train/policy_loss",)),
    _Panel("Value loss", ("train/value_loss",), logarithmic=True),
    _Panel("Approximate KL divergence", ("train/approx_kl",)),
    _Panel("Explained variance", ("train/explained_variance",)),
    _Panel("Episode length", ("episode/mean_length",)),
)
_MOST_SMALL_PANELS = 3


def plot_learning_curve(
    metrics_csv: PathLike, png_path: PathLike, title: str = "", solved: Optional[float] = None
) -> None:
    """Draw the mean episode reward over environment steps, and a few losses below it.

    Args:
        metrics_csv: As :class:`CsvMetrics` writes it.
        png_path: The picture; written completely or not at all.
        title: Stands above the curve.
        solved: A mean episode reward that is marked as the goal.

    Raises:
        LearningCurveError: matplotlib is not installed, or no episode has ended yet.
        DnneError: ``metrics_csv`` is no table of metrics.
        StorageError: a file cannot be read or written.
    """
    columns = read_metrics(metrics_csv)
    if not _points(columns, MEAN_REWARD)[0]:
        raise LearningCurveError(
            f"{metrics_csv} holds no {MEAN_REWARD!r} yet: no episode has ended; train for longer, then draw again"
        )
    write_bytes(png_path, _draw(columns, title, solved))


def moving_average(values: Sequence[float], width: int) -> List[float]:
    """Return the mean of the ``width`` values around each value; at the ends, of those that there are."""
    sums = [0.0]
    for value in values:
        sums.append(sums[-1] + value)
    means = []
    for index in range(len(values)):
        first, last = max(0, index - width // 2), min(len(values), index + width // 2 + 1)
        means.append((sums[last] - sums[first]) / (last - first))
    return means


def _points(columns: Dict[str, List[float]], name: str) -> Tuple[List[float], List[float]]:
    """Steps and values where the metric was reported as a finite number."""
    pairs = [pair for pair in zip(columns.get(STEPS, []), columns.get(name, [])) if math.isfinite(pair[1])]
    return [step for step, _ in pairs], [value for _, value in pairs]


def _draw(columns: Dict[str, List[float]], title: str, solved: Optional[float]) -> bytes:
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise LearningCurveError(
            "the learning curve is drawn with matplotlib, which is not installed; pip install matplotlib"
        ) from error
    panels = _panels(columns)
    figure = Figure(figsize=(9.0, 7.0 if panels else 5.0), dpi=130, facecolor="white")
    FigureCanvasAgg(figure)
    grid = figure.add_gridspec(
        2 if panels else 1,
        max(1, len(panels)),
        height_ratios=[2.6, 1.0] if panels else None,
        left=0.085,
        right=0.97,
        top=0.92,
        bottom=0.08 if panels else 0.12,
        hspace=0.36,
        wspace=0.26,
    )
    last_step = max(columns[STEPS])
    _draw_reward(figure.add_subplot(grid[0, :]), _points(columns, MEAN_REWARD), last_step, title, solved)
    for index, (panel, points) in enumerate(panels):
        _draw_small(figure.add_subplot(grid[1, index]), points, last_step, panel)
    picture = io.BytesIO()
    figure.savefig(picture, format="png")
    return picture.getvalue()


def _panels(columns: Dict[str, List[float]]) -> List[Tuple[_Panel, Tuple[List[float], List[float]]]]:
    found = []
    for panel in _SMALL_PANELS:
        name = next((name for name in panel.names if len(_points(columns, name)[0]) > 1), None)
        if name is not None:
            found.append((panel, _points(columns, name)))
    return found[:_MOST_SMALL_PANELS]


def _draw_reward(
    axes: Any, points: Tuple[List[float], List[float]], last_step: float, title: str, solved: Optional[float]
) -> None:
    steps, rewards = points
    width = max(1, round(_SMOOTHED_SHARE * len(steps)))
    if width > 2:
        axes.plot(steps, rewards, color=_CURVE, alpha=0.28, linewidth=1.0, label="each iteration")
        axes.plot(steps, moving_average(rewards, width), color=_CURVE, linewidth=2.2, label="smoothed")
    else:
        marker = "o" if len(steps) < 30 else None
        axes.plot(steps, rewards, color=_CURVE, linewidth=2.0, marker=marker, markersize=4, label="each iteration")
    if solved is not None:
        axes.axhline(solved, color=_SOLVED, linewidth=1.4, linestyle=(0, (5, 3)), label=f"solved ({solved:g})")
    _style(axes, last_step)
    axes.margins(y=0.06)
    axes.set_title(title or "Learning curve", fontsize=14, color=_TEXT, loc="left", pad=10, fontweight="bold")
    axes.set_xlabel("environment steps", fontsize=10.5, color=_TEXT)
    axes.set_ylabel("mean episode reward", fontsize=10.5, color=_TEXT)
    if width > 2 or solved is not None:
        axes.legend(loc="best", frameon=True, framealpha=0.9, edgecolor="none", fontsize=9.5, labelcolor=_TEXT)


def _draw_small(axes: Any, points: Tuple[List[float], List[float]], last_step: float, panel: _Panel) -> None:
    steps, values = points
    width = max(1, round(_SMOOTHED_SHARE * len(steps)))
    axes.plot(steps, values, color=_CURVE, alpha=0.28 if width > 2 else 1.0, linewidth=0.8)
    if width > 2:
        axes.plot(steps, moving_average(values, width), color=_CURVE, linewidth=1.5)
    if panel.logarithmic and min(values) > 0 and max(values) > 20 * min(values):
        axes.set_yscale("log")
    _style(axes, last_step)
    axes.set_title(panel.title, fontsize=10, color=_TEXT, loc="left", pad=6)


def _style(axes: Any, last_step: float) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    is_small = axes.get_position().width < 0.5
    axes.set_xlim(0, 1.01 * last_step)
    axes.xaxis.set_major_locator(MaxNLocator(3 if is_small else 6))
    if is_small and axes.get_yscale() == "linear":
        axes.yaxis.set_major_locator(MaxNLocator(4))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda steps, _: step_label(steps)))
    axes.grid(True, color=_GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(which="both", colors=_TEXT, labelsize=9, length=0)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color("#bbbbbb")


def step_label(steps: float) -> str:
    """Return a count of steps as a short text: ``50k``, ``1.5M``."""
    for scale, letter in _SCALES:
        if steps >= scale:
            return f"{steps / scale:g}{letter}"
    return f"{steps:g}"
