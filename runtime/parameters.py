"""Parameter declarations: a typed field with a default, a range, a unit and documentation."""

from __future__ import annotations

import math
import sys
from typing import Any, Dict, List, Optional, Sequence, Tuple, Union, get_args, get_origin

from .errors import ParameterError
from .ports import names_of

AUTO = "auto"


class Parameter:
    """One declared setting of a node type; made by `param`.

    Attributes:
        name: The class attribute's name, which is also its key in a workflow file.
        annotation: ``float``, ``int``, ``bool``, ``str``, ``List[int]``, ``List[float]``, ``Dict[str, float]``, …
        live: May be changed during a run; acts at the next iteration.
        advanced: Rarely changed; the inspector shows it in a section of its own.
    """

    def __init__(self, default: Any, **options: Any):
        self.default = default
        self.low: Optional[float] = options["low"]
        self.high: Optional[float] = options["high"]
        self.choices: Tuple = tuple(options["choices"])
        self.unit: str = options["unit"]
        self.doc: str = options["doc"]
        self.live: bool = options["live"]
        self.auto: bool = options["auto"]
        self.widget: str = options["widget"]
        self.advanced: bool = options["advanced"]
        self.replaces: Tuple[str, ...] = names_of(options["replaces"])
        self.name = ""
        self.annotation: Any = None

    def with_default(self, default: Any) -> Parameter:
        """The same declaration with another default (an exported node's edited value)."""
        copy = Parameter.__new__(Parameter)
        copy.__dict__.update(self.__dict__)
        copy.default = copy.check(default)
        return copy

    @property
    def range_text(self) -> str:
        """The allowed values in words, for errors, tooltips and the node reference."""
        if self.choices:
            return "one of " + ", ".join(repr(choice) for choice in self.choices)
        parts = []
        if self.low is not None and self.high is not None:
            parts.append(f"{_number(self.low)} to {_number(self.high)}")
        elif self.low is not None:
            parts.append(f"at least {_number(self.low)}")
        elif self.high is not None:
            parts.append(f"at most {_number(self.high)}")
        if self.auto:
            parts.append('0 or "auto" to infer')
        return ", ".join(parts)

    @property
    def type_text(self) -> str:
        """The type in words (``int``, ``list of int``, …)."""
        return _type_text(self.annotation)

    def check(self, value: Any) -> Any:
        """Return ``value`` in its declared type.

        Raises:
            ParameterError: The type is wrong, or the value is outside the range; the text says what is allowed.
        """
        if self.auto and value == AUTO:
            return 0
        converted = _convert(value, self.annotation)
        if converted is _WRONG:
            raise ParameterError(f"{_shown(value)} is not {_article(self.type_text)}{self._allowed()}")
        for number in _numbers(converted):
            self._check_number(number, value)
        if self.choices and converted not in self.choices:
            raise ParameterError(f"{_shown(value)} is not allowed{self._allowed()}")
        return converted

    def _check_number(self, number: float, value: Any) -> None:
        if isinstance(number, float) and not math.isfinite(number):
            raise ParameterError(f"{_shown(value)} is not a finite number{self._allowed()}")
        if self.auto and number == 0:
            return
        if (self.low is not None and number < self.low) or (self.high is not None and number > self.high):
            raise ParameterError(f"{_shown(value)} is out of range{self._allowed()}")

    def _allowed(self) -> str:
        unit = f" {self.unit}" if self.unit and self.range_text else ""
        return f"; allowed: {self.range_text}{unit}" if self.range_text else f"; expected {self.type_text}"


def param(
    default: Any,
    *,
    doc: str,
    low: Optional[float] = None,
    high: Optional[float] = None,
    choices: Sequence = (),
    unit: str = "",
    live: bool = False,
    auto: bool = False,
    widget: str = "",
    advanced: bool = False,
    replaces: Sequence[str] = (),
) -> Any:
    """Declare a parameter in a node class: ``gamma: float = param(0.99, low=0.0, high=1.0, doc="Discount per step")``.

    Args:
        default: Used where a workflow file says nothing; must itself be allowed.
        doc: One line.
        low, high: Inclusive bounds, for each number where the value is a list or a dictionary.
        choices: The allowed values, where they are few.
        unit: ``s``, ``N``, ``rad``, … shown beside the value.
        live: The value may change during a run and acts at the next iteration.
        auto: 0 or ``"auto"`` means inferred from the graph.
        widget: A hint for the inspector: ``file``, ``folder``, ``multiline``.
        advanced: Rarely changed; the inspector shows it in a section of its own.
        replaces: Earlier names of this parameter.
    """
    return Parameter(
        default, low=low, high=high, choices=choices, unit=unit, doc=doc, live=live, auto=auto, widget=widget,
        advanced=advanced, replaces=replaces,
    )  # fmt: skip


_WRONG = object()


def _convert(value: Any, annotation: Any) -> Any:
    origin = get_origin(annotation)
    if annotation is Any:
        return value
    if origin is Union:
        options = (_convert(value, option) for option in get_args(annotation))
        return next((option for option in options if option is not _WRONG), _WRONG)
    if origin in (list, List):
        return _convert_list(value, get_args(annotation)[0])
    if origin in (dict, Dict):
        return _convert_dict(value, get_args(annotation)[1])
    return _convert_plain(value, annotation)


def _convert_plain(value: Any, annotation: Any) -> Any:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if annotation is float and is_number:
        return float(value) if abs(value) <= sys.float_info.max or isinstance(value, float) else _WRONG
    if annotation is int and is_number and (isinstance(value, int) or value.is_integer()):
        return int(value)
    if annotation in (bool, str, type(None)) and isinstance(value, annotation):
        return value
    return _WRONG


def _convert_list(value: Any, element: Any) -> Any:
    if not isinstance(value, (list, tuple)):
        return _WRONG
    converted = [_convert(item, element) for item in value]
    return _WRONG if any(item is _WRONG for item in converted) else converted


def _convert_dict(value: Any, element: Any) -> Any:
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        return _WRONG
    converted = {key: _convert(item, element) for key, item in value.items()}
    return _WRONG if any(item is _WRONG for item in converted.values()) else converted


def _number(value: float) -> str:
    return str(int(value)) if float(value).is_integer() and abs(value) < 1e10 else f"{value:g}"


def _numbers(value: Any) -> List[float]:
    if isinstance(value, bool) or value is None:
        return []
    if isinstance(value, (int, float)):
        return [value]
    if isinstance(value, (list, tuple)):
        return [number for item in value for number in _numbers(item)]
    if isinstance(value, dict):
        return [number for item in value.values() for number in _numbers(item)]
    return []


def is_supported(annotation: Any) -> bool:
    """True if values of this annotation can be checked and written to a workflow file."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Union:
        return all(is_supported(option) for option in arguments)
    if origin in (list, List):
        return len(arguments) == 1 and is_supported(arguments[0])
    if origin in (dict, Dict):
        return len(arguments) == 2 and arguments[0] is str and is_supported(arguments[1])
    return annotation in (Any, float, int, bool, str, type(None))


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def _type_text(annotation: Any) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if annotation is Any:
        return "value"
    if origin is Union:
        return " or ".join(_type_text(option) for option in arguments)
    if origin in (list, List):
        return f"list of {_plural(_type_text(arguments[0]))}"
    if origin in (dict, Dict):
        return f"dictionary of {_plural(_type_text(arguments[1]))} by name"
    return {type(None): "null", float: "number", str: "text", bool: "true or false", int: "whole number"}.get(
        annotation, getattr(annotation, "__name__", str(annotation))
    )


def _plural(text: str) -> str:
    head, of, tail = text.partition(" of ")
    return text if head == "true or false" else f"{head}s{of}{tail}"


def _article(text: str) -> str:
    return text if text == "true or false" else f"a {text}"
