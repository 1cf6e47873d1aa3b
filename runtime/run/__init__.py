"""One run of a workflow: its settings, its limits, its saved state, and the run itself."""

from .run import Run, RunResult
from .settings import RunSettings

__all__ = ["Run", "RunResult", "RunSettings"]
