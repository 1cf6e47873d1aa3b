"""Commands of a host in another process: one JSON object a line, on standard input."""

from __future__ import annotations

import json
import os
import sys
import threading
from typing import Any, Callable, Dict

from ..errors import DnneError
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


class CommandReader:
    """Reads commands in a thread of its own for as long as the process lives; where they end, the run is stopped.

    Args:
        control: The run's switches.
        refuse: Told about lines that are no commands.
    """

    def __init__(self, control: RunControl, refuse: Callable[[str], None]):
        self._control, self._refuse = control, refuse
        threading.Thread(target=self._read, name="dnne-commands", daemon=True).start()

    def _read(self) -> None:
        # The descriptor itself is read: a thread that waits inside sys.stdin would keep the process from ending.
        descriptor, rest = sys.stdin.fileno(), b""
        while True:
            block = os.read(descriptor, 1 << 16)
            if not block:
                break
            *lines, rest = (rest + block).split(b"\n")
            for line in lines:
                self._do(line.decode("utf-8", "replace"))
        self._control.stop(HOST_IS_GONE)

    def _do(self, line: str) -> None:
        try:
            obey(self._control, line)
        except DnneError as error:
            self._refuse(str(error))
