"""The same trained state on every process at the start of a run: that of rank 0."""

from __future__ import annotations

from ..checkpointed_node import CheckpointedNode
from ..checkpoints.tensor_file import decode_tensor_file, encode_tensor_file
from ..context import RunContext
from ..graph import Graph
from .blame import blame
from .values import decode

KIND = "dnne initial state"


def share_initial_state(graph: Graph, context: RunContext) -> None:
    """Give the state of every node that has a trained one from rank 0 to all others.

    Initial weights come from each node's own generator, which depends on the rank; a loaded checkpoint may lie where
    only rank 0 can read.
    """
    communicator = context.communicator
    nodes = {node_id: node for node_id, node in graph.nodes.items() if isinstance(node, CheckpointedNode)}
    if communicator.rank == 0:
        states = {node_id: node.checkpoint_state() for node_id, node in nodes.items()}
        communicator.broadcast_bytes(encode_tensor_file(KIND, states, {}))
        return
    states = decode_tensor_file("the initial state of rank 0", communicator.broadcast_bytes(b""), KIND).state
    for node_id, node in nodes.items():
        with blame(node):
            node.load_checkpoint_state(decode(states[node_id], context.device))
