"""The OR node: lets the first observations in and then those that come round."""

from typing import Any, Dict, Iterable

from runtime.node import ANY_INPUT, Finding, Node
from runtime.ports import ANY, In, Out
from runtime.specs import Spec, shapes_agree
from runtime.transforms import names_of


class ORNode(Node):
    """Passes on whatever arrives at any input, lowest port first, and drops nothing."""

    title, category = "OR", "Control"
    fires_on = ANY_INPUT
    input_a = In(ANY, "First choice: the environment's first observations", optional=True)
    input_b = In(ANY, "Second choice: the observations that come round", optional=True)
    input_c = In(ANY, "Third choice", optional=True)
    input_d = In(ANY, "Fourth choice", optional=True)
    output = Out(ANY, "The value that arrived", same_as="input_a")

    def infer(self, inputs: Dict[str, Spec]) -> Dict[str, Spec]:
        """The spec that the inputs share: what differs between them is unknown."""
        known = [spec for spec in inputs.values() if spec != Spec()]
        return {"output": known[0]} if known else {}

    def check(self, inputs: Dict[str, Spec]) -> Iterable[Finding]:
        """All inputs carry the same shape and have gone through the same transforms."""
        known = [(name, spec) for name, spec in inputs.items() if spec != Spec()]
        for name, spec in known[1:]:
            first_name, first = known[0]
            if not shapes_agree(spec.shape, first.shape):
                yield name, f"it is {spec.text}, but {first_name} is {first.text}", "join values of one shape"
            elif spec.transformed != first.transformed:
                yield (
                    name,
                    f"it went through {names_of(spec)}, but {first_name} went through {names_of(first)}",
                    "transform both alike, for example between this node and the agent",
                )

    def compute(self, **inputs: Any) -> Dict[str, Any]:
        """The one value that arrived."""
        (value,) = inputs.values()
        return {"output": value}
