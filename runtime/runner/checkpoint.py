"""A runner's checkpoint: one file with weights, optimiser, counters and configuration.

``torch.load(path, weights_only=True)["agent/policy_head.weight"]`` reads a tensor of it in any program.
"""

from __future__ import annotations

from typing import Any, Dict, List

from ..atomic import PathLike
from ..checkpoints.metadata import now_text, plain_json, versions
from ..checkpoints.tensor_file import read_tensor_file, write_tensor_file
from ..errors import CheckpointError
from ..run.continued import ContinuedRun
from .document import AGENT, TRAINER

KIND = "dnne runner checkpoint"


def save(path: PathLike, run: ContinuedRun) -> None:
    """Write the file atomically.

    Raises:
        StorageError: it cannot be written; an earlier one is as it was.
    """
    progress, states = run.context.progress, run.node_states()
    parameters = {node_id: node.parameter_values() for node_id, node in run.graph.nodes.items()}
    metadata = {
        "iteration": progress.iterations,
        "timesteps": progress.environment_steps,
        "settings": run.settings.as_dict(),
        "parameters": parameters,
        "versions": versions(),
        "created": now_text(),
    }
    state = {"agent": states[AGENT], "trainer": states[TRAINER]}
    write_tensor_file(path, KIND, state, plain_json(metadata, "checkpoint"))


def load(path: PathLike, run: ContinuedRun) -> None:
    """Take over weights, normalisers, optimiser and counters; a rollout that was under way is dropped.

    Raises:
        CheckpointError: the file cannot be read, or does not fit; then nothing is changed.
    """
    state, metadata = read_tensor_file(path, KIND)
    counters: List[Any] = [metadata.get(name) for name in ("iteration", "timesteps")]
    if set(state) != {"agent", "trainer"} or not all(type(value) is int for value in counters):
        raise CheckpointError(f"{path}: agent, trainer, iteration or timesteps are missing")
    nodes: Dict[str, Any] = run.graph.nodes
    try:
        nodes[AGENT].load_checkpoint_state(state["agent"])
        nodes[TRAINER].load_checkpoint_state(state["trainer"])
    except CheckpointError as error:
        raise CheckpointError(f"{path}: {error}") from error
    run.restart_counting(*counters)
