"""What a node class must declare; checked when the class is created, so that a mistake shows at once."""

from __future__ import annotations

import inspect
from typing import Any, Dict, Iterable, List

from .errors import ParameterError
from .parameters import Parameter, is_supported
from .ports import KINDS, STREAM, TRIGGERED, In, Out, Port

ALL, ANY_INPUT = "all", "any"


def definition_problems(cls: Any, base: type) -> Iterable[str]:
    """Everything that is wrong with a node class; ``base`` is `Node` itself.

    A class without ``compute`` and without a title is a base of others; only its parameters are checked.
    """
    yield from _name_problems(cls, base)
    for name, declared in cls.parameters.items():
        yield from _parameter_problems(name, declared)
    if not hasattr(cls, "compute"):
        if "title" in vars(cls):
            yield "it has no compute method"
        return
    if not cls.title:
        yield "it has no title"
    if not any((kind.__doc__ or "").strip() for kind in cls.__mro__[: cls.__mro__.index(base)]):
        yield "it has no docstring"
    if cls.fires_on not in (ALL, ANY_INPUT):
        yield f"fires_on is {cls.fires_on!r}; expected {ALL!r} or {ANY_INPUT!r}"
    for name, port in cls.inputs.items():
        yield from _input_problems(name, port)
    for name, port in cls.outputs.items():
        yield from _output_problems(cls, name, port, base)
    yield from _trigger_problems(cls, base)
    yield from _signature_problems(cls)


def _name_problems(cls: Any, base: type) -> Iterable[str]:
    for name, value in vars(cls).items():
        if isinstance(value, (Port, Parameter)):
            if hasattr(base, name) or name in ("id", "label", "context", "connected", "input_specs"):
                yield f"the name {name!r} belongs to every node; choose another"
        elif name in cls.inputs or name in cls.outputs:
            yield f"{name!r} is a port, but the class sets it to {value!r}"
    for first, second in ((cls.inputs, cls.outputs), (cls.inputs, cls.parameters), (cls.outputs, cls.parameters)):
        for name in sorted(first.keys() & second.keys()):
            yield f"{name!r} is declared twice, as input, output or parameter"
    for items in (cls.inputs, cls.outputs, cls.parameters):
        yield from _replaced_twice(items)


def _replaced_twice(items: Dict[str, Any]) -> Iterable[str]:
    taken: Dict[str, str] = {name: name for name in items}
    for name, item in items.items():
        for old in item.replaces:
            if taken.setdefault(old, name) != name:
                yield f"{name!r} replaces {old!r}, which is a name of {taken[old]!r}"


def _parameter_problems(name: str, declared: Parameter) -> Iterable[str]:
    if not declared.doc:
        yield f"parameter {name!r} has no doc"
    if declared.annotation is None:
        yield f"parameter {name!r} has no type annotation"
    elif not is_supported(declared.annotation):
        yield (
            f"parameter {name!r} has the annotation {declared.annotation}; supported are float, int, bool, str, Any "
            "and List[…], Dict[str, …] and Optional[…] of them"
        )
    else:
        try:
            declared.default = declared.check(declared.default)
        except ParameterError as error:
            yield f"the default of parameter {name!r}: {error}"


def _input_problems(name: str, port: In) -> Iterable[str]:
    if not port.doc:
        yield f"port {name!r} has no doc"
    if port.kind not in KINDS:
        yield f"input {name!r} is of kind {port.kind!r}; expected one of {', '.join(KINDS)}"


def _output_problems(cls: Any, name: str, port: Out, base: Any) -> Iterable[str]:
    if not port.doc:
        yield f"port {name!r} has no doc"
    if port.same_as and port.same_as not in cls.inputs:
        yield f"output {name!r} is the same as {port.same_as!r}, which is no input"
    if port.on_input and (port.on_input not in cls.inputs or cls.fires_on != ANY_INPUT):
        yield f"output {name!r} is emitted on {port.on_input!r}, which is no input of a node that fires on any"
    if port.on_release and not _triggers(cls):
        yield f"output {name!r} is emitted on release, but the node has no trigger port"
    if port.initially and cls.initial is base.initial:
        yield f"output {name!r} is emitted initially, but the node has no method initial"
    yield from _rate_problems(cls, name, port.every)


def _rate_problems(cls: Any, name: str, every: object) -> Iterable[str]:
    if isinstance(every, str):
        declared = cls.parameters.get(every)
        if declared is None:
            yield f"output {name!r} is emitted every {every!r} firings, which is no parameter"
        elif declared.annotation is not int or declared.live:
            yield f"output {name!r} is emitted every {every!r} firings, which must be a whole number that is not live"
    elif every is not None and (isinstance(every, bool) or not isinstance(every, int) or every < 1):
        yield f"output {name!r} is emitted every {every!r} firings; expected a number from 1, a parameter or None"


def _triggers(cls: Any) -> List[str]:
    return [name for name, port in cls.inputs.items() if port.kind == TRIGGERED]


def _trigger_problems(cls: Any, base: Any) -> Iterable[str]:
    triggers = _triggers(cls)
    if len(triggers) > 1:
        yield f"it has the trigger ports {', '.join(triggers)}; one is the most"
    if triggers and cls.release is base.release:
        yield "it has a trigger port but no release method"


def _signature_problems(cls: Any) -> Iterable[str]:
    arguments = dict(inspect.signature(cls.compute).parameters)
    arguments.pop("self", None)
    if any(argument.kind == argument.VAR_KEYWORD for argument in arguments.values()):
        return
    expected = {name: port for name, port in cls.inputs.items() if port.kind != TRIGGERED}
    for name in sorted(expected.keys() - arguments.keys()):
        yield f"compute does not take the input {name!r}"
    for name in sorted(arguments.keys() - expected.keys()):
        yield f"compute takes {name!r}, which is no stream or held input"
    for name, argument in arguments.items():
        port = expected.get(name)
        if port is None or argument.default is not argument.empty:
            continue
        if port.optional:
            yield f"the optional input {name!r} has no default in compute"
        elif cls.fires_on == ANY_INPUT and port.kind == STREAM:
            yield f"the node fires on any input, so that {name!r} needs a default in compute"
