"""What a process of several leaves behind for its launcher when it fails, and bad input that one of them meets."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Optional

from ..atomic import write_text
from ..errors import DnneError, NodeFailure
from .communicator import Communicator

LOST_ANOTHER = "lost another process"
NODE = "dnne_node"
"""Key of the node that raised, beside what torch's launcher reads."""


def record_failure(error: BaseException) -> None:
    """Write the error and its traceback where torch's launcher looks for them. Called while the error is handled."""
    path = os.environ.get("TORCHELASTIC_ERROR_FILE")
    if path is not None:
        from torch.distributed.elastic.multiprocessing.errors import get_error_handler

        get_error_handler().record_exception(error)
        if isinstance(error, NodeFailure):
            _name_node(Path(path), error)


def _name_node(path: Path, error: NodeFailure) -> None:
    record = json.loads(path.read_text(encoding="utf-8"))
    record["message"]["extraInfo"][NODE] = {"node_id": error.node_id, "label": error.label}
    write_text(path, json.dumps(record))


def has_launcher() -> bool:
    """Whether torch's launcher has started this process, and reads its exit code."""
    return "TORCHELASTIC_RUN_ID" in os.environ


def raise_first(communicator: Communicator, error: Optional[DnneError]) -> None:
    """Raise what the first process met that met an error, on all processes; nothing where none did.

    Args:
        error: Of this process.
    """
    texts = communicator.all_gather_json(None if error is None else str(error))
    for rank, text in enumerate(texts):
        if text is not None:
            raise DnneError(text if texts.count(text) == len(texts) or rank == 0 else f"rank {rank}: {text}")
