"""Does a long training grow? Resident memory of `dnne train`, sampled from outside."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import List, NamedTuple

from .reference_graph import EXAMPLE, ROOT
from .report import Report, Target

MB = 1e6
TARGET = Target(5.0, at_least=False)
SAMPLES_PER_END = 5


class Sample(NamedTuple):
    """Resident memory at a time. Unit: seconds since the warm-up's end, and MB."""

    seconds: float
    resident: float


def run(quick: bool, seconds: float = 600.0, warm_up: float = 60.0, every: float = 2.0) -> Report:
    """Train for ``warm_up`` and then ``seconds``, and look every few seconds."""
    if quick:
        seconds, warm_up = 60.0, 20.0
    report = Report("memory", f"growth of `dnne train {EXAMPLE.name}` in {seconds:g} s after {warm_up:g} s of warm-up")
    if not Path("/proc/self/statm").exists():
        report.notes.append("NOT MEASURED: this system has no /proc/PID/statm")
        return report
    samples = _sample(seconds, warm_up, every)
    ends = samples[:SAMPLES_PER_END], samples[-SAMPLES_PER_END:]
    first, last = (statistics.median(sample.resident for sample in end) for end in ends)
    report.add(
        last - first,
        TARGET,
        after_warm_up_MB=first,
        at_the_end_MB=last,
        growth_MB=last - first,
        highest_MB=max(sample.resident for sample in samples),
        MB_per_minute=60.0 * _slope(samples),
        samples=len(samples),
    )
    report.notes.append("Run folder, TensorBoard, progress and checkpoints as usual. Ends: medians of five samples.")
    return report


def _sample(seconds: float, warm_up: float, every: float) -> List[Sample]:
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "app.cli", "train", str(EXAMPLE), "--log-dir", folder]
        command += ["--save-checkpoint-dir", str(Path(folder) / "checkpoints")]
        with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, encoding="utf-8") as process:
            try:
                time.sleep(warm_up)
                return _watch(process, seconds, every)
            finally:
                process.terminate()
                process.communicate()


def _watch(process: subprocess.Popen, seconds: float, every: float) -> List[Sample]:
    samples: List[Sample] = []
    began = time.perf_counter()
    while not samples or samples[-1].seconds < seconds:
        if process.poll() is not None:
            raise RuntimeError(f"dnne train ended with {process.returncode}:\n{process.communicate()[1]}")
        samples.append(Sample(time.perf_counter() - began, resident_memory(process.pid)))
        time.sleep(every)
    return samples


def resident_memory(pid: int) -> float:
    """Unit: MB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * _page_size() / MB


def _page_size() -> int:
    import resource

    return resource.getpagesize()


def _slope(samples: List[Sample]) -> float:
    """Least squares. Unit: MB/s."""
    time_mean = statistics.fmean(sample.seconds for sample in samples)
    memory_mean = statistics.fmean(sample.resident for sample in samples)
    spread = sum((sample.seconds - time_mean) ** 2 for sample in samples)
    shared = sum((sample.seconds - time_mean) * (sample.resident - memory_mean) for sample in samples)
    return shared / spread if spread else 0.0
