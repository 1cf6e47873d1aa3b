"""Node checkpoints: the state of one node, saved and loaded."""

import json
import logging
from pathlib import Path
from typing import Any, Dict, Mapping, NamedTuple

from ..atomic import PathLike, write_json
from ..errors import CheckpointError
from .layout import BEST_FOLDER, METADATA_FILE, MODEL_FILE, NODE_KIND, history, node_folder, node_folders
from .metadata import complete_metadata
from .retention import retain
from .tensor_file import FORMAT_VERSION, read_tensor_file, write_tensor_file

logger = logging.getLogger(__name__)


class NodeCheckpoint(NamedTuple):
    """A loaded checkpoint: the nested state with its tensors in main memory, the metadata, and its file."""

    state: Any
    metadata: Dict[str, Any]
    path: Path


def save_node_checkpoint(
    directory: PathLike,
    node_id: str,
    state: Mapping[str, Any],
    metadata: Mapping[str, Any],
    keep_last: int = 1,
    is_best: bool = False,
) -> Path:
    """Save a node's state as ``directory/node_{id}/model.pt`` and ``metadata.json``; return the path of ``model.pt``.

    Killed at any instant, the folder holds the previous checkpoint or this one, whole.

    Args:
        directory: The folder of the run's checkpoints; created where missing.
        node_id: The node's id in the workflow.
        state: Tensors, ints, floats, bools, strings and None in dicts, lists and tuples.
        metadata: What :func:`~.metadata.node_metadata` returns; node id, architecture, versions and time are added.
        keep_last: How many newest checkpoints stay. From 2 on they are in ``history/``, this one included.
        is_best: Whether this is the best so far, which is also kept in ``best/``.

    Raises:
        CheckpointError: state or metadata hold something that cannot be stored; the entry is named.
        StorageError: the files cannot be written.
    """
    if keep_last < 1:
        raise CheckpointError(f"node {node_id}: cannot keep the last {keep_last} checkpoints; expected 1 or more")
    folder = node_folder(directory, node_id)
    model = folder / MODEL_FILE
    try:
        complete = complete_metadata(node_id, state, metadata)
        write_tensor_file(model, NODE_KIND, state, complete)
    except CheckpointError as error:
        raise CheckpointError(f"node {node_id} cannot be saved to {model}: {error}") from error
    write_json(folder / METADATA_FILE, _readable(complete))
    retain(folder, complete["iteration"], keep_last, is_best)
    return model


def load_node_checkpoint(directory: PathLike, node_id: str, which: str = "latest") -> NodeCheckpoint:
    """Load a node's state.

    Args:
        directory: The folder of a run's checkpoints, the parent of ``node_{id}``.
        node_id: The node's id in the workflow.
        which: ``"latest"`` or ``"best"``.

    Raises:
        CheckpointError: the folder, the node's folder or the file is missing, unreadable, damaged or of another
            format; the message names file, node, expected and found.
    """
    if which not in ("latest", "best"):
        raise CheckpointError(f"there is no {which!r} checkpoint; expected 'latest' or 'best'")
    folder = _existing_folder(directory, node_id)
    source = folder if which == "latest" else folder / BEST_FOLDER
    model = source / MODEL_FILE
    if not model.is_file():
        raise CheckpointError(f"node {node_id}: {model} is missing{_alternatives(folder)}")
    try:
        state, metadata = read_tensor_file(model, NODE_KIND)
    except CheckpointError as error:
        raise CheckpointError(f"node {node_id}: {error}{_alternatives(folder)}") from error
    if metadata.get("node_id") != node_id:
        logger.warning("%s was saved by node %s, and is loaded into node %s", model, metadata.get("node_id"), node_id)
    _compare_copy(source / METADATA_FILE, metadata)
    return NodeCheckpoint(state, metadata, model)


def _readable(metadata: Dict[str, Any]) -> Dict[str, Any]:
    return {"format_version": FORMAT_VERSION, **metadata}


def _existing_folder(directory: PathLike, node_id: str) -> Path:
    root = Path(directory)
    folder = node_folder(root, node_id)
    if folder.is_dir():
        return folder
    if not root.is_dir():
        reason = "is a file, not a folder" if root.exists() else "does not exist"
        raise CheckpointError(
            f"node {node_id}: the checkpoint folder {root} {reason}; expected a folder with {folder.name}/"
        )
    others = [path.name for path in node_folders(root).values()]
    found = (
        f"found {', '.join(others)}"
        if others
        else "found no node folder at all (a training saves with --save-checkpoint-dir)"
    )
    is_inside = (root / MODEL_FILE).is_file()
    hint = f"; {root} is the folder of one node, give its parent {root.parent}" if is_inside else ""
    raise CheckpointError(f"node {node_id}: the checkpoint folder {root} has no {folder.name}/; {found}{hint}")


def _alternatives(folder: Path) -> str:
    """Name the other checkpoints of the node that could be used in place of a bad one."""
    others = [str(path) for path in history(folder).values()]
    if (folder / BEST_FOLDER / MODEL_FILE).is_file():
        others.append(str(folder / BEST_FOLDER))
    return f"; other checkpoints of this node: {', '.join(others)}" if others else ""


def _compare_copy(path: Path, metadata: Dict[str, Any]) -> None:
    """Warn where the readable copy differs; it is left alone, as another process may be saving at this moment."""
    try:
        copy = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        logger.warning("%s is missing; the metadata inside %s is used", path, MODEL_FILE)
    except (OSError, ValueError, RecursionError) as error:
        logger.warning("%s cannot be read (%s); the metadata inside %s is used", path, error, MODEL_FILE)
    else:
        if copy != _readable(metadata):
            logger.warning("%s differs from the metadata inside %s, which is used", path, MODEL_FILE)
