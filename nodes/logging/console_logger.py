"""Writes metrics to the log."""

from fnmatch import fnmatch
from typing import Dict, List

from runtime.node import Node
from runtime.parameters import param
from runtime.ports import METRICS, In


class ConsoleLoggerNode(Node):
    """Writes a line with chosen metrics to the run's log, every n-th iteration."""

    title, category = "Console Logger", "Logging"
    metrics = In(METRICS, "Metrics of an iteration")

    names: List[str] = param(
        ["episode/mean_reward", "train/policy_loss", "train/value_loss", "train/approx_kl"],
        doc="Patterns of the metrics to show, such as train/*", live=True,
    )  # fmt: skip
    every: int = param(10, low=1, high=1_000_000, unit="iterations", doc="Iterations between two lines", live=True)

    def compute(self, metrics: Dict[str, float]) -> None:
        """Log the chosen ones where it is time."""
        progress = self.context.progress
        if progress.iterations % self.every:
            return
        chosen = {name: value for name, value in metrics.items() if any(fnmatch(name, p) for p in self.names)}
        text = "  ".join(f"{name} {value:.5g}" for name, value in chosen.items())
        self.context.log(f"iteration {progress.iterations}, step {progress.environment_steps}: {text}", node_id=self.id)
