"""Processes that torch's launcher starts: failures, restarts, signals, nodes, exported runners."""

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from runtime.checkpoints import ResumeStore
from tests.commands import (
    ROOT,
    USER_NODES,
    add_node,
    dnne,
    events_of,
    folder,
    metrics_of,
    small,
    small_workflow,
    write_json,
)

__all__ = ["dnne", "folder", "small"]


class Command:
    """``dnne`` or another program in a process of its own."""

    def __init__(self, folder, words, **variables):
        known = {name: value for name, value in os.environ.items() if not name.startswith(("TORCHELASTIC", "DNNE_"))}
        environment = {**known, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", **variables}
        self.process = subprocess.Popen(
            [sys.executable, *map(str, words)], cwd=folder, env=environment, stderr=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.err = ""

    def wait(self, seconds=120):
        out, self.err = self.process.communicate(timeout=seconds)
        self.err += out
        return self.process.returncode


@pytest.fixture
def command(folder):
    """``command("train", "small.json", "--nproc", 2)``; what still runs at the end of a test is killed."""
    started = []

    def start(*words, program=("-m", "app.cli"), **variables):
        started.append(Command(folder, [*program, *words], **variables))
        return started[-1]

    yield start
    for each in started:
        if each.process.poll() is None:
            each.process.kill()
        each.process.wait()
        each.process.stdout.close()
        each.process.stderr.close()


def numbers(folder, name="a"):
    return metrics_of(events_of(folder / "runs" / name / "events.jsonl"))


def wait_for(condition, seconds=90):
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end
        time.sleep(0.02)


def workers(launcher):
    """Ids of the processes that the launcher has started, by rank."""
    found = {}
    for entry in Path("/proc").iterdir():
        try:
            status = (entry / "stat").read_text().rsplit(")", 1)[1].split()
            environment = (entry / "environ").read_bytes() if int(status[1]) == launcher.pid else b""
        except (OSError, IndexError, ValueError):
            continue
        words = dict(word.partition(b"=")[::2] for word in environment.split(b"\0"))
        if b"RANK" in words:
            found[int(words[b"RANK"])] = int(entry.name)
    return found


needs_proc = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="reads /proc")


def test_a_failure_is_reported_with_rank_and_traceback(command, folder):
    workflow = small_workflow()
    add_node(workflow, "9", "PartingNode", metrics=["6", "metrics"], what="fail")
    path = write_json(folder / "failing.json", workflow)
    run = command("train", path, "--nodes-dir", USER_NODES, "--nproc", 2, "--events", folder / "told.jsonl")
    assert run.wait() == 1
    assert "error: rank 1 (process " in run.err
    assert "ArithmeticError: rank 1 was told to fail" in run.err
    assert "parting.py" in run.err
    told = events_of(folder / "told.jsonl")
    assert "started" in [record["event"] for record in told], "the launcher adds to what rank 0 wrote"
    assert (told[-1]["event"], told[-1]["node_id"], told[-1]["label"]) == ("failed", "9", "PartingNode")
    assert told[-1]["error"].startswith("rank 1 (process ") and "parting.py" in told[-1]["traceback"]


@needs_proc
def test_a_killed_rank_comes_back_from_the_last_state(command, folder, small):
    run = command(
        "train",
        small,
        "--nproc",
        2,
        "--max-restarts",
        1,
        "--iterations",
        600,
        "--run-name",
        "a",
        "--resume-interval",
        "1s",
    )
    wait_for(lambda: ResumeStore(folder / "runs" / "a").entries())
    os.kill(workers(run.process)[1], signal.SIGKILL)
    assert run.wait() == 0, run.err
    assert "resumed at step" in run.err
    found = ResumeStore(folder / "runs" / "a").latest()
    assert (found.iteration, found.step, found.processes) == (600, 600 * 32, 2)
    assert sorted({iteration for iteration, _, _ in numbers(folder)}) == list(range(1, 601))


@pytest.mark.slow
@needs_proc
def test_a_killed_rank_without_restarts_is_named(command, folder, small):
    run = command("train", small, "--nproc", 2, "--run-name", "a")
    wait_for(lambda: numbers(folder))
    os.kill(workers(run.process)[1], signal.SIGKILL)
    assert run.wait(20) == 1
    assert "error: rank 1 (process " in run.err
    assert "it was ended by SIGKILL" in run.err
    assert "2 processes: started by this command, 2 on this machine" in run.err


@pytest.mark.slow
@needs_proc
def test_a_signal_to_the_launcher_stops_all_in_order(command, folder, small):
    run = command("train", small, "--nproc", 2, "--run-name", "a")
    wait_for(lambda: numbers(folder))
    run.process.send_signal(signal.SIGTERM)
    assert run.wait(30) == 143
    assert "Finished: stopped by SIGTERM" in run.err
    assert json.loads((folder / "runs" / "a" / "run.json").read_text())["result"] == "interrupted"
    assert ResumeStore(folder / "runs" / "a").latest().processes == 2


@pytest.mark.slow
@needs_proc
def test_ctrl_c_and_a_signal_to_one_worker_stop_all_in_order(command, folder, small):
    for name, code, to_worker in (("a", 130, False), ("b", 143, True)):
        run = command("train", small, "--nproc", 2, "--run-name", name, "--max-restarts", 2)
        wait_for(lambda name=name: numbers(folder, name))
        if to_worker:
            os.kill(workers(run.process)[0], signal.SIGTERM)
        else:
            run.process.send_signal(signal.SIGINT)
        assert run.wait(30) == code
        assert run.err.count("Finished: stopped by") == 1


@pytest.mark.slow
@needs_proc
def test_workers_whose_launcher_is_killed_stop(command, folder, small):
    run = command("train", small, "--nproc", 2, "--run-name", "a")
    wait_for(lambda: numbers(folder))
    run.process.kill()
    info = folder / "runs" / "a" / "run.json"
    wait_for(lambda: json.loads(info.read_text())["ended"])
    assert "the launcher was killed" in json.loads(info.read_text())["summary"]["reason"]


@pytest.mark.slow
def test_bad_input_is_not_tried_again(command, folder, small):
    run = command("train", small, "--nproc", 2, "--max-restarts", 3, "--set", "6.gamma=7")
    assert run.wait() == 2
    assert run.err.count("error: ") == 1


@pytest.mark.slow
def test_two_nodes_that_each_know_their_first_rank(command, folder, small):
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = str(found.getsockname()[1])
    meeting = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "WORLD_SIZE": "4"}
    words = ("train", small, "train_mode=distributed", "world_size=4", "--nproc", 2, "--iterations", 6)
    nodes = [command(*words, "--run-name", "a", **meeting, RANK=rank) for rank in ("0", "2")]
    assert [node.wait() for node in nodes] == [0, 0], nodes[0].err + nodes[1].err
    found = ResumeStore(folder / "runs" / "a").latest()
    assert (found.processes, found.step) == (4, 6 * 16 * 4)
    assert "ranks" not in nodes[1].err


@pytest.fixture
def runner(dnne, folder, small):
    assert dnne("export", small, "-o", "exported").code == 0
    return folder / "exported" / "runner.py"


@pytest.mark.slow
def test_an_exported_runner_under_torchrun_gives_the_bits_of_dnne_train(command, folder, runner, small):
    torchrun = ("-m", "torch.distributed.run", "--standalone", "--nproc_per_node", 2)
    run = command(runner, "--iterations", 8, "--run-name", "torchrun", program=torchrun)
    assert run.wait() == 0, run.err
    assert command(runner, "--iterations", 8, "--run-name", "own", "--nproc", 2, program=()).wait() == 0
    assert command("train", small, "--iterations", 8, "--run-name", "train", "--nproc", 2).wait() == 0
    assert numbers(folder, "torchrun") == numbers(folder, "own") == numbers(folder, "train")


@pytest.mark.slow
def test_two_nodes_of_torchrun(command, folder, runner):
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    words = ("-m", "torch.distributed.run", "--nnodes", 2, "--nproc_per_node", 1, "--rdzv_backend", "c10d")
    words += ("--rdzv_endpoint", f"localhost:{port}", "--rdzv_id", "test")
    nodes = [command(runner, "--iterations", 5, "--run-name", "a", program=words) for _ in range(2)]
    assert [node.wait() for node in nodes] == [0, 0], nodes[0].err + nodes[1].err
    assert ResumeStore(folder / "runs" / "a").latest().processes == 2


@pytest.mark.slow
@needs_proc
def test_kills_at_random_moments_hang_nothing_and_spoil_no_state(command, folder, small):
    """Each start goes on from what the killed one has left."""
    source = random.Random(7)
    for attempt in range(20):
        words = (
            ("--resume", "runs/a") if ResumeStore(folder / "runs" / "a").entries() else ("--run-name", f"try-{attempt}")
        )
        restarts = attempt % 2
        run = command("train", small, "--nproc", 2, "--resume-interval", "1s", "--max-restarts", restarts, *words)
        wait_for(lambda run=run: len(workers(run.process)) == 2)
        time.sleep(source.uniform(0.0, 8.0))
        for _ in range(restarts + 1):
            found = wait_for(lambda run=run: workers(run.process) or run.process.poll() is not None)
            if run.process.poll() is None:
                os.kill(source.choice(list(found.values())), signal.SIGKILL)
                time.sleep(source.uniform(0.0, 4.0))
        run.process.send_signal(signal.SIGTERM) if run.process.poll() is None else None
        assert run.wait(60) != 0
        name = "a" if "--resume" in words else f"try-{attempt}"
        if ResumeStore(folder / "runs" / name).entries():
            assert ResumeStore(folder / "runs" / name).latest().processes == 2
            if name != "a" and not (folder / "runs" / "a").exists():
                (folder / "runs" / name).rename(folder / "runs" / "a")


@pytest.mark.slow
@needs_proc
def test_slurms_warning_saves_on_all_ranks_and_the_same_line_goes_on(command, folder, small):
    words = ("train", small, "--nproc", 2, "--resume", "auto", "--run-name", "a")
    run = command(*words)
    wait_for(lambda: numbers(folder))
    run.process.send_signal(signal.SIGUSR1)
    assert run.wait(60) == 138, run.err
    before = ResumeStore(folder / "runs" / "a").latest()
    assert (before.processes, before.step) == (2, before.iteration * 32)
    again = command(*words, "--iterations", before.iteration + 3)
    assert again.wait() == 0, again.err
    assert f"--resume auto: going on with {Path('runs', 'a')}" in again.err
    found = ResumeStore(folder / "runs" / "a").latest()
    assert (found.iteration, found.processes) == (before.iteration + 3, 2)
    assert sorted({iteration for iteration, _, _ in numbers(folder)}) == list(range(1, found.iteration + 1))


@pytest.mark.slow
@needs_proc
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1])
def test_signals_under_torchrun_save_on_all_ranks_and_the_same_line_goes_on(command, folder, runner, number):
    """SIGTERM goes to torchrun, which passes it on; SIGUSR1, which it would die of, to every rank, as Slurm does it."""
    torchrun = ("-m", "torch.distributed.run", "--standalone", "--nproc_per_node", 2)
    words = (runner, "--resume", "auto", "--run-name", "a")
    run = command(*words, program=torchrun)
    wait_for(lambda: numbers(folder))
    if number == signal.SIGTERM:
        run.process.send_signal(number)
    else:
        for worker in workers(run.process).values():
            os.kill(worker, number)
    code = run.wait(60)
    assert (code == 0) == (number == signal.SIGUSR1), run.err
    before = ResumeStore(folder / "runs" / "a").latest()
    assert (before.processes, before.step) == (2, before.iteration * 32)
    assert json.loads((folder / "runs" / "a" / "run.json").read_text())["result"] == "interrupted"
    again = command(*words, "--iterations", before.iteration + 3, program=torchrun)
    assert again.wait() == 0, again.err
    assert ResumeStore(folder / "runs" / "a").latest().iteration == before.iteration + 3
