"""The state of a whole run, from which it goes on bit for bit.

It lies in ``RUN/resume/iteration_000000120_step_000000245760/``: ``state.pt`` is the truth, ``meta.json`` a copy of its
metadata for people and tools. Where several processes trained, ``state.pt`` is that of rank 0, and ``rank_00001.pt`` …
are those of the others; the folder appears with all of them or not at all.
"""

import logging
import re
from pathlib import Path
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence

from ..atomic import (
    PathLike,
    atomic_directory,
    finished_name,
    is_aside,
    is_unfinished,
    remove_directory,
    write_bytes,
    write_json,
)
from ..errors import CheckpointError
from .metadata import now_text, plain_json, versions
from .tensor_file import FORMAT_VERSION, decode_tensor_file, encode_tensor_file, read_tensor_file, write_tensor_file

logger = logging.getLogger(__name__)

RESUME_FOLDER = "resume"
STATE_FILE = "state.pt"
META_FILE = "meta.json"
RESUME_KIND = "dnne resume state"

_NAME = re.compile(r"iteration_(?P<iteration>[0-9]+)_step_(?P<step>[0-9]+)")


class ResumeState(NamedTuple):
    """A loaded resume state of one process; ``step`` counts environment steps, both from the run's beginning."""

    state: Any
    meta: Dict[str, Any]
    step: int
    iteration: int
    path: Path

    @property
    def processes(self) -> int:
        """Number of processes that trained."""
        return int(self.meta.get("processes", 1))


class ResumeEntry(NamedTuple):
    """A resume state on the disk, not yet looked into."""

    iteration: int
    step: int
    path: Path


class ResumeStore:
    """The newest resume states of a run. Killed at any instant, the last complete one is there."""

    def __init__(self, run_dir: PathLike, keep: int = 2) -> None:
        """Use the folder ``run_dir/resume``, which is created at the first save.

        Raises:
            CheckpointError: fewer than one is to be kept.
        """
        if keep < 1:
            raise CheckpointError(f"cannot keep {keep} resume states; expected 1 or more")
        self.run_dir = Path(run_dir)
        self.folder = self.run_dir / RESUME_FOLDER
        self.keep = keep

    def save(
        self,
        state: Mapping[str, Any],
        step: int,
        iteration: int,
        meta: Optional[Mapping[str, Any]] = None,
        others: Sequence[bytes] = (),
    ) -> Path:
        """Save a state, and remove all but the newest ``keep``; return its folder.

        States with higher counts are removed too: the run went on from an earlier one, and they are not its past.

        Args:
            state: Tensors, ints, floats, bools, strings and None in dicts, lists and tuples.
            step: Environment steps since the run's beginning.
            iteration: Finished iterations since the run's beginning.
            meta: Plain JSON for people and for checks before a resume: parameters, seed, reason, …
            others: States of ranks 1, 2, … as :func:`encode_rank_state` makes them, where several processes train.

        Raises:
            CheckpointError: an entry of state or meta cannot be stored; its path is named.
            StorageError: the files cannot be written; the earlier states are as they were.
        """
        target = self.folder / f"iteration_{iteration:09d}_step_{step:012d}"
        complete = {
            **plain_json(dict(meta or {}), "meta"),
            "iteration": iteration,
            "step": step,
            **({"processes": 1 + len(others)} if others else {}),
            "versions": versions(),
            "created": now_text(),
        }
        with atomic_directory(target) as folder:
            write_tensor_file(folder / STATE_FILE, RESUME_KIND, state, complete)
            for rank, content in enumerate(others, start=1):
                write_bytes(folder / rank_file(rank), content)
            write_json(folder / META_FILE, {"format_version": FORMAT_VERSION, **complete})
        self._prune(ResumeEntry(iteration, step, target))
        return target

    def latest(self) -> ResumeState:
        """Load the newest complete state. Damaged ones are skipped with a logged warning.

        Raises:
            CheckpointError: there is none; says where it was looked for, and what is wrong with those that are there.
        """
        problems: List[str] = []
        for entry in self.entries():
            try:
                loaded = read_resume_state(entry)
            except CheckpointError as error:
                problems.append(str(error))
                logger.warning("a damaged resume state is skipped: %s", error)
            else:
                return loaded
        raise CheckpointError(self._nothing_found(problems))

    def entries(self) -> List[ResumeEntry]:
        """Return the states on the disk, newest first, without looking into them."""
        if not self.folder.is_dir():
            return []
        found: Dict[str, ResumeEntry] = {}
        for path in sorted(self.folder.iterdir(), key=is_unfinished):
            # A process killed while it replaced a state left the old one aside: it counts where the new one is missing.
            name = finished_name(path.name) if is_aside(path) else path.name
            match = _NAME.fullmatch(name)
            if match is not None and path.is_dir():
                found.setdefault(name, ResumeEntry(int(match["iteration"]), int(match["step"]), path))
        return sorted(found.values(), key=lambda entry: entry[:2], reverse=True)

    def _prune(self, saved: ResumeEntry) -> None:
        entries = self.entries()
        past = [entry for entry in entries if entry[:2] <= saved[:2]]
        for entry in entries:
            if entry not in past[: self.keep]:
                logger.debug("removing the resume state %s", entry.path)
                remove_directory(entry.path)

    def _nothing_found(self, problems: List[str]) -> str:
        if problems:
            return f"no resume state in {self.folder} can be read:\n" + "\n".join(
                f"  {problem}" for problem in problems
            )
        if not self.run_dir.is_dir():
            return f"cannot resume: the run folder {self.run_dir} does not exist"
        return f"cannot resume: {self.folder} holds no resume state; expected the folder of a run that saved one"


def rank_file(rank: int) -> str:
    """Name of the file with the state of a rank."""
    return f"rank_{rank:05d}.pt" if rank else STATE_FILE


def encode_rank_state(state: Mapping[str, Any], moment: Sequence[int], rank: int) -> bytes:
    """The file of a rank's state.

    Args:
        state: As in :meth:`ResumeStore.save`.
        moment: Iteration and step of rank 0.
        rank: 1 or more.

    Raises:
        CheckpointError: an entry of the state cannot be stored.
    """
    iteration, step = moment
    return encode_tensor_file(RESUME_KIND, state, {"iteration": iteration, "step": step, "rank": rank})


def decode_rank_state(content: bytes, found: ResumeState, rank: int) -> ResumeState:
    """The state of a rank, with what rank 0's file says of all.

    Raises:
        CheckpointError: it is damaged, or of another rank or moment.
    """
    path = found.path / rank_file(rank)
    state, own = decode_tensor_file(path, content, RESUME_KIND)
    if (own.get("iteration"), own.get("step"), own.get("rank")) != (found.iteration, found.step, rank):
        raise CheckpointError(
            f"{path} is of rank {own.get('rank')}, iteration {own.get('iteration')}, step {own.get('step')}; expected "
            f"rank {rank}, iteration {found.iteration}, step {found.step}"
        )
    return found._replace(state=state)


def read_other_ranks(found: ResumeState) -> List[bytes]:
    """The files of ranks 1, 2, ….

    Raises:
        CheckpointError: one is missing or damaged.
    """
    contents = []
    for rank in range(1, found.processes):
        path = found.path / rank_file(rank)
        try:
            contents.append(path.read_bytes())
        except OSError as error:
            raise CheckpointError(f"{path} cannot be read: {error.strerror or error}") from error
        decode_rank_state(contents[-1], found, rank)
    return contents


def read_resume_state(entry: ResumeEntry) -> ResumeState:
    """Load one state, and look at those of all other ranks.

    Raises:
        CheckpointError: it is missing, damaged or of another format.
    """
    path = entry.path / STATE_FILE
    state, meta = read_tensor_file(path, RESUME_KIND)
    if (meta.get("iteration"), meta.get("step")) != entry[:2]:
        raise CheckpointError(
            f"{path} is of iteration {meta.get('iteration')} and step {meta.get('step')}; expected iteration "
            f"{entry.iteration} and step {entry.step}, as its folder says"
        )
    found = ResumeState(state, meta, entry.step, entry.iteration, entry.path)
    read_other_ranks(found)
    return found
