"""Checks on decoded JSON that may hold anything."""

from __future__ import annotations

import math
from typing import Any, List, Mapping, Optional

from ..errors import WorkflowError
from .notes import shown


def list_in(mapping: Mapping[str, Any], key: str, where: str) -> List[Any]:
    """The list under a key; an empty one where the key is missing or null.

    Raises:
        WorkflowError: It is something else.
    """
    value = mapping.get(key)
    if value is not None and not isinstance(value, list):
        raise WorkflowError(f"{where}: {key!r} is {shown(value)}; expected a list")
    return value or []


def identity(value: Any) -> Optional[str]:
    """An id as text; ``None`` for what is neither a text nor a whole number."""
    if isinstance(value, str) and value:
        return value
    return str(value) if is_index(value) else None


def is_index(value: Any) -> bool:
    """True for a whole number."""
    return isinstance(value, int) and not isinstance(value, bool)


def item_at(items: Any, index: Any) -> Any:
    """The item of a list, or ``None`` where there is none."""
    inside = isinstance(items, list) and is_index(index) and 0 <= index < len(items)
    return items[index] if inside else None


def are_numbers(value: Any, count: int) -> bool:
    """True for a list of at least ``count`` finite numbers."""
    return (
        isinstance(value, list)
        and len(value) >= count
        and all(isinstance(item, (int, float)) and not isinstance(item, bool) for item in value)
        and all(math.isfinite(item) for item in value if isinstance(item, float))
    )
