"""Presets: sizes that suit a kind of machine, as YAML files in ``resources/presets``, which exports carry too."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, NamedTuple, Tuple

import torch

from ..errors import ConfigError
from .files import load_config

AUTO = "auto"
PRESETS = ("cpu", "laptop-gpu", "a100", "h200")
FOLDER = Path(__file__).resolve().parents[2] / "resources" / "presets"
H200_BYTES, A100_BYTES = 100 * 2**30, 36 * 2**30


class Preset(NamedTuple):
    """A preset's name, why it was chosen, and its keys."""

    name: str
    reason: str
    values: Dict[str, Any]

    @property
    def text(self) -> str:
        """For the log."""
        listed = ", ".join(f"{key} {value}" for key, value in self.values.items())
        return f"preset {self.name} ({self.reason}): {listed}; what is given elsewhere wins"


def load_preset(name: str) -> Preset:
    """A preset by its name; ``auto`` looks at this machine.

    Raises:
        ConfigError: The file is missing or cannot be read.
    """
    chosen, reason = detect() if name == AUTO else (name, "asked for")
    path = FOLDER / f"{chosen}.yaml"
    if not path.is_file():
        raise ConfigError(f"--preset {name}: there is no file {path}; presets are {', '.join((AUTO, *PRESETS))}")
    return Preset(chosen, reason, load_config(path))


def detect() -> Tuple[str, str]:
    """The preset of this machine, and what was found."""
    if not torch.cuda.is_available():
        return "cpu", "no CUDA device was found"
    device = torch.cuda.get_device_properties(0)
    return preset_for(device.name, device.total_memory)


def preset_for(device_name: str, total_bytes: int) -> Tuple[str, str]:
    """The preset of a GPU by the size of its memory."""
    found = f"{device_name} with {total_bytes / 2**30:.0f} GiB was found"
    if total_bytes >= H200_BYTES:
        return "h200", found
    return ("a100" if total_bytes >= A100_BYTES else "laptop-gpu"), found
