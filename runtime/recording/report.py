"""The report of ``--test-mode``: time per node, steps per second, peak memory."""

import sys
from typing import List, Optional, Sequence

import torch

from ..checkpoints.disk import format_bytes
from ..events import NodeStats
from .tally import RunTally

_COLUMNS = ("node", "firings", "seconds", "µs per firing", "share")


def report_lines(tally: RunTally, device: torch.device) -> List[str]:
    """Return the report of a run as lines of text.

    Args:
        tally: Has seen all events of the run.
        device: Where the run's tensors lay.
    """
    memory = peak_memory()
    lines = [
        *time_table(tally.nodes, tally.running_time),
        "",
        f"steps per second  {tally.steps_per_second:,.0f} ({tally.steps_here:,} steps in {tally.running_time:.2f} s)",
        f"peak memory       {format_bytes(memory) if memory is not None else 'not known on this system'}",
    ]
    if device.type == "cuda":
        lines.append(f"peak GPU memory   {format_bytes(torch.cuda.max_memory_allocated(device))}")
    return lines


def time_table(nodes: Sequence[NodeStats], seconds: float) -> List[str]:
    """Return a table of the time that each node took, the slowest first.

    Args:
        nodes: Statistics of every node.
        seconds: Since the first firing; what no node took is the engine's and the recorders'.
    """
    rows = [
        _row(f"{node.node_id} {node.label}", node.firings, node.seconds, seconds)
        for node in sorted(nodes, key=lambda node: -node.seconds)
    ]
    inside = sum(node.seconds for node in nodes)
    rows.append(_row("outside of nodes", None, max(0.0, seconds - inside), seconds))
    table = [list(_COLUMNS), *rows]
    widths = [max(len(row[column]) for row in table) for column in range(len(_COLUMNS))]
    return [_aligned(row, widths) for row in table]


def peak_memory() -> Optional[int]:
    """Return the most memory that this process has had resident, in bytes; ``None`` where the system does not tell."""
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _row(name: str, firings: Optional[int], seconds: float, total: float) -> List[str]:
    per_firing = f"{1e6 * seconds / firings:,.1f}" if firings else ""
    share = f"{100 * seconds / total:.1f} %" if total > 0 else ""
    return [name, "" if firings is None else f"{firings:,}", f"{seconds:.3f}", per_firing, share]


def _aligned(row: List[str], widths: List[int]) -> str:
    cells = [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:]))]
    return "  ".join(cells).rstrip()
