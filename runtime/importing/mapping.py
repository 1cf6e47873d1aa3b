"""How node types of the earlier DNNE are called now: one table entry per type, one line per port and widget."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable, Dict, Mapping, Optional, Tuple

from .converters import as_is, layer_sizes, number, text, truth, whole_number

UNKNOWN_DEFAULT = object()
CARTPOLE_EFFORT = 400.0


@dataclass(frozen=True)
class Port:
    """A port under its present name.

    Attributes:
        earlier: Names of it in earlier files.
        takes_any: An input that fits every output.
        changed: What an output gives now, where that is another type than before.
    """

    name: str
    earlier: Tuple[str, ...] = ()
    takes_any: bool = False
    changed: str = ""

    @property
    def names(self) -> Tuple[str, ...]:
        """All names under which files have it."""
        return (self.name, *self.earlier)


@dataclass(frozen=True)
class Setting:
    """A widget of an earlier node type.

    Attributes:
        names: Its names in earlier files.
        parameter: The parameter that it is now; empty if there is none.
        convert: Makes the parameter's value; raises ``ValueError`` where the value does not fit.
        default: Value where a list of widget values ends before it.
        widget: It has a place in the list of widget values.
        message: What to tell where there is no parameter.
        remedy: What to do there, or about a remark; ``{value}`` stands for the value.
        harmless: Values that leave nothing to do.
        belongs_to_user_of: An output; the parameter is now one of the node that this output feeds.
        remark: Gives what to check about a converted value, or an empty text.
    """

    names: Tuple[str, ...]
    parameter: str = ""
    convert: Callable[[Any], Any] = as_is
    default: Any = UNKNOWN_DEFAULT
    widget: bool = True
    message: str = ""
    remedy: str = ""
    harmless: Tuple[Any, ...] = ()
    belongs_to_user_of: str = ""
    remark: Optional[Callable[[Any], str]] = None


@dataclass(frozen=True)
class NodeMapping:
    """An earlier node type.

    Attributes:
        type: Its name in earlier files.
        class_type: Its present name.
        inputs, outputs: Ports in the order of the earlier slots.
        settings: Widgets in declared order, then settings that have other names elsewhere.
        passes_through: Gives on what it gets.
        distinct_inputs: A second wire from the same output would count every value twice.
        kept: Why the node stays as a placeholder; empty if it has a counterpart.
        given_by: For each output, the one of ``given_by_type`` that gives the same now.
    """

    type: str
    class_type: str
    inputs: Tuple[Port, ...] = ()
    outputs: Tuple[Port, ...] = ()
    settings: Tuple[Setting, ...] = ()
    passes_through: bool = False
    constant: bool = False
    distinct_inputs: bool = False
    kept: str = ""
    given_by_type: str = ""
    given_by: Tuple[Tuple[str, str], ...] = ()

    @property
    def widgets(self) -> Tuple[Setting, ...]:
        """The settings that have a place in the list of widget values."""
        return tuple(setting for setting in self.settings if setting.widget)

    def input(self, name: str) -> Optional[Port]:
        """The input port of this earlier or present name."""
        return next((port for port in self.inputs if name in port.names), None)

    def output(self, name: str, slot: Optional[int]) -> Optional[Port]:
        """The output of this name, or else in this slot."""
        named = next((port for port in self.outputs if name in port.names), None) if name else None
        in_range = slot is not None and 0 <= slot < len(self.outputs)
        return named or (self.outputs[slot] if in_range else None)  # type: ignore[index]

    def setting(self, name: str) -> Optional[Setting]:
        """The setting of this earlier or present name."""
        found = (setting for setting in self.settings if name in (*setting.names, setting.parameter))
        return next(found, None) if name else None


def _ports(*names: str) -> Tuple[Port, ...]:
    """Ports written ``present`` or ``present=earlier``."""
    pairs = (name.split("=") for name in names)
    return tuple(Port(present, tuple(earlier)) for present, *earlier in pairs)


def _parameter(name: str, convert: Callable[[Any], Any], *earlier: str, **options: Any) -> Setting:
    return Setting(names=earlier or (name,), parameter=name, convert=convert, **options)


def _gone(name: str, message: str, remedy: str = "", **options: Any) -> Setting:
    return Setting(names=(name,), message=message, remedy=remedy, **options)


def _weak_push(effort: float) -> str:
    if effort >= CARTPOLE_EFFORT:
        return ""
    share = 100.0 * effort / CARTPOLE_EFFORT
    return f"{effort:g} N is {share:.3g} % of the {CARTPOLE_EFFORT:g} N of the task"


def _inference_only(deterministic: bool) -> str:
    return "" if deterministic else "it counts in inference only now, which will draw actions from the policy"


_OWN_PATHS = "Isaac Gym is imported from the Python environment, so no path is needed"
_RUN_SETTING = "this is a setting of the run, not of the workflow"


def _constant(kind: str, convert: Callable[[Any], Any]) -> NodeMapping:
    return NodeMapping(
        type=f"{kind}Constant",
        class_type=f"{kind}ConstantNode",
        outputs=(Port("output", ("value",)),),
        settings=(_parameter("value", convert),),
        constant=True,
    )


MAPPINGS: Tuple[NodeMapping, ...] = (
    NodeMapping(
        type="IsaacGymEnvNode",
        class_type="IsaacGymEnvNode",
        outputs=_ports("sim=sim_handle", "observations"),
        settings=(
            _parameter("task", text, "env_name", default="Cartpole"),
            _parameter("num_envs", whole_number, default=64),
            _gone("isaac_gym_path", _OWN_PATHS, "install isaacgym there", default="", harmless=("",)),
            _gone("isaac_gym_envs_path", _OWN_PATHS, "the tasks are built in", default="", harmless=("",)),
            _gone("headless", _RUN_SETTING, "start it with --visual to see it", default=True, harmless=(True,)),
            _gone("device", _RUN_SETTING, "start it with --device {value}", default="cuda"),
            _gone(
                "physics_engine",
                "the env node's parameter 'simulator' (auto) chooses the physics",
                "set 'simulator' if {value} is needed",
                default="physx",
                harmless=("physx",),
            ),
        ),
    ),
    NodeMapping(
        type="IsaacGymStepNode",
        class_type="IsaacGymStepNode",
        inputs=_ports("sim=sim_handle", "actions", "trigger", "task_parameters"),
        outputs=_ports("observations", "rewards=reward", "dones=done", "info", "observations=next_observations"),
    ),
    NodeMapping(
        type="ORNode",
        class_type="ORNode",
        inputs=_ports("input_a", "input_b", "input_c", "input_d"),
        outputs=_ports("output"),
        distinct_inputs=True,
    ),
    NodeMapping(
        type="PPOAgentNode",
        class_type="PPOAgentNode",
        inputs=_ports("observations", "critic_observations"),
        outputs=_ports("policy_output", "model"),
        settings=(
            _parameter("hidden_sizes", layer_sizes, default="64,64"),
            _parameter("activation", text, default="elu"),
            _gone(
                "action_space",
                "it is inferred from the task",
                "check that the task takes {value} actions",
                default="continuous",
                harmless=("continuous",),
            ),
            _parameter("output_size", whole_number, "action_dim", default=1),
            _parameter("learning_rate", number, default=3e-4, belongs_to_user_of="model"),
            _parameter(
                "deterministic",
                truth,
                default=False,
                remark=_inference_only,
                remedy="set it to true for the most probable action there",
            ),
            _parameter("initial_log_std", number, "init_log_std", default=0.0),
            _parameter("input_size", whole_number, widget=False),
        ),
    ),
    NodeMapping(
        type="CartpoleActionNode",
        class_type="CartpoleActionNode",
        inputs=_ports("policy_output=policy"),
        outputs=_ports("actions=action"),
        settings=(
            _parameter(
                "max_push_effort",
                number,
                default=10.0,
                remark=_weak_push,
                remedy=f"set {CARTPOLE_EFFORT:g} for the task's full push",
            ),
        ),
    ),
    NodeMapping(
        type="CartpoleRewardNode",
        class_type="CartpoleRewardNode",
        inputs=_ports("observations"),
        outputs=_ports("reward_or_loss", "done", "info_dict"),
        settings=(
            Setting(("reset_dist",), "reset_dist", default=2.0),
            Setting(("invert_for_loss",), "invert_for_loss", default=True),
        ),
        kept="the task's own reward and episode ends come from the step node",
        given_by_type="IsaacGymStepNode",
        given_by=(("reward_or_loss", "rewards"), ("done", "dones"), ("info_dict", "info")),
    ),
    NodeMapping(
        type="PPOTrainerNode",
        class_type="PPOTrainerNode",
        inputs=_ports("states=state", "policy_outputs=policy_output", "rewards=reward", "dones=done", "model"),
        outputs=(
            Port("metrics", ("loss",), changed="named numbers of an iteration (metrics), where it was the loss"),
            Port("trigger", ("training_complete",)),
        ),
        settings=(
            _parameter("horizon_length", whole_number, default=16),
            _parameter("num_epochs", whole_number, "num_epochs", "epochs", default=4),
            _parameter("minibatch_size", whole_number, default=32),
            _parameter("gamma", number, default=0.99),
            _parameter("gae_lambda", number, default=0.95),
            _parameter("clip_param", number, default=0.2),
            _parameter("value_coef", number, default=0.5),
            _parameter("entropy_coef", number, default=0.01),
            _parameter("learning_rate", number, default=3e-4),
            _parameter("max_grad_norm", number, default=0.5),
            _parameter("checkpoint_enabled", truth),
            _parameter("checkpoint_trigger_type", text, default="epoch"),
            _parameter("checkpoint_trigger_value", text, default="10"),
            _gone(
                "checkpoint_load_on_start",
                "loading is a switch of the run",
                "start it with --load-checkpoint-dir DIR",
                harmless=(False,),
            ),
        ),
    ),
    _constant("Float", number),
    _constant("Int", whole_number),
    _constant("String", text),
    NodeMapping(
        type="PrimitiveNode",
        class_type="",
        outputs=(Port("output", ("value",)),),
        settings=(
            Setting(("value",), "value"),
            _gone("control_after_generate", "a constant keeps its value", harmless=("fixed",)),
        ),
        constant=True,
    ),
    NodeMapping(
        type="PrintValue",
        class_type="PrintNode",
        inputs=(Port("value", takes_any=True),),
        outputs=(Port("output"),),
    ),
    NodeMapping(
        type="Reroute",
        class_type="RerouteNode",
        inputs=(Port("value", ("",), takes_any=True),),
        outputs=(Port("output"),),
        passes_through=True,
    ),
)

COMMENT_TYPES = ("Note", "MarkdownNote")

SUPERVISED_TYPES = frozenset(
    (
        "MNISTDataset", "BatchSampler", "GetBatch", "Network", "LinearLayer", "CrossEntropyLoss", "SGDOptimizer",
        "TrainingStep", "EpochTracker", "Conv2DLayer", "Activation", "Dropout", "BatchNorm", "Flatten", "Accuracy",
    )
)  # fmt: skip

CONSTANT_CLASSES: Mapping[type, str] = {
    bool: "BoolConstantNode",
    int: "IntConstantNode",
    float: "FloatConstantNode",
    str: "StringConstantNode",
}

_BY_TYPE: Dict[str, NodeMapping] = {
    **{mapping.class_type: mapping for mapping in MAPPINGS if mapping.class_type},
    **{mapping.type: mapping for mapping in MAPPINGS},
}


def mapping_of(type_name: str) -> Optional[NodeMapping]:
    """The table entry of an earlier or present type name; ``None`` if there is none."""
    return _BY_TYPE.get(type_name)
