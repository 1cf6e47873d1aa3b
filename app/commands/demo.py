"""Train the Cartpole example and plot its learning curve."""

import argparse
import sys
import time
from pathlib import Path

from runtime.command.launch import run_command
from runtime.command.options import add_run_options, add_training_options

from ..learning_curve import plot_learning_curve
from .common import add_nodes_dir, file_source

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "cartpole_ppo.json"
STEPS = 300_000


def add_options(parser: argparse.ArgumentParser) -> None:
    """Options of training; the end and the folders have defaults."""
    add_nodes_dir(parser)
    add_run_options(parser)
    add_training_options(parser)


def run(args: argparse.Namespace) -> int:
    """Train, then plot."""
    args.log_dir = args.log_dir or "runs"
    args.run_name = args.run_name or time.strftime("cartpole-demo-%Y%m%d-%H%M%S")
    run_folder = Path(args.log_dir) / args.run_name
    args.save_checkpoint_dir = args.save_checkpoint_dir or str(run_folder / "checkpoints")
    if not (args.timeout or args.total_timesteps or args.iterations):
        args.total_timesteps = STEPS
    code = run_command(file_source(str(EXAMPLE), args), args, inference=False)
    if code == 0:
        picture = run_folder / "learning_curve.png"
        plot_learning_curve(run_folder / "metrics.csv", picture)
        print(f"  learning curve       {picture}", file=sys.stderr)
        print(f"  TensorBoard          tensorboard --logdir {run_folder / 'tensorboard'}", file=sys.stderr)
        print(f"  watch the policy     dnne infer {EXAMPLE} --load-checkpoint-dir {args.save_checkpoint_dir}", file=sys.stderr)
    return code
