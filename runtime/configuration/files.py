"""Configuration files: YAML, read with OmegaConf. Nothing in them is executed."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, Iterator, Mapping, Optional, Tuple

from ..atomic import PathLike
from ..errors import ConfigError

ENDINGS = (".yaml", ".yml")
DEFAULT_FOLDER = "configs"
ALLOWED_RESOLVERS = ("oc.env", "oc.select")


def find_config(folder: Optional[str], name: str) -> Path:
    """The file ``FOLDER/NAME.yaml``, as Hydra's ``--config-path`` and ``--config-name`` name it.

    Args:
        folder: ``configs`` where it exists, else the present one, where it is not given.
        name: With or without its ending.

    Raises:
        ConfigError: There is no such file; says where it was looked for.
    """
    folders = [Path(folder)] if folder is not None else [Path(DEFAULT_FOLDER), Path()]
    names = [name] if name.endswith(ENDINGS) else [name + ending for ending in ENDINGS]
    tried = [parent / each for parent in folders for each in names]
    found = next((path for path in tried if path.is_file()), None)
    if found is None:
        raise ConfigError(f"there is no configuration {name!r}: looked for {', '.join(map(str, tried))}")
    return found


def load_config(path: PathLike) -> Dict[str, Any]:
    """The content of a configuration file with its interpolations resolved.

    Raises:
        ConfigError: The file cannot be read, an interpolation leads nowhere, or OmegaConf is missing.
    """
    container = read_yaml(path)
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    _refuse_resolvers(path, OmegaConf.to_container(container, resolve=False))
    try:
        plain = OmegaConf.to_container(container, resolve=True)
    except OmegaConfBaseException as error:
        raise ConfigError(f"{path}: {str(error).strip().splitlines()[0]}") from error
    assert isinstance(plain, dict)
    return {str(key): value for key, value in plain.items()}


def read_yaml(path: PathLike) -> Any:
    """The file as OmegaConf holds it, interpolations unresolved.

    Raises:
        ConfigError: The file cannot be read, is no YAML mapping, or OmegaConf is missing.
    """
    try:
        from omegaconf import OmegaConf
        from omegaconf.errors import OmegaConfBaseException
        from yaml import YAMLError
    except ImportError as error:
        raise ConfigError(f"{path} is read with OmegaConf, which is not installed: pip install omegaconf") from error
    try:
        container = OmegaConf.load(str(path))
    except FileNotFoundError as error:
        raise ConfigError(f"there is no configuration file {path}") from error
    except (OSError, UnicodeDecodeError, YAMLError, OmegaConfBaseException) as error:
        raise ConfigError(f"{path} cannot be read: {str(error).strip()}") from error
    if not OmegaConf.is_dict(container):
        raise ConfigError(f"{path} is a list; expected keys with values, such as seed: 1")
    return container


def flatten(content: Mapping[str, Any]) -> Iterator[Tuple[str, Any]]:
    """Keys and values with the groups of the first level joined by dots: ``train.total_epochs``."""
    for key, value in content.items():
        if isinstance(value, Mapping):
            yield from ((f"{key}.{name}", item) for name, item in value.items())
        else:
            yield str(key), value


def _refuse_resolvers(path: PathLike, value: Any) -> None:
    """Interpolations that call something registered elsewhere are not for files that come from anywhere."""
    if isinstance(value, dict):
        for item in value.values():
            _refuse_resolvers(path, item)
    elif isinstance(value, list):
        for item in value:
            _refuse_resolvers(path, item)
    elif isinstance(value, str):
        for part in value.split("${")[1:]:
            if "}" not in part:
                raise ConfigError(
                    f"{path}: {value!r} has an interpolation within another; expected plain ones: ${{key}}"
                )
            name, colon, _ = part.partition("}")[0].partition(":")
            if colon and name.strip() not in ALLOWED_RESOLVERS:
                raise ConfigError(
                    f"{path}: {value!r} calls the resolver {name.strip()!r}; allowed are "
                    f"{', '.join(ALLOWED_RESOLVERS)} and references to other keys"
                )
