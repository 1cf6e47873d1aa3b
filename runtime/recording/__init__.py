"""What is kept and shown of a run: sinks of events for files, TensorBoard and people, and the folder of a run."""

from .csv_metrics import CsvMetrics, read_metrics
from .json_lines import JsonLinesSink, read_records
from .progress import ProgressDisplay
from .report import report_lines
from .run_description import compare_run, describe_run, git_state
from .run_folder import Recorders, RunFolder
from .tally import RunTally, summary_lines
from .tensorboard_writer import TensorBoardWriter
from .text_output import OutputClosed

__all__ = [
    "CsvMetrics",
    "JsonLinesSink",
    "OutputClosed",
    "ProgressDisplay",
    "Recorders",
    "RunFolder",
    "RunTally",
    "TensorBoardWriter",
    "compare_run",
    "describe_run",
    "git_state",
    "read_metrics",
    "read_records",
    "report_lines",
    "summary_lines",
]
