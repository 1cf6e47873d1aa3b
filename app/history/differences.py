"""What differs between runs: parameters and settings, in words."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any, Dict, List, Mapping, Sequence

from .entries import RunEntry, node_types

IGNORED = (
    "mode", "timeout", "verbose", "visual", "resume_interval", "save_checkpoint_dir", "load_checkpoint_dir",
    "total_timesteps", "iterations", "untrained", "episodes", "run_name", "log_dir",
)  # fmt: skip
_LONGEST_VALUE = 40


def differing_names(all_values: Sequence[Mapping[str, Any]]) -> List[str]:
    """Names whose values are not the same in all, parameters before settings; without those of no influence.

    Names that a run does not have are left out: its nodes had fewer parameters then.
    """
    first, *others = all_values or [{}]
    shared = [name for name in first if name not in IGNORED and all(name in values for values in others)]
    found = [name for name in shared if len({_key(values[name]) for values in all_values}) > 1]
    return sorted(found, key=lambda name: ("." not in name, name))


def describe(values: Mapping[str, Any], names: Sequence[str], titles: Mapping[str, str]) -> str:
    """These values of one run: ``Trainer.learning_rate 0.001 · seed 1``."""
    return " · ".join(f"{_titled(name, titles)} {_text(values[name])}" for name in names)


def differences_by_run(entries: Sequence[RunEntry], titles: Mapping[str, str]) -> Dict[str, str]:
    """What differs between runs that are compared, by name of the run: nodes, parameters and settings."""
    names = differing_names([entry.values for entry in entries])
    kinds = differing_types([node_types(entry.path) for entry in entries])
    texts = {}
    for entry, types in zip(entries, kinds):
        parts = [f"with {', '.join(types)}"] if types else []
        values = describe(entry.values, names, titles)
        texts[entry.name] = " · ".join([*parts, *([values] if values else [])])
    return texts


def differing_types(all_types: Sequence[Sequence[str]]) -> List[List[str]]:
    """Of each workflow the types of nodes that another, where it is known, has not, or not as often."""
    counts = [Counter(types) for types in all_types]
    known = [count for count in counts if count]
    return [[name for name in sorted(own) if any(other[name] != own[name] for other in known)] for own in counts]


def differences_within_workflows(entries: Sequence[RunEntry]) -> Dict[str, List[str]]:
    """Names that differ among the runs of each workflow, by the workflow's name; the seed has its own column."""
    groups: Dict[str, List[Mapping[str, Any]]] = {}
    for entry in entries:
        groups.setdefault(entry.workflow, []).append(entry.values)
    return {
        workflow: [name for name in differing_names(values) if name != "seed"] for workflow, values in groups.items()
    }


def unusual_names(
    values: Mapping[str, Any], all_values: Sequence[Mapping[str, Any]], names: Sequence[str]
) -> List[str]:
    """Those of the names whose value most of the runs, more than two of three, do not share."""
    return [
        name for name in names
        if 3 * sum(_key(other[name]) == _key(values[name]) for other in all_values) <= 2 * len(all_values)
    ]  # fmt: skip


def _titled(name: str, titles: Mapping[str, str]) -> str:
    node_id, dot, parameter = name.partition(".")
    return f"{titles.get(node_id, node_id)}.{parameter}" if dot else name


def _key(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str)


def _text(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return text if len(text) <= _LONGEST_VALUE else text[: _LONGEST_VALUE - 1] + "…"
