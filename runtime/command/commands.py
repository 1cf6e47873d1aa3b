"""Commands of a host in another process: one JSON object a line, on standard input."""

from __future__ import annotations

import json
import os
import select
import sys
import threading
from typing import Any, Callable, Dict

from ..errors import DnneError, StorageError
from ..events import Event, Sink
from ..recording import OutputClosed
from ..scheduler.control import CYCLE, RunControl

Command = Dict[str, Any]
HOST_IS_GONE = "the program that gave commands has ended"


class CommandError(DnneError):
    """A line of commands is none. Names the line and what would be right."""


def obey(control: RunControl, line: str) -> None:
    """Do what a line says: ``{"command": "edit", "node_id": "6", "name": "learning_rate", "value": 0.001}``.

    Raises:
        CommandError: It is no command, or lacks something.
    """
    try:
        command = json.loads(line)
        name = command.pop("command")
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise CommandError(f"{line[:200]!r} is no command; expected an object with 'command'") from error
    perform(control, name, command)


def perform(control: RunControl, name: str, arguments: Command) -> None:
    """Do what a command says.

    Raises:
        CommandError: There is no such command, or its arguments do not fit.
    """
    known = _commands(control)
    if not isinstance(name, str) or name not in known:
        raise CommandError(f"{name!r} is no command; expected one of {', '.join(known)}")
    try:
        known[name](**arguments)
    except (TypeError, ValueError) as error:
        raise CommandError(f"the command {name} with {str(arguments)[:200]} does not fit: {error}") from error


def _commands(control: RunControl) -> Dict[str, Callable[..., None]]:
    def step(size: str = CYCLE) -> None:
        control.step(size)

    def watch_probes(outputs: Any) -> None:
        control.watch.watch_probes([(str(node_id), str(port)) for node_id, port in outputs])

    return {
        "pause": control.pause,
        "resume": control.resume,
        "step": step,
        "stop": control.stop,
        "edit": control.edit,
        "watch_probes": watch_probes,
        "watch_viewer": control.watch.watch_viewer,
    }


def until_host_is_gone(sink: Sink, control: RunControl) -> Sink:
    """Pass events on to the program that gives commands; where it has ended, stop and save the run, and do not fail."""

    def pass_on(event: Event) -> None:
        try:
            sink(event)
        except OutputClosed:
            control.stop(HOST_IS_GONE)
        except StorageError as error:
            if not isinstance(error.__cause__, BrokenPipeError):
                raise
            control.stop(HOST_IS_GONE)

    return pass_on


class CommandReader:
    """Reads commands in a thread of its own for as long as the process lives; where they end, the run is stopped.

    Commands that lie there already are obeyed at once: they hold from the first step on.

    Args:
        control: The run's switches.
        refuse: Told about lines that are no commands.
    """

    def __init__(self, control: RunControl, refuse: Callable[[str], None]):
        self._control, self._refuse = control, refuse
        # The descriptor itself is read: a thread that waits inside sys.stdin would keep the process from ending.
        self._descriptor, self._rest = sys.stdin.fileno(), b""
        while select.select([self._descriptor], [], [], 0)[0]:
            if not self._take_block():
                return
        threading.Thread(target=self._read, name="dnne-commands", daemon=True).start()

    def _read(self) -> None:
        while self._take_block():
            pass

    def _take_block(self) -> bool:
        """Wait for commands and obey them; false where no more can come."""
        block = os.read(self._descriptor, 1 << 16)
        if not block:
            self._control.stop(HOST_IS_GONE)
            return False
        *lines, self._rest = (self._rest + block).split(b"\n")
        for line in lines:
            self._do(line.decode("utf-8", "replace"))
        return True

    def _do(self, line: str) -> None:
        try:
            obey(self._control, line)
        except DnneError as error:
            self._refuse(str(error))
