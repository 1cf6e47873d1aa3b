"""Events as JSON objects, and back: for files of events, and for a host that runs the engine in another process."""

from __future__ import annotations

import base64
import ctypes
import logging
import math
from dataclasses import MISSING, asdict, fields
from typing import TYPE_CHECKING, Any, Callable, Dict, Iterable, Iterator, List, Mapping, Optional

from .events import EVENT_NAMES, Event, Metrics, NodeStatistics, NodeStats, ProbeSample, ViewerFrame, WireStats

if TYPE_CHECKING:
    import torch

logger = logging.getLogger(__name__)

Record = Dict[str, Any]

_TYPES = {name: kind for kind, name in EVENT_NAMES.items()}
_PLAIN = {"int": (int,), "float": (int, float), "str": (str,), "bool": (bool,)}
"""Of fields with these types, which stand in their classes as texts, what JSON makes of them."""
_MOST = 1 << 63
_OF_PROBES = ("minimum", "mean", "maximum", "finite")
_SHARED = ("time", "step", "iteration")


def event_records(event: Event) -> List[Record]:
    """The JSON objects of one event: one per metric, else one."""
    if isinstance(event, Metrics):
        shared = {"event": "metric", "time": event.time, "step": event.step, "iteration": event.iteration}
        return [dict(shared, name=name, value=value) for name, value in event.values.items()]
    record: Record = {"event": EVENT_NAMES[type(event)]}
    if isinstance(event, ViewerFrame):
        record.update(time=event.time, node_id=event.node_id, state=_encode_viewer_state(event.state))
    else:
        record.update(asdict(event))
    return [record]


def events_from(records: Iterable[Mapping[str, Any]]) -> Iterator[Event]:
    """Undo `event_records`; metrics that were published together come together.

    Records that are no event of this version, such as those of a later one, are left out; damaged ones are logged.
    """
    gathered: List[Mapping[str, Any]] = []
    for record in records:
        if gathered and not _belongs(record, gathered[0]):
            yield from _readable(_metrics, gathered)
            gathered = []
        if _is_metric(record):
            gathered.append(record)
            continue
        yield from _readable(_event, record)
    if gathered:
        yield from _readable(_metrics, gathered)


def _readable(read: Callable[[Any], Optional[Event]], content: Any) -> Iterator[Event]:
    try:
        event = read(content)
    except (TypeError, ValueError, KeyError, AttributeError, OverflowError, RuntimeError) as error:
        logger.warning("what a run wrote cannot be read (%s: %s): %.200r", type(error).__name__, error, content)
        return
    if event is not None:
        yield event


def _is_metric(record: Mapping[str, Any]) -> bool:
    return (
        isinstance(record, dict)
        and record.get("event") == "metric"
        and all(name in record for name in (*_SHARED, "name", "value"))
    )


def _belongs(record: Mapping[str, Any], first: Mapping[str, Any]) -> bool:
    return _is_metric(record) and all(record[name] == first[name] for name in _SHARED)


def _metrics(records: List[Mapping[str, Any]]) -> Metrics:
    values = {_text(record["name"]): _number(record["value"]) for record in records}
    shared = {name: records[0][name] for name in _SHARED}
    _check(Metrics, shared)
    return Metrics(values=values, **shared)


def _number(value: Any) -> float:
    """A number; JSON writes NaN and infinity as texts, and ``None`` stands for no number."""
    return math.nan if value is None else float(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r:.100} is no name")
    return value


def _event(record: Mapping[str, Any]) -> Optional[Event]:
    kind = _TYPES.get(record.get("event", ""))
    if kind is None or kind is Metrics:
        return None
    known = fields(kind)
    if any(
        field.name not in record for field in known if field.default is MISSING and field.default_factory is MISSING
    ):
        return None
    values = {field.name: record[field.name] for field in known if field.name in record}
    if kind is ProbeSample:
        values.update({name: _number(values[name]) for name in _OF_PROBES})
    _check(kind, values)
    if issubclass(kind, NodeStatistics):
        values["nodes"] = tuple(_node_stats(node) for node in values.get("nodes", ()))
    elif kind is ProbeSample:
        values["shape"] = tuple(values["shape"])
    elif kind is ViewerFrame:
        values["state"] = _decode_viewer_state(values["state"])
    event: Event = kind(**values)
    return event


def _node_stats(node: Mapping[str, Any]) -> NodeStats:
    wires = tuple([_wire_stats(wire) for wire in node.get("wires", ())])
    names = ("node_id", "label", "firings", "seconds", "queued")
    values = {name: node[name] for name in names}
    _check(NodeStats, values)
    return NodeStats(wires=wires, **values)


def _wire_stats(wire: Mapping[str, Any]) -> WireStats:
    values = {name: wire[name] for name in ("port", "queued", "limit")}
    _check(WireStats, values)
    return WireStats(**values)


def _check(kind: type, values: Mapping[str, Any]) -> None:
    """Raise where a number, text or switch among the fields is none, or is a number that no counter or clock shows."""
    for field in fields(kind):
        if field.name not in values or field.type not in _PLAIN:
            continue
        value = values[field.name]
        if type(value) not in _PLAIN[field.type]:
            raise TypeError(f"{field.name} is {value!r:.100}; expected {field.type}")
        if isinstance(value, (int, float)) and field.name not in _OF_PROBES and not -_MOST < value < _MOST:
            raise ValueError(f"{field.name} is {value!r:.100}; expected a finite number below 2^63")


def _encode_viewer_state(state: Any) -> Record:
    values = {name: _encode_tensor(tensor) for name, tensor in state.values.items()}
    return {"kind": state.kind, "env_ids": state.env_ids, "values": values, "description": state.description}


def _decode_viewer_state(state: Mapping[str, Any]) -> Any:
    from .simulators.interface import ViewerState

    values = {name: _decode_tensor(tensor) for name, tensor in state["values"].items()}
    return ViewerState(state["kind"], tuple(state["env_ids"]), values, dict(state["description"]))


def _encode_tensor(tensor: torch.Tensor) -> Record:
    plain = tensor.detach().cpu().contiguous()
    content = ctypes.string_at(plain.data_ptr(), plain.numel() * plain.element_size()) if plain.numel() else b""
    dtype = str(plain.dtype).split(".")[-1]
    return {"dtype": dtype, "shape": list(plain.shape), "bytes": base64.b64encode(content).decode("ascii")}


def _decode_tensor(encoded: Mapping[str, Any]) -> torch.Tensor:
    import torch

    dtype = getattr(torch, encoded["dtype"])
    content = bytearray(base64.b64decode(encoded["bytes"]))
    flat = torch.frombuffer(content, dtype=dtype) if content else torch.empty(0, dtype=dtype)
    return flat.reshape(encoded["shape"])
