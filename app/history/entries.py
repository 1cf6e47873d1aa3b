"""What the folders of runs tell, without Qt. Meant for a thread in the background: 1000 folders take a while."""

from __future__ import annotations

import csv
import json
import math
import os
import platform
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Dict, Iterable, List, Mapping, Optional, Tuple

from runtime.errors import StorageError
from runtime.modes import INFER, TRAIN

RUNNING, FINISHED, FAILED, INTERRUPTED, DAMAGED = "running", "finished", "failed", "interrupted", "damaged"
INFO_FILE, METRICS_FILE, WORKFLOW_FILE, RESUME_FOLDER = "run.json", "metrics.csv", "workflow.json", "resume"
EVENTS_FILE = "events.jsonl"
REWARD = "episode/mean_reward"
_TAIL = 1 << 14
_EDIT = '{"event": "parameter_changed"'


@dataclass(frozen=True)
class RunEntry:
    """One run.

    Attributes:
        path: Its folder.
        workflow: Name of its workflow.
        mode: ``train`` or ``infer``.
        state: running, finished, failed, interrupted, or damaged where its files cannot be read.
        started: Local time; ``None`` where it is not known.
        seconds: Running time; NaN where it is not known.
        steps: Environment steps.
        reward, best: Mean episode reward, the last and the best one; NaN where there is none.
        seed: Base of the random generators.
        error: What failed.
        weights: Folder to infer from: its own, where it saved weights; of an inference what it loaded.
        can_resume: A state to go on from is there.
        values: Parameters (``6.learning_rate``) and settings (``seed``), flat.
        stamp: Of the files that were read.
    """

    path: Path
    workflow: str = ""
    mode: str = "train"
    state: str = DAMAGED
    started: Optional[datetime] = None
    seconds: float = math.nan
    steps: int = 0
    reward: float = math.nan
    best: float = math.nan
    seed: Optional[int] = None
    error: str = ""
    weights: Optional[Path] = None
    can_resume: bool = False
    values: Mapping[str, Any] = field(default_factory=dict)
    stamp: Tuple[float, ...] = ()

    @property
    def name(self) -> str:
        """Of the folder."""
        return self.path.name


class RunReader:
    """Reads the runs in some folders; folders that have not changed since the last time are not read again."""

    def __init__(self) -> None:
        self._known: Dict[Path, RunEntry] = {}

    def read(self, folders: Iterable[Path]) -> List[RunEntry]:
        """All runs that lie in these folders, newest first. Folders that are not there hold none."""
        found: Dict[Path, RunEntry] = {}
        for path in _run_folders(folders):
            stamp = _stamp(path)
            known = self._known.get(path)
            is_fresh = known is not None and known.stamp == stamp and known.state != RUNNING
            found[path] = known if is_fresh and known is not None else read_entry(path, stamp)
        self._known = found
        return sorted(found.values(), key=lambda entry: (entry.started or datetime.min, entry.name), reverse=True)


def _run_folders(folders: Iterable[Path]) -> List[Path]:
    found: Dict[Path, None] = {}
    for folder in folders:
        try:
            with os.scandir(folder) as entries:
                paths = [Path(entry.path) for entry in entries if entry.is_dir()]
        except OSError:
            continue
        found.update({path.resolve(): None for path in paths if (path / INFO_FILE).is_file()})
    return list(found)


def _stamp(path: Path) -> Tuple[float, ...]:
    stamps = []
    for name in (INFO_FILE, METRICS_FILE, RESUME_FOLDER):
        try:
            stamps.append((path / name).stat().st_mtime)
        except OSError:
            stamps.append(0.0)
    return tuple(stamps)


def read_entry(path: Path, stamp: Tuple[float, ...] = ()) -> RunEntry:
    """Read one run's folder; what cannot be read makes it a damaged run with the reason as its error."""
    from runtime.errors import DnneError
    from runtime.recording import RunFolder

    try:
        info = RunFolder.open(path, lock=False).read_info()
        return _entry(path, info, stamp)
    except (DnneError, OSError, TypeError, ValueError, AttributeError, OverflowError, RecursionError) as error:
        return RunEntry(path, error=f"{type(error).__name__}: {error}", stamp=stamp)


def _entry(path: Path, info: Mapping[str, Any], stamp: Tuple[float, ...]) -> RunEntry:
    summary, settings = info.get("summary") or {}, info.get("settings") or {}
    last = {} if summary else last_metrics(path / METRICS_FILE)
    started = _moment(info.get("started"))
    state = info.get("result") or (RUNNING if _is_alive(info) else INTERRUPTED)
    mode, can_resume = str(info.get("mode", TRAIN)), any((path / RESUME_FOLDER).glob("iteration_*"))
    weights = _loaded_weights(info, settings) if mode == INFER else _own_weights(path, can_resume)
    return RunEntry(
        path, str(info.get("name", "")), mode, str(state), started,
        _seconds(summary, last, started, state), int(summary.get("steps") or last.get("step") or 0),
        _reward(summary, last, mode), _number(summary.get("best_mean_reward")),
        info.get("seed"), str(summary.get("error") or ""), weights, can_resume, flat_values(info), stamp,
    )  # fmt: skip


def _reward(summary: Mapping[str, Any], last: Mapping[str, float], mode: str) -> float:
    """Of training the last mean, of inference that of all episodes."""
    if mode == INFER:
        return _number((summary.get("evaluation") or {}).get("mean_reward", summary.get("mean_reward")))
    return _number(summary.get("mean_reward", last.get(REWARD)))


def _seconds(summary: Mapping[str, Any], last: Mapping[str, float], started: Optional[datetime], state: str) -> float:
    if summary:
        return _number(summary.get("seconds"))
    if state == RUNNING and started is not None:
        return (datetime.now() - started).total_seconds()
    return _number(last.get("time/elapsed_seconds"))


def _own_weights(path: Path, can_resume: bool) -> Optional[Path]:
    """The run's folder where there are weights that it trained; those that it began with are not its result."""
    from runtime.checkpoints.layout import checkpoint_folder, node_folders

    return path if can_resume or node_folders(checkpoint_folder(path)) else None


def _loaded_weights(info: Mapping[str, Any], settings: Mapping[str, Any]) -> Optional[Path]:
    folder = settings.get("load_checkpoint_dir")
    if not folder:
        return None
    path = Path(str(info.get("folder", "."))) / str(folder)
    return path if path.is_dir() else None


def _is_alive(info: Mapping[str, Any]) -> bool:
    """Whether the process that wrote this goes on; of one on another machine nobody knows, so it is said to."""
    if (info.get("versions") or {}).get("machine") != platform.node():
        return True
    try:
        os.kill(int(info["process"]), 0)
    except (OSError, KeyError, OverflowError):
        return False
    return True


def _moment(text: Any) -> Optional[datetime]:
    try:
        moment = datetime.fromisoformat(str(text).replace("Z", "+00:00"))
    except ValueError:
        return None
    return moment.astimezone().replace(tzinfo=None) if moment.tzinfo else moment


def _number(value: Any) -> float:
    return float(value) if isinstance(value, (int, float)) else math.nan


def last_metrics(path: Path) -> Dict[str, float]:
    """The last whole row of a table of metrics, without reading the rest; empty where there is none."""
    try:
        with path.open("rb") as file:
            header = file.readline().decode("utf-8", "replace")
            start = file.tell()
            file.seek(max(start, file.seek(0, os.SEEK_END) - _TAIL))
            lines = file.read().decode("utf-8", "replace").split("\n")[:-1]
    except OSError:
        return {}
    names = next(csv.reader([header]), [])
    cells = lines[-1].strip().split(",") if lines else []
    if len(cells) != len(names):
        return {}
    return {name: float(cell) for name, cell in zip(names, cells) if cell}


def flat_values(info: Mapping[str, Any]) -> Dict[str, Any]:
    """Parameters by ``node.name`` and settings by name."""
    values: Dict[str, Any] = {}
    for node_id, parameters in (info.get("parameters") or {}).items():
        values.update({f"{node_id}.{name}": value for name, value in parameters.items()})
    values.update(info.get("settings") or {})
    for name in ("seed", "device"):
        if name in info:
            values[name] = info[name]
    return values


def edited_values(path: Path) -> Dict[str, Any]:
    """What live edits of a run have changed, by ``node.name``, with the newest values.

    Raises:
        StorageError: Its events cannot be read.
    """
    try:
        with (path / EVENTS_FILE).open(encoding="utf-8", errors="replace") as file:
            events = [event for event in map(_edit_of, file) if event]
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise StorageError(f"{path / EVENTS_FILE} cannot be read: {error}") from error
    return {f"{event['node_id']}.{event['name']}": event["new"] for event in events}


def _edit_of(line: str) -> Dict[str, Any]:
    if not line.startswith(_EDIT):
        return {}
    try:
        return dict(json.loads(line))
    except ValueError:
        return {}  # the end of a file that is being written


def processes_of_state(path: Path) -> int:
    """How many processes saved a run's newest state to resume from; 1 where that cannot be read."""
    from runtime.checkpoints import ResumeStore
    from runtime.checkpoints.resume import META_FILE

    try:
        newest = ResumeStore(path).entries()[0].path
        return int(json.loads((newest / META_FILE).read_text(encoding="utf-8")).get("processes", 1))
    except (OSError, IndexError, ValueError, AttributeError, TypeError):
        return 1


def node_types(path: Path) -> List[str]:
    """Types of a run's nodes, from its workflow; empty where that cannot be read."""
    try:
        nodes = json.loads((path / WORKFLOW_FILE).read_text(encoding="utf-8"))["nodes"]
        return [str(node["class_type"]) for node in nodes.values()]
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        return []


def node_titles(path: Path) -> Dict[str, str]:
    """Titles of a run's nodes by id, from its workflow; empty where that cannot be read."""
    try:
        nodes = json.loads((path / WORKFLOW_FILE).read_text(encoding="utf-8"))["nodes"]
        return {node_id: str(node.get("title") or node["class_type"]) for node_id, node in nodes.items()}
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        return {}
