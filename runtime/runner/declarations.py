"""What an agent is made of, said in Python: the runner turns it into parameters of nodes."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Type, Union

from torch import nn

from ..errors import ParameterError
from ..rl.settings import SETTING_NAMES, PPOSettings
from ..suggest import did_you_mean

ALGORITHMS = ("ppo",)


@dataclass(frozen=True)
class PPOConfig(PPOSettings):
    """Hyperparameters of the trainer, as in `PPOSettings`, and of the agent; names and defaults are those of the nodes.

    Attributes:
        sigma: Standard deviation of a Gaussian policy: ``learned``, ``fixed`` or a function of the ``state``.
        initial_log_std: Log standard deviation at the start.
        shared_trunk: One network for policy and value.
        orthogonal_init: Orthogonal initial weights.
        normalize_observations, observation_clip: Normalise vector observations by running statistics.
        normalize_values: Train the value function on normalised returns.
    """

    sigma: str = "learned"
    initial_log_std: float = 0.0
    shared_trunk: bool = False
    orthogonal_init: bool = True
    normalize_observations: bool = False
    observation_clip: float = 10.0
    normalize_values: bool = False

    def trainer_parameters(self) -> Dict[str, Any]:
        """Parameters of the trainer node."""
        values = {name: getattr(self, name) for name in SETTING_NAMES}
        values["target_kl"] = self.target_kl or 0.0
        values["value_clip_param"] = self.clip_param if self.value_clip_param is None else self.value_clip_param
        return values

    def agent_parameters(self) -> Dict[str, Any]:
        """Parameters of the agent node, without its networks."""
        return {entry.name: getattr(self, entry.name) for entry in fields(self) if entry.name not in SETTING_NAMES}


@dataclass(frozen=True)
class MLPActor:
    """A multi-layer perceptron under the policy head."""

    hidden_dims: Sequence[int] = (64, 64)
    activation: str = "elu"


@dataclass(frozen=True)
class MLPCritic:
    """A multi-layer perceptron under the value head."""

    hidden_dims: Sequence[int] = (64, 64)
    activation: str = "elu"


NetworkClass = Union[Type[MLPActor], Type[MLPCritic], Callable[..., nn.Module]]


@dataclass(frozen=True)
class PPO:
    """An agent, declared before its runner: ``OnPolicyRunner(agent=PPO(env, cfg, …))``.

    Attributes:
        env: As the runner takes it.
        cfg: Hyperparameters.
        actor_class, critic_class: `MLPActor`, `MLPCritic`, or an ``nn.Module``: ``cls(observation_shape, **cfg)`` turns
            observations into features, (N, F), and has the attribute ``output_size``, F. The heads are added to it.
        actor_cfg, critic_cfg: Keyword arguments of these classes.
    """

    env: Any
    cfg: Union[PPOConfig, Mapping[str, Any], None] = None
    actor_class: Optional[NetworkClass] = None
    critic_class: Optional[NetworkClass] = None
    actor_cfg: Mapping[str, Any] = field(default_factory=dict)
    critic_cfg: Mapping[str, Any] = field(default_factory=dict)

    @property
    def config(self) -> PPOConfig:
        """`cfg` as hyperparameters.

        Raises:
            ParameterError: a name is unknown, or a value out of range.
        """
        if self.cfg is None:
            return PPOConfig()
        return self.cfg if isinstance(self.cfg, PPOConfig) else _named(PPOConfig, self.cfg, "cfg")

    def networks(self) -> Networks:
        """The two networks.

        Raises:
            ParameterError: they contradict each other, or an argument is unknown.
        """
        return Networks(self)


class Networks:
    """Actor and critic as the agent node takes them.

    Attributes:
        parameters: Of the node.
        make_actor, make_critic: Make the user's own classes; ``None`` for perceptrons.
    """

    def __init__(self, agent: PPO):
        self.make_actor = _maker(agent.actor_class, agent.actor_cfg)
        self.make_critic = _maker(agent.critic_class, agent.critic_cfg)
        self.parameters: Dict[str, Any] = {}
        actor = None if self.make_actor else _perceptron(MLPActor, agent.actor_class, agent.actor_cfg, "actor_cfg")
        critic = (
            None if self.make_critic else _perceptron(MLPCritic, agent.critic_class, agent.critic_cfg, "critic_cfg")
        )
        self._describe(agent, actor, critic)

    @property
    def are_own(self) -> bool:
        """Whether a class of the user takes part, which no workflow file can hold."""
        return self.make_actor is not None or self.make_critic is not None

    def _describe(self, agent: PPO, actor: Optional[MLPActor], critic: Optional[MLPCritic]) -> None:
        if agent.config.shared_trunk and (agent.critic_class is not None or agent.critic_cfg):
            raise ParameterError("shared_trunk: the critic has no network of its own; leave critic_class out")
        if actor is not None:
            self.parameters.update(hidden_sizes=_sizes(actor), activation=actor.activation)
        if critic is None or agent.config.shared_trunk:
            return
        if actor is not None and not agent.critic_class and not agent.critic_cfg:
            return
        if actor is not None and actor.activation != critic.activation:
            raise ParameterError(
                f"critic_cfg: its activation is {critic.activation!r}, the actor's {actor.activation!r}; the agent has "
                "one for both: give the same, or a class of your own"
            )
        self.parameters.update(critic_hidden_sizes=_sizes(critic), activation=critic.activation)


def _maker(given: Optional[NetworkClass], cfg: Mapping[str, Any]) -> Optional[Callable[..., nn.Module]]:
    if given is None or given in (MLPActor, MLPCritic):
        return None
    make: Any = given
    return lambda observation_shape: make(observation_shape, **cfg)


def _perceptron(kind: Any, given: Optional[NetworkClass], cfg: Mapping[str, Any], what: str) -> Any:
    if given is not None and given is not kind:
        raise ParameterError(f"{getattr(given, '__name__', given)} stands where {kind.__name__} belongs")
    return _named(kind, cfg, what)


def _named(kind: Any, values: Mapping[str, Any], what: str) -> Any:
    known = [entry.name for entry in fields(kind)]
    for name in values:
        if name not in known:
            raise ParameterError(f"{what}: {kind.__name__} has no {name!r}{did_you_mean(name, known)}")
    return kind(**values)


def _sizes(network: Union[MLPActor, MLPCritic]) -> List[int]:
    return list(network.hidden_dims)
