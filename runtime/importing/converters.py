"""Turn widget values of earlier files into parameter values."""

from __future__ import annotations

import re
import sys
from typing import Any, List


def as_is(value: Any) -> Any:
    """The value of a node that is kept as it is."""
    return value


def text(value: Any) -> str:
    """A text; numbers are written out.

    Raises:
        ValueError: Neither a text nor a number.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    raise ValueError("expected a text")


def whole_number(value: Any) -> int:
    """A whole number, also from ``64.0`` and ``"64"``.

    Raises:
        ValueError: Anything else.
    """
    if isinstance(value, str) and re.fullmatch(r"\s*[+-]?[0-9]{1,18}\s*", value):
        return int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise ValueError("expected a whole number")


def number(value: Any) -> float:
    """A finite number, also from a text such as ``"3e-4"``.

    Raises:
        ValueError: Anything else.
    """
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            raise ValueError("expected a number") from None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError("expected a number")
    if not abs(value) <= sys.float_info.max:
        raise ValueError("expected a finite number")
    return value


def truth(value: Any) -> bool:
    """True or false, also from the texts ``"true"`` and ``"false"``.

    Raises:
        ValueError: Anything else.
    """
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().casefold() in ("true", "false"):
        return value.strip().casefold() == "true"
    raise ValueError("expected true or false")


def layer_sizes(value: Any) -> List[int]:
    """Sizes of layers from a list, a single number, or a text such as ``"64, 64"`` or ``"[64, 64]"``.

    Raises:
        ValueError: Anything else.
    """
    if isinstance(value, str):
        value = [item for item in re.split(r"[,;\s]+", value.strip().strip("[]()")) if item]
    items = value if isinstance(value, list) else [value]
    try:
        return [whole_number(item) for item in items]
    except ValueError:
        raise ValueError('expected sizes such as [64, 64] or "64,64"') from None
