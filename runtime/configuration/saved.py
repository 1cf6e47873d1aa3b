"""The resolved configuration of a run as YAML, for ``--config``."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import Any, Iterator

from ..graph import Graph
from ..run.settings import RunSettings

NOT_SAVED = ("mode", "verbose", "visual", "untrained", "episodes")
"""Settings that say nothing of what is trained."""


def config_text(settings: RunSettings, graph: Graph, run_folder: Path) -> str:
    """Every setting that is in force, and every parameter of every node by its id, but for those that a constant sets.

    Checkpoints inside the run's own folder are written as ``output_dir``: a run with this file has them in its own.

    Args:
        settings: Of the run.
        graph: With its parameters as they are in force.
        run_folder: Of this run.
    """
    lines = ["# The configuration of this run; a run with --config and this file begins alike."]
    lines += _setting_lines(settings, run_folder)
    for node_id, node in graph.nodes.items():
        values = node.parameter_values().items()
        own = [f"  {name}: {_flow(value)}" for name, value in values if (node_id, name) not in graph.constants]
        if own:
            lines += ["", f"# {' '.join(node.label.split())} ({node.type_name})", f"{_scalar(node_id)}:", *own]
    return "\n".join(lines) + "\n"


def _setting_lines(settings: RunSettings, run_folder: Path) -> Iterator[str]:
    for field in fields(RunSettings):
        value = getattr(settings, field.name)
        if value is None or field.name in NOT_SAVED:
            continue
        if field.name == "save_checkpoint_dir" and Path(value).resolve() == (run_folder / "checkpoints").resolve():
            yield f"output_dir: {_scalar(str(run_folder.parent))}"
        elif field.name in ("timeout", "resume_interval"):
            yield f"{field.name}: {_scalar(_seconds(value))}"
        else:
            yield f"{field.name}: {_flow(value)}"


def _seconds(value: float) -> str:
    """A duration as its option takes it; never shorter than the value."""
    return f"{max(1, -int(-value // 1))}s"


def _flow(value: Any) -> str:
    """JSON, which is YAML but for floats such as 1e-05, which YAML 1.1 takes for text."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_scalar(str(key))}: {_flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return _scalar(value)


def _scalar(value: Any) -> str:
    if isinstance(value, float):
        text = repr(value)
        mantissa, exponent, power = text.partition("e")
        return text if not exponent or "." in mantissa else f"{mantissa}.0e{power}"
    text = json.dumps(value)
    return text.replace("${", "\\\\${") if isinstance(value, str) else text
