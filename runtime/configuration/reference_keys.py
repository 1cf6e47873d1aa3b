"""Keys of the earlier unified training system, and what they are in a run of ours."""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Sequence, Tuple

from ..errors import ConfigError
from ..recording.run_folder import slug

GROUP = "train"
DATASET_KEYS = ("dataset", "dataset_path", "domains", "dataloader", "_target_")
HYDRA_KEYS = ("defaults", "hydra")
MINIBATCH_KEY = "batch_size"
"""Sets the parameter ``minibatch_size`` of the node that has it."""

SPECIAL = (
    "train.total_epochs", "train.epoch_iters", "train.total_iters", "train.freeze_trunk", "train.pretrained_dir",
    "train.last_k_checkpoints", "save_interval", "output_dir", "suffix", "debug",
)  # fmt: skip

SAME_AS = {
    "output_dir": "log_dir", "suffix": "run_name", "debug": "verbose", "train.pretrained_dir": "pretrained_dir",
    "train.last_k_checkpoints": "last_k_checkpoints",
}  # fmt: skip
"""Keys of the earlier system that say what an option says; of both the one that is given last counts."""


class Setting(NamedTuple):
    """The value of a run option, and the keys that it was made of."""

    value: Any
    keys: Tuple[str, ...]


def refusal(key: str) -> str:
    """Why a key of the earlier system cannot be used; empty for all others."""
    group = key.split(".")[0]
    if group in DATASET_KEYS or key.endswith("_target_"):
        return (
            "it belongs to imitation learning on recorded datasets, which this version does not have; "
            "`dnne migrate` lists such keys and leaves them out"
        )
    if group in HYDRA_KEYS:
        return "configurations are not composed from several files; put all keys into one"
    return ""


def translate(values: Mapping[str, Any], workflow_name: str) -> Dict[str, Setting]:
    """Options by name, from all keys but those of nodes.

    An epoch is ``train.epoch_iters`` iterations, 1 where it is not given. Where several keys say when the run ends, the
    first end that is reached counts.

    Args:
        values: By key, in the order in which they were given; those of the earlier system are replaced, all others go
            through.
        workflow_name: The name of a run folder begins with it.

    Raises:
        ConfigError: A value has the wrong type.
    """
    result = {key: Setting(value, (key,)) for key, value in values.items() if key not in SPECIAL}
    given = {key: value for key, value in values.items() if key in SPECIAL and value not in (None, "")}
    if "output_dir" in given:
        result["checkpoints_in_run"] = Setting(True, ("output_dir",))
    order = list(values)
    for key, option in SAME_AS.items():
        if option in values and key in given and order.index(key) < order.index(option):
            del given[key]
    epoch = _count(given, "train.epoch_iters") if "train.epoch_iters" in given else 1
    _ends(result, given, epoch)
    for key, (option, make) in _SIMPLE.items():
        if key in given:
            result[option] = Setting(make(given, key), (key,))
    if "save_interval" in given:
        result["save_interval"] = Setting(
            epoch * _count(given, "save_interval"), ("save_interval", "train.epoch_iters")
        )
    if "suffix" in given:
        result["run_name"] = Setting(f"{slug(workflow_name)}-{given['suffix']}", ("suffix",))
    if _is_true(given, "train.freeze_trunk"):
        others = result.get("freeze", Setting("", ()))
        parts = f"{others.value},trunk" if others.value else "trunk"
        result["freeze"] = Setting(parts, (*others.keys, "train.freeze_trunk"))
    if "debug" in given and (_is_true(given, "debug") or "verbose" in result):
        result["verbose"] = Setting(_is_true(given, "debug"), ("debug",))
    return result


def _ends(result: Dict[str, Setting], given: Mapping[str, Any], epoch: int) -> None:
    ends: List[Tuple[int, Tuple[str, ...]]] = []
    if "iterations" in result and result["iterations"].value is not None:
        ends.append((_count({"iterations": result["iterations"].value}, "iterations"), ("iterations",)))
    if "train.total_iters" in given:
        ends.append((_count(given, "train.total_iters"), ("train.total_iters",)))
    if "train.total_epochs" in given:
        keys = ("train.total_epochs", "train.epoch_iters")
        ends.append((epoch * _count(given, "train.total_epochs"), keys))
    if ends:
        result["iterations"] = Setting(min(ends)[0], min(ends)[1])


def _count(given: Mapping[str, Any], key: str) -> int:
    value = given[key]
    text = str(value).replace("_", "")
    if isinstance(value, bool) or not text.isdecimal() or int(text) < 1:
        raise ConfigError(f"{key} is {value!r}; expected a whole number of at least 1")
    return int(text)


def _text(given: Mapping[str, Any], key: str) -> str:
    return str(given[key])


def _is_true(given: Mapping[str, Any], key: str) -> bool:
    value = given.get(key, False)
    words = {"true": True, "false": False}
    if not isinstance(value, bool) and str(value).lower() not in words:
        raise ConfigError(f"{key} is {value!r}; expected true or false")
    return words[str(value).lower()]


_SIMPLE: Dict[str, Tuple[str, Callable[[Mapping[str, Any], str], Any]]] = {
    "output_dir": ("log_dir", _text),
    "train.pretrained_dir": ("pretrained_dir", _text),
    "train.last_k_checkpoints": ("last_k_checkpoints", _count),
}


def known_keys(options: Sequence[str]) -> List[str]:
    """Every key that is no node's, for suggestions."""
    return sorted({*options, *SPECIAL, MINIBATCH_KEY})
