"""The PPO trainer: collects rollouts and updates the agent."""

from dataclasses import fields
from typing import Any, Dict, Iterable, Optional

import torch

from runtime.checkpointed_node import CheckpointedNode
from runtime.errors import DnneError, ParameterError
from runtime.node import Finding
from runtime.parameters import param
from runtime.ports import DONES, HELD, METRICS, MODEL, OBSERVATIONS, POLICY_OUTPUT, REWARDS, TRIGGER, In, Out
from runtime.rl.metrics import to_floats
from runtime.rl.ppo import PPO
from runtime.rl.rollout import RolloutStorage
from runtime.rl.settings import PRECISIONS, SCHEDULES, PPOSettings
from runtime.specs import UNKNOWN, Spec, shapes_agree
from runtime.transforms import check_alike, names_of


class PPOTrainerNode(CheckpointedNode):
    """Proximal policy optimisation with generalised advantage estimation.

    Schulman et al. 2017, arXiv:1707.06347; Schulman et al. 2016, arXiv:1506.02438. Collects ``horizon_length`` steps of
    all environments, updates the model, and triggers once per transition, after the update where one is due. Time-outs
    and the end of the horizon are bootstrapped at the value of the true successor state.
    """

    title, category = "PPO Trainer", "RL"
    checkpoint_required = False
    can_freeze = True
    single = True
    states = In(OBSERVATIONS, "What the policy saw. Shape: (N, obs)", replaces=("state",))
    policy_outputs = In(POLICY_OUTPUT, "What the policy did", replaces=("policy_output",))
    rewards = In(REWARDS, "Reward of the step. Shape: (N,)", replaces=("reward",))
    dones = In(DONES, "Episode ends of the step", replaces=("done",))
    model = In(MODEL, "The network to train", kind=HELD)
    trigger = Out(TRIGGER, "Once per transition, after any update", replaces=("training_complete",))
    metrics = Out(METRICS, "Numbers of the iteration", every="horizon_length", replaces=("loss",))

    horizon_length: int = param(
        16, low=1, high=1_000_000, unit="steps", doc="Steps of each environment per iteration, T"
    )
    num_epochs: int = param(8, low=1, high=1000, doc="Passes over the rollout per iteration", replaces=("epochs",))
    minibatch_size: int = param(
        0, low=1, high=100_000_000, auto=True, doc="Transitions per minibatch; 0: by num_minibatches", advanced=True
    )
    num_minibatches: int = param(4, low=1, high=100_000, doc="Minibatches per epoch where minibatch_size is 0")
    gamma: float = param(0.99, low=0.0, high=1.0, doc="Discount per step", live=True)
    gae_lambda: float = param(0.95, low=0.0, high=1.0, doc="λ of generalised advantage estimation", live=True)
    clip_param: float = param(0.2, low=0.001, high=10.0, doc="ε of the clipped surrogate objective", live=True)
    clip_value: bool = param(False, doc="Clip the change of the value prediction, too", live=True, advanced=True)
    value_clip_param: float = param(
        0.2, low=0.001, high=1e6, doc="Largest change of the value where clip_value is on", live=True, advanced=True
    )
    value_coef: float = param(2.0, low=0.0, high=1000.0, doc="Weight of the mean squared value error", live=True)
    entropy_coef: float = param(0.0, low=0.0, high=10.0, doc="Weight of the entropy bonus", live=True)
    bounds_coef: float = param(
        0.0,
        low=0.0,
        high=1000.0,
        doc="Weight of the penalty on action means beyond the bounds",
        live=True,
        advanced=True,
    )
    bounds_limit: float = param(
        1.1, low=0.0, high=100.0, doc="Magnitude from which on action means are penalised", live=True, advanced=True
    )
    max_grad_norm: float = param(
        1.0, low=0.0, high=1e6, doc="Gradients are scaled down to this norm; 0 for no limit", live=True
    )
    learning_rate: float = param(3e-4, low=0.0, high=1.0, doc="Adam's step size at the start", live=True)
    learning_rate_schedule: str = param(
        "fixed", choices=SCHEDULES, doc="fixed; linear to 0 at the end of the run; adaptive to the KL divergence"
    )
    learning_rate_low: float = param(
        1e-6, low=0.0, high=1.0, doc="Lower end of the adaptive learning rate", live=True, advanced=True
    )
    learning_rate_high: float = param(
        1e-2, low=0.0, high=1.0, doc="Upper end of the adaptive learning rate", live=True, advanced=True
    )
    desired_kl: float = param(
        0.008,
        low=1e-6,
        high=10.0,
        unit="nats",
        doc="KL divergence that the adaptive schedule aims at",
        live=True,
        advanced=True,
    )
    target_kl: float = param(
        0.0,
        low=0.0,
        high=10.0,
        unit="nats",
        doc="No further epoch beyond 1.5 of this; 0 for never",
        live=True,
        advanced=True,
    )
    normalize_advantages: bool = param(
        True, doc="Zero mean and unit variance of advantages in each minibatch", live=True
    )
    reward_scale: float = param(1.0, low=1e-9, high=1e9, doc="Factor on rewards before returns are computed")
    bootstrap_timeouts: bool = param(True, doc="Take V of the true successor where an episode timed out", advanced=True)
    amp: str = param("off", choices=PRECISIONS, doc="Precision of forward passes in updates", advanced=True)
    adam_epsilon: float = param(1e-5, low=1e-12, high=1.0, doc="Adam's ε", advanced=True)
    gradient_accumulation: int = param(
        1, low=1, high=100_000, doc="Parts of a minibatch computed one after another, to save memory", advanced=True
    )

    def check(self, inputs: Dict[str, Spec]) -> Iterable[Finding]:
        """Sizes agree, minibatches divide the rollout, and states and dones went through the same transforms."""
        yield from self.check_trigger()
        states, actions = inputs["states"], inputs["policy_outputs"]
        if UNKNOWN not in (states, actions) and states.transformed != actions.transformed:
            yield (
                "states",
                f"they went through {names_of(states)}, but what the policy saw through {names_of(actions)}",
                "link the observations that the agent sees",
            )
        yield from check_alike(states, inputs["dones"], "dones")
        for name in ("policy_outputs", "rewards"):
            shape = inputs[name].shape
            if shape is not None and states.shape is not None and not shapes_agree(shape[:1], states.shape[:1]):
                yield (
                    name,
                    f"they are of {shape[0]} environments, the states of {states.shape[0]}",
                    "link one simulation",
                )
        if inputs["rewards"].shape is not None and len(inputs["rewards"].shape or ()) != 1:
            yield "rewards", f"they are {inputs['rewards'].text}", "one number per environment: (N,)"
        if self.learning_rate_schedule == "adaptive" and self.learning_rate_low > self.learning_rate_high:
            yield (
                "learning_rate_low",
                f"it is {self.learning_rate_low:g}, above learning_rate_high, {self.learning_rate_high:g}",
                "the lower end comes first",
            )
        num_envs = (states.shape or actions.shape or (None,))[0]
        if num_envs:
            try:
                self.settings().rows_per_minibatch(num_envs)
            except ParameterError as error:
                name, _, message = str(error).partition(": ")
                yield name, message, ""

    def settings(self) -> PPOSettings:
        """The hyperparameters as the update takes them."""
        values = {field.name: getattr(self, field.name) for field in fields(PPOSettings)}
        values["target_kl"] = self.target_kl or None
        return PPOSettings(**values)

    def setup(self) -> None:
        """The update is built when the model arrives."""
        self.ppo: Optional[PPO] = None
        self.storage: Optional[RolloutStorage] = None
        self.saved: Dict[str, Any] = {}
        progress = self.context.progress
        if self.learning_rate_schedule == "linear" and progress.fraction is None and not self.context.inference:
            raise ParameterError(
                f"{self.label}: a linear learning rate needs the end of the run: give --total-timesteps or --iterations"
            )

    def emits_every(self, port: str) -> Optional[int]:
        """In inference nothing is trained, so there are no metrics."""
        if port == "metrics" and self.context is not None and self.context.inference:
            return 0
        return super().emits_every(port)

    def compute(
        self, states: torch.Tensor, policy_outputs: Any, rewards: torch.Tensor, dones: Any, model: Any
    ) -> Dict[str, Any]:
        """Add a transition of every environment; update when the rollout is full."""
        if self.context.inference:
            return {"trigger": True}
        if self.storage is None or self.ppo is None:
            self._build(states, model)
        assert self.storage is not None
        self.storage.add(
            states, policy_outputs, rewards, dones.terminated, dones.truncated, dones.final_observations,
            dones.final_critic_observations,
        )  # fmt: skip
        if not self.storage.full:
            return {"trigger": True}
        return {"trigger": True, "metrics": self._update()}

    def _build(self, states: torch.Tensor, model: Any) -> None:
        if tuple(states.shape[1:]) != model.observation_shape:
            expected = f"(N, {', '.join(str(size) for size in model.observation_shape)})"
            raise DnneError(
                f"states have the shape {tuple(states.shape)}, but the model takes {expected}; "
                "link the observations that the agent sees"
            )
        critic_shape = model.critic_observation_shape if model.privileged else None
        self.storage = RolloutStorage(
            self.horizon_length, states.shape[0], model.observation_shape, model.action_space, critic_shape,
            states.dtype, str(self.device),
        )  # fmt: skip
        self.ppo = PPO(model, self.settings(), self.generator, str(self.device), self.context.communicator)
        self._tell_batch_size(states.shape[0])
        if self.context.freeze:
            self.context.log(self.ppo.freeze(self.context.freeze), node_id=self.id)
        if "ppo" in self.saved:
            self.ppo.load_state_dict(self.saved["ppo"])
        if "storage" in self.saved:
            self.storage.load_state_dict(self.saved["storage"])
        self.saved = {}

    def _tell_batch_size(self, num_envs: int) -> None:
        """Log the minibatch of all processes together, where it is not the one that the parameters say."""
        processes, parts = self.context.world_size, self.gradient_accumulation
        rows = self.settings().rows_per_minibatch(num_envs)
        if self.context.rank == 0 and (processes > 1 or parts > 1):
            self.context.log(
                f"minibatches of {rows * processes} transitions: {rows} on each of {processes} processes"
                + (f", in {parts} parts of {rows // parts}" if parts > 1 else ""),
                node_id=self.id,
            )

    def _update(self) -> Dict[str, float]:
        assert self.ppo is not None and self.storage is not None
        context = self.context
        seconds = {"time/rollout_seconds": context.lap()}
        if context.phase_listeners:
            stats = {
                "rollout/mean_reward": self.storage.rewards.mean(),
                "rollout/mean_value": self.storage.values.mean(),
            }
            context.enter_phase("post_rollout", {**to_floats(stats), **seconds})
            context.enter_phase("pre_update", {})
            context.lap()
        metrics = self.ppo.update(self.storage, context.progress.fraction or 0.0)
        self.storage.clear()
        metrics.update(seconds)
        metrics["time/update_seconds"] = context.lap()
        context.enter_phase("post_update", dict(metrics))
        published = context.finish_iteration(metrics)
        context.lap()
        return published

    def is_half_filled(self) -> bool:
        """True in the middle of a rollout."""
        return self.storage is not None and self.storage.step > 0

    def parameters_changed(self, names: Any) -> None:
        """Edited hyperparameters act at the next iteration."""
        if self.ppo is not None:
            self.ppo.settings = self.settings()
        if "learning_rate" in names and self.learning_rate_schedule == "adaptive":
            self.context.log(
                f"the adaptive schedule goes on from the learning rate {self.learning_rate:g}, and changes it with the "
                "KL divergence; learning_rate_low and learning_rate_high bound it",
                node_id=self.id,
            )

    def state_dict(self) -> Dict[str, Any]:
        """Optimiser, schedule and the partial rollout."""
        if self.ppo is None or self.storage is None:
            return dict(self.saved)
        return {"ppo": self.ppo.state_dict(), "storage": self.storage.state_dict()}

    def load_state_dict(self, state: Dict[str, Any]) -> None:
        """Keep a saved state until the model arrives."""
        self.saved = dict(state)

    def shared_state(self, state: Dict[str, Any]) -> Dict[str, Any]:
        """Optimiser and schedule, without this process's partial rollout."""
        return {name: value for name, value in state.items() if name != "storage"}

    def checkpoint_state(self) -> Dict[str, Any]:
        """Optimiser and schedule."""
        return self.saved.get("ppo", {}) if self.ppo is None else self.ppo.state_dict()

    def load_checkpoint_state(self, state: Dict[str, Any]) -> None:
        """Take over a loaded optimiser, or keep it until the model arrives. What was collected before is dropped."""
        if self.ppo is None or self.storage is None:
            self.saved = {"ppo": state} if state else {}
        elif state:
            self.ppo.load_state_dict(state)
            self.storage.clear()
