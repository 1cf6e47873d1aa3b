"""Nested state as a flat table of tensors and a JSON outline, and back.

A state such as ``{"policy": {"0.weight": w}, "optimiser": {"lr": 1e-3, "moments": [m]}}`` becomes the tensors
``policy/0.weight`` and ``optimiser/moments/0`` and an outline that holds everything else. Names are JSON pointers
without the first slash (RFC 6901): ``~`` in a key is written ``~0`` and ``/`` is written ``~1``.
"""

import math
from typing import Any, Dict, Iterable, Iterator, List, Mapping, Tuple

import torch

from ..errors import CheckpointError

Tensors = Dict[str, torch.Tensor]

_PLAIN = (bool, int, str, type(None))
_TENSOR_TYPES = (torch.Tensor, torch.nn.Parameter)
_MAX_DEPTH = 64
_ALLOWED = "a state holds tensors, ints, floats, bools, strings and None, in dicts, lists and tuples"


def flatten_state(state: Mapping[Any, Any]) -> Tuple[Tensors, Any]:
    """Return the tensors by name, detached and in main memory, and the outline, which is plain JSON.

    Raises:
        CheckpointError: an entry cannot be stored; the message names its path.
    """
    tensors: Tensors = {}
    outline = _outline(state, (), tensors)
    return tensors, outline


def restore_state(tensors: Mapping[str, torch.Tensor], outline: Any) -> Any:
    """Undo :func:`flatten_state`. Dict subclasses come back as plain dicts, parameters as plain tensors.

    Raises:
        CheckpointError: the outline is malformed, or names a tensor that is not there.
    """
    if isinstance(outline, (*_PLAIN, float)):
        return outline
    if not isinstance(outline, dict) or len(outline) != 1:
        raise CheckpointError(f"the outline of the state is malformed at {str(outline)[:60]!r}")
    ((kind, content),) = outline.items()
    if kind == "tensor":
        if not isinstance(content, str) or content not in tensors:
            raise CheckpointError(f"the tensor {content!r} that the outline of the state names is missing")
        return tensors[content]
    if kind == "float" and content in ("nan", "inf", "-inf"):
        return float(content)
    if kind in ("list", "tuple") and isinstance(content, list):
        items = [restore_state(tensors, child) for child in content]
        return tuple(items) if kind == "tuple" else items
    if kind == "dict" and isinstance(content, list):
        return {key: restore_state(tensors, child) for key, child in _pairs(content)}
    raise CheckpointError(f"the outline of the state has an entry of unknown kind {kind!r}")


def named_tensors(state: Any) -> Iterator[Tuple[str, torch.Tensor]]:
    """Yield the tensors of a nested state with the names that :func:`flatten_state` gives them."""
    yield from _walk(state, ())


def pointer(path: Iterable[Any]) -> str:
    """Join keys to a name."""
    return "/".join(str(key).replace("~", "~0").replace("/", "~1") for key in path)


def _outline(value: Any, path: Tuple[Any, ...], tensors: Tensors) -> Any:
    if len(path) > _MAX_DEPTH:
        raise CheckpointError(f"the state is nested more than {_MAX_DEPTH} deep at {pointer(path)!r}")
    if isinstance(value, torch.Tensor):
        return {"tensor": _store(value, path, tensors)}
    if type(value) in _PLAIN:
        return value
    if type(value) is float:
        return value if math.isfinite(value) else {"float": str(value)}
    if isinstance(value, dict):
        return {"dict": [[_key(key, path), _outline(item, (*path, key), tensors)] for key, item in value.items()]}
    if type(value) in (list, tuple):
        items = [_outline(item, (*path, index), tensors) for index, item in enumerate(value)]
        return {type(value).__name__: items}
    kind = f"{type(value).__module__}.{type(value).__qualname__}"
    raise CheckpointError(f"the state entry {pointer(path)!r} is a {kind}, which cannot be stored; {_ALLOWED}")


def _key(key: Any, path: Tuple[Any, ...]) -> Any:
    if type(key) not in (str, int):
        raise CheckpointError(
            f"the state entry {pointer(path)!r} has the key {key!r} of type {type(key).__name__}; "
            "keys are strings or ints"
        )
    return key


def _store(tensor: torch.Tensor, path: Tuple[Any, ...], tensors: Tensors) -> str:
    name = pointer(path)
    if name in tensors:
        raise CheckpointError(f"two entries of the state have the name {name!r}: a string and an int key are alike")
    tensors[name] = _storable(tensor, name)
    return name


def _storable(tensor: torch.Tensor, name: str) -> torch.Tensor:
    ordinary = type(tensor) in _TENSOR_TYPES and tensor.layout is torch.strided
    if not ordinary or tensor.is_quantized or tensor.device.type == "meta":
        raise CheckpointError(
            f"the state entry {name!r} is a {type(tensor).__name__} of layout {tensor.layout} on {tensor.device}; "
            "only ordinary dense tensors with content can be stored"
        )
    plain = tensor.detach().cpu().resolve_conj().resolve_neg().contiguous()
    is_view_of_more = plain.untyped_storage().nbytes() > plain.numel() * plain.element_size()
    return plain.clone() if is_view_of_more else plain


def _pairs(content: List[Any]) -> Iterator[Tuple[Any, Any]]:
    for pair in content:
        if not isinstance(pair, list) or len(pair) != 2 or type(pair[0]) not in (str, int):
            raise CheckpointError(f"the outline of the state has a malformed dict entry {str(pair)[:60]!r}")
        yield pair[0], pair[1]


def _walk(value: Any, path: Tuple[Any, ...]) -> Iterator[Tuple[str, torch.Tensor]]:
    if isinstance(value, torch.Tensor):
        yield pointer(path), value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _walk(item, (*path, key))
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            yield from _walk(item, (*path, index))
