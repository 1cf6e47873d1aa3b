"""What nodes share that transform observations between the environment and the agent.

Such a node takes ``observations`` and ``dones`` and transforms final observations like the others, so that the value
of the true successor state is computed on what the policy would have seen.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Callable, Dict, Iterable

from .errors import DnneError
from .node import Finding, Node
from .specs import Shape, Spec


def transformed_specs(
    node: Node, inputs: Dict[str, Spec], prefix: str, shape: Callable[[Shape], Shape]
) -> Dict[str, Spec]:
    """Specs of ``<prefix>`` and ``<prefix>_dones``, with the transform's name added to both."""
    name = f"{type(node).__name__} {node.id}"
    specs = {}
    for port, output in (("observations", prefix), ("dones", f"{prefix}_dones")):
        if port in inputs:
            spec = inputs[port]
            new_shape = shape(spec.shape) if port == "observations" and spec.shape else spec.shape
            specs[output] = replace(spec, shape=new_shape, transformed=spec.transformed + (name,))
    return specs


def check_transform(node: Node, inputs: Dict[str, Spec]) -> Iterable[Finding]:
    """Both inputs are wired, and have gone through the same transforms so far."""
    for port in ("observations", "dones"):
        if port not in inputs:
            yield port, "the input is not connected", "a transform takes observations and dones"
    if "observations" in inputs and "dones" in inputs:
        yield from check_alike(inputs["observations"], inputs["dones"], "dones")


def check_alike(observations: Spec, dones: Spec, port: str) -> Iterable[Finding]:
    """Final observations must have gone through the transforms of the observations."""
    if observations.transformed != dones.transformed:
        yield (
            port,
            f"the observations went through {names_of(observations)}, the final observations in dones through "
            f"{names_of(dones)}",
            "lead dones through the same transforms",
        )


def names_of(spec: Spec) -> str:
    """The transforms that a value went through, in words."""
    return ", ".join(spec.transformed) or "no transform"


def pair_error(node: Node) -> DnneError:
    """Observations and dones did not come in turn."""
    return DnneError(
        f"{node.label}: observations and dones did not arrive in turn; wire both from the same Step "
        "(observations through the OR node, dones directly)"
    )
