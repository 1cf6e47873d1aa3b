"""Options of a run, and the run settings that they make."""

from __future__ import annotations

import argparse
from typing import Any, Callable, Dict, Optional, Sequence

from ..configuration.presets import AUTO, PRESETS
from ..distributed.modes import TRAIN_MODES
from ..duration import GRAMMAR, parse_duration
from ..errors import DurationError, RunError
from ..rl.freezing import PARTS
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


def whole_number(low: int) -> Callable[[str], int]:
    """An argparse type: whole numbers from ``low`` on."""

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
        raise argparse.ArgumentTypeError(
            f"{text!r} is not of the form NODE.PARAM=VALUE, such as Trainer.learning_rate=1e-3"
        )
    return text


def add_run_options(parser: argparse.ArgumentParser, train: bool = True, infer: bool = True) -> None:
    """Options of a run.

    Args:
        parser: Gets the options.
        train, infer: Which of the two the command can do; options without an effect there are left out.
    """
    add_configuration_options(parser.add_argument_group("configuration"))
    _add_general(parser.add_argument_group("run"))
    if train:
        _add_processes(parser.add_argument_group("processes"))
    _add_ends(parser.add_argument_group("when it ends"), train, infer)
    _add_files(parser.add_argument_group("checkpoints and logs"), train, infer)
    _add_display(parser.add_argument_group("display"))


def add_configuration_options(group: argparse._ArgumentGroup) -> None:
    """Overrides, configuration files and presets."""
    group.add_argument(
        "overrides", nargs="*", default=[], metavar="KEY=VALUE",
        help="a parameter of a node, such as trainer.learning_rate=1e-3, or a setting of the run, such as seed=1",
    )  # fmt: skip
    group.add_argument("--config", metavar="FILE", help="YAML file of such keys, for example the config.yaml of a run")
    group.add_argument("--config-name", metavar="NAME", help="NAME.yaml in the folder of --config-path")
    group.add_argument("--config-path", metavar="DIR", help="folder of --config-name (default: configs, then here)")
    group.add_argument("--preset", choices=(AUTO, *PRESETS), help="sizes for a kind of machine; all else wins over it")
    group.add_argument(
        "--set", dest="assignments", type=assignment, action="append", default=[], metavar="NODE.PARAM=VALUE",
        help="set a parameter; NODE is an id, a title or a type (may be repeated)",
    )  # fmt: skip


def _add_general(group: argparse._ArgumentGroup) -> None:
    positive, natural = whole_number(1), whole_number(0)
    group.add_argument("--seed", type=natural, metavar="N", help="base of every random generator (default 0)")
    group.add_argument("--device", metavar="DEVICE", help="cpu, cuda, cuda:N or auto (default cpu)")
    group.add_argument(
        "--num-envs", type=positive, metavar="N", help="parallel environments, in place of the workflow's"
    )
    group.add_argument("--threads", type=positive, metavar="N", help="CPU threads of torch (default 1)")
    group.add_argument("--tf32", action="store_true", help="TensorFloat-32 for float32 products on NVIDIA GPUs")
    group.add_argument(
        "--queue-size", type=positive, metavar="N", help="values that a wire holds before its writer waits"
    )
    group.add_argument("--scheduler", choices=SCHEDULERS, help="static schedule where there is one, or always queues")


def _add_processes(group: argparse._ArgumentGroup) -> None:
    positive = whole_number(1)
    group.add_argument(
        "--train-mode", choices=TRAIN_MODES,
        help="one process or several; auto (the default) joins those of a launcher, and starts several where "
        "--nproc or --world-size asks for them",
    )  # fmt: skip
    group.add_argument("--nproc", type=positive, metavar="N", help="processes to start on this machine")
    group.add_argument("--world-size", type=positive, metavar="N", help="processes on all machines together")
    group.add_argument(
        "--max-restarts", type=whole_number(0), metavar="N",
        help="after a failure start all processes again from the last resume state, up to N times (default 0)",
    )  # fmt: skip
    group.add_argument(
        "--collective-timeout", type=duration, metavar="TIME",
        help="the longest that one process may wait for another (default 10m)",
    )  # fmt: skip


def _add_ends(group: argparse._ArgumentGroup, train: bool, infer: bool) -> None:
    positive = whole_number(1)
    group.add_argument("--timeout", type=duration, metavar="TIME", help=f"end after this time: {GRAMMAR}")
    group.add_argument("--total-timesteps", type=positive, metavar="N", help="end after N environment steps of the run")
    if train:
        group.add_argument(
            "--iterations", type=positive, metavar="N", help="end after N training iterations of the run"
        )
        group.add_argument("--stop-reward", type=_finite, metavar="R", help="end when episode/mean_reward reaches R")
        group.add_argument(
            "--patience", type=positive, metavar="N", help="end after N iterations without a better reward"
        )
    group.add_argument(
        "--longest-episode", type=positive, metavar="N",
        help="give up an episode of an evaluation that goes on after N steps (default 100000, or the task's limit)",
    )  # fmt: skip
    if infer:
        group.add_argument("--episodes", type=positive, metavar="N", help="end an inference after N whole episodes")


def _add_files(group: argparse._ArgumentGroup, train: bool, infer: bool) -> None:
    if train:
        group.add_argument(
            "--save-checkpoint-dir", metavar="DIR", help="save checkpoints of nodes that have them enabled"
        )
        group.add_argument(
            "--save-interval", type=whole_number(1), metavar="N",
            help="save checkpoints every N iterations, in place of the nodes' own triggers; in RUN/checkpoints without "
            "--save-checkpoint-dir",
        )  # fmt: skip
        group.add_argument(
            "--last-k-checkpoints",
            type=whole_number(1),
            metavar="K",
            help="keep the K newest checkpoints and the best",
        )
    group.add_argument(
        "--load-checkpoint-dir", metavar="DIR", help="load all nodes from DIR, of checkpoints or of a run"
    )
    if infer:
        group.add_argument("--untrained", action="store_true", help="infer with random weights, without a checkpoint")
    if train:
        _add_evaluation_and_start(group)
        group.add_argument(
            "--resume", metavar="RUN",
            help="go on with the training in this run folder; auto: in the newest one of this workflow, or begin one",
        )  # fmt: skip
        group.add_argument(
            "--resume-interval", type=duration, metavar="TIME", help="time between two saved resume states (default 5m)"
        )
        group.add_argument(
            "--log-interval", type=whole_number(1), metavar="N", help="record metrics every N iterations (default 1)"
        )
    group.add_argument("--log-dir", metavar="DIR", help=f"where the run folder is made (default {DEFAULT_LOG_DIR})")
    group.add_argument("--run-name", metavar="NAME", help="name of the run folder (default: workflow name and time)")
    group.add_argument(
        "--track", metavar="TRACKER",
        help="also record with wandb or mlflow, with :PROJECT after the name; several with commas between",
    )  # fmt: skip
    group.add_argument(
        "--events", metavar="FILE", help="also write events as JSON lines to FILE, or - for standard output"
    )
    group.add_argument(
        "--commands", action="store_true",
        help="obey commands on standard input, as JSON lines: pause, resume, step, stop, edit, watch_probes, "
        "watch_viewer; where they end, the run is stopped",
    )  # fmt: skip


def _add_evaluation_and_start(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--eval-interval", type=whole_number(1), metavar="N",
        help="evaluate every N iterations on environments of their own",
    )  # fmt: skip
    group.add_argument(
        "--eval-episodes", type=whole_number(1), metavar="M", help="episodes of such an evaluation (default 64)"
    )
    group.add_argument(
        "--pretrained-dir",
        metavar="DIR",
        help="start from the weights in DIR, as far as they fit by name and shape",
    )
    group.add_argument(
        "--freeze", metavar="PARTS", help=f"parts of the model that do not move: {', '.join(PARTS)}, with commas"
    )


def _add_display(group: argparse._ArgumentGroup) -> None:
    view = group.add_mutually_exclusive_group()
    view.add_argument("--visual", action="store_true", help="open the simulator's viewer, where it has one")
    view.add_argument("--headless", action="store_true", help="no viewer (the default)")
    group.add_argument(
        "--record", metavar="VIDEO", help="record environment 0 as NAME.mp4 or NAME.gif; in inference in simulated time"
    )
    group.add_argument("-v", "--verbose", action="store_true", help="all metrics, node statistics and details")
    group.add_argument(
        "--test-mode", action="store_true",
        help=f"a short run ({TEST_MODE_SECONDS:g} s without --timeout) that reports time per node, steps/s and memory",
    )  # fmt: skip


SETTING_OPTIONS = (
    "seed", "device", "timeout", "total_timesteps", "iterations", "stop_reward", "patience", "episodes",
    "save_checkpoint_dir", "load_checkpoint_dir", "untrained", "resume_interval", "queue_size", "scheduler", "threads",
    "tf32", "visual", "verbose", "save_interval", "last_k_checkpoints", "pretrained_dir", "freeze", "log_interval",
    "eval_interval", "eval_episodes", "longest_episode",
)  # fmt: skip
COUNTED_ENDS = ("total_timesteps", "iterations")
INHERITED = (
    "seed", "device", *COUNTED_ENDS, "stop_reward", "patience", "save_checkpoint_dir", "queue_size", "scheduler",
    "threads", "tf32", "resume_interval", "save_interval", "last_k_checkpoints", "freeze", "log_interval",
    "eval_interval", "eval_episodes", "longest_episode",
)  # fmt: skip

PROCESSES = ("train_mode", "nproc", "world_size", "max_restarts", "collective_timeout")
TRAINING_ONLY = (
    *PROCESSES, "iterations", "stop_reward", "patience", "save_checkpoint_dir", "resume", "resume_interval",
    "save_interval", "last_k_checkpoints", "pretrained_dir", "freeze", "log_interval", "eval_interval", "eval_episodes",
)  # fmt: skip
INFERENCE_ONLY = ("episodes", "untrained")
NEW_RUN_ONLY = ("load_checkpoint_dir", "pretrained_dir", "log_dir", "run_name")


def run_settings(args: argparse.Namespace, inference: bool, earlier: Optional[Dict[str, Any]] = None) -> RunSettings:
    """Settings from parsed options.

    Args:
        args: Parsed options.
        inference: Nothing is trained.
        earlier: Settings of the run that is resumed; they hold where an option was not given. An end that is counted in
            steps or iterations replaces both of the earlier ones.

    Raises:
        RunError: An option does not make sense, or would have no effect.
    """
    if inference:
        _refuse(args, TRAINING_ONLY, "in inference")
    else:
        _refuse(args, INFERENCE_ONLY, "in training")
    values = {name: getattr(args, name) for name in SETTING_OPTIONS if is_given(args, name)}
    if earlier is not None:
        _refuse(args, NEW_RUN_ONLY, "with --resume: the run goes on in its own folder, with its own weights")
        values = {**_inherited(earlier, values), **values}
    if args.test_mode:
        values.setdefault("timeout", TEST_MODE_SECONDS)
    return RunSettings(mode=INFER if inference else TRAIN, **values)


def is_given(args: argparse.Namespace, name: str) -> bool:
    """Whether an option has a value other than its absence."""
    value = getattr(args, name, None)
    return value is not None and value is not False


def _refuse(args: argparse.Namespace, names: Sequence[str], where: str) -> None:
    for name in names:
        if is_given(args, name):
            raise RunError(f"--{name.replace('_', '-')} has no effect {where}")


def _inherited(earlier: Dict[str, Any], given: Dict[str, Any]) -> Dict[str, Any]:
    if "seed" not in earlier:
        raise RunError("the run to resume has no seed among the settings in its run.json; expected a whole number")
    if given.get("seed", earlier["seed"]) != earlier["seed"]:
        raise RunError(
            f"--seed {given['seed']}: the run has the seed {earlier['seed']}, and its random generators go on from "
            "where they were; leave --seed out"
        )
    new_end = any(name in given for name in COUNTED_ENDS)
    return {name: earlier[name] for name in INHERITED if name in earlier and not (new_end and name in COUNTED_ENDS)}
