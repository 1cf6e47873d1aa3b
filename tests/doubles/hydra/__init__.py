"""As much of Hydra as composes the configuration of the double of IsaacGymEnvs."""

import contextlib
from pathlib import Path
from types import SimpleNamespace
from typing import Iterator, List

_folders: List[Path] = []


@contextlib.contextmanager
def initialize_config_dir(config_dir: str, version_base: str) -> Iterator[None]:
    """Compose from a folder."""
    if not (Path(config_dir) / "config.yaml").is_file():
        raise ValueError(f"there is no config.yaml in {config_dir}")
    _folders.append(Path(config_dir))
    try:
        yield
    finally:
        _folders.pop()


def compose(config_name: str, overrides: List[str]) -> SimpleNamespace:
    """The overrides, as attributes."""
    values = dict(override.split("=", 1) for override in overrides)
    if not (_folders[-1] / "task" / f"{values['task']}.yaml").is_file():
        raise ValueError(f"there is no task {values['task']}")
    return SimpleNamespace(**values)
