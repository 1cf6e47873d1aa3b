"""From `dnne train` to the first environment step."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from typing import Callable, Dict, Iterable

from .reference_graph import EXAMPLE, ROOT
from .report import Report, Target

TARGET = Target(5.0, at_least=False)
ONE_STEP = ("Trainer.horizon_length=1", "Trainer.num_epochs=1", "Trainer.num_minibatches=1")
"""So that the first metrics, which are what can be seen from outside, follow at once on the first step."""


def run(quick: bool, repetitions: int = 3) -> Report:
    """Measure, after one start that does not count."""
    _start()
    stages = [_start() for _ in range(1 if quick else repetitions)]
    torch_seconds = statistics.median(_python("import torch") for _ in stages)
    imports = statistics.median(
        _python("import app.commands.train, nodes; from runtime.registry import discover; discover([nodes])")
        for _ in stages
    )
    report = Report("start", "from `dnne train` to the first environment step on a warm machine, median")
    total = statistics.median(stage["first step"] for stage in stages)
    report.add(total, TARGET, stage="first environment step and its metrics", seconds=total)
    report.add(stage="graph built, about to fire", seconds=statistics.median(stage["started"] for stage in stages))
    report.add(stage="of that: Python and all imports", seconds=imports)
    report.add(stage="of that: Python and torch", seconds=torch_seconds)
    report.notes += [
        f"{len(stages)} starts of python -m app.cli train {EXAMPLE.name} --events -, one thread, with a horizon of one",
        "step, so that the first metrics line comes right after the first step; the clock starts before the process.",
    ]
    return report


def _start() -> Dict[str, float]:
    """Seconds until the events of one start are seen."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "app.cli", "train", str(EXAMPLE), "--events", "-", "--iterations", "1"]
        command += ["--log-dir", folder]
        for assignment in ONE_STEP:
            command += ["--set", assignment]
        began = time.perf_counter()
        with subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8"
        ) as process:
            seen = _first_times(iter(process.stdout.readline, ""), lambda: time.perf_counter() - began)
            _, errors = process.communicate()
    if process.returncode or len(seen) < 2:
        raise RuntimeError(f"dnne train ended with {process.returncode}:\n{errors}")
    return {"started": seen["started"], "first step": seen["metric"]}


def _first_times(lines: Iterable[str], clock: Callable[[], float]) -> Dict[str, float]:
    seen: Dict[str, float] = {}
    for line in lines:
        seen.setdefault(json.loads(line)["event"], clock())
    return seen


def _python(code: str) -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
    return time.perf_counter() - began
