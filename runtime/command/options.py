"""Options of a run, and the run settings that they make."""

from __future__ import annotations

import argparse
from typing import Any, Callable, Dict, Optional

from ..duration import GRAMMAR, parse_duration
from ..errors import DurationError
from ..run.settings import INFER, TRAIN, RunSettings
from ..scheduler.engine import SCHEDULERS

DEFAULT_LOG_DIR = "runs"
TEST_MODE_SECONDS = 10.0


def duration(text: str) -> float:
    """An argparse type: seconds of a duration such as ``1h30m``."""
    try:
        return parse_duration(text)
    except DurationError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _whole_number(low: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        try:
            number = int(text.replace("_", ""))
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number") from None
        if number < low:
            raise argparse.ArgumentTypeError(f"{number} is too small; expected at least {low}")
        return number

    return parse


def _finite(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number") from None
    if number != number or number in (float("inf"), float("-inf")):
        raise argparse.ArgumentTypeError(f"{text!r} is not a finite number")
    return number


def assignment(text: str) -> str:
    """An argparse type: ``NODE.PARAM=VALUE``."""
    name, equals, _ = text.partition("=")
    if not equals or "." not in name:
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form NODE.PARAM=VALUE, such as Trainer.learning_rate=1e-3")
    return text


def add_run_options(parser: argparse.ArgumentParser) -> None:
    """Options that every run has."""
    positive, natural = _whole_number(1), _whole_number(0)
    run = parser.add_argument_group("run")
    run.add_argument("--seed", type=natural, metavar="N", help="base of every random generator (default 0)")
    run.add_argument("--device", metavar="DEVICE", help="cpu, cuda, cuda:N or auto (default cpu)")
    run.add_argument("--num-envs", type=positive, metavar="N", help="parallel environments, in place of the workflow's")
    run.add_argument(
        "--set", dest="assignments", type=assignment, action="append", default=[], metavar="NODE.PARAM=VALUE",
        help="set a parameter; NODE is an id or a title (may be repeated)",
    )  # fmt: skip
    run.add_argument("--threads", type=positive, metavar="N", help="CPU threads of torch (default 1)")
    run.add_argument("--queue-size", type=positive, metavar="N", help="values that a wire holds before its writer waits")
    run.add_argument("--scheduler", choices=SCHEDULERS, help="static schedule where there is one, or always queues")

    end = parser.add_argument_group("when it ends")
    end.add_argument("--timeout", type=duration, metavar="TIME", help=f"end after this time: {GRAMMAR}")
    end.add_argument("--total-timesteps", type=positive, metavar="N", help="end after N environment steps of the run")
    end.add_argument("--iterations", type=positive, metavar="N", help="end after N training iterations of the run")
    end.add_argument("--stop-reward", type=_finite, metavar="R", help="end when episode/mean_reward reaches R")
    end.add_argument("--patience", type=positive, metavar="N", help="end after N iterations without a better reward")

    files = parser.add_argument_group("checkpoints and logs")
    files.add_argument("--save-checkpoint-dir", metavar="DIR", help="save checkpoints of nodes that have them enabled")
    files.add_argument("--load-checkpoint-dir", metavar="DIR", help="load the checkpoints of all nodes from DIR")
    files.add_argument("--log-dir", metavar="DIR", help=f"where the run folder is made (default {DEFAULT_LOG_DIR})")
    files.add_argument("--run-name", metavar="NAME", help="name of the run folder (default: workflow name and time)")
    files.add_argument("--events", metavar="FILE", help="also write events as JSON lines to FILE, or - for standard output")

    shown = parser.add_argument_group("display")
    view = shown.add_mutually_exclusive_group()
    view.add_argument("--visual", action="store_true", help="open the simulator's viewer, where it has one")
    view.add_argument("--headless", action="store_true", help="no viewer (the default)")
    shown.add_argument("-v", "--verbose", action="store_true", help="all metrics, node statistics and details")
    shown.add_argument(
        "--test-mode", action="store_true", help="a short run that reports time per node, steps/s and peak memory"
    )


def add_training_options(parser: argparse.ArgumentParser) -> None:
    """Options of training alone."""
    files = parser.add_argument_group("resume")
    files.add_argument("--resume", metavar="RUN", help="go on with the run in this run folder")
    files.add_argument(
        "--resume-interval", type=duration, metavar="TIME", help="time between two saved resume states (default 5m)"
    )


def add_inference_options(parser: argparse.ArgumentParser) -> None:
    """Options of inference alone."""
    group = parser.add_argument_group("inference")
    group.add_argument("--episodes", type=_whole_number(1), metavar="N", help="end after N whole episodes")
    group.add_argument("--untrained", action="store_true", help="run on random weights, without a checkpoint")


SETTING_OPTIONS = (
    "seed", "device", "timeout", "total_timesteps", "iterations", "stop_reward", "patience", "episodes",
    "save_checkpoint_dir", "load_checkpoint_dir", "untrained", "resume_interval", "queue_size", "scheduler", "threads",
    "visual", "verbose",
)  # fmt: skip

INHERITED = (
    "seed", "device", "total_timesteps", "iterations", "stop_reward", "patience", "save_checkpoint_dir", "queue_size",
    "scheduler", "threads", "resume_interval",
)  # fmt: skip


def run_settings(args: argparse.Namespace, inference: bool, earlier: Optional[Dict[str, Any]] = None) -> RunSettings:
    """Settings from parsed options.

    Args:
        args: Parsed options.
        inference: Nothing is trained.
        earlier: Settings of the run that is resumed; they hold where an option was not given.

    Raises:
        RunError: An option does not make sense.
    """
    values: Dict[str, Any] = {name: (earlier or {})[name] for name in INHERITED if name in (earlier or {})}
    for name in SETTING_OPTIONS:
        given = getattr(args, name, None)
        if given is not None and given is not False:
            values[name] = given
    if args.test_mode and not any(values.get(name) for name in ("timeout", "total_timesteps", "iterations", "episodes")):
        values["timeout"] = TEST_MODE_SECONDS
    return RunSettings(mode=INFER if inference else TRAIN, **values)
