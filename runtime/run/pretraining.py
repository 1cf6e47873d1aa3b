"""Weights of an earlier training, as far as they fit."""

from __future__ import annotations

from pathlib import Path
from typing import Dict

from ..checkpointed_node import CheckpointedNode
from ..checkpoints import load_node_checkpoint
from ..checkpoints.layout import checkpoint_folder, node_folders
from ..checkpoints.matching import Fit
from ..context import RunContext
from ..errors import CheckpointError
from ..graph import Graph
from .values import decode


def load_pretrained(graph: Graph, directory: str, context: RunContext) -> Dict[str, Fit]:
    """Load what fits by name and shape into every node with a network; all else keeps its initial values.

    Args:
        graph: Set up for the run.
        directory: A folder of checkpoints, or of a run that has them in ``checkpoints``.
        context: Gets the share of weights that fitted as log lines.

    Raises:
        CheckpointError: The folder is missing, holds no node of this workflow, or nothing of a node's state fits.
    """
    folder = _checkpoint_folder(directory)
    found = node_folders(folder)
    fits: Dict[str, Fit] = {}
    for node_id, node in graph.nodes.items():
        if not isinstance(node, CheckpointedNode) or not node.takes_pretrained or node_id not in found:
            continue
        checkpoint = load_node_checkpoint(folder, node_id)
        fit = node.load_partial_state(decode(checkpoint.state, context.device))
        if not fit.loaded:
            raise CheckpointError(f"{checkpoint.path}: nothing fits node {node_id} ({node.label}): {fit.left_out_text}")
        context.log(f"pretrained {node.label} from {checkpoint.path}: {fit.text}", node_id=node_id)
        fits[node_id] = fit
    if not fits:
        wanted = ", ".join(f"node_{node_id}" for node_id, node in graph.nodes.items() if _is_target(node))
        raise CheckpointError(f"{folder} holds {', '.join(found) or 'no node'}; expected {wanted or 'a network'}")
    return fits


def _is_target(node: object) -> bool:
    return isinstance(node, CheckpointedNode) and node.takes_pretrained


def _checkpoint_folder(directory: str) -> Path:
    if not Path(directory).is_dir():
        raise CheckpointError(f"--pretrained-dir {directory}: there is no such folder; expected one with node_<id>/")
    return checkpoint_folder(directory)
