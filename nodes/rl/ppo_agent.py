"""The PPO agent: a policy and a value function over batched observations."""

from typing import Any, Dict, Iterable, List, Optional

import torch

from runtime.checkpointed_node import CheckpointedNode
from runtime.checkpoints.matching import Fit, check_state_fits, fitting, state_shapes
from runtime.errors import DnneError
from runtime.node import Finding
from runtime.parameters import param
from runtime.ports import MODEL, OBSERVATIONS, POLICY_OUTPUT, In, Out
from runtime.rl.actor_critic import SIGMAS, ActorCritic
from runtime.rl.custom_features import MakeFeatures
from runtime.rl.networks import ACTIVATIONS
from runtime.spaces import Box, Discrete, flat_size
from runtime.specs import Spec


class PPOAgentNode(CheckpointedNode):
    """Chooses actions with a Gaussian, discrete or multi-discrete policy and estimates the value of states.

    Sizes and the kind of policy follow from the task that the observations come from; sizes given here are checked
    against it. Weights, normalisers and actions draw from this node's own random generator.

    Attributes:
        make_actor, make_critic: Networks of a Python program's own, set before the run; a workflow file has none.
    """

    title, category = "PPO Agent", "RL"
    takes_pretrained = True
    make_actor: Optional[MakeFeatures] = None
    make_critic: Optional[MakeFeatures] = None
    observations = In(OBSERVATIONS, "What the policy sees. Shape: (N, obs) or images (N, C, H, W)")
    critic_observations = In(
        OBSERVATIONS, "Privileged observations that only the critic sees. Shape: (N, obs)", optional=True
    )
    policy_output = Out(
        POLICY_OUTPUT, "Actions, log-probabilities, values and distribution parameters of N environments"
    )
    model = Out(MODEL, "The network, for the trainer")

    input_size: int = param(0, low=1, high=10_000_000, auto=True, doc="Size of an observation", advanced=True)
    output_size: int = param(
        0, low=1, high=100_000, auto=True, doc="Size of an action", replaces=("action_dim",), advanced=True
    )
    hidden_sizes: List[int] = param([64, 64], low=1, high=65_536, doc="Widths of the hidden layers")
    critic_hidden_sizes: List[int] = param(
        [], low=1, high=65_536, doc="Widths of the critic's hidden layers; empty for the same", advanced=True
    )
    activation: str = param("elu", choices=tuple(sorted(ACTIVATIONS)), doc="Activation of the hidden layers")
    shared_trunk: bool = param(False, doc="One network for policy and value instead of two")
    sigma: str = param("learned", choices=SIGMAS, doc="Standard deviation of a Gaussian policy")
    initial_log_std: float = param(
        0.0, low=-10.0, high=5.0, doc="Log standard deviation at the start", replaces=("init_log_std",)
    )
    orthogonal_init: bool = param(True, doc="Orthogonal initial weights; off: torch's default", advanced=True)
    normalize_observations: bool = param(False, doc="Normalise vector observations by running statistics")
    observation_clip: float = param(
        10.0, low=0.0, high=1000.0, doc="Largest normalised observation; 0 for no limit", advanced=True
    )
    normalize_values: bool = param(False, doc="Train the value function on normalised returns (PopArt)", advanced=True)
    cnn: str = param(
        "auto", choices=("auto", "on", "off"), doc="Convolutional front; auto: for images (C, H, W)", advanced=True
    )
    deterministic: bool = param(True, doc="In inference, take the most probable action", advanced=True)

    def infer(self, inputs: Dict[str, Spec]) -> Dict[str, Spec]:
        """The policy output has the shape of the task's actions, and knows which transforms the policy saw through."""
        seen = inputs.get("observations", Spec())
        if seen.shape is None:
            return {}
        space = self._action_space(seen)
        if space is None:
            return {}
        dtype = "float32" if isinstance(space, Box) else "int64"
        shape = (seen.shape[0],) + tuple(space.shape)
        output = Spec(shape, dtype, seen.task, seen.transformed)
        return {"policy_output": output, "model": Spec(None, "", seen.task)}

    def _action_space(self, seen: Spec) -> Any:
        if seen.task is not None:
            return seen.task.action_space
        return Box((self.output_size,)) if self.output_size else None

    def check(self, inputs: Dict[str, Spec]) -> Iterable[Finding]:
        """Sizes given here fit the observations and the task."""
        yield from self.check_trigger()
        seen = inputs["observations"]
        if seen.shape is None or None in seen.shape[1:]:
            yield "observations", "their shape is not known before the run", "link observations of an environment"
            return
        size = 1
        for length in seen.shape[1:]:
            size *= length or 1
        if self.input_size and self.input_size != size:
            yield (
                "input_size",
                f"it is {self.input_size}, but the observations are {seen.text}",
                f"set {size}, or 0 to infer",
            )
        yield from self._check_outputs(seen)
        if self.shared_trunk and "critic_observations" in inputs:
            yield "shared_trunk", "a critic with observations of its own cannot share the trunk", "switch it off"
        if self.shared_trunk and self.critic_hidden_sizes:
            yield "critic_hidden_sizes", "a critic that shares the trunk has no layers of its own", "leave it empty"
        if self.normalize_observations and len(seen.shape) == 4:
            yield "normalize_observations", "it is for vectors; images are scaled to [0, 1] instead", "switch it off"
        if self.cnn == "on" and len(seen.shape) != 4:
            yield "cnn", f"it takes images (N, C, H, W), but the observations are {seen.text}", "set auto"

    def _check_outputs(self, seen: Spec) -> Iterable[Finding]:
        space = self._action_space(seen)
        if space is None:
            yield "output_size", "it cannot be inferred: the observations come from no environment", "set it"
            return
        size = space.n if isinstance(space, Discrete) else flat_size(space)
        if self.output_size and self.output_size != size:
            task = seen.task.name if seen.task else "the task"
            yield "output_size", f"it is {self.output_size}, but {task} takes {size}", f"set {size}, or 0 to infer"

    def setup(self) -> None:
        """Build the network."""
        seen, privileged = self.input_specs["observations"], self.input_specs.get("critic_observations")
        assert seen.shape is not None
        if privileged is not None and privileged.shape is None:
            raise DnneError(f"{self.label}: the shape of critic_observations is not known before the run")
        self.network = ActorCritic(
            tuple(int(size or 0) for size in seen.shape[1:]),
            self._action_space(seen),
            generator=self.generator,
            critic_observation_shape=None if privileged is None else tuple(privileged.shape[1:]),  # type: ignore[index, arg-type]
            hidden_sizes=self.hidden_sizes,
            critic_hidden_sizes=self.critic_hidden_sizes or None,
            activation=self.activation,
            shared_trunk=self.shared_trunk,
            sigma=self.sigma,
            initial_log_std=self.initial_log_std,
            orthogonal_init=self.orthogonal_init,
            normalize_observations=self.normalize_observations,
            observation_clip=self.observation_clip,
            normalize_values=self.normalize_values,
            cnn={"auto": None, "on": True, "off": False}[self.cnn],
            make_actor=self.make_actor,
            make_critic=self.make_critic,
            device=str(self.device),
        )
        self.network.train(not self.context.inference)
        self.greedy = self.context.inference and self.deterministic

    def compute(self, observations: torch.Tensor, critic_observations: Optional[torch.Tensor] = None) -> Dict[str, Any]:
        """Actions of all environments."""
        output = self.network.act(observations, self.generator, self.greedy, critic_observations)
        return {"policy_output": output, "model": self.network}

    def held_outputs(self) -> Dict[str, Any]:
        """The network, again, after a resume."""
        return {"model": self.network}

    def state_dict(self) -> Dict[str, Any]:
        """Weights and normalisers."""
        return {"network": dict(self.network.state_dict())}

    def load_state_dict(self, state: Dict[str, Any]) -> None:
        """Take back weights and normalisers."""
        self.network.load_state_dict(state["network"])

    def checkpoint_state(self) -> Dict[str, Any]:
        """Weights and normalisers, by name."""
        return dict(self.network.state_dict())

    def load_checkpoint_state(self, state: Dict[str, Any]) -> None:
        """Take over loaded weights."""
        check_state_fits(state_shapes(self.checkpoint_state()), state, self.id)
        self.network.load_state_dict(state)

    def load_partial_state(self, state: Dict[str, Any]) -> Fit:
        """Take over the weights that fit by name and shape."""
        own = self.checkpoint_state()
        fit = fitting(own, state)
        self.network.load_state_dict({**own, **fit.loaded})
        return fit
