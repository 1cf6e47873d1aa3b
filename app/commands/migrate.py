"""Turn a command line of the earlier training scripts, with its configuration, into ours.

Example: dnne migrate --workflow cartpole.json run_ddp.py --model depth --suffix try1
"""

import argparse
import shlex
import sys
from pathlib import Path
from typing import Any, Dict, List

from runtime.atomic import write_bytes, write_text
from runtime.errors import DnneError

from ..migration import WRAPPED, MigrationError, migrate, take_apart, workflow_graph, wrapper_text


def add_options(parser: argparse.ArgumentParser) -> None:
    """The old command, and what to write."""
    parser.add_argument("--workflow", metavar="FILE", help="workflow to train (default: MODEL.json of --model MODEL)")
    parser.add_argument("--folder", default=".", metavar="DIR", help="where the old scripts lie (default: here)")
    parser.add_argument("-o", "--output", metavar="FILE", help="new configuration (default: NAME-dnne.yaml)")
    parser.add_argument("--backup", action="store_true", help="keep a copy FILE.bak of every file that is replaced")
    parser.add_argument(
        "--create-wrappers",
        action="store_true",
        help="write run.py and run_ddp.py that call ours",
    )
    parser.add_argument("--force", action="store_true", help="replace files without a copy")
    parser.add_argument(
        "old", nargs=argparse.REMAINDER, metavar="COMMAND", help="the old command, such as run.py --config-name X"
    )


def run(args: argparse.Namespace) -> int:
    """Print the new command line, and write what was asked for."""
    if not args.old and not args.create_wrappers:
        raise MigrationError("which command? Give it at the end: dnne migrate --workflow FILE run.py --config-name X")
    folder = Path(args.folder)
    old = take_apart(args.old) if args.old else None
    workflow = _workflow(args, old, folder)
    texts: Dict[Path, str] = {}
    if args.create_wrappers:
        texts = {folder / script: wrapper_text(script, str(Path(workflow).resolve())) for script in WRAPPED}
    migration = migrate(old, workflow_graph(workflow), folder) if old is not None else None
    config_file = None
    if old is not None and migration is not None and migration.config:
        name = Path(old.options["config-name"]).with_suffix("").name
        config_file = args.output or str(folder / f"{name}-dnne.yaml")
        texts[Path(config_file)] = _yaml(migration.config, migration.notes)
    elif args.output:
        raise MigrationError(f"-o {args.output}: the command has no configuration with keys that are kept")
    for path in texts:
        _check_free(path, args)
    for path, text in texts.items():
        _write(path, text, args)
    if migration is not None:
        for note in migration.notes:
            print(f"note: {note}", file=sys.stderr)
        print(shlex.join(["dnne", *migration.command(workflow, config_file)]))
    return 0


def _workflow(args: argparse.Namespace, old: Any, folder: Path) -> str:
    if args.workflow is not None:
        return str(args.workflow)
    model = old.options.get("model") if old is not None else None
    if model is not None and (folder / f"{model}.json").is_file():
        return str(folder / f"{model}.json")
    tried = f" ({folder / model}.json does not exist)" if model is not None else ""
    raise MigrationError(f"which workflow is to be trained? Give --workflow FILE{tried}")


def _check_free(path: Path, args: argparse.Namespace) -> None:
    if path.exists() and not args.backup and not args.force:
        raise MigrationError(f"{path} exists; --backup keeps a copy of it, --force does not")
    if path.exists() and args.backup and _copy(path).exists():
        raise MigrationError(f"{_copy(path)} exists already; move it away first")


def _copy(path: Path) -> Path:
    return path.with_name(path.name + ".bak")


def _write(path: Path, text: str, args: argparse.Namespace) -> None:
    if path.exists() and args.backup:
        write_bytes(_copy(path), path.read_bytes())
        print(f"kept {_copy(path)}", file=sys.stderr)
    write_text(path, text)
    print(f"wrote {path}", file=sys.stderr)


def _yaml(config: Dict[str, Any], notes: List[str]) -> str:
    try:
        from omegaconf import OmegaConf
    except ImportError as error:
        raise DnneError("configurations are written with OmegaConf: pip install omegaconf") from error
    nested: Dict[str, Any] = {}
    for key, value in config.items():
        group, _, name = key.rpartition(".")
        if group:
            nested.setdefault(group, {})[name] = value
        else:
            nested[key] = value
    comments = "".join(f"# {note}\n" for note in notes)
    return f"# Written by dnne migrate.\n{comments}{OmegaConf.to_yaml(OmegaConf.create(nested))}"
