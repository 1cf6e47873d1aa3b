"""How numbers are written, read and stepped."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any, Optional, Union

from runtime.errors import ParameterError

Number = Union[int, float]


def format_number(value: Any) -> str:
    """The shortest text that reads back as the same number: ``3e-4``, ``0.99``, ``400``, ``1e6``.

    >>> format_number(0.0003), format_number(2.5e-5), format_number(1.0)
    ('3e-4', '2.5e-5', '1')
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return str(value)
    if isinstance(value, int):
        return str(value)
    if value == 0:
        return "0"
    if 1e-3 <= abs(value) < 1e6:
        return str(int(value)) if value.is_integer() else repr(value)
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    mantissa = str(digits[0]) + ("." + "".join(map(str, digits[1:])) if len(digits) > 1 else "")
    return f"{'-' if sign else ''}{mantissa}e{int(exponent) + len(digits) - 1}"


def parse_number(text: str, is_int: bool) -> Number:
    """Read a number; scientific notation is fine for whole numbers, too (``1e6``).

    Raises:
        ParameterError: It is no number.
    """
    try:
        return int(text)
    except ValueError:
        pass
    try:
        value = float(text)
    except ValueError:
        example = "such as 64 or 1e6" if is_int else "such as 0.5 or 3e-4"
        kind = "whole number" if is_int else "number"
        raise ParameterError(f"{text!r} is not a {kind}; write one {example}") from None
    return int(value) if is_int and value.is_integer() else value


def step_size(value: Number, is_int: bool, low: Optional[float] = None, high: Optional[float] = None) -> Decimal:
    """One step of the arrows: some per cent of the value, and no coarser than its last digit.

    0.99 goes to 0.98, 3e-4 to 3.1e-4, 400 to 410, and a whole number below 100 to its neighbour.
    """
    if value == 0:
        narrow = low is not None and high is not None and high - low <= 10
        return Decimal(1) if is_int else Decimal("0.01") if narrow else Decimal("0.1")
    exact = Decimal(repr(value)).normalize()
    exponent = exact.adjusted() - 1
    if is_int:
        return Decimal(1).scaleb(max(exponent, 0))
    last_digit = exact.as_tuple().exponent
    return Decimal(1).scaleb(min(exponent, int(last_digit)))


def stepped(
    value: Number, steps: int, is_int: bool, low: Optional[float] = None, high: Optional[float] = None
) -> Number:
    """The value some steps of the arrows away, inside its range."""
    result = Decimal(repr(value)) + steps * step_size(value, is_int, low, high)
    if low is not None:
        result = max(result, Decimal(repr(low)))
    if high is not None:
        result = min(result, Decimal(repr(high)))
    return int(result) if is_int else float(result)
