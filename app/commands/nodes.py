"""List the node types, or write their reference."""

import argparse
import sys
from pathlib import Path

from runtime.errors import DnneError
from runtime.suggest import did_you_mean

from ..node_reference import node_markdown, node_section, node_table
from .common import add_nodes_dir, load_registry


def add_options(parser: argparse.ArgumentParser) -> None:
    """What to print."""
    parser.add_argument("type", nargs="?", metavar="TYPE", help="show the reference of one node type")
    parser.add_argument("--markdown", action="store_true", help="the whole reference as Markdown")
    parser.add_argument("--check", metavar="FILE", help="with --markdown: fail if FILE differs from the reference")
    add_nodes_dir(parser)


def run(args: argparse.Namespace) -> int:
    """Print the list, one section or the whole reference, or compare it with a file."""
    if args.check and not args.markdown:
        raise DnneError("--check compares the Markdown reference; write: dnne nodes --markdown --check FILE")
    registry = load_registry(args)
    if args.type:
        return _print_one(args.type, registry)
    if not args.markdown:
        print(node_table(registry))
        return 0
    text = node_markdown(registry)
    if args.check is None:
        print(text, end="")
        return 0
    path = Path(args.check)
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return 0
    print(f"error: {path} is stale; write it anew with: dnne nodes --markdown > {path}", file=sys.stderr)
    return 1


def _print_one(type_name: str, registry) -> int:  # type: ignore[no-untyped-def]
    node = registry.resolve(type_name)
    if node is None:
        print(f"error: unknown node type {type_name!r}{did_you_mean(type_name, registry.types)}", file=sys.stderr)
        return 2
    print(node_section(node))
    return 0
