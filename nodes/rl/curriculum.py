"""Makes a task harder as training goes on."""

import math
from typing import Any, Dict, Iterable, List

from runtime.node import Finding, Node
from runtime.parameters import param
from runtime.ports import METRICS, TASK_PARAMETERS, In, Out
from runtime.specs import Spec


class CurriculumNode(Node):
    """Moves task parameters from their first to their last value between two points of training.

    Progress is counted in environment steps, so that a resumed run goes on where it was. The values act at each
    environment's next reset. Wire ``task_parameters`` to Step, and to Env if the first episodes shall have them too.
    """

    title, category = "Curriculum", "RL"
    metrics = In(METRICS, "The trainer's metrics: one schedule step per iteration")
    task_parameters = Out(TASK_PARAMETERS, "Present value of each parameter", initially=True)

    parameters_over_training: Dict[str, List[float]] = param(
        {"start_position_range": [0.02, 0.1]}, doc="[first, last] value of task parameters by name"
    )
    shape: str = param("linear", choices=("linear", "cosine", "stairs"), doc="How a value goes from first to last")
    stairs: int = param(5, low=1, high=1000, doc="Number of stairs where the shape is stairs")
    start_step: int = param(0, low=0, unit="steps", doc="Environment steps until which the first values hold")
    end_step: int = param(200_000, low=1, unit="steps", doc="Environment steps from which on the last values hold")

    def check(self, inputs: Dict[str, Spec]) -> Iterable[Finding]:
        """Ranges are pairs, and the end is after the start."""
        for name, values in self.parameters_over_training.items():
            if len(values) != 2:
                yield "parameters_over_training", f"{name!r} has {len(values)} values", "give [first, last]"
        if self.end_step <= self.start_step:
            yield "end_step", f"{self.end_step} is not after start_step {self.start_step}", "let it be larger"
        if not self.parameters_over_training:
            yield "parameters_over_training", "it names no task parameter", "give some by name, or remove the node"

    def infer(self, inputs: Dict[str, Spec]) -> Dict[str, Spec]:
        """A dictionary of numbers, by the names of the schedules."""
        return {"task_parameters": Spec(keys=tuple(self.parameters_over_training))}

    def initial(self) -> Dict[str, Any]:
        """The first values."""
        return {"task_parameters": self.values()}

    def compute(self, metrics: Dict[str, float]) -> Dict[str, Any]:
        """The values of the present progress."""
        return {"task_parameters": self.values()}

    def values(self) -> Dict[str, float]:
        """Each parameter at the present number of environment steps."""
        share = self.share(self.context.progress.environment_steps)
        return {name: first + share * (last - first) for name, (first, last) in self.parameters_over_training.items()}

    def share(self, environment_steps: int) -> float:
        """How far the schedule is, in [0, 1]."""
        linear = (environment_steps - self.start_step) / (self.end_step - self.start_step)
        linear = min(1.0, max(0.0, linear))
        if self.shape == "cosine":
            return 0.5 - 0.5 * math.cos(math.pi * linear)
        if self.shape == "stairs":
            return math.floor(linear * self.stairs) / self.stairs
        return linear

    def collect_metrics(self) -> Dict[str, float]:
        """curriculum/<name>: the value now in force for new episodes."""
        return {f"curriculum/{name}": value for name, value in self.values().items()}
