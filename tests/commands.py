"""The public command in tests: called in this process where only results count, in one of its own for signals.

Processes are forked from a server that has imported torch already, so that one takes milliseconds instead of seconds.
"""

import contextlib
import json
import multiprocessing
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, NamedTuple

import pytest

from runtime.events import is_clock_metric

ROOT = Path(__file__).resolve().parents[1]
EXAMPLE = ROOT / "examples" / "cartpole_ppo.json"
USER_NODES = Path(__file__).resolve().parent / "fixtures" / "user_nodes"
SMALL = {
    "1": {"num_envs": 4},
    "3": {"hidden_sizes": [8]},
    "6": {"horizon_length": 4, "num_epochs": 2, "num_minibatches": 2, "learning_rate_schedule": "fixed"},
}


class Outcome(NamedTuple):
    """What a command came to."""

    code: int
    out: str
    err: str

    @property
    def records(self) -> List[Dict[str, Any]]:
        """Standard output as JSON lines."""
        return [json.loads(line) for line in self.out.splitlines()]


def small_workflow() -> Dict[str, Any]:
    """The example with 4 environments and iterations of 16 steps, which take a millisecond each."""
    workflow = json.loads(EXAMPLE.read_text())
    for node_id, values in SMALL.items():
        workflow["nodes"][node_id]["inputs"].update(values)
    return workflow


def add_node(workflow: Dict[str, Any], node_id: str, class_type: str, **inputs: Any) -> None:
    """Add a node with the given links and parameters."""
    workflow["nodes"][node_id] = {"class_type": class_type, "title": class_type, "inputs": inputs}


def insert_node(workflow: Dict[str, Any], node_id: str, class_type: str, wire: str, to: str, **values: Any) -> None:
    """Put a node with the ports ``value`` and ``output`` into the wires from ``wire`` to the nodes ``to``.

    Args:
        workflow: Changed in place.
        node_id, class_type, values: The new node.
        wire: ``"2.output"``.
        to: Ids of the nodes, ``"3 6"``.
    """
    source = wire.split(".")
    for target in to.split():
        inputs = workflow["nodes"][target]["inputs"]
        for port in [port for port, value in inputs.items() if value == source]:
            inputs[port] = [node_id, "output"]
    add_node(workflow, node_id, class_type, value=source, **values)


def write_json(path: Path, content: Any) -> Path:
    """Write a workflow."""
    path.write_text(json.dumps(content))
    return path


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """An empty working directory, in a home without node files of a user."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path


@pytest.fixture
def small(folder) -> Path:
    """The small workflow as a file."""
    return write_json(folder / "small.json", small_workflow())


@pytest.fixture
def dnne(folder, capsys) -> Callable[..., Outcome]:
    """``dnne("train", "small.json", "--iterations", 2)`` in this process."""
    from app.cli import main

    def run(*arguments: Any) -> Outcome:
        capsys.readouterr()
        try:
            code = main([str(argument) for argument in arguments])
        except SystemExit as exit:
            code = int(exit.code or 0)
        return Outcome(code, *capsys.readouterr())

    return run


class Running:
    """A command in a process of its own."""

    def __init__(self, process: Any, folder: Path):
        self.process = process
        self.folder = folder

    @property
    def out(self) -> str:
        """Standard output so far."""
        return (self.folder / "stdout").read_text()

    @property
    def err(self) -> str:
        """Standard error so far."""
        return (self.folder / "stderr").read_text()

    def send(self, number: int) -> None:
        """Send a signal."""
        os.kill(self.process.pid, number)

    def kill(self) -> None:
        """SIGKILL, and wait for the end."""
        self.send(signal.SIGKILL)
        assert self.wait() == -signal.SIGKILL

    def wait(self, seconds: float = 30.0) -> int:
        """The exit code; negative for the signal that ended the process."""
        self.process.join(seconds)
        assert self.process.exitcode is not None, f"still running after {seconds} s:\n{self.err}"
        return self.process.exitcode

    def wait_for(self, condition: Callable[[], Any], seconds: float = 30.0) -> Any:
        """Wait until the condition holds, while the process lives."""
        end = time.monotonic() + seconds
        while True:
            alive = self.process.is_alive()
            value = condition()
            if value:
                return value
            assert alive, f"it ended before:\n{self.err}"
            assert time.monotonic() < end, f"not within {seconds} s:\n{self.err}"
            time.sleep(0.005)


@pytest.fixture
def start(folder) -> Iterator[Callable[..., Running]]:
    """``start("train", "small.json")`` in a process of its own; what still runs at the end of a test is killed."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.preloaded"])
    started: List[Running] = []

    def launch(*arguments: Any, terminal: str = "", **variables: str) -> Running:
        own = folder / f"process-{len(started)}"
        own.mkdir()
        for name in ("stdout", "stderr"):
            (own / name).touch()
        streams = [str(own / "stdout"), terminal or str(own / "stderr")]
        words = [str(argument) for argument in arguments]
        environment = {"XDG_DATA_HOME": str(folder / "data"), "OMP_NUM_THREADS": "1", **variables}
        process = context.Process(target=_run, args=(words, str(folder), streams, environment))
        process.start()
        started.append(Running(process, own))
        return started[-1]

    yield launch
    for running in started:
        if running.process.is_alive():
            running.process.kill()
        running.process.join()
        running.process.close()


def _run(words: List[str], folder: str, streams: List[str], environment: Dict[str, str]) -> None:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # ignored under nohup, where commands ignore it as well
    os.chdir(folder)
    os.environ.update(environment)
    for number, path in enumerate(streams, start=1):
        opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115 - lives as long as the process
    sys.stderr = open(2, "w", buffering=1, closefd=False)  # noqa: SIM115
    from app.cli import main

    code = main(words)
    with contextlib.suppress(OSError):
        sys.stdout.flush()
    sys.exit(code)


def events_of(path: Path) -> List[Dict[str, Any]]:
    """The whole records of a file of events, as far as it is written."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text().splitlines(keepends=True) if line.endswith("\n")]


def metrics_of(records: List[Dict[str, Any]]) -> Dict[Any, float]:
    """Metrics that do not depend on the clock, by (iteration, step, name)."""
    return {
        (record["iteration"], record["step"], record["name"]): record["value"]
        for record in records
        if record["event"] == "metric" and not is_clock_metric(record["name"])
    }
