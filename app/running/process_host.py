"""A run in a process of its own, with any interpreter that has torch: a crash there leaves the editor alone."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from typing import IO, Any, Callable, Deque, Dict, List, Mapping, Optional, Sequence

from app.child_command import PACKAGE_ROOT, child_command
from runtime.errors import RunError
from runtime.event_records import events_from
from runtime.events import LogMessage

from .host import Outcome, RunHost, crashed
from .mailbox import Mailbox
from .process_tree import kill_tree

logger = logging.getLogger(__name__)

TAIL_LINES = 60
BLOCK = 1 << 16
CHECK_SECONDS = 60.0
PATIENCE = 30.0
OF_OTHER_RANKS = re.compile(r"(?P<text>rank \d+: (?P<level>warning|error): .*)")
"""What processes but rank 0 say, which has the events."""
CANNOT_FOLLOW = "the editor cannot follow the run any more"
WHY_NO_PAUSE = "Several processes train together: they can be stopped, but neither paused nor edited."
PROBE = (
    "import json, platform, sys\n"
    "import platformdirs, torch\n"
    "import app.cli\n"
    "print(json.dumps([platform.python_version(), torch.__version__]))"
)


def environment() -> Dict[str, str]:
    """The editor's own, with its packages in front: the process runs the same code."""
    paths = [str(PACKAGE_ROOT), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in paths if path), "PYTHONUNBUFFERED": "1"}


def check_interpreter(path: str) -> str:
    """Start an interpreter, and say what it is: ``Python 3.8.18, torch 2.4.1``.

    Raises:
        RunError: It does not start, or lacks torch or what DNNE needs.
    """
    try:
        result = subprocess.run(
            [path or sys.executable, "-c", PROBE], env=environment(), cwd=PACKAGE_ROOT, capture_output=True,
            encoding="utf-8", errors="replace", timeout=CHECK_SECONDS, stdin=subprocess.DEVNULL, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        raise RunError(f"the interpreter {path} does not start: {error}; choose a Python of 3.8 to 3.13") from error
    if result.returncode != 0:
        reason = (result.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise RunError(
            f"the interpreter {path} cannot run DNNE: {reason}; it needs Python 3.8 or later with: "
            "pip install torch platformdirs"
        )
    try:
        python, torch = json.loads(result.stdout.strip().splitlines()[-1])
    except (ValueError, IndexError) as error:
        raise RunError(f"{path} is no Python interpreter: it answered {result.stdout[:80]!r}") from error
    return f"Python {python}, torch {torch}"


class ProcessHost(RunHost):
    """Runs ``dnne train`` or ``dnne infer`` in a process; events come over a pipe, commands go to its input.

    Where several processes train, this one starts them and waits for them; rank 0 sends events and hears commands.

    Args:
        words: Subcommand, file and options.
        interpreter: Python of the process; the editor's own where it is empty.
        mailbox: Gets the events.
        processes: How many will train.
    """

    def __init__(self, words: Sequence[str], interpreter: str, mailbox: Mailbox, processes: int = 1):
        super().__init__(mailbox)
        self.why_no_pause = WHY_NO_PAUSE if processes > 1 else ""
        self._words, self._interpreter = list(words), interpreter or sys.executable
        self._began = time.monotonic()
        self._process: Optional[subprocess.Popen] = None
        self._tail: Deque[str] = deque(maxlen=TAIL_LINES)
        self._threads: List[threading.Thread] = []
        self._write_lock = threading.Lock()
        self._crash: Optional[Outcome] = None

    @property
    def pid(self) -> Optional[int]:
        """Of the process, once it was started."""
        return self._process.pid if self._process is not None else None

    def start(self) -> None:
        """Start the process and the threads that listen to it."""
        reading, writing = os.pipe()
        # A process that the process starts inherits no descriptor, but can open the editor's own by this name.
        events_file = f"/proc/{os.getpid()}/fd/{writing}"
        command = child_command([*self._words, "--events", events_file, "--commands"], self._interpreter)
        self._began = time.monotonic()
        try:
            self._process = subprocess.Popen(
                command, env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            os.close(reading)
            os.close(writing)
            self.outcome = Outcome(2, f"the interpreter {self._interpreter} does not start: {error}")
            return
        output = threading.Thread(target=self._read_output, args=(writing,), name="dnne-run-output", daemon=True)
        events = threading.Thread(target=self._read_events, args=(reading, output), name="dnne-run-events", daemon=True)
        self._threads = [output, events]
        for thread in self._threads:
            thread.start()

    def _read_output(self, writing: int) -> None:
        """Read what is printed, to the end; then nobody will open the pipe of events any more."""
        assert self._process is not None and self._process.stdout is not None
        try:
            with self._process.stdout as stream:
                self._until_its_end(stream, self._hear_output)
        finally:
            self._process.wait()
            os.close(writing)

    def _hear_output(self, stream: IO[bytes]) -> None:
        for line in stream:
            self._tail.append(line.decode("utf-8", "replace").rstrip())
            told = OF_OTHER_RANKS.fullmatch(self._tail[-1])
            if told is not None:
                self.mailbox.put(LogMessage(time.monotonic() - self._began, told["level"], told["text"]))

    def _until_its_end(self, stream: IO[bytes], hear: Callable[[IO[bytes]], None]) -> None:
        """Hear a stream; after an error nobody expected stop the run, which saves, and read on, so that it can."""
        try:
            hear(stream)
        except BaseException as error:  # noqa: BLE001 - shown in the window, which goes on
            self._crash = self._crash or crashed(error)
            self.command("stop", reason=CANNOT_FOLLOW)
            while stream.read(BLOCK):
                pass

    def _hear_events(self, pipe: IO[bytes]) -> None:
        rest = b""
        for block in iter(lambda: pipe.read(BLOCK), b""):
            *lines, rest = (rest + block).split(b"\n")
            self._deliver(lines)

    def _read_events(self, descriptor: int, output: threading.Thread) -> None:
        try:
            self.outcome = self._outcome_of_events(descriptor, output)
        except BaseException as error:  # noqa: BLE001 - shown in the window, which goes on
            self.outcome = crashed(error)
            self.abandon()

    def _outcome_of_events(self, descriptor: int, output: threading.Thread) -> Outcome:
        assert self._process is not None
        with open(descriptor, "rb", buffering=0) as pipe:
            self._until_its_end(pipe, self._hear_events)
        code = self._process.wait()
        output.join()
        with contextlib.suppress(OSError):  # the process has closed its end already
            if self._process.stdin is not None:
                self._process.stdin.close()
        return self._crash or Outcome(code, _end_in_words(code, list(self._tail)), "\n".join(self._tail))

    def _deliver(self, lines: Sequence[bytes]) -> None:
        records: List[Mapping[str, Any]] = []
        for line in lines:
            try:
                records.append(json.loads(line))
            except (ValueError, RecursionError):
                logger.warning("the run's process sent a line that is no event: %r", line[:200])
        for event in events_from(records):
            self.hear(event)

    def command(self, name: str, /, **arguments: Any) -> None:
        """Send a command; a process that has ended takes none any more."""
        line = json.dumps({"command": name, **arguments}) + "\n"
        if self._process is None or self._process.stdin is None:
            return
        with self._write_lock, contextlib.suppress(BrokenPipeError, ValueError):  # it has ended: the outcome says how
            self._process.stdin.write(line.encode())
            self._process.stdin.flush()

    def abandon(self) -> None:
        """Kill the process, and all that it has started."""
        if self._process is not None:
            kill_tree(self._process)

    def close(self) -> None:
        """Wait for the process and the threads; a process that does not end is killed."""
        deadline = time.monotonic() + PATIENCE
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        if self._process is not None and self._process.poll() is None:
            logger.error("the run's process did not end within %g s and is killed", PATIENCE)
            kill_tree(self._process)
        for thread in self._threads:
            thread.join()


def _end_in_words(code: int, tail: Sequence[str]) -> str:
    if code < 0:
        try:
            name = signal.Signals(-code).name
        except ValueError:
            name = f"signal {-code}"
        return f"the run's process was killed by {name} ({-code}); what it had saved is in its run folder"
    if code > 0:
        last = next((line for line in reversed(tail) if line.strip()), "")
        return f"the run's process ended with exit code {code}" + (f": {last}" if last else "")
    return ""
