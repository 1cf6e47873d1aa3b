"""Where the files of checkpoints lie.

``DIR/node_3/model.pt`` and ``metadata.json`` are node 3's latest state, ``DIR/node_3/history/000000120/`` the state
after iteration 120, ``DIR/node_3/best/`` the best one. ``model.pt`` alone is the truth; ``metadata.json`` is a copy of
its metadata for people and tools.
"""

import json
from pathlib import Path
from typing import Dict, List, Optional, Tuple
from urllib.parse import quote, unquote

from ..atomic import PathLike, is_unfinished
from ..errors import CheckpointError

MODEL_FILE = "model.pt"
METADATA_FILE = "metadata.json"
HISTORY_FOLDER = "history"
BEST_FOLDER = "best"
NODE_KIND = "dnne node checkpoint"

_PREFIX = "node_"


def node_folder(directory: PathLike, node_id: str) -> Path:
    """Return the folder of a node. Characters of the id that do not belong into a file name are percent-encoded."""
    return Path(directory) / (_PREFIX + quote(node_id, safe=""))


def node_folders(directory: PathLike) -> Dict[str, Path]:
    """Return the node folders in ``directory`` by node id, numbers first and in their order."""
    found = [path for path in Path(directory).glob(_PREFIX + "*") if path.is_dir() and not is_unfinished(path)]
    by_id = {unquote(path.name[len(_PREFIX) :]): path for path in found}
    return {node_id: by_id[node_id] for node_id in sorted(by_id, key=_natural)}


def checkpoint_folder(folder: PathLike) -> Path:
    """Return the folder itself, or, for the folder of a run, that of its checkpoints, inside it or as run.json says.

    Raises:
        CheckpointError: run.json cannot be read.
    """
    own, inner = Path(folder), Path(folder) / "checkpoints"
    if node_folders(own):
        return own
    if node_folders(inner):
        return inner
    noted = _noted_folder(own / "run.json")
    return noted if noted is not None and node_folders(noted) else own


def _noted_folder(info_file: Path) -> Optional[Path]:
    """Where a run saved its checkpoints; ``None`` where it saved none, or where this is no run."""
    if not info_file.is_file():
        return None
    try:
        info = json.loads(info_file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{info_file} cannot be read: {error}") from error
    settings = info.get("settings") if isinstance(info, dict) else None
    noted = settings.get("save_checkpoint_dir") if isinstance(settings, dict) else None
    return Path(str(info.get("folder", ".")), str(noted)) if noted else None


def history_folder(folder: Path, iteration: int) -> Path:
    """Return the folder of the state after ``iteration`` in a node's folder."""
    return folder / HISTORY_FOLDER / f"{iteration:09d}"


def history(folder: Path) -> Dict[int, Path]:
    """Return the complete states in the history of a node's folder by iteration, oldest iteration first."""
    found = {int(path.name): path for path in history_entries(folder) if (path / MODEL_FILE).is_file()}
    return {iteration: found[iteration] for iteration in sorted(found)}


def history_entries(folder: Path) -> List[Path]:
    """Return all folders in the history, also those that a killed process left incomplete."""
    return [path for path in (folder / HISTORY_FOLDER).glob("*") if path.name.isdecimal() and path.is_dir()]


def _natural(node_id: str) -> Tuple[int, int, str]:
    is_number = node_id.isdecimal()
    return (0, int(node_id), node_id) if is_number else (1, 0, node_id)
