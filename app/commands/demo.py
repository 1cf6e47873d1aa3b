"""Train the Cartpole example and plot its learning curve."""

import argparse
import os
import sys
import time
from pathlib import Path
from shlex import quote

from runtime.command.launch import run_command
from runtime.command.options import DEFAULT_LOG_DIR, add_run_options
from runtime.recording import RunFolder

from ..learning_curve import LearningCurveError, plot_learning_curve
from .common import add_nodes_dir, file_source

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "cartpole_ppo.json"
STEPS = 300_000
SOLVED = 475.0


def add_options(parser: argparse.ArgumentParser) -> None:
    """Options of training; the end and the folders have defaults."""
    add_nodes_dir(parser)
    add_run_options(parser, infer=False)


def run(args: argparse.Namespace) -> int:
    """Train, then plot."""
    if args.resume is None:
        _choose_places(args)
        folder, workflow = Path(args.log_dir, args.run_name), EXAMPLE
    else:
        run_folder = RunFolder.open(args.resume, lock=False)
        folder, workflow = run_folder.path, run_folder.workflow_file
    code = run_command(file_source(workflow, args), args, inference=False)
    if code == 0:
        _show_results(folder)
    return code


def _choose_places(args: argparse.Namespace) -> None:
    args.log_dir = args.log_dir or DEFAULT_LOG_DIR
    args.run_name = args.run_name or time.strftime("cartpole-demo-%Y%m%d-%H%M%S")
    args.save_checkpoint_dir = args.save_checkpoint_dir or str(Path(args.log_dir, args.run_name, "checkpoints"))
    if not (args.timeout or args.total_timesteps or args.iterations):
        args.total_timesteps = STEPS


def _show_results(folder: Path) -> None:
    checkpoints = RunFolder.open(folder, lock=False).read_info()["settings"]["save_checkpoint_dir"]
    picture = folder / "learning_curve.png"
    weights = f"--load-checkpoint-dir {quote(str(checkpoints))}"
    places = {
        "learning curve": str(picture),
        "TensorBoard": f"{_script('tensorboard')} --logdir {quote(str(folder / 'tensorboard'))}",
        "evaluate it": f"{_script('dnne')} infer {_shortest(EXAMPLE)} {weights} --episodes 64",
    }
    try:
        plot_learning_curve(folder / "metrics.csv", picture, "Cartpole, PPO", solved=SOLVED)
    except LearningCurveError as error:
        places["learning curve"] = f"none: {error}"
    for what, where in places.items():
        print(f"  {what:<19}  {where}", file=sys.stderr)


def _script(name: str) -> str:
    """How to call an installed command from the current folder, also where its folder is not on PATH."""
    script = Path(sys.executable).with_name(name)
    return _shortest(script) if script.is_file() else name


def _shortest(path: Path) -> str:
    return quote(min(str(path), os.path.relpath(path), key=len))
