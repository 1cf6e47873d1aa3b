"""What a sweep finds when it goes on: trials that are over, that stopped on the way, or that left nothing to use."""

import time
from pathlib import Path
from typing import Any, Dict

from runtime.checkpoints import ResumeStore
from runtime.checkpoints.resume import ResumeEntry
from runtime.recording import RunFolder
from runtime.recording.line_file import storage_errors
from runtime.recording.run_lock import LOCK_FILE, RunLock

from .sweep import Trial, run_info


def prepare_trial(folder: Path, trial: Trial) -> str:
    """Make a trial that has not finished ready to go on, or to begin anew where it left no state.

    Returns:
        What becomes of it, for people; empty where it had not begun.

    Raises:
        RunError: Its training is still going on, or its run.json cannot be used.
        StorageError: What it left cannot be moved aside.
    """
    path = folder / trial.name
    if not path.is_dir() or all(entry.name == LOCK_FILE for entry in path.iterdir()):
        return ""
    RunLock(path).release()
    info, states = run_info(folder, trial), ResumeStore(path).entries()
    if info is None or not states:
        return f"{trial.name} begins anew: it had saved no state to go on from; what it left is in {_move_aside(path)}"
    if _is_over(info.get("settings") or {}, states[0]):
        figures = {"steps": states[0].step, "iterations": states[0].iteration}
        RunFolder(path).finish("finished", info.get("summary") or figures)
        return f"{trial.name} had come to its end when it was stopped"
    return f"{trial.name} goes on after {states[0].iteration:,} iterations"


def _is_over(settings: Dict[str, Any], state: ResumeEntry) -> bool:
    ends = ((settings.get("total_timesteps"), state.step), (settings.get("iterations"), state.iteration))
    return any(wanted is not None and done >= wanted for wanted, done in ends)


def _move_aside(path: Path) -> Path:
    aside = path.with_name(f"{path.name}-unfinished-{time.strftime('%Y%m%d-%H%M%S')}")
    with storage_errors(aside):
        path.rename(aside)
    return aside
