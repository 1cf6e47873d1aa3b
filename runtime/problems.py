"""What is wrong with a workflow: where, what, and what would be right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import List

from .errors import WorkflowError

ERROR, WARNING = "error", "warning"


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong.

    Attributes:
        node_id: The node, or empty for the workflow as a whole.
        port: The port or parameter, or empty.
        message: What is wrong.
        remedy: What would be right.
        severity: ``error`` (the workflow cannot run) or ``warning``.
        label: The node's title.
    """

    node_id: str
    port: str
    message: str
    remedy: str = ""
    severity: str = ERROR
    label: str = ""

    @property
    def text(self) -> str:
        """One line for the terminal."""
        name = f"node {self.node_id}" + (f" ({self.label})" if self.label else "") if self.node_id else "workflow"
        where = name + (f", {self.port}" if self.port else "")
        return f"{where}: {self.message}" + (f"; {self.remedy}" if self.remedy else "")


class InvalidWorkflow(WorkflowError):
    """A workflow cannot run; ``problems`` lists all reasons."""

    def __init__(self, problems: List[Problem]):
        self.problems = problems
        errors = [problem for problem in problems if problem.severity == ERROR]
        count = "1 problem" if len(errors) == 1 else f"{len(errors)} problems"
        super().__init__(f"{count} in the workflow:\n" + "\n".join(f"  {problem.text}" for problem in errors))


def require_valid(problems: List[Problem]) -> None:
    """Raise `InvalidWorkflow` if there is an error among the problems."""
    if any(problem.severity == ERROR for problem in problems):
        raise InvalidWorkflow(problems)
