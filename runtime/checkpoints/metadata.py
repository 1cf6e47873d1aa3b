"""What a checkpoint says about itself, as plain JSON."""

import datetime
import math
import platform
from typing import Any, Dict, Mapping, Optional, Tuple

import torch

from .. import __version__
from ..errors import CheckpointError
from .state_codec import named_tensors

_REQUIRED = ("class_type", "iteration", "step", "reason")


def node_metadata(
    class_type: str,
    iteration: int,
    step: int,
    reason: str,
    title: str = "",
    hyperparameters: Optional[Mapping[str, Any]] = None,
    metric: Optional[Tuple[str, float]] = None,
) -> Dict[str, Any]:
    """Return the part of a node checkpoint's metadata that its node and run know.

    Args:
        class_type: The node type.
        iteration: Finished training iterations.
        step: Environment steps since the run's beginning.
        reason: Why it is saved: a trigger's reason, "finished", "timeout", …
        title: The node's title on the canvas.
        hyperparameters: The node's parameters by name, as JSON values.
        metric: Name and value of the metric that stands for the quality of this checkpoint.
    """
    return {
        "class_type": class_type,
        "title": title,
        "iteration": iteration,
        "step": step,
        "reason": reason,
        "metric": None if metric is None else {"name": metric[0], "value": metric[1]},
        "hyperparameters": dict(hyperparameters or {}),
    }


def complete_metadata(node_id: str, state: Any, metadata: Mapping[str, Any]) -> Dict[str, Any]:
    """Return checked metadata with node id, architecture, versions and the time (UTC) added.

    Raises:
        CheckpointError: a required entry is missing or out of range, or an entry is no JSON.
    """
    missing = [name for name in _REQUIRED if name not in metadata]
    if missing:
        raise CheckpointError(f"the metadata lacks {', '.join(missing)}")
    for name in ("iteration", "step"):
        if type(metadata[name]) is not int or metadata[name] < 0:
            raise CheckpointError(f"metadata.{name} is {metadata[name]!r}; expected a whole number, 0 or more")
    return {
        "node_id": node_id,
        **plain_json(dict(metadata), "metadata"),
        "architecture": architecture(state),
        "versions": versions(),
        "created": now_text(),
    }


def architecture(state: Any) -> Dict[str, Any]:
    """Return the number of elements in all tensors of ``state``, and each tensor's shape and dtype by name."""
    tensors = dict(named_tensors(state))
    return {
        "parameters": sum(tensor.numel() for tensor in tensors.values()),
        "tensors": {name: {"shape": list(t.shape), "dtype": dtype_name(t)} for name, t in tensors.items()},
    }


def dtype_name(tensor: torch.Tensor) -> str:
    """Return the dtype without its module: ``float32``."""
    return str(tensor.dtype).split(".")[-1]


def versions() -> Dict[str, str]:
    """Return the versions of what computed the state."""
    return {
        "dnne": __version__,
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "platform": platform.platform(),
    }


def now_text() -> str:
    """Return the time now in ISO 8601, UTC, to the second."""
    return datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")


def plain_json(value: Any, where: str) -> Any:
    """Return ``value`` as plain JSON: tuples become lists; NaN and infinity the strings "nan", "inf" and "-inf".

    Raises:
        CheckpointError: an entry is no JSON; ``where`` and its path are named.
    """
    if value is None or type(value) in (bool, int, str):
        return value
    if type(value) is float:
        return value if math.isfinite(value) else str(value)
    if isinstance(value, Mapping):
        return {_plain_key(key, where): plain_json(item, f"{where}.{key}") for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain_json(item, f"{where}[{index}]") for index, item in enumerate(value)]
    raise CheckpointError(
        f"{where} is a {type(value).__name__}, which is no JSON; expected a number, text, bool, None, list or dict"
    )


def _plain_key(key: Any, where: str) -> str:
    if type(key) is not str:
        raise CheckpointError(f"{where} has the key {key!r}, which is no text; JSON has text keys only")
    return key
