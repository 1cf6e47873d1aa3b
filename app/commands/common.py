"""What several subcommands share: where node types come from, and the workflow to run."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import List, Union

import nodes
from runtime.command.session import Source
from runtime.registry import NodeRegistry, discover
from runtime.validation import Adjust, build_graph
from runtime.workflow import load_workflow


def add_nodes_dir(parser: argparse.ArgumentParser) -> None:
    """``--nodes-dir``: a user's own node files."""
    parser.add_argument(
        "--nodes-dir", action="append", default=[], metavar="DIR",
        help=f"folder of your own node files, besides {user_nodes_folder()} (may be repeated)",
    )  # fmt: skip


def user_nodes_folder() -> Path:
    """The per-user folder of node files, which need not exist."""
    from platformdirs import user_data_path

    return Path(user_data_path("dnne", appauthor=False)) / "nodes"


def load_registry(args: argparse.Namespace) -> NodeRegistry:
    """Built-in node types, those of installed distributions, and the user's own. Failures are printed."""
    folders: List[Path] = [Path(folder) for folder in args.nodes_dir]
    if user_nodes_folder().is_dir():
        folders.append(user_nodes_folder())
    registry = discover([nodes], folders)
    for failure in registry.failures:
        print(f"warning: {failure.source} was not loaded:\n{failure.traceback}", file=sys.stderr)
    return registry


def file_source(path: Union[str, Path], args: argparse.Namespace) -> Source:
    """A workflow file, to be run."""
    document, registry = load_workflow(path), load_registry(args)

    def build(adjust: Adjust):  # type: ignore[no-untyped-def]
        return build_graph(document, registry, adjust)

    return Source(document, build)
