"""Writes metrics to files of its own."""

from fnmatch import fnmatch
from pathlib import Path
from typing import Any, Dict, Iterable, List

from runtime.errors import DnneError
from runtime.events import Metrics
from runtime.node import Finding, Node
from runtime.parameters import param
from runtime.ports import METRICS, In
from runtime.recording import CsvMetrics, JsonLinesSink, TensorBoardWriter, csv_metrics, json_lines
from runtime.specs import Spec


class MetricsLoggerNode(Node):
    """Writes chosen metrics to TensorBoard, CSV and JSON lines, in a folder of its own.

    Every run records all metrics in its run folder anyway; this node is for a selection, or for another place.
    """

    title, category = "Metrics Logger", "Logging"
    metrics = In(METRICS, "Metrics of an iteration")

    names: List[str] = param(["*"], doc="Patterns of the metrics to write, such as train/*")
    folder: str = param("", widget="folder", doc="Where to write, without metrics yet; empty for one in the run folder")
    tensorboard: bool = param(True, doc="Write a TensorBoard log")
    csv: bool = param(True, doc="Write metrics.csv")
    json_lines: bool = param(False, doc="Write metrics.jsonl")

    def check(self, inputs: Dict[str, Spec]) -> Iterable[Finding]:
        """Something is written."""
        if not (self.tensorboard or self.csv or self.json_lines):
            yield "tensorboard", "no format is chosen", "switch on tensorboard, csv or json_lines"
        if not self.names:
            yield "names", "no metric is chosen", 'give patterns, such as ["*"]'

    def setup(self) -> None:
        """Nothing is opened before the first metrics."""
        self.sinks: List[Any] = []

    def compute(self, metrics: Dict[str, float]) -> None:
        """Write the chosen ones, on rank 0; a resumed run first drops what was written from this iteration on.

        Raises:
            DnneError: the given folder holds metrics of another run or node, or there is no folder.
            StorageError: a file cannot be created, cut or written.
        """
        if self.context.rank:
            return
        if not self.sinks:
            self.sinks = self._open()
        chosen = {name: value for name, value in metrics.items() if any(fnmatch(name, p) for p in self.names)}
        progress = self.context.progress
        event = Metrics(self.context.elapsed, progress.environment_steps, progress.iterations, chosen)
        for sink in self.sinks:
            sink(event)

    def _open(self) -> List[Any]:
        context, folder = self.context, self._folder()
        table, lines = folder / "metrics.csv", folder / "metrics.jsonl"
        if context.resumed:
            before = context.progress.iterations - 1
            csv_metrics.truncate_after(table, before)
            json_lines.truncate_after(lines, before)
        elif self.folder:
            self._refuse_overwriting(table, lines)
        sinks: List[Any] = []
        if self.csv:
            sinks.append(CsvMetrics(table, append=context.resumed))
        if self.json_lines:
            sinks.append(JsonLinesSink(lines, append=context.resumed))
        if self.tensorboard:
            sinks.append(TensorBoardWriter(folder, context.steps_at_start + 1 if context.resumed else None))
        return sinks

    def _refuse_overwriting(self, *files: Path) -> None:
        for file in files:
            if file.exists():
                raise DnneError(
                    f"{self.label}: {file.parent} holds {file.name} already, of another run or another node; "
                    "choose another folder, or move the file away"
                )

    def _folder(self) -> Path:
        if self.folder:
            return Path(self.folder)
        if self.context.run_dir is None:
            raise DnneError(f"{self.label}: this run has no run folder; give a folder")
        return Path(self.context.run_dir) / f"metrics_node_{self.id}"

    def close(self) -> None:
        """Close the files."""
        for sink in getattr(self, "sinks", []):
            sink.close()
