"""Evaluations of several checkpoints and seeds, in this process or in several."""

import argparse
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import Any, Dict, List, NamedTuple, Sequence, Tuple

import torch

from runtime.checkpoints import ResumeStore
from runtime.checkpoints.layout import checkpoint_folder, node_folders
from runtime.command.configure import Configuration
from runtime.command.node_folders import folders_of_run, named_where_missed
from runtime.errors import CheckpointError, ConfigError, DnneError, NoEpisodeEnded
from runtime.evaluation.episodes import environments, evaluation_settings, run_episodes, shares
from runtime.evaluation.statistics import Episodes, summarize
from runtime.graph import Graph
from runtime.run.checkpointing import best_states

from .commands.common import file_source

PASSED_ON = ("device", "threads", "tf32", "queue_size", "scheduler", "longest_episode")
"""Options that every part of an evaluation gets as they are."""
OWN = ("episodes", "load_checkpoint_dir")
"""Options of a run that are the command's own here."""


class EvaluationError(DnneError):
    """An evaluation failed. Names the checkpoint and the seed."""


class Part(NamedTuple):
    """Episodes that one process runs: a share of those of a checkpoint and a seed."""

    file: str
    args: argparse.Namespace
    configuration: Configuration
    folder: str
    seed: int
    part_seed: int
    episodes: int
    best: bool = False


Key = Tuple[str, int]


def evaluate(
    file: str,
    configuration: Configuration,
    folders: Sequence[str],
    seeds: Sequence[int],
    episodes: int,
    parallel: int,
    best: bool = False,
) -> Dict[Key, Episodes]:
    """Episodes by (checkpoint folder, seed); the same for any number of processes.

    Args:
        file: The workflow.
        configuration: Its settings.
        folders: Of checkpoints, or of runs with them.
        seeds: Each evaluates every folder.
        episodes: Of each folder and seed.
        parallel: Processes.
        best: Take the best states, not the latest.

    Raises:
        ConfigError: A setting of the command line has no effect here.
        EvaluationError: One of them failed; the others are given up.
    """
    for name in sorted(configuration.said - {*PASSED_ON, *OWN}):
        hint = "; give --seeds LIST" if name == "seed" else ""
        raise ConfigError(f"{name}= has no effect in an evaluation{hint}")
    passed_on = {name: getattr(configuration.args, name, None) for name in ("nodes_dir", *PASSED_ON)}
    args = argparse.Namespace(**passed_on)
    bare = configuration._replace(args=argparse.Namespace())
    with named_where_missed([path for folder in folders for path in folders_of_run(folder)], args):
        graph = file_source(file, args).build(bare.adjust)
        num_envs = environments(graph)
    if best:
        for folder in folders:
            _check_best(graph, folder)
    parts = [
        Part(file, args, bare, folder, seed, part_seed, count, best)
        for folder in folders
        for seed in seeds
        for part_seed, count in shares(episodes, num_envs, seed)
    ]
    results = [run_part(part) for part in parts] if parallel == 1 else _in_processes(parts, parallel)
    collected: Dict[Key, Episodes] = {}
    for part, result in zip(parts, results):
        before = collected.get((part.folder, part.seed), Episodes([], [], result.success_return))
        collected[part.folder, part.seed] = result._replace(
            returns=[*before.returns, *result.returns],
            lengths=[*before.lengths, *result.lengths],
            unfinished=before.unfinished + result.unfinished,
        )
    return collected


def _check_best(graph: Graph, folder: str) -> None:
    """Say what is missing before processes start."""
    try:
        own = checkpoint_folder(folder)
        if not node_folders(own) and ResumeStore(own).entries():
            raise EvaluationError(f"{folder}: this run has only a resume state, which has no best; leave out --best")
        best_states(graph, str(own), torch.device("cpu"))
    except CheckpointError as error:
        raise EvaluationError(f"{folder}: {error}") from None


def run_part(part: Part) -> Episodes:
    """Run one part.

    Raises:
        EvaluationError: With a text alone, so that it gets from one process to another.
    """
    values = {name: getattr(part.args, name) for name in PASSED_ON}
    settings = {name: value for name, value in values.items() if value is not None}
    try:
        folder = str(checkpoint_folder(part.folder))
        graph = file_source(part.file, part.args).build(part.configuration.adjust)
        if not part.best:
            settings["load_checkpoint_dir"] = folder
        chosen = evaluation_settings(part.episodes, part.part_seed, **settings)
        states = best_states(graph, folder, chosen.torch_device()) if part.best else None
        return run_episodes(graph, chosen, states)
    except DnneError as error:
        raise EvaluationError(f"{part.folder}, seed {part.seed}: {error}") from None


def _in_processes(parts: Sequence[Part], parallel: int) -> List[Episodes]:
    with ProcessPoolExecutor(min(parallel, len(parts)), mp_context=get_context("spawn")) as pool:
        futures: List[Future[Episodes]] = [pool.submit(run_part, part) for part in parts]
        try:
            return [future.result() for future in futures]
        except BrokenProcessPool as error:
            raise EvaluationError("a worker process died; it may have been killed for its memory") from error
        finally:
            for future in futures:
                future.cancel()


def result_rows(results: Dict[Key, Episodes]) -> List[Dict[str, Any]]:
    """Statistics of every checkpoint and seed, and, where there are several seeds, of all seeds of a checkpoint.

    Raises:
        EvaluationError: No episode of one of them has ended.
    """
    rows: List[Dict[str, Any]] = []
    for folder in dict.fromkeys(folder for folder, _ in results):
        own = {seed: episodes for (name, seed), episodes in results.items() if name == folder}
        for seed, episodes in own.items():
            try:
                rows.append({"checkpoint": folder, "seed": seed, **summarize([episodes])})
            except NoEpisodeEnded as error:
                raise EvaluationError(f"{folder}, seed {seed}: {error}") from None
        if len(own) > 1:
            rows.append({"checkpoint": folder, "seed": None, **summarize(list(own.values()))})
    return rows


def as_json(rows: Sequence[Dict[str, Any]], results: Dict[Key, Episodes]) -> List[Dict[str, Any]]:
    """The rows with every episode of each seed."""
    documents = []
    for row in rows:
        episodes = results.get((row["checkpoint"], row["seed"]))
        each = {} if episodes is None else {"returns": list(episodes.returns), "lengths": list(episodes.lengths)}
        documents.append({**row, **each})
    return documents
