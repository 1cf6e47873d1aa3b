"""Model checkpoints of a run: who saves when, and who loads from where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, List, Optional, Tuple

import torch

from ..checkpointed_node import CheckpointedNode, CheckpointReader, CheckpointSettings
from ..checkpoints import (
    DEFAULT_METRIC,
    BestMetric,
    CheckpointTrigger,
    ResumeStore,
    check_state_fits,
    enough_space,
    load_node_checkpoint,
    node_metadata,
    save_node_checkpoint,
    state_shapes,
)
from ..checkpoints.layout import MODEL_FILE, checkpoint_folder, node_folder, node_folders
from ..checkpoints.resume import STATE_FILE
from ..checkpoints.state_codec import named_tensors
from ..context import RunContext
from ..errors import CheckpointError
from ..events import CheckpointSaved
from ..graph import Graph
from .values import decode


@dataclass
class Saver:
    """One node's trigger, the node whose state it saves, and the metric that stands for the state's quality."""

    settings: CheckpointSettings
    target: CheckpointedNode
    trigger: CheckpointTrigger
    quality: BestMetric
    due: Optional[str] = None
    saved_iteration: int = -1


class CheckpointService:
    """Saves under the two-level control: the run's switch, and each node's ``checkpoint_enabled``."""

    def __init__(
        self,
        graph: Graph,
        context: RunContext,
        save_interval: Optional[int] = None,
        last_k_checkpoints: Optional[int] = None,
    ):
        """
        Args:
            save_interval: Iterations between two checkpoints, in place of the nodes' triggers.
            last_k_checkpoints: Newest checkpoints that stay, in place of the nodes' number.
        """
        self.context = context
        self._keep_last = last_k_checkpoints
        self.directory = context.save_checkpoint_dir
        self.savers = _savers(graph) if self.directory and not context.inference and context.rank == 0 else []
        if save_interval is not None:
            for saver in self.savers:
                saver.trigger = CheckpointTrigger("epoch", save_interval)
        self.metrics: Dict[str, float] = {}
        self._warned = False
        for saver in self.savers:
            saver.trigger.start(context.elapsed)

    def on_iteration(self, metrics: Dict[str, float]) -> None:
        """Ask every trigger; what is due is saved at the next safe point."""
        self.metrics = metrics
        for saver in self.savers:
            reason = saver.trigger.due(self.context.progress.iterations, metrics, self.context.elapsed)
            saver.due = saver.due or reason

    def save_due(self) -> None:
        """Save what is due."""
        for saver in self.savers:
            if saver.due:
                self._save(saver, saver.due)

    def save_all(self, reason: str) -> None:
        """Save every enabled node at the end of a run."""
        for saver in self.savers:
            if saver.saved_iteration != self.context.progress.iterations or saver.due:
                self._save(saver, reason)

    def check_space(self) -> None:
        """Warn, once, when the disk has little room for the next round of checkpoints."""
        if self._warned or not self.savers:
            return
        needed = sum(self._size(saver.target) for saver in self.savers)
        warning = enough_space(str(self.directory), needed)
        if warning:
            self._warned = True
            self.context.log(warning, "warning")

    def _save(self, saver: Saver, reason: str) -> None:
        progress, target = self.context.progress, saver.target
        by_metric = saver.trigger.type == "best_metric"
        is_best = saver.due is not None if by_metric else saver.quality.update(self.metrics)
        quality = self.metrics.get(saver.quality.metric)
        metadata = node_metadata(
            target.type_name,
            progress.iterations,
            progress.environment_steps,
            reason,
            title=target.label,
            hyperparameters=target.parameter_values(),
            metric=None if quality is None else (saver.quality.metric, quality),
        )
        self.check_space()
        path = save_node_checkpoint(
            str(self.directory), target.id, target.checkpoint_state(), metadata,
            keep_last=self._keep_last or saver.settings.checkpoint_keep_last, is_best=is_best,
        )  # fmt: skip
        saver.due, saver.saved_iteration = None, progress.iterations
        self.context.send(
            CheckpointSaved, str(path), progress.environment_steps, progress.iterations, reason, target.id
        )

    def state_dict(self) -> Dict[str, Any]:
        """Triggers (best value, time since the last save), by the id of the node that has them."""
        return {
            saver.settings.id: {"trigger": saver.trigger.state_dict(), "best": saver.quality.state_dict()}
            for saver in self.savers
        }

    def load_state_dict(self, state: Dict[str, Any]) -> None:
        """Go on from a saved state."""
        for saver in self.savers:
            if saver.settings.id in state:
                saver.trigger.load_state_dict(state[saver.settings.id]["trigger"])
                saver.quality.load_state_dict(state[saver.settings.id]["best"])

    def _size(self, node: CheckpointedNode) -> int:
        """Bytes of the next checkpoint: those of the last one, or at first those of the tensors alone."""
        last = node_folder(str(self.directory), node.id) / MODEL_FILE
        if last.is_file():
            return last.stat().st_size
        tensors = named_tensors(node.checkpoint_state())
        return sum(tensor.numel() * tensor.element_size() for _, tensor in tensors)


def _savers(graph: Graph) -> List[Saver]:
    savers = []
    for node_id, node in graph.nodes.items():
        saved = node.saves_state_of(graph.owners_of(node_id))
        if saved is None or not isinstance(node, CheckpointSettings):
            continue
        target = graph.nodes[saved]
        if not isinstance(target, CheckpointedNode):
            raise CheckpointError(
                f"node {node_id} ({node.label}) cannot save node {saved} ({target.label}): it has no state"
            )
        savers.append(Saver(node, target, node.new_trigger(), _quality(node)))
    return savers


def _quality(settings: CheckpointSettings) -> BestMetric:
    if settings.checkpoint_trigger_type != "best_metric":
        return BestMetric("max")
    mode, _, metric = settings.checkpoint_trigger_value.partition(":")
    return BestMetric(mode, metric or DEFAULT_METRIC)


def load_checkpoints(graph: Graph, directory: str, context: RunContext) -> List[str]:
    """Load every node's state that the folder holds; per-node ``checkpoint_enabled`` does not matter here.

    Args:
        graph: Set up for the run.
        directory: Of checkpoints, or of a run. One that saved none gives the weights of its newest resume state.
        context: Gets what was loaded as log lines.

    Returns:
        The files that were loaded.

    Raises:
        CheckpointError: The folder or a needed node is missing, or a state does not fit; names file, node, expected
            and found.
    """
    directory = str(checkpoint_folder(directory))
    if not node_folders(directory) and ResumeStore(directory).entries():
        return _load_resume_state(graph, directory, context)
    loaded = []
    for target, folder_id, required in _load_plan(graph):
        if not required and folder_id not in _available(directory):
            context.log(f"{directory} has no checkpoint of node {folder_id} ({target.label}); it starts anew")
            continue
        checkpoint = load_node_checkpoint(directory, folder_id)
        try:
            target.load_checkpoint_state(decode(checkpoint.state, context.device))
        except CheckpointError as error:
            raise CheckpointError(f"{checkpoint.path} for node {target.id} ({target.label}): {error}") from error
        loaded.append(str(checkpoint.path))
        context.log(f"loaded {checkpoint.path} (iteration {checkpoint.metadata['iteration']})")
    return loaded


def _load_resume_state(graph: Graph, directory: str, context: RunContext) -> List[str]:
    """What an agent needs to act, out of the state from which a run without checkpoints would go on."""
    found = ResumeStore(directory).latest()
    for target, node_id, required in _load_plan(graph):
        if not required:
            continue
        saved = found.state["nodes"].get(node_id)
        if saved is None or saved["type"] != target.type_name:
            there = "nothing" if saved is None else f"a {saved['type']}"
            raise CheckpointError(
                f"{found.path} is of another workflow: node {target.id} ({target.label}) needs the state of a "
                f"{target.type_name}, and node {node_id} is {there} there"
            )
        try:
            state = target.shared_state(saved["state"])
            check_state_fits(state_shapes(target.shared_state(target.state_dict())), state)
            target.load_state_dict(decode(state, context.device))
        except CheckpointError as error:
            raise CheckpointError(f"{found.path} does not fit node {target.id} ({target.label}): {error}") from error
        context.log(f"loaded {target.label} from {found.path} (iteration {found.iteration})")
    return [str(found.path / STATE_FILE)]


def best_states(graph: Graph, directory: str, device: torch.device) -> Dict[str, Any]:
    """The best state of every node that cannot act without one, by node id.

    Raises:
        CheckpointError: A node has no best state, or two are of different iterations; names file and node.
    """
    states: Dict[str, Any] = {}
    iterations: Dict[int, str] = {}
    for target, folder_id, required in _load_plan(graph):
        if required:
            checkpoint = load_node_checkpoint(directory, folder_id, "best")
            states[target.id] = decode(checkpoint.state, device)
            iterations.setdefault(checkpoint.metadata["iteration"], str(checkpoint.path))
    if len(iterations) > 1:
        found = ", ".join(f"{path} of iteration {iteration}" for iteration, path in iterations.items())
        raise CheckpointError(f"the best states of the nodes belong to different agents: {found}")
    return states


def _load_plan(graph: Graph) -> List[Tuple[CheckpointedNode, str, bool]]:
    """(node, id of the folder, whether it is needed); a loader node takes the place of the agent's own folder."""
    plan: Dict[str, Tuple[CheckpointedNode, str, bool]] = {}
    for node_id, node in graph.nodes.items():
        if isinstance(node, CheckpointedNode):
            plan.setdefault(node_id, (node, node_id, node.checkpoint_required))
        elif isinstance(node, CheckpointReader):
            owner = graph.owners_of(node_id)["model"]
            target = graph.nodes[owner]
            if not isinstance(target, CheckpointedNode):
                raise CheckpointError(f"node {node_id} ({node.label}) cannot load node {owner}: it has no state")
            plan[owner] = (target, node.source_node or owner, True)
    return list(plan.values())


def _available(directory: str) -> Dict[str, Any]:
    return dict(node_folders(directory))
