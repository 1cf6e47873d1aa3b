"""Show what a checkpoint folder holds."""

import argparse

from runtime.checkpoints import describe_checkpoint


def add_options(parser: argparse.ArgumentParser) -> None:
    """The folder."""
    parser.add_argument("folder", metavar="DIR", help="checkpoint folder, node folder, run folder or model.pt")


def run(args: argparse.Namespace) -> int:
    """Print tables of nodes and tensors."""
    print(describe_checkpoint(args.folder))
    return 0
