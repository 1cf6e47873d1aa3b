"""From parsed options to a finished run and its exit code."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Sequence

from ..checkpoints import ResumeStore
from ..errors import DnneError, RunError
from ..events import Sink
from ..graph import Graph, graph_to_workflow
from ..recording import (
    JsonLinesSink,
    OutputClosed,
    ProgressDisplay,
    RunFolder,
    compare_run,
    report_lines,
    describe_run,
)
from ..run import Run
from ..scheduler.control import RunControl
from ..validation import Adjust, Problem, check_graph, require_valid
from ..workflow import Workflow, format_workflow, load_workflow
from .builtins_flags import publish_flags
from .options import DEFAULT_LOG_DIR, add_inference_options, add_run_options, add_training_options, run_settings
from .overrides import apply_overrides
from .signals import SignalState, stop_on_signals

EXIT_FAILED, EXIT_BAD_INPUT, EXIT_OUTPUT_CLOSED = 1, 2, 141
NOT_COMPARED = tuple(
    f"settings.{name}"
    for name in ("timeout", "total_timesteps", "iterations", "verbose", "visual", "resume_interval", "save_checkpoint_dir")
)


@dataclass(frozen=True)
class Source:
    """A workflow that can be built: a file with a registry, or the generated nodes of an export.

    Attributes:
        document: The workflow as a document, for its name and layout.
        build: Makes a fresh, checked graph after the given changes to its parameters.
    """

    document: Workflow
    build: Callable[[Adjust], Graph]


def run_command(source: Source, args: argparse.Namespace, inference: bool, publish: bool = False) -> int:
    """Run a workflow as the options say and return the exit code: 0, 1 (failed), 2 (bad input), 130 or 143."""
    try:
        session = Session(source, args, inference)
    except DnneError as error:
        return bad_input(error)
    if publish:
        publish_flags(session.settings)
    return session.run()


def bad_input(error: BaseException) -> int:
    """Print an error on standard error; the exit code of bad input."""
    print(f"error: {error}", file=sys.stderr)
    return EXIT_BAD_INPUT


class Session:
    """One run with its folder, its files and its display.

    Raises:
        DnneError: The workflow, the options or the run to resume do not fit; nothing has been written yet.
    """

    def __init__(self, source: Source, args: argparse.Namespace, inference: bool):
        self.args = args
        self.earlier = RunFolder.open(args.resume) if getattr(args, "resume", None) else None
        self.earlier_info: Dict[str, Any] = self.earlier.read_info() if self.earlier else {}
        self.settings = run_settings(args, inference, self.earlier_info.get("settings"))
        self.device = self.settings.torch_device()
        self._check_load_folder()
        self.graph = source.build(lambda graph: _adjust(graph, args))
        self.document = graph_to_workflow(self.graph, source.document)
        self.resume = ResumeStore(self.earlier.path).latest() if self.earlier else None
        if self.resume is not None:
            self._check_not_over(self.resume.step, self.resume.iteration)
        self.control = RunControl()

    def _check_load_folder(self) -> None:
        folder = self.settings.load_checkpoint_dir
        if folder is not None and not Path(folder).is_dir():
            raise RunError(f"--load-checkpoint-dir {folder}: there is no such folder; expected one with node_<id>/model.pt")

    def _check_not_over(self, step: int, iteration: int) -> None:
        for option, done in (("total_timesteps", step), ("iterations", iteration)):
            wanted = getattr(self.settings, option)
            if wanted is not None and done >= wanted:
                flag = "--" + option.replace("_", "-")
                raise RunError(f"the run is over: it has done {done} of {wanted} ({flag}); give a larger {flag}")

    def run(self) -> int:
        """Execute; all output goes to the run folder and the display."""
        with contextlib.ExitStack() as stack:
            try:
                folder = stack.enter_context(self._open_folder())
                display = self._new_display()
                sinks = self._open_sinks(folder, display, stack)
            except DnneError as error:
                return bad_input(error)
            signals = stack.enter_context(stop_on_signals(self.control))
            return self._execute(folder, display, sinks, signals)

    def _execute(self, folder: RunFolder, display: ProgressDisplay, sinks: List[Sink], signals: SignalState) -> int:
        run = Run(
            self.graph, self.settings, self.document.name, sinks, self.control,
            ResumeStore(folder.path), self.resume.state if self.resume else None, str(folder.path),
        )  # fmt: skip
        result = "failed"
        try:
            for line in self._differences(folder):
                display.message(f"resumed, but {line}", "warning")
            run.execute()
            result = "interrupted" if signals.received else "finished"
        except OutputClosed:
            return EXIT_OUTPUT_CLOSED
        except DnneError:
            return signals.exit_code or EXIT_FAILED
        finally:
            folder.finish(result, display.tally.as_dict())
            display.close()
        self._summarise(folder, display)
        return signals.exit_code

    # Folder, sinks and summary

    def _open_folder(self) -> RunFolder:
        folder = self.earlier
        if folder is None:
            folder = RunFolder.create(self.args.log_dir or DEFAULT_LOG_DIR, self.document.name, self.args.run_name)
            folder.write_workflow(format_workflow(self.document))
        settings = self.settings
        parameters = {node_id: node.parameter_values() for node_id, node in self.graph.nodes.items()}
        folder.write_info(
            describe_run(
                self.document.name, settings.mode, settings.seed, str(self.device), settings.threads,
                settings.as_dict(), parameters,
            )
        )  # fmt: skip
        return folder

    def _differences(self, folder: RunFolder) -> List[str]:
        if self.earlier is None:
            return []
        return compare_run(self.earlier_info, folder.read_info(), NOT_COMPARED)

    def _new_display(self) -> ProgressDisplay:
        settings = self.settings
        return ProgressDisplay(
            sys.stderr, settings.total_timesteps, settings.iterations, settings.timeout, settings.verbose
        )

    def _open_sinks(self, folder: RunFolder, display: ProgressDisplay, stack: contextlib.ExitStack) -> List[Sink]:
        if self.resume is None:
            recorders = folder.recorders()
        else:
            recorders = folder.recorders(self.resume.iteration, self.resume.step)
        sinks: List[Sink] = [display, stack.enter_context(recorders)]
        if self.args.events:
            target = sys.stdout if self.args.events == "-" else self.args.events
            sinks.append(stack.enter_context(contextlib.closing(JsonLinesSink(target))))
        return sinks

    def _summarise(self, folder: RunFolder, display: ProgressDisplay) -> None:
        places = {"run folder": folder.path}
        if self.settings.save_checkpoint_dir and not self.settings.inference:
            places["checkpoints"] = Path(self.settings.save_checkpoint_dir)
        display.summarise(places)
        if self.args.test_mode:
            display.message("\n".join(["", *report_lines(display.tally, self.device)]))


def _adjust(graph: Graph, args: argparse.Namespace) -> List[Problem]:
    return apply_overrides(graph, args.assignments, args.num_envs)


# Exported runners


def main_runner(build: Callable[[], Graph], folder: Path, argv: Optional[Sequence[str]] = None) -> int:
    """The command line of an exported ``runner.py``.

    Args:
        build: Makes the graph from the generated node classes.
        folder: The export, with ``workflow.json``.
        argv: Arguments; those of the process by default.
    """
    parser = argparse.ArgumentParser(prog="runner.py", description=f"Runs the exported workflow in {folder}.")
    parser.add_argument("--inference", action="store_true", help="run the trained policy; nothing is trained")
    add_run_options(parser)
    add_training_options(parser)
    add_inference_options(parser)
    args = parser.parse_args(argv)
    _refuse_several_processes(parser)
    if args.inference and args.resume:
        parser.error("--resume is for training; inference takes --load-checkpoint-dir")
    try:
        document = load_workflow(folder / "workflow.json")
        return run_command(Source(document, lambda adjust: _built(build, adjust)), args, args.inference, publish=True)
    except DnneError as error:
        return bad_input(error)


def _built(build: Callable[[], Graph], adjust: Adjust) -> Graph:
    graph = build()
    problems = adjust(graph)
    require_valid(problems or check_graph(graph))
    return graph


def _refuse_several_processes(parser: argparse.ArgumentParser) -> None:
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        parser.error(
            f"WORLD_SIZE is {os.environ['WORLD_SIZE']}, but this version trains in one process; start one process, "
            "for example with torchrun --nproc_per_node 1"
        )
