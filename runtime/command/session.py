"""One run with its folder, its files and its display."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Tuple, Union

from ..atomic import PathLike
from ..checkpoints import ResumeState, ResumeStore
from ..configuration.saved import config_text
from ..distributed.failures import raise_first, record_failure
from ..distributed.launcher import restart_count
from ..errors import DnneError, RunError
from ..evaluation.periodic import PeriodicEvaluation
from ..events import Sink
from ..graph import Graph, graph_to_workflow
from ..recording import (
    JsonLinesSink,
    OutputClosed,
    ProgressDisplay,
    Recorders,
    RunFolder,
    compare_run,
    describe_run,
    report_lines,
)
from ..recording.line_file import storage_errors
from ..recording.made_folders import make_folder, take_back
from ..recording.run_lock import LOCK_FILE, RunLock
from ..recording.trackers import check_trackers, open_trackers
from ..recording.video_file import video_format
from ..run import Run
from ..run.live_reports import LiveReports
from ..run.video_recorder import VideoRecorder
from ..scheduler.control import RunControl
from ..validation import Adjust
from ..workflow import Workflow, format_workflow
from .builtins_flags import publish_flags
from .commands import CommandReader, until_host_is_gone
from .configure import Configuration, configure
from .earlier import find_earlier
from .follower import FollowerDisplay
from .host import Host, HostDisplay
from .late_recorders import LateRecorders
from .node_folders import folders_of_run, given_folders, named_where_missed, recorded_folders
from .options import DEFAULT_LOG_DIR, run_settings
from .overrides import assigned
from .processes import ALONE, Team, job_id, use_launchers_name
from .signals import stop_on_signals

EXIT_FAILED, EXIT_BAD_INPUT, EXIT_OUTPUT_CLOSED = 1, 2, 141
TWICE_THERE = ("settings.seed", "settings.device", "settings.threads")
HOUSEKEEPING = (
    "timeout", "verbose", "visual", "resume_interval", "save_checkpoint_dir", "load_checkpoint_dir", "longest_episode",
)  # fmt: skip
WITHOUT_INFLUENCE = tuple(f"settings.{name}" for name in HOUSEKEEPING)
ENDS = tuple(f"settings.{name}" for name in ("total_timesteps", "iterations", "stop_reward", "patience"))

Display = Union[ProgressDisplay, HostDisplay, FollowerDisplay]


@dataclass(frozen=True)
class Source:
    """A workflow that can be built: a file with a registry, or the generated nodes of an export.

    Attributes:
        document: The workflow as a document, for its name and layout.
        build: Makes a fresh, checked graph after the given changes to its parameters.
    """

    document: Workflow
    build: Callable[[Adjust], Graph]


class Session:
    """One run with its folder, its files and its display.

    Args:
        source: The workflow.
        args: Parsed options.
        inference: Nothing is trained.
        publish: Set the flags on `builtins`, before any node is made.
        stack: Closes what the session opens.
        host: Hears and steers the run instead of a terminal.
        team: The processes of the run; only rank 0 has a folder, files and a display.
        configuration: Made of the options; to be made where it is ``None``.

    Raises:
        DnneError: The workflow, the options or the run to resume do not fit; nothing has been written yet.
    """

    def __init__(
        self,
        source: Source,
        args: argparse.Namespace,
        inference: bool,
        publish: bool,
        stack: contextlib.ExitStack,
        host: Optional[Host] = None,
        team: Team = ALONE,
        configuration: Optional[Configuration] = None,
    ):
        self.configuration = configuration or configure(args, inference, source.document.name)
        self.args, self.stack, self.host, self.team = self.configuration.args, stack, host, team
        self.communicator = team.communicator
        args = self.args
        self.source = source
        use_launchers_name(args)
        self._taken_back = contextlib.ExitStack()
        self.control = host.control if host is not None else RunControl()
        self.watchers: List[Sink] = [host.sink] if host is not None else []
        self.signals = stack.enter_context(stop_on_signals(self.control))
        self.earlier = None if inference else find_earlier(args, self.communicator, stack)
        self.resume = self.earlier.resume if self.earlier else None
        self.settings = run_settings(args, inference, self.earlier.settings() if self.earlier else None)
        self.device = self.settings.torch_device(self.communicator.local_rank)
        self._check_load_folder()
        if args.track:
            check_trackers(args.track)
        if publish:
            publish_flags(self.settings)
        with named_where_missed(self._recorded_folders(), args):
            self.graph = source.build(self.configuration.adjust)
        if self.resume is not None:
            self._keep_edits(self.resume.state["nodes"])
        self.document = graph_to_workflow(self.graph, source.document)
        settings = self.settings
        self.info = describe_run(
            self.document.name, settings.mode, settings.seed, str(self.device), settings.threads,
            settings.as_dict(), {node_id: node.parameter_values() for node_id, node in self.graph.nodes.items()},
            nodes_dirs=given_folders(args), job=job_id(),
        )  # fmt: skip
        self.over = self._counted_end(self.resume.step, self.resume.iteration) if self.resume else None
        if self.over is not None and not restart_count(os.environ):
            raise RunError(f"the run is over ({self.over}); give a larger number")

    def _check_load_folder(self) -> None:
        folder = self.settings.load_checkpoint_dir
        if folder is not None and self.communicator.rank == 0 and not Path(folder).is_dir():
            raise RunError(
                f"--load-checkpoint-dir {folder}: there is no such folder; expected node_<id>/model.pt in it, or a run"
            )

    def _recorded_folders(self) -> List[str]:
        """Folders of node files that the run was made with that is resumed, or whose weights are loaded."""
        if self.earlier is not None:
            return recorded_folders(self.earlier.info)
        folder = self.settings.load_checkpoint_dir or self.settings.pretrained_dir
        return folders_of_run(folder) if folder is not None else []

    def _keep_edits(self, saved: Dict[str, Any]) -> None:
        """Live edits of the run hold on, but for parameters that are now set on the command line."""
        given = assigned(self.graph, self.configuration.assignments)
        for node_id in saved.keys() & self.graph.nodes.keys():
            edited = saved[node_id]["edited"]
            for name in list(edited):
                if (node_id, name) in given:
                    del edited[name]
                else:
                    self.graph.nodes[node_id].set_parameter(name, edited[name])

    def _counted_end(self, step: int, iteration: int) -> Optional[str]:
        """The option whose number of steps or iterations has been done, with both numbers."""
        for option, done, wanted in (
            ("--total-timesteps", step, self.settings.total_timesteps),
            ("--iterations", iteration, self.settings.iterations),
        ):
            if wanted is not None and done >= wanted:
                return f"{option}: {done:,} of {wanted:,} are done"
        return None

    def run(self) -> int:
        """Execute; all output goes to the run folder and the display."""
        display = self._new_display()
        if self.over is not None:
            return self._end_after_restart(display)
        files = self.stack.enter_context(contextlib.ExitStack())
        try:
            if self.args.record:
                video_format(self.args.record)
            folder, sinks = self._open(display, files)
        except DnneError as error:
            if self.communicator.rank == 0:
                display.message(str(error), "error")
            files.close()
            self._take_back(display)
            return EXIT_BAD_INPUT
        run = Run(
            self.graph, self.settings, self.document.name, sinks, self.control,
            ResumeStore(folder.path) if folder else None, self.resume.state if self.resume else None,
            str(folder.path) if folder else None, self.communicator, self.resume.processes if self.resume else 1,
            new_evaluation=partial(PeriodicEvaluation, lambda: self.source.build(self.configuration.adjust)),
        )  # fmt: skip
        result, code = "failed", EXIT_FAILED
        try:
            with files:
                for watcher in self.watchers:
                    files.enter_context(LiveReports(run, watcher))
                if self.args.record and self.communicator.rank == 0:
                    files.enter_context(VideoRecorder(self.args.record, run))
                for note in filter(None, (*self.configuration.notes, self.team.note)):
                    run.context.log(note)
                for warning in self.configuration.warnings(self.graph):
                    run.context.log(warning, "warning")
                self._tell_differences(run)
                run.execute()
            result, code = ("interrupted" if run.interrupted else "finished"), self.signals.exit_code
        except OutputClosed as error:
            record_failure(error)
            code = EXIT_OUTPUT_CLOSED
        except Exception as error:
            record_failure(error)
            if display.tally.failure is None and not isinstance(error, DnneError):
                raise
            if display.tally.failure is None:
                display.message(str(error), "error")
        finally:
            if folder is not None:
                code = self._note_end(folder, result, display) or code
        if folder is not None and (self.earlier is not None or display.tally.started is not None):
            self._summarise(folder, display)
        return code

    def _end_after_restart(self, display: Display) -> int:
        """A process failed when all was done and saved: the restart finds nothing left to do."""
        folder = self.earlier.folder if self.earlier is not None else None
        if folder is not None and self.resume is not None:
            if "ended" not in folder.read_info():
                folder.finish("finished", {"steps": self.resume.step, "iterations": self.resume.iteration})
            display.message(f"the run was over already ({self.over}) when a process failed: nothing is left to do")
        return 0

    # Folder, sinks and summary

    def _open(self, display: Display, files: contextlib.ExitStack) -> Tuple[Optional[RunFolder], List[Sink]]:
        """The run's folder and sinks: on rank 0 alone; where it fails, it fails on all ranks."""
        folder, sinks, problem = None, [display], None  # type: Optional[RunFolder], List[Sink], Optional[DnneError]
        try:
            if self.communicator.rank == 0:
                folder = self._open_folder()
                sinks = self._open_sinks(folder, display, files)
        except DnneError as error:
            problem = error
        raise_first(self.communicator, problem)
        return folder, sinks

    def _open_folder(self) -> RunFolder:
        if self.earlier is not None and self.earlier.folder is not None:
            self._lock_checkpoints(self.earlier.folder)
            return self.earlier.folder
        created = RunFolder.create(self.args.log_dir or DEFAULT_LOG_DIR, self.document.name, self.args.run_name)
        folder = self.stack.enter_context(created)
        self._taken_back.callback(folder.discard)
        self._lock_checkpoints(folder)
        self._describe(folder)
        return folder

    def _lock_checkpoints(self, run_folder: RunFolder) -> None:
        """Keep other runs from saving into the same folder; the run's own folder is locked already."""
        if self.settings.save_checkpoint_dir is None or not self._saves_checkpoints():
            return
        folder = Path(self.settings.save_checkpoint_dir)
        with storage_errors(folder):
            made = make_folder(folder)
            is_locked, is_new = folder.samefile(run_folder.path), not (folder / LOCK_FILE).exists()
        self._taken_back.callback(take_back, made)
        if not is_locked:
            lock = RunLock(folder, "--save-checkpoint-dir {folder}: another run writes into this folder")
            self.stack.callback(lock.release)
            if is_new:
                self._taken_back.callback(lock.remove)

    def _saves_checkpoints(self) -> bool:
        graph = self.graph
        return not self.settings.inference and any(
            node.saves_state_of(graph.owners_of(node_id)) is not None for node_id, node in graph.nodes.items()
        )

    def _describe(self, folder: RunFolder) -> None:
        folder.write_workflow(format_workflow(self.document))
        folder.write_config(config_text(self.settings, self.graph, folder.path))
        folder.write_info(self.info)

    def _tell_differences(self, run: Run) -> None:
        """Log what differs from the run as it was when its resume state was saved, live edits included."""
        if self.resume is None or self.earlier is None or self.communicator.rank:
            return
        then = {**self.earlier.info, "parameters": self.resume.meta["parameters"]}
        warned = compare_run(then, self.info, TWICE_THERE + WITHOUT_INFLUENCE + ENDS)
        for line in compare_run(then, self.info, TWICE_THERE + WITHOUT_INFLUENCE):
            if line in warned:
                run.context.log(f"resumed, but {self._with_title(line)}", "warning")
            else:
                run.context.log(f"resumed; {line}")
        file = getattr(self.args, "file", None)
        if file is not None and self.host is None and any(line.startswith("parameters.") for line in warned):
            run.context.log(f"leave out {file} to keep the values of the run")

    def _with_title(self, difference: str) -> str:
        """A difference of a parameter with its node's title: ``Trainer (6).gamma was …``."""
        for node_id, node in self.graph.nodes.items():
            start = f"parameters.{node_id}."
            if difference.startswith(start):
                return f"{node.label} ({node_id}).{difference[len(start) :]}"
        return difference

    def _new_display(self) -> Display:
        settings = self.settings
        if self.host is not None:
            return HostDisplay(self.host.sink)
        if self.communicator.rank:
            return FollowerDisplay(self.communicator.rank)
        return ProgressDisplay(
            sys.stderr, settings.total_timesteps, settings.iterations, settings.timeout, settings.verbose
        )

    def _open_sinks(self, folder: RunFolder, display: Display, files: contextlib.ExitStack) -> List[Sink]:
        resume = self.resume
        sinks: List[Sink] = [self._guarded(display)]
        if self.host is not None:
            sinks.append(self.host.sink)
        if self.args.commands:
            CommandReader(self.control, lambda text: display.message(text, "error"))
        if resume is None:
            sinks.append(files.enter_context(folder.recorders()))
        else:
            late = LateRecorders(lambda: self._begin_again(folder, resume))
            sinks.append(files.enter_context(contextlib.closing(late)))
        if self.args.track:
            for tracker in open_trackers(self.args.track, folder.path, self.settings.as_dict(), self.graph):
                sinks.append(files.enter_context(contextlib.closing(tracker)))
        if self.args.events:
            target = sys.stdout if self.args.events == "-" else self.args.events
            events = files.enter_context(contextlib.closing(JsonLinesSink(target)))
            sinks.append(self._guarded(events))
            if self.args.commands:
                self.watchers.append(sinks[-1])
        return sinks

    def _guarded(self, sink: Sink) -> Sink:
        return until_host_is_gone(sink, self.control) if self.args.commands else sink

    def _begin_again(self, folder: RunFolder, resume: ResumeState) -> Recorders:
        self._describe(folder)
        return folder.recorders(resume.iteration, resume.step)

    def _take_back(self, display: Display) -> int:
        """Remove the files and folders of a new run that has not begun; the exit code where that cannot be done."""
        try:
            self._taken_back.close()
        except DnneError as error:
            display.message(str(error), "error")
            return EXIT_FAILED
        return 0

    def _note_end(self, folder: RunFolder, result: str, display: Display) -> int:
        if display.tally.started is None:
            return self._take_back(display)
        try:
            folder.finish(result, display.tally.as_dict())
        except DnneError as error:
            display.message(str(error), "error")
            return EXIT_FAILED
        return 0

    def _summarise(self, folder: RunFolder, display: Display) -> None:
        tally = display.tally
        places: Dict[str, PathLike] = {"run folder": folder.path}
        if not self.settings.inference:
            if self.settings.save_checkpoint_dir:
                places["checkpoints"] = self.settings.save_checkpoint_dir
            elif display.tally.failure is None:
                places["checkpoints"] = "none were saved; --save-checkpoint-dir DIR or --save-interval N saves them"
            if self._counted_end(tally.step, tally.iteration) is None and ResumeStore(folder.path).entries():
                places["to go on"] = f"--resume {folder.path}"
        display.summarise(places)
        if self.args.test_mode:
            display.message("\n".join(["", *report_lines(display.tally, self.device)]))
