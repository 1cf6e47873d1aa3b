"""Runs whole episodes with trained weights, as an inference run of the graph."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from typing import Any, Iterator, Mapping, Optional, Tuple

from ..context import MAX_SEED
from ..errors import NoEpisodeEnded, RunError
from ..graph import Graph
from ..run.run import Run
from ..run.settings import INFER, RunSettings
from ..scheduler.control import RunControl
from .statistics import Episodes

STEP_METHOD = "finished_episodes"


def derived_seed(seed: int, purpose: str) -> int:
    """A seed of its own for a purpose. The same on every machine."""
    digest = hashlib.sha256(f"{seed}/{purpose}".encode()).digest()
    return int.from_bytes(digest[:8], "little") & MAX_SEED


def shares(episodes: int, num_envs: int, seed: int) -> Iterator[Tuple[int, int]]:
    """(seed, number of episodes) of parts that can be run anywhere: each environment plays one episode of a part.

    The first part has the seed itself, and so gives what ``dnne infer`` gives.
    """
    for index, first in enumerate(range(0, episodes, num_envs)):
        part_seed = seed if index == 0 else derived_seed(seed, f"part {index}")
        yield part_seed, min(num_envs, episodes - first)


def environments(graph: Graph) -> int:
    """Parallel environments of a graph.

    Raises:
        RunError: It has none.
    """
    counts = [
        int(node.parameter_values()["num_envs"]) for node in graph.nodes.values() if "num_envs" in node.parameters
    ]
    if not counts:
        raise RunError("no node of this workflow has environments: there is nothing to evaluate")
    return counts[0]


def evaluation_settings(
    episodes: int, seed: int, device: str = "cpu", load_checkpoint_dir: Optional[str] = None, **others: Any
) -> RunSettings:
    """Settings of an inference run of whole episodes."""
    return RunSettings(
        mode=INFER, episodes=episodes, seed=seed, device=device, load_checkpoint_dir=load_checkpoint_dir,
        untrained=load_checkpoint_dir is None, **others,
    )  # fmt: skip


def run_episodes(
    graph: Graph,
    settings: RunSettings,
    states: Optional[Mapping[str, Any]] = None,
    control: Optional[RunControl] = None,
) -> Episodes:
    """Run a fresh graph until its episodes are over.

    Args:
        graph: Its nodes are used once.
        settings: As `evaluation_settings` makes them.
        states: Checkpoint states by node id, in place of those of a folder.
        control: Lets another thread stop the run; fewer episodes are returned then.

    Returns:
        The episodes that have ended, maybe none, and how many were given up.

    Raises:
        DnneError: What went wrong.
    """
    run = Run(graph, settings, "evaluation", control=control, node_states=states)
    with suppress(NoEpisodeEnded):  # the result says so: it may be a part of an evaluation
        run.execute()
    for node in graph.nodes.values():
        if hasattr(node, STEP_METHOD):
            result: Episodes = getattr(node, STEP_METHOD)()
            return result
    raise RunError("no node of this workflow counts episodes: there is nothing to evaluate")
