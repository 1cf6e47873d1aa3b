"""The double of Isaac Gym in this process, and the comparison of its record with the transcripts."""

import contextlib
import importlib
import os
import re
import sys
from pathlib import Path
from typing import Dict, Iterator, List

DOUBLES = Path(__file__).resolve().parents[2] / "doubles"
TRANSCRIPTS = Path(__file__).resolve().parent / "isaacgym_transcripts"
ENVS = 4


@contextlib.contextmanager
def loaded_double() -> Iterator[object]:
    """Isaac Gym's double, imported although torch is there already; nothing of it is left afterwards."""
    forget()
    torch = sys.modules.pop("torch")
    sys.path.insert(0, str(DOUBLES))
    os.environ["ISAACGYM_DOUBLE_ANY_NUMPY"] = "1"
    try:
        gymapi = importlib.import_module("isaacgym.gymapi")
        sys.modules["torch"] = torch
        yield gymapi._gym
    finally:
        sys.modules["torch"] = torch
        sys.path.remove(str(DOUBLES))
        del os.environ["ISAACGYM_DOUBLE_ANY_NUMPY"]
        forget()


def forget() -> None:
    """Take the double out of the loaded modules."""
    for name in [name for name in sys.modules if name.split(".")[0] == "isaacgym"]:
        del sys.modules[name]


def transcript(file: str) -> Dict[str, List[str]]:
    """Lines by section, with loops over environments written out."""
    sections: Dict[str, List[str]] = {}
    loop: List[str] = []
    in_loop = False
    for line in (TRANSCRIPTS / file).read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            lines = sections.setdefault(line[1:-1], [])
        elif line == "for each environment":
            in_loop, loop = True, []
        elif line == "end":
            in_loop = False
            lines += [re.sub(r"\b(env|actor)\b", rf"\g<1>{index}", text) for index in range(ENVS) for text in loop]
        elif line.strip() and not line.startswith("#"):
            (loop if in_loop else lines).append(line)
    return sections


def compare(calls: List[object], expected: List[str]) -> str:
    """The first difference between recorded calls and transcript lines; empty where they agree."""
    names = _canonical([line for line in expected if not line.startswith(" ")])
    found = _canonical([call.line for call in calls])
    for index, line in enumerate(names):
        if index >= len(found):
            return f"the transcript goes on with {line}"
        if not _fits(found[index], line):
            return f"call {index} is {found[index]}, the transcript has {line}"
    if len(found) > len(names):
        return f"one call too many: {found[len(names)]}"
    return _compare_settings(calls, expected)


def _canonical(lines: List[str]) -> List[str]:
    """Neighbouring refreshes, and neighbouring acquisitions, in the order of the alphabet."""
    result: List[str] = []
    group: List[str] = []
    for line in [*lines, ""]:
        kind = re.match(r"(refresh|acquire)_.*_tensor", line)
        if group and (kind is None or not group[0].startswith(kind.group(1))):
            result += sorted(group)
            group = []
        (group if kind else result).append(line)
    return result[:-1]


def _fits(call: str, pattern: str) -> bool:
    return re.fullmatch(re.escape(pattern).replace("…", ".*").replace(r"\…", ".*"), call) is not None


def _compare_settings(calls: List[object], expected: List[str]) -> str:
    position = -1
    for line in expected:
        if not line.startswith(" "):
            position += 1
        elif line.strip() not in calls[position].settings:
            return f"{calls[position].line}: {line.strip()} is lacking among {calls[position].settings}"
    return ""
