"""The run that is resumed: read by rank 0, and given to the other processes."""

from __future__ import annotations

import argparse
import contextlib
import json
from pathlib import Path
from typing import Any, Dict, NamedTuple, Optional

from ..checkpoints import ResumeState, ResumeStore
from ..checkpoints.resume import decode_rank_state, encode_rank_state, read_other_ranks
from ..distributed.communicator import Communicator
from ..errors import DnneError, RunError
from ..recording import RunFolder
from .processes import go_on_with, resume_after_restart


class Earlier(NamedTuple):
    """A run to go on with.

    Attributes:
        folder: Open and locked on rank 0; None on the others, which write nothing.
        info: Its ``run.json``.
        resume: Where it goes on, on this process.
    """

    folder: Optional[RunFolder]
    info: Dict[str, Any]
    resume: ResumeState

    def settings(self) -> Dict[str, Any]:
        """The settings that it had.

        Raises:
            RunError: run.json is damaged.
        """
        settings = self.info.get("settings")
        if not isinstance(settings, dict):
            where = self.resume.path.parent.parent / "run.json"
            raise RunError(f"{where} is damaged: its 'settings' is {settings!r}; expected an object")
        return settings


def find_earlier(
    args: argparse.Namespace, communicator: Communicator, stack: contextlib.ExitStack
) -> Optional[Earlier]:
    """The run that the options, or a restart by a launcher, ask to resume; the options then say so on all processes.

    Raises:
        DnneError: it cannot be resumed; the same on all processes.
    """
    if communicator.rank == 0:
        return _lead(args, communicator, stack)
    return _follow(args, communicator)


def _lead(args: argparse.Namespace, communicator: Communicator, stack: contextlib.ExitStack) -> Optional[Earlier]:
    try:
        earlier = _open(args, stack)
    except DnneError as error:
        _tell(communicator, {"error": str(error)})
        raise
    if earlier is None:
        _tell(communicator, {})
        return None
    found = earlier.resume
    same = found.processes == communicator.world_size
    meta = {"folder": args.resume, "info": earlier.info, "meta": found.meta, "path": str(found.path), "same": same}
    _tell(communicator, {**meta, "iteration": found.iteration, "step": found.step})
    if communicator.is_distributed and same:
        communicator.scatter_bytes([b"", *read_other_ranks(found)])
    elif communicator.is_distributed:
        communicator.broadcast_bytes(encode_rank_state(found.state, (found.iteration, found.step), 0))
    return earlier


def _open(args: argparse.Namespace, stack: contextlib.ExitStack) -> Optional[Earlier]:
    resume_after_restart(args)
    if not args.resume:
        return None
    folder = stack.enter_context(RunFolder.open(args.resume))
    return Earlier(folder, folder.read_info(), ResumeStore(folder.path).latest())


def _tell(communicator: Communicator, message: Dict[str, Any]) -> None:
    communicator.broadcast_bytes(json.dumps(message).encode())


def _follow(args: argparse.Namespace, communicator: Communicator) -> Optional[Earlier]:
    message = json.loads(communicator.broadcast_bytes(b""))
    if "error" in message:
        raise RunError(message["error"])
    if not message:
        args.resume = None
        return None
    go_on_with(args, message["folder"])
    found = ResumeState({}, message["meta"], message["step"], message["iteration"], Path(message["path"]))
    if message["same"]:
        own = decode_rank_state(communicator.scatter_bytes([]), found, communicator.rank)
    else:
        own = decode_rank_state(communicator.broadcast_bytes(b""), found, 0)
    return Earlier(None, message["info"], own)
