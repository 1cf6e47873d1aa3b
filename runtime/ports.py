"""Port declarations: what a node takes and gives, with types, colours and documentation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Iterable, Optional, Tuple, Union


@dataclass(frozen=True)
class PortType:
    """The kind of value that travels through a port.

    Attributes:
        name: Shown in the palette, in errors and in the node reference.
        colour: ``#rrggbb`` of ports and wires of this type.
        doc: One line on what the value is.
        parent: A more general type; a value of this type fits wherever the parent is taken.
    """

    name: str
    colour: str
    doc: str
    parent: Optional[PortType] = None

    def is_a(self, other: PortType) -> bool:
        """True if this type is ``other`` or descends from it."""
        kind: Optional[PortType] = self
        while kind is not None:
            if kind == other:
                return True
            kind = kind.parent
        return False

    def fits(self, target: PortType) -> bool:
        """True if a value of this type may be wired to an input of type ``target``.

        ``Any`` fits everywhere, and a general type fits its own descendants (a plain tensor may be
        used as observations: shapes are checked apart from types).
        """
        return ANY in (self, target) or self.is_a(target) or target.is_a(self)


ANY = PortType("Any", "#9aa0a6", "Any value")
TENSOR = PortType("Tensor", "#5b8def", "A batched torch tensor. Shape: (N, ...)")
OBSERVATIONS = PortType("Observations", "#4fb3a5", "What the policy sees. Shape: (N, ...)", TENSOR)
ACTIONS = PortType("Actions", "#e08e45", "What the environment is told to do. Shape: (N, A) or (N,)", TENSOR)
REWARDS = PortType("Rewards", "#e3b341", "Reward of each environment's last step. Shape: (N,)", TENSOR)
DONES = PortType("Dones", "#d9534f", "Episode ends: terminated, truncated, final_observations")
INFO = PortType("Info", "#8d99ae", "Reward components and logged values of one step")
POLICY_OUTPUT = PortType("PolicyOutput", "#c678dd", "Actions with log-probabilities, values and distribution")
MODEL = PortType("Model", "#b07cd8", "A trainable network")
SIMULATOR = PortType("Simulator", "#6aa84f", "Handle of a running simulation")
TASK_PARAMETERS = PortType("TaskParameters", "#a3be8c", "Named difficulty settings of a task")
METRICS = PortType("Metrics", "#56b6c2", "Named numbers of one training iteration")
TRIGGER = PortType("Trigger", "#f0f0f0", "A signal that releases something")
FLOAT = PortType("Float", "#7aa2f7", "A number")
INT = PortType("Int", "#7dcfff", "A whole number", FLOAT)
STRING = PortType("String", "#9ece6a", "A text")
BOOL = PortType("Bool", "#f7768e", "True or false")

PORT_TYPES = (
    ANY, TENSOR, OBSERVATIONS, ACTIONS, REWARDS, DONES, INFO, POLICY_OUTPUT, MODEL, SIMULATOR,
    TASK_PARAMETERS, METRICS, TRIGGER, FLOAT, INT, STRING, BOOL,
)  # fmt: skip

STREAM, HELD, TRIGGERED = "stream", "held", "trigger"


KINDS = (STREAM, HELD, TRIGGERED)


def names_of(replaces: Union[str, Iterable[str]]) -> Tuple[str, ...]:
    """Earlier names as a tuple; a single text is one name (``replaces=("old")`` is one, too)."""
    return (replaces,) if isinstance(replaces, str) else tuple(replaces)


class Port:
    """What inputs and outputs share: a type, a documentation line, and the name given by the class attribute."""

    def __init__(self, type: PortType, doc: str, replaces: tuple = ()):
        self.type = type
        self.doc = doc
        self.replaces = names_of(replaces)
        self.name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name


class In(Port):
    """An input port.

    Args:
        type: What it takes.
        doc: One line; tensors give their shape.
        kind: ``stream`` (first in, first out, one value per firing), ``held`` (keeps its last value) or
            ``trigger`` (each value calls ``release`` once).
        optional: An unconnected optional port does not gate the node, and ``compute`` gets its own default.
        replaces: Earlier names of this port; files that use them still open.
    """

    def __init__(self, type: PortType, doc: str, kind: str = STREAM, optional: bool = False, replaces: tuple = ()):
        super().__init__(type, doc, replaces)
        self.kind = TRIGGERED if type == TRIGGER and kind == STREAM else kind
        self.optional = optional or self.kind == TRIGGERED


class Out(Port):
    """An output port.

    Args:
        type: What it gives.
        doc: One line; tensors give their shape.
        every: The port emits once per this many firings: a number, or the name of a parameter. ``None``
            says that the rate depends on data, so the graph cannot run as a static schedule.
        on_release: Emitted by ``release`` instead of ``compute`` while the node's trigger is connected.
        on_input: In a node that fires on any input, emitted when this input fired it; empty for every firing.
        initially: Emitted once by ``initial`` when a run starts.
        same_as: Name of an input whose type passes through (OR, Reroute, Print).
        replaces: Earlier names of this port.
    """

    def __init__(
        self,
        type: PortType,
        doc: str,
        every: object = 1,
        on_release: bool = False,
        on_input: str = "",
        initially: bool = False,
        same_as: str = "",
        replaces: tuple = (),
    ):
        super().__init__(type, doc, replaces)
        self.every = every
        self.on_release = on_release
        self.on_input = on_input
        self.initially = initially
        self.same_as = same_as
