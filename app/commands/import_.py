"""Read a workflow of the earlier DNNE or of ComfyUI, and list all that could not be mapped."""

import argparse
import sys
from pathlib import Path

from runtime.errors import WorkflowError
from runtime.importing import import_workflow
from runtime.workflow import save_workflow


def add_options(parser: argparse.ArgumentParser) -> None:
    """Source and target."""
    parser.add_argument("file", metavar="FILE", help="workflow of the earlier DNNE")
    parser.add_argument("-o", "--output", metavar="FILE", help="where to write it (default: FILE with -dnne.json)")
    parser.add_argument("--force", action="store_true", help="write over an existing file")


def run(args: argparse.Namespace) -> int:
    """Import, write, and list what could not be mapped."""
    source = Path(args.file)
    target = Path(args.output) if args.output else source.with_name(source.stem + "-dnne.json")
    if target.exists() and not args.force:
        raise WorkflowError(f"{target} exists; give another -o FILE, or --force to write over it")
    try:
        text = source.read_text(encoding="utf-8")
    except OSError as error:
        raise WorkflowError(f"cannot read {source}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise WorkflowError(f"{source} is not UTF-8 text (byte {error.start})") from error
    result = import_workflow(text, source.stem)
    save_workflow(result.workflow, target)
    for note in result.notes:
        print(f"note: {note.text}", file=sys.stderr)
    print(f"wrote {target}: {len(result.workflow.nodes)} nodes, {len(result.notes)} notes")
    return 0
