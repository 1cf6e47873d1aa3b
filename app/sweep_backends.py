"""Where the trainings of a sweep run: local processes, Slurm through submitit, or Ray."""

import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Protocol, Sequence, Tuple

from runtime.errors import DnneError

Command = Tuple[List[str], Path]
"""The words, and the file of what the process prints."""

Result = Tuple[int, int]
"""Index of the command, and its exit code."""

ROOT = Path(__file__).resolve().parents[1]
INTERRUPTED = 130
STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Backend(Protocol):
    """Runs commands and tells their exit codes as they end."""

    def run(self, commands: Sequence[Command]) -> Iterator[Result]:
        """Run all."""


class BackendError(DnneError):
    """A backend is not installed, or does not take an option."""


def environment() -> Dict[str, str]:
    """Of the trainings: they import what this process imports."""
    paths = [str(ROOT), *map(os.path.abspath, filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep)))]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}


class LocalBackend:
    """Processes of this machine, in sessions of their own, so that Ctrl-C reaches them once, through us.

    Each takes commands on its standard input, which ends with this process, however that ends: then it saves and ends.

    Args:
        jobs: How many run at a time.
    """

    def __init__(self, jobs: int):
        self._jobs = jobs
        self._lock = threading.Lock()
        self._running: Dict[int, subprocess.Popen[bytes]] = {}
        self._is_stopped = False

    def run(self, commands: Sequence[Command]) -> Iterator[Result]:
        """Exit codes as the processes end. After a signal those that run are ended in order, and no other begins."""
        with self._stopped_by_signals(), ThreadPoolExecutor(self._jobs) as pool:
            futures = [pool.submit(self._run_one, index, command) for index, command in enumerate(commands)]
            for future in as_completed(futures):
                yield future.result()

    def _run_one(self, index: int, command: Command) -> Result:
        words, log = command
        with log.open("ab") as output:
            with self._lock:
                if self._is_stopped:
                    return index, INTERRUPTED
                process = subprocess.Popen(
                    [*words, "--commands"], stdin=subprocess.PIPE, stdout=output, stderr=subprocess.STDOUT,
                    env=environment(), start_new_session=True,
                )  # fmt: skip
                self._running[index] = process
            if self._is_stopped:  # by a signal that came before the process was known
                _terminate(process)
            with process:
                code = process.wait()
        with self._lock:
            del self._running[index]
        return index, code

    @contextmanager
    def _stopped_by_signals(self) -> Iterator[None]:
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        terminals = [stream.fileno() for stream in (sys.stdout, sys.stderr) if stream.isatty()]

        def stop(number: int, frame: Any) -> None:
            if number == signal.SIGHUP:
                _discard_output(terminals)
            self._is_stopped = True
            for process in list(self._running.values()):
                _terminate(process)

        heard = [number for number in STOPS if signal.getsignal(number) != signal.SIG_IGN]
        before = {number: signal.signal(number, stop) for number in heard}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _terminate(process: "subprocess.Popen[bytes]") -> None:
    with suppress(ProcessLookupError):  # it has ended in this moment
        process.terminate()


def _discard_output(descriptors: Sequence[int]) -> None:
    """The terminal is closed: what is printed from now on must not fail."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for descriptor in descriptors:
        os.dup2(nowhere, descriptor)
    os.close(nowhere)


class SlurmBackend:
    """Jobs of Slurm, by submitit.

    Args:
        folder: For submitit's files.
        options: Passed to submitit's ``update_parameters``; ``cluster`` chooses its executor (slurm, local, debug).
        jobs: How many run at a time.
    """

    def __init__(self, folder: Path, options: Dict[str, Any], jobs: int):
        try:
            import submitit
        except ImportError as error:
            raise BackendError('--backend slurm needs submitit: pip install "dnne[slurm]"') from error
        cluster = options.pop("cluster", "slurm")
        try:
            self._executor = submitit.AutoExecutor(folder=str(folder / "submitit"), cluster=cluster)
            limit = {"slurm_array_parallelism": jobs} if cluster == "slurm" else {}
            self._executor.update_parameters(**{"name": "dnne-sweep", **limit, **options})
        except (RuntimeError, NameError, TypeError, ValueError) as error:
            raise BackendError(f"--backend slurm: {error}") from error

    def run(self, commands: Sequence[Command]) -> Iterator[Result]:
        """Submit all as one job array, and wait for them."""
        with self._executor.batch():
            jobs = [self._executor.submit(self._function(words, log)) for words, log in commands]
        try:
            for index, job in enumerate(jobs):
                error = job.exception()
                yield index, 0 if error is None else 1
        except KeyboardInterrupt:
            for job in jobs:
                job.cancel(check=False)
            raise

    def _function(self, words: Sequence[str], log: Path) -> Callable[[], Any]:
        """One that needs nothing of ours where it runs, but for what the command itself needs."""
        import submitit

        path = f"PYTHONPATH={environment()['PYTHONPATH']}"
        shell = ["bash", "-c", 'exec "$@" >>"$0" 2>&1', str(log.resolve())]
        function: Callable[[], Any] = submitit.helpers.CommandFunction([*shell, "env", path, *words], verbose=False)
        return function


class RayBackend:
    """Tasks of Ray.

    Args:
        options: Passed to ``ray.remote``, such as ``num_gpus``; ``address`` to ``ray.init``.
        jobs: How many run at a time.
    """

    def __init__(self, options: Dict[str, Any], jobs: int):
        try:
            import ray
        except ImportError as error:
            raise BackendError('--backend ray needs Ray: pip install "dnne[ray]"') from error
        self._ray, self._jobs = ray, jobs
        address = options.pop("address", None)
        ray.init(address=address, num_cpus=None if address else jobs, include_dashboard=False, log_to_driver=False)
        self._task: Callable[..., Any] = ray.remote(**options)(run_logged) if options else ray.remote(run_logged)

    def run(self, commands: Sequence[Command]) -> Iterator[Result]:
        """Exit codes as the tasks end."""
        remote = getattr(self._task, "remote")  # noqa: B009 - added by Ray
        pending = {remote(words, str(log)): index for index, (words, log) in enumerate(commands)}
        try:
            while pending:
                (done,), _ = self._ray.wait(list(pending), num_returns=1)
                index = pending.pop(done)
                yield index, int(self._ray.get(done))
        finally:
            self._ray.shutdown()


def run_logged(words: List[str], log: str) -> int:
    """Run a command with its output in a file; its exit code."""
    with Path(log).open("ab") as output:
        finished = subprocess.run(
            words, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, env=environment(), check=False
        )
    return finished.returncode
