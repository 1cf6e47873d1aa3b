"""The node API: a class with typed ports, parameters and behaviour.

Example::

    class GaeNode(Node):
        \"\"\"Generalised advantage estimation. Schulman et al. 2016, arXiv:1506.02438, eq. 16.\"\"\"
        title, category = "GAE", "RL"
        rewards = In(REWARDS, "r_t. Shape: (N,)")
        advantages = Out(TENSOR, "A_t. Shape: (T, N)", every="horizon_length")
        gamma: float = param(0.99, low=0.0, high=1.0, doc="Discount per step")
        def compute(self, rewards): ...
"""

from __future__ import annotations

import inspect
import sys
import typing
from typing import TYPE_CHECKING, Any, ClassVar, Dict, FrozenSet, Iterable, List, Mapping, Optional, Sequence, Tuple

from .context import RunContext
from .distributed.metrics import mean_metrics
from .errors import NodeDefinitionError, ParameterError
from .node_definition import ALL as ALL
from .node_definition import ANY_INPUT as ANY_INPUT
from .node_definition import definition_problems
from .parameters import Parameter
from .ports import HELD, STREAM, In, Out, names_of
from .specs import Spec
from .suggest import did_you_mean

if TYPE_CHECKING:
    import torch

    from .simulators.interface import ViewerState

Finding = Tuple[str, str, str]


class Node:
    """Base class of every node type.

    A subclass declares ports (`In`, `Out`) and parameters (`param`) as class attributes and writes ``compute``.
    The class is checked when it is created; a mistake raises `NodeDefinitionError`.

    Class attributes:
        type_name: Name in workflow files; the class's own unless it says otherwise (an export's ``PPOTrainerNode_6``).
        title: Name in the palette.
        category: Palette section, ``"RL"`` or ``"RL/Rewards"``.
        replaces: Earlier class names; files that use them open as this type.
        single: A workflow has one node of this type at most (it counts the run's steps or iterations).
        fires_on: ``"all"`` connected inputs, or ``"any"`` one of them (lowest port first).

    Attributes:
        id: The node's id in its workflow; kept for ever.
        label: The title given in the workflow.
        context: The run that this node takes part in.
        connected: Names of its wired ports.
        input_specs: What is known of the inputs before the run.
        edited: Live parameters that were changed during the run, with their values.
    """

    type_name: ClassVar[str] = ""
    title: ClassVar[str] = ""
    category: ClassVar[str] = "Other"
    replaces: ClassVar[Tuple[str, ...]] = ()
    fires_on: ClassVar[str] = ALL
    single: ClassVar[bool] = False
    inputs: ClassVar[Dict[str, In]] = {}
    outputs: ClassVar[Dict[str, Out]] = {}
    parameters: ClassVar[Dict[str, Parameter]] = {}

    def __init_subclass__(cls, **options: Any):
        super().__init_subclass__(**options)
        cls.inputs, cls.outputs = dict(cls.inputs), dict(cls.outputs)
        cls.type_name = vars(cls).get("type_name", cls.__name__)
        cls.replaces = names_of(vars(cls).get("replaces", ()))
        cls.parameters = _collect_parameters(cls)
        for name, port in vars(cls).items():
            if isinstance(port, In):
                cls.inputs[name] = port
            elif isinstance(port, Out):
                cls.outputs[name] = port
        problems = list(definition_problems(cls, Node))
        if problems:
            raise NodeDefinitionError(f"Node type {cls.__name__} is not well declared: " + "; ".join(problems))

    def __init__(self, id: str, values: Optional[Mapping[str, Any]] = None, label: str = ""):
        """Take the parameter values of one instance.

        Raises:
            ParameterError: An unknown parameter, a wrong type or a value out of range.
        """
        self.id = id
        self.label = label or self.title
        self.connected: FrozenSet[str] = frozenset()
        self.input_specs: Dict[str, Spec] = {}
        self.context: RunContext = None  # type: ignore[assignment]
        self._generator: Optional[torch.Generator] = None
        self.edited: Dict[str, Any] = {}
        for name, declared in self.parameters.items():
            setattr(self, name, declared.check(declared.default))
        for name, value in (values or {}).items():
            self.set_parameter(name, value)

    def set_parameter(self, name: str, value: Any) -> None:
        """Set one parameter to a checked value."""
        if name not in self.parameters:
            hint = did_you_mean(name, self.parameters)
            raise ParameterError(f"{type(self).__name__} has no parameter {name!r}{hint}")
        setattr(self, name, self.parameters[name].check(value))

    def parameter_values(self) -> Dict[str, Any]:
        """Every parameter with its present value."""
        return {name: getattr(self, name) for name in self.parameters}

    # Before a run

    def infer(self, inputs: Dict[str, Spec]) -> Dict[str, Spec]:
        """Specs of the outputs, from the specs of the inputs. Called without a run: no tensors, no simulator."""
        return {}

    def check(self, inputs: Dict[str, Spec]) -> Iterable[Finding]:
        """What is wrong with this node's sizes: ``(port or parameter, what is wrong, what would be right)``."""
        return ()

    def saves_state_of(self, owners: Dict[str, str]) -> Optional[str]:
        """Id of the node whose state this node writes to checkpoints, given the owners of its inputs' values."""
        return self.id if getattr(self, "checkpoint_enabled", False) else None

    def setup(self) -> None:
        """Build what the run needs (networks, simulators). ``context``, ``connected``, ``input_specs`` are set."""

    # During a run

    def initial(self) -> Dict[str, Any]:
        """Values of the ``initially`` ports, emitted once when a new run starts, before anything fires."""
        return {}

    def held_outputs(self) -> Dict[str, Any]:
        """Objects (simulator, model) that go out again on held ports when a run is resumed."""
        return {}

    def release(self) -> Optional[Dict[str, Any]]:
        """Called once per trigger, after the firing that it belongs to; returns the ports that it emits."""
        raise NotImplementedError(f"{type(self).__name__} has a trigger port but no release method")

    def is_half_filled(self) -> bool:
        """True while the node holds values that it has taken and not yet used: a run that comes to rest has locked."""
        return False

    def collect_metrics(self) -> Dict[str, float]:
        """This node's numbers for the iteration that just ended; collected with the trainer's."""
        return {}

    def viewer_state(self, env_ids: Sequence[int]) -> Optional[ViewerState]:
        """How the environments of a node that owns a simulation stand, for a viewer; ``None`` of any other node.

        It must change nothing: a run that is watched gives the same bits.
        """
        return None

    def carried_classes(self) -> Sequence[type]:
        """Classes of users' files that a parameter names; an export carries their files, and imports them.

        A class may have a method ``files``: paths of what it reads, which lie beside its own file.
        """
        return ()

    def requirements(self) -> Sequence[str]:
        """What this node needs besides torch as it is set, for an export: modules, or packages with extras."""
        return ()

    def merge_metrics(self, parts: Sequence[Dict[str, float]]) -> Dict[str, float]:
        """What `collect_metrics` gave on every process, by rank, as one; by default the means."""
        return mean_metrics(parts)

    def parameters_changed(self, names: FrozenSet[str]) -> None:
        """Live parameters were edited; called between two firings."""

    def close(self) -> None:
        """Give back what ``setup`` took (simulators, files). Called at the end of every run, also a failed one."""

    def state_dict(self) -> Dict[str, Any]:
        """Everything that must survive a stop: tensors, numbers, texts, lists and dictionaries of them."""
        return {}

    def load_state_dict(self, state: Dict[str, Any]) -> None:
        """Take back what `state_dict` gave."""

    # Firing rates

    def emits_every(self, port: str) -> Optional[int]:
        """Firings per emission of an output: 1 every time, n once in n, 0 never, ``None`` if it depends on data."""
        every = self.outputs[port].every
        return getattr(self, every) if isinstance(every, str) else every  # type: ignore[return-value]

    def interval(self) -> Optional[float]:
        """Seconds between two firings of a source; ``None``: it fires once."""
        return None

    # Helpers for subclasses

    @property
    def generator(self) -> torch.Generator:
        """This node's own random numbers, seeded from (seed, node id, rank), on the run's device."""
        if self._generator is None:
            self._generator = self.context.new_generator(self.id)
        return self._generator

    @property
    def random_state(self) -> Optional[torch.Tensor]:
        """State of `generator` for a resume; ``None`` where it was never used."""
        return None if self._generator is None else self._generator.get_state()

    @random_state.setter
    def random_state(self, state: Optional[torch.Tensor]) -> None:
        if state is not None:
            self.generator.set_state(state)

    @property
    def device(self) -> torch.device:
        """Where this run's tensors live."""
        return self.context.device

    @classmethod
    def description(cls) -> str:
        """The class docstring, for the node reference and tooltips."""
        return inspect.getdoc(cls) or ""


def _collect_parameters(cls: type) -> Dict[str, Parameter]:
    """Inherited parameters, own ones, and plain values that give an inherited one another default."""
    parameters: Dict[str, Parameter] = dict(cls.parameters)  # type: ignore[attr-defined]
    own = dict(vars(cls))
    hints = _annotations(cls) if any(isinstance(value, Parameter) for value in own.values()) else {}
    for name, value in own.items():
        if isinstance(value, Parameter):
            value.name, value.annotation = name, hints.get(name)
            parameters[name] = value
        elif name in parameters:
            try:
                parameters[name] = parameters[name].with_default(value)
            except ParameterError as error:
                raise NodeDefinitionError(f"{cls.__name__}.{name}: {error}") from None
    return parameters


def _annotations(cls: type) -> Dict[str, Any]:
    try:
        return typing.get_type_hints(cls)
    except Exception as error:
        raise NodeDefinitionError(
            f"{cls.__name__}: an annotation cannot be evaluated on Python {sys.version_info[0]}.{sys.version_info[1]} "
            f"({type(error).__name__}: {error}); write List[int], Dict[str, float], Optional[float], … of typing"
        ) from error


def stream_inputs(node: Node) -> List[str]:
    """Names of a node's stream ports, in declared order."""
    return [name for name, port in node.inputs.items() if port.kind == STREAM]


def held_inputs(node: Node) -> List[str]:
    """Names of a node's held ports, in declared order."""
    return [name for name, port in node.inputs.items() if port.kind == HELD]
