"""Settings of the next run, as the options of the command line that they are: one declaration, one validation."""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Dict, List, NoReturn, Optional, Sequence, Tuple

from runtime.duration import format_duration
from runtime.errors import RunError
from runtime.modes import INFER, TRAIN

THREAD, PROCESS = "thread", "process"
HOSTS = (THREAD, PROCESS)
NO_WEIGHTS = (
    "inference needs trained weights: choose the folder of a run, or of checkpoints, under Load checkpoint dir, "
    "or switch Untrained on"
)
SELDOM = ("configuration", "display")
SET_BY_EDITOR = ("help", "assignments", "events", "commands", "visual", "headless", "test_mode", "nodes_dir")
LABELS = {
    "num_envs": "Environments", "tf32": "TF32 on GPUs", "queue_size": "Values per wire", "nproc": "Processes here",
    "collective_timeout": "Longest wait",
}  # fmt: skip
DEFAULTS = {
    "train_mode": "auto", "nproc": "1", "world_size": "as here", "max_restarts": "0",
    "num_envs": "as in Env", "log_dir": "{runs}, beside the workflow", "run_name": "workflow and time",
    "last_k_checkpoints": "as in the nodes", "save_interval": "as in the nodes", "config_path": "configs",
}  # fmt: skip
PATHS = {"DIR": "folder", "RUN": "folder", "FILE": "file"}


@dataclass(frozen=True)
class Option:
    """One setting, as the command line declares it.

    Attributes:
        name: Key of its value.
        flag: ``--total-timesteps``.
        group: Title of its group.
        help: One line.
        choices: The allowed words, where they are few.
        is_switch: On or off.
        path: ``folder`` or ``file`` where it is one, else empty.
        check: Turns the text into a value, and raises with the reason where it is none.
        default: What holds without it, in words.
    """

    name: str
    flag: str
    group: str
    help: str
    choices: Tuple[str, ...]
    is_switch: bool
    path: str
    check: Optional[Callable[[str], Any]]
    default: str = ""

    @property
    def label(self) -> str:
        """``Total timesteps``."""
        if self.name in LABELS:
            return LABELS[self.name]
        return self.flag.lstrip("-").replace("-", " ").capitalize()

    def problem(self, text: str) -> str:
        """Why a text is no value of this option; empty where it is one."""
        if not text or self.check is None:
            return ""
        try:
            self.check(text)
        except argparse.ArgumentTypeError as error:
            return str(error)
        return ""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise RunError(message)


def _parser(mode: str) -> _Parser:
    from runtime.command.options import add_run_options  # brings torch

    parser = _Parser(prog="dnne", add_help=False, allow_abbrev=False)
    add_run_options(parser, train=mode == TRAIN, infer=mode == INFER)
    return parser


def options_of(mode: str) -> List[Option]:
    """The settings of a mode, in the order of the command line's help; files of settings and details come last."""
    found = []
    for group in _parser(mode)._action_groups:
        for action in group._group_actions:
            if action.option_strings and action.dest not in SET_BY_EDITOR:
                found.append(_option(action, group.title or ""))
    return sorted(found, key=lambda option: option.group in SELDOM)


def _option(action: argparse.Action, group: str) -> Option:
    return Option(
        action.dest, action.option_strings[-1], group, action.help or "", tuple(map(str, action.choices or ())),
        action.nargs == 0, PATHS.get(str(action.metavar), ""), action.type if callable(action.type) else None,
        _default(action.dest),
    )  # fmt: skip


def _default(name: str) -> str:
    from runtime.command.options import DEFAULT_LOG_DIR  # bring torch
    from runtime.distributed.process_group import DEFAULT_TIMEOUT
    from runtime.run import RunSettings

    if name in DEFAULTS:
        return DEFAULTS[name].format(runs=DEFAULT_LOG_DIR)
    if name == "collective_timeout":
        return format_duration(DEFAULT_TIMEOUT)
    value = getattr(RunSettings, name, None)
    if value is None:
        return "none"
    return format_duration(value) if name == "resume_interval" else str(value)


@dataclass
class RunOptions:
    """What the user has set for the next runs of one workflow.

    Attributes:
        values: Texts by mode and option; switches are ``"on"``. What is not there has its default.
        host: ``thread`` (in the editor) or ``process``, for runs of one process.
        interpreter: Python of the process; empty for the editor's own.
    """

    values: Dict[str, Dict[str, str]] = field(default_factory=lambda: {TRAIN: {}, INFER: {}})
    host: str = THREAD
    interpreter: str = ""

    def host_for(self, processes: int) -> str:
        """Where a run of so many processes takes place: several never in the editor."""
        return self.host if processes == 1 else PROCESS

    def put(self, mode: str, name: str, text: str) -> None:
        """Set an option; an empty text takes it back to its default."""
        if text:
            self.values[mode][name] = text
        else:
            self.values[mode].pop(name, None)

    def words(self, mode: str, folder: Path) -> List[str]:
        """The options as the words of a command line.

        Args:
            mode: ``train`` or ``infer``.
            folder: What relative paths and the default folder of runs are below.
        """
        from runtime.command.options import DEFAULT_LOG_DIR  # bring torch
        from runtime.command.resuming import AUTO

        given, words = self.values[mode], []
        for option in options_of(mode):
            text = given.get(option.name, "")
            if not text:
                continue
            if option.path and (option.name, text) != ("resume", AUTO):
                text = str(folder / Path(text).expanduser())
            words += [option.flag] if option.is_switch else [f"{option.flag}={text}"]
        if given.get("resume", AUTO) == AUTO and not given.get("log_dir"):
            words.append(f"--log-dir={folder / DEFAULT_LOG_DIR}")
        return words

    def as_text(self) -> str:
        """For the settings file."""
        return json.dumps({"values": self.values, "host": self.host, "interpreter": self.interpreter})

    @classmethod
    def from_text(cls, text: str) -> RunOptions:
        """Undo `as_text`; what is damaged, or belongs to another version, has its default."""
        options = cls()
        try:
            kept = json.loads(text)
        except ValueError:
            return options
        if not isinstance(kept, dict):
            return options
        for mode, own in options.values.items():
            names = {option.name for option in options_of(mode)}
            saved = kept.get("values", {}).get(mode, {}) if isinstance(kept.get("values"), dict) else {}
            own.update({name: text for name, text in saved.items() if name in names and isinstance(text, str)})
        options.host = kept["host"] if kept.get("host") in HOSTS else THREAD
        options.interpreter = str(kept.get("interpreter") or "")
        return options


def parse(words: Sequence[str], mode: str) -> argparse.Namespace:
    """Parsed options.

    Raises:
        RunError: A word is no option, or a value does not fit.
    """
    return _parser(mode).parse_args(list(words))


def check(words: Sequence[str], mode: str) -> int:
    """The number of processes that the words ask for.

    Raises:
        RunError: They make no sense; the text is the runtime's own.
    """
    from runtime.command.configure import configure  # bring torch
    from runtime.command.options import run_settings
    from runtime.command.processes import mode_of
    from runtime.command.resuming import AUTO

    args = parse(words, mode)
    if getattr(args, "resume", None) == AUTO:
        args.resume = None  # which run it is, is found when it begins
    args = configure(args, mode == INFER, "").args
    if mode == INFER and args.load_checkpoint_dir is None and not args.untrained:
        raise RunError(NO_WEIGHTS)  # the runtime names options of the command line
    processes = mode_of(args, mode == INFER).world_size
    if not getattr(args, "resume", None):  # else they depend on the run that is resumed
        run_settings(args, mode == INFER).torch_device()
    return processes
