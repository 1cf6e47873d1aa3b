"""What a run was made with, for ``run.json``: settings, command, versions, git state; and what a resume changes."""

import json
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Collection, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple

from ..atomic import PathLike
from ..checkpoints.metadata import now_text, plain_json, versions

FORMAT_VERSION = 1
GIT_SECONDS = 2.0

_COMPARED = ("seed", "device", "num_threads", "settings", "parameters", "versions", "git.commit")
_MISSING = object()

_KINDS: Sequence[Tuple[Tuple[type, ...], str, Sequence[str]]] = (
    ((dict,), "an object", ("settings", "parameters", "versions")),
    ((list,), "a list", ("command", "earlier")),
    ((str,), "a text", ("name", "mode", "folder", "device", "started")),
    ((int,), "an integer", ("seed", "num_threads", "process")),
    ((dict, type(None)), "an object or null", ("git", "summary")),
    ((str, type(None)), "a text or null", ("job", "ended", "result")),
)


def describe_run(
    name: str,
    mode: str,
    seed: int,
    device: str,
    num_threads: int,
    settings: Mapping[str, Any],
    parameters: Mapping[str, Mapping[str, Any]],
    command: Optional[Sequence[str]] = None,
    repository: Optional[PathLike] = None,
    nodes_dirs: Sequence[str] = (),
    job: Optional[str] = None,
) -> Dict[str, Any]:
    """Return the content of ``run.json`` at the start of a run.

    Args:
        name: The workflow's name.
        mode: ``train`` or ``infer``.
        seed, device, num_threads: What the results depend on besides the parameters.
        settings: The run's options by name, as JSON values.
        parameters: Every node's parameters by node id, as they are in force.
        command: The command line; this process's own where it is ``None``.
        repository: A folder whose git state is recorded; the current one where it is ``None``.
        nodes_dirs: Folders of the user's node files, as full paths.
        job: The id of the launcher's job that makes the run, by which a restart knows its own.

    Raises:
        CheckpointError: a setting or parameter is no JSON.
    """
    info = {
        "dnne_run": FORMAT_VERSION,
        "name": name,
        "mode": mode,
        "command": list(sys.argv if command is None else command),
        "folder": str(Path.cwd()),
        "nodes_dirs": list(nodes_dirs),
        "seed": seed,
        "device": str(device),
        "num_threads": num_threads,
        "settings": dict(settings),
        "parameters": dict(parameters),
        "versions": {**versions(), "machine": platform.node()},
        "git": git_state(os.curdir if repository is None else repository),
        "process": os.getpid(),
        "job": job,
        "started": now_text(),
        "ended": None,
        "result": None,
        "summary": None,
    }
    plain: Dict[str, Any] = plain_json(info, "run")
    return plain


def git_state(folder: PathLike, timeout: float = GIT_SECONDS) -> Optional[Dict[str, Any]]:
    """Return the commit of the repository around ``folder`` and whether its tracked files differ from it.

    Returns:
        ``None`` without git or outside of a repository; where git fails or takes longer than ``timeout`` seconds,
        its ``problem`` instead of an answer. A repository before its first commit has the commit ``None``.
    """
    if shutil.which("git") is None:
        return None
    try:
        if _git(folder, timeout, "rev-parse", "--is-inside-work-tree").returncode != 0:
            return _not_inside(folder, timeout)
        head = _git(folder, timeout, "rev-parse", "--verify", "--quiet", "HEAD")
        status = _git(folder, timeout, "status", "--porcelain", "--untracked-files=no")
    except subprocess.TimeoutExpired:
        return {"problem": f"git did not answer within {timeout:g} s"}
    except OSError as error:
        return {"problem": f"git does not run: {error.strerror or error}"}
    if status.returncode != 0:
        return {"problem": status.stderr.strip()}
    return {"commit": head.stdout.strip() or None, "dirty": bool(status.stdout.strip())}


def wrong_field(info: Mapping[str, Any]) -> str:
    """Say which field of a ``run.json`` has a value of a kind that `describe_run` never gives it; empty where none has.

    Fields may be missing.
    """
    for kinds, expected, names in _KINDS:
        for name in names:
            if name in info and not isinstance(info[name], kinds):
                return f"its {name!r} is {info[name]!r}; expected {expected}"
    for part in info.get("earlier", ()):
        if not isinstance(part, dict):
            return f"its 'earlier' holds {part!r}; expected an object for each earlier part of the run"
    return ""


def compare_run(old: Mapping[str, Any], new: Mapping[str, Any], ignore: Collection[str] = ()) -> List[str]:
    """Return what differs between two contents of ``run.json`` and may change the results, one line each.

    Compared are seed, device, thread count, settings, parameters, versions, and the git commit.

    Args:
        old: Of the run that is resumed.
        new: Of the process that resumes it.
        ignore: Names that may differ, such as ``"settings.timeout"``.
    """
    before, after = dict(_entries(old)), dict(_entries(new))
    lines = []
    for name in sorted({**before, **after}):
        was, now = before.get(name, _MISSING), after.get(name, _MISSING)
        if was != now and name not in ignore:
            lines.append(f"{name} was {_text(was)} and is {_text(now)}")
    return lines


def _git(folder: PathLike, timeout: float, *arguments: str) -> "subprocess.CompletedProcess[str]":
    # A file system monitor is a program that the repository's own settings name: nothing there is to be executed.
    command = ["git", "-c", "core.fsmonitor=false", "-C", os.fspath(folder), *arguments]
    environment = dict(os.environ, GIT_OPTIONAL_LOCKS="0", GIT_TERMINAL_PROMPT="0", LC_ALL="C")
    return subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        timeout=timeout,
        env=environment,
        check=False,
    )


def _not_inside(folder: PathLike, timeout: float) -> Optional[Dict[str, Any]]:
    reason = _git(folder, timeout, "rev-parse", "--git-dir").stderr.strip()
    return None if "not a git repository" in reason else {"problem": reason}


def _entries(info: Mapping[str, Any]) -> Iterator[Tuple[str, Any]]:
    for name, value in _leaves(info, ""):
        if any(name == compared or name.startswith(compared + ".") for compared in _COMPARED):
            yield name, value


def _leaves(value: Any, name: str) -> Iterator[Tuple[str, Any]]:
    if not isinstance(value, Mapping):
        yield name, value
        return
    for key, item in value.items():
        yield from _leaves(item, f"{name}.{key}" if name else str(key))


def _text(value: Any) -> str:
    return "not set" if value is _MISSING else json.dumps(value)
