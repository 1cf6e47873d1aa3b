"""`make bench`: ``python -m tests.benchmarks [--quick] [--json FILE] [NAMES…]``.

The exit code is 0 even where a target is missed: figures of a busy machine prove nothing. It is 1 where a benchmark
could not be run.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import traceback
from pathlib import Path
from typing import Callable, Dict, List, Optional, Sequence

import torch

from . import (
    against_peers,
    distributed,
    empty_cycle,
    learning,
    learning_examples,
    loop,
    memory,
    metrics_cost,
    queues,
    simulators,
    start_up,
)
from .machine import machine_line
from .report import Report

BENCHMARKS: Dict[str, Callable[[bool], Report]] = {
    "loop": loop.run,
    "peers": against_peers.run,
    "metrics": metrics_cost.run,
    "cycle": empty_cycle.run,
    "scheduler": queues.run,
    "start": start_up.run,
    "simulators": simulators.run,
    "distributed": distributed.run,
    "learning": learning.run,
    "memory": memory.run,
}

LONG: Dict[str, Callable[[bool], Report]] = learning_examples.benchmarks()
"""Those that run only where they are named: minutes to an hour each."""


def parser() -> argparse.ArgumentParser:
    """The command line."""
    known = f"{', '.join(BENCHMARKS)}; only by name: {', '.join(LONG)}"
    result = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=f"Benchmarks: {known}.")
    result.add_argument("names", nargs="*", metavar="NAME", help="all but the long ones, where none is given")
    result.add_argument("--quick", action="store_true", help="few repetitions: a look, no proof")
    result.add_argument("--json", metavar="FILE", type=Path, help="write the figures to FILE, too")
    return result


def main(argv: Optional[Sequence[str]] = None) -> int:
    """Run benchmarks and print their tables as they come."""
    command = parser()
    args = command.parse_args(argv)
    unknown = [name for name in args.names if name not in BENCHMARKS and name not in LONG]
    if unknown:
        command.error(f"there is no benchmark {unknown[0]!r}; there are {', '.join([*BENCHMARKS, *LONG])}")
    torch.set_num_threads(1)
    machine, began = machine_line(), time.strftime("%Y-%m-%d %H:%M")
    print(f"{began}  {machine}\n", flush=True)
    reports: List[Report] = []
    failed: List[str] = []
    for name in args.names or BENCHMARKS:
        try:
            report = {**BENCHMARKS, **LONG}[name](args.quick)
        except Exception:  # noqa: BLE001 - the others are still worth running
            failed.append(name)
            print(f"== {name}: FAILED ==\n{traceback.format_exc()}", flush=True)
            continue
        reports.append(report)
        print(report.text + "\n", flush=True)
    if args.json:
        figures = {report.name: report.as_dict() for report in reports}
        document = {"date": began, "machine": machine, "quick": args.quick, "failed": failed, "benchmarks": figures}
        args.json.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    _print_verdict(reports, failed)
    return 1 if failed else 0


def _print_verdict(reports: Sequence[Report], failed: Sequence[str]) -> None:
    targets = sum(row.met is not None for report in reports for row in report.rows)
    missed = [(report.name, row) for report in reports for row in report.missed]
    print(f"{targets - len(missed)} of {targets} targets met; at the end: {machine_line()}")
    for name, row in missed:
        print(f"*** MISSED: {name}: {row.text} ***")
    for name in failed:
        print(f"*** FAILED: {name} ***")


if __name__ == "__main__":
    sys.exit(main())
