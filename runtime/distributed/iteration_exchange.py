"""What the processes of a run tell each other once per training iteration."""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Optional, Sequence

from ..context import RunContext
from ..errors import DistributedError
from .communicator import Communicator
from .metrics import mean_metrics

Numbers = Dict[str, float]


class MetricSource:
    """The metrics of one node, on every process.

    Args:
        collect: Those of this process.
        merge: Makes one of those of all processes, given by rank.
    """

    def __init__(self, collect: Callable[[], Numbers], merge: Callable[[Sequence[Numbers]], Numbers]):
        self.collect, self.merge = collect, merge


class IterationExchange:
    """One message of each process to all others: metrics, wishes, and fingerprints of what must be equal.

    Whatever only one process knows of (a signal, its clock, a node's request) is a wish until here; then all processes
    know it, and act at the same iteration.

    Args:
        communicator: The processes.
        context: The run context.
        wish_to_stop: This process's own reason to end the run, or None.
        is_interrupted: Whether that reason came from outside, as a signal does.
        wish_to_save: Whether rank 0 would save a resume state now.
        fingerprints: Numbers of the states that must be equal on all processes, by node id.
    """

    def __init__(
        self,
        communicator: Communicator,
        context: RunContext,
        wish_to_stop: Callable[[], Optional[str]],
        is_interrupted: Callable[[], bool],
        wish_to_save: Callable[[], bool],
        fingerprints: Callable[[], Dict[str, int]],
    ):
        self.communicator, self.context = communicator, context
        self.sources: List[MetricSource] = []
        self.synchronisers: List[Callable[[], None]] = []
        self.stop_reason: Optional[str] = None
        self.save_wanted = self.interrupted = False
        self._is_interrupted = is_interrupted
        self._wish_to_stop, self._wish_to_save, self._fingerprints = wish_to_stop, wish_to_save, fingerprints

    def __call__(self, own: Numbers) -> List[Numbers]:
        """The metrics of the trainer and of every source, each over all processes.

        Raises:
            DistributedError: the processes no longer train the same parameters, or one is lost.
        """
        for synchronise in self.synchronisers:
            synchronise()
        message = {
            "own": own,
            "sources": [source.collect() for source in self.sources],
            "stop": self._wish_to_stop(),
            "interrupted": self._is_interrupted(),
            "save": self._wish_to_save(),
            "fingerprints": self._fingerprints(),
        }
        messages = self.communicator.all_gather_json(message)
        self._check([each["fingerprints"] for each in messages])
        self.save_wanted = self.save_wanted or messages[0]["save"]
        self.interrupted = self.interrupted or any(each["interrupted"] for each in messages)
        self._agree([each["stop"] for each in messages])
        parts = [mean_metrics([each["own"] for each in messages])]
        for index, source in enumerate(self.sources):
            parts.append(source.merge([each["sources"][index] for each in messages]))
        return parts

    def _agree(self, wishes: Sequence[Optional[str]]) -> None:
        for rank, wish in enumerate(wishes):
            if wish is not None and self.stop_reason is None:
                self.stop_reason = wish if wishes.count(wish) == len(wishes) else f"{wish} (rank {rank})"

    def _check(self, fingerprints: Sequence[Dict[str, Any]]) -> None:
        for rank, found in enumerate(fingerprints):
            parted = [node_id for node_id, number in found.items() if number != fingerprints[0][node_id]]
            if parted:
                raise DistributedError(
                    f"node {parted[0]}: its trained state on rank {rank} is no longer that of rank 0 after iteration "
                    f"{self.context.progress.iterations}; a node that trains must average its gradients with "
                    "context.communicator, and draw nothing that changes the model from its own generator"
                )
