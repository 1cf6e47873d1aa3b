"""Write the trained policy alone; its outputs are the most probable actions, the observation normaliser is inside."""

import argparse

from runtime.command.node_folders import folders_of_run, named_where_missed
from runtime.export import export_policy
from runtime.validation import build_graph
from runtime.workflow import load_workflow

from .common import add_nodes_dir, load_registry


def add_options(parser: argparse.ArgumentParser) -> None:
    """The workflow, its weights and the file."""
    parser.add_argument("file", metavar="FILE", help="workflow")
    parser.add_argument("--load-checkpoint-dir", required=True, metavar="DIR", help="checkpoints of a training")
    parser.add_argument("-o", "--output", required=True, metavar="FILE", help="file to write")
    parser.add_argument("--format", choices=("torchscript", "onnx"), help="default: by the file's ending")
    parser.add_argument("--node", metavar="NODE", help="id or title of the agent, where there are several")
    add_nodes_dir(parser)


def run(args: argparse.Namespace) -> int:
    """Export the policy."""
    with named_where_missed(folders_of_run(args.load_checkpoint_dir), args):
        graph = build_graph(load_workflow(args.file), load_registry(args))
    report = export_policy(graph, args.load_checkpoint_dir, args.output, args.format, args.node)
    print(report)
    return 0
