"""Several processes against one: speed, the cost of an exchange, and whether they learn the same."""

from __future__ import annotations

import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Sequence

from .report import Report, Target

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "cartpole_ppo.json"
WARM_UP = 2
REWARD = "episode/mean_reward"
EXCHANGES = """
import sys, time, torch
from runtime.distributed.process_group import ProcessGroup
torch.set_num_threads(1)
group, vector = ProcessGroup.connect(60.0), torch.zeros(int(sys.argv[1]))
for repeat in range(300):
    if repeat == 100:
        group.barrier()
        began = time.perf_counter()
    group.all_reduce_mean(vector)
if group.rank == 0:
    print((time.perf_counter() - began) / 200 * 1e6, flush=True)
group.barrier()
group.close()
"""


class Contender(NamedTuple):
    """Processes that train at the same time.

    Attributes:
        processes: Their number.
        threads: Of each.
        connected: Whether they train one agent.
    """

    name: str
    processes: int
    threads: int = 1
    connected: bool = True


TOGETHER, APART = Contender("2 ranks", 2), Contender("2 unconnected", 2, connected=False)
ALONE, TWO_THREADS = Contender("1 process", 1), Contender("1 process, 2 threads", 1, threads=2)


def run(quick: bool) -> Report:
    """Measure in turns: every contender once in each round."""
    report = Report("distributed", "two Gloo ranks of examples/cartpole_ppo.json on this machine")
    for num_envs, iterations in ((4096, 6 if quick else 12), (64, 40 if quick else 150)):
        _add_speeds(report, num_envs, iterations, rounds=2 if quick else 6)
    _add_learning(report, seeds=range(1 if quick else 5))
    report.notes += [
        "speed: environment steps per second of all processes, from the third iteration on; medians over the rounds.",
        "all-reduce: microseconds for the gradient of this agent, once per minibatch, 32 times per update.",
    ]
    return report


def _add_speeds(report: Report, num_envs: int, iterations: int, rounds: int) -> None:
    contenders = (TOGETHER, APART, ALONE, TWO_THREADS)
    speeds: Dict[str, List[float]] = {each.name: [] for each in contenders}
    exchange = []
    for _ in range(rounds):
        for each in contenders:
            speeds[each.name].append(_speed(each, num_envs, iterations))
        exchange.append(float(_start([[sys.executable, "-c", EXCHANGES, "9100"]] * 2, connected=True)[0]))
    medians = {name: statistics.median(values) for name, values in speeds.items()}
    large = num_envs >= 4096
    for other, target in ((APART, 0.85), (ALONE, 1.3), (TWO_THREADS, None)):
        ratios = [ours / theirs for ours, theirs in zip(speeds[TOGETHER.name], speeds[other.name])]
        report.add(
            statistics.median(ratios),
            Target(target) if target and large else None,
            environments=f"{num_envs} each",
            against=other.name,
            ratio=statistics.median(ratios),
            range=f"{min(ratios):.2f}–{max(ratios):.2f}",
            steps_per_s=f"{medians[TOGETHER.name]:,.0f} : {medians[other.name]:,.0f}",
            all_reduce_us=f"{statistics.median(exchange):.0f}",
        )


def _add_learning(report: Report, seeds: Sequence[int], steps: int = 200_000) -> None:
    returns: Dict[str, List[float]] = {"1 × 64": [], "2 × 32": []}
    for seed in seeds:
        for name, contender, num_envs in (("1 × 64", ALONE, 64), ("2 × 32", TOGETHER, 32)):
            words = ["--num-envs", num_envs, "--total-timesteps", steps, "--seed", seed]
            returns[name].append(_last(_train(contender, words)[0], REWARD))
    first, second = returns.values()
    spread = statistics.stdev(first) if len(first) > 1 else float("nan")
    for name, values in returns.items():
        report.add(
            statistics.mean(values), None, environments=name, against="5 seeds" if len(values) == 5 else "fewer seeds",
            ratio=statistics.mean(second) / statistics.mean(first), range=" ".join(f"{value:.0f}" for value in values),
            steps_per_s=f"mean return {statistics.mean(values):.1f}", all_reduce_us=f"std {spread:.1f}",
        )  # fmt: skip


def _speed(contender: Contender, num_envs: int, iterations: int) -> float:
    words = ["--num-envs", num_envs, "--iterations", iterations, "--threads", contender.threads]
    return sum(_steps_per_second(records) for records in _train(contender, words))


def _train(contender: Contender, words: Sequence[Any]) -> List[List[Dict[str, Any]]]:
    """Run to the end; the events of each process that records some."""
    with tempfile.TemporaryDirectory() as folder:
        commands = []
        for index in range(contender.processes):
            options = [*words, "--log-dir", folder, "--run-name", "run" if contender.connected else f"run-{index}"]
            commands.append([sys.executable, "-m", "app.cli", "train", str(EXAMPLE), *map(str, options)])
        _start(commands, contender.connected and contender.processes > 1)
        files = sorted(Path(folder).glob("*/events.jsonl"))
        return [[json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] for file in files]


def _start(commands: Sequence[Sequence[str]], connected: bool) -> List[str]:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    if connected:
        environment.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=_free_port(), WORLD_SIZE=str(len(commands)))
    processes = []
    for rank, command in enumerate(commands):
        own = {"RANK": str(rank), "LOCAL_RANK": str(rank), "LOCAL_WORLD_SIZE": str(len(commands))} if connected else {}
        processes.append(
            subprocess.Popen(
                command, env={**environment, **own}, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            )
        )
    outputs = [process.communicate()[0] for process in processes]
    if any(process.returncode for process in processes):
        raise RuntimeError(f"a process failed: {[process.returncode for process in processes]}")
    return outputs


def _free_port() -> str:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return str(found.getsockname()[1])


def _steps_per_second(records: List[Dict[str, Any]]) -> float:
    marks = {record["iteration"]: (record["step"], record["time"]) for record in records if record["event"] == "metric"}
    (first_step, began), (last_step, ended) = marks[WARM_UP], marks[max(marks)]
    return (last_step - first_step) / (ended - began)


def _last(records: List[Dict[str, Any]], name: str) -> float:
    return float([record["value"] for record in records if record.get("name") == name][-1])
