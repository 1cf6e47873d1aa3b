"""Proximal policy optimisation. Schulman et al. 2017, arXiv:1707.06347."""

from __future__ import annotations

import math
from functools import partial
from itertools import islice
from typing import Any, Dict, List, Optional, Sequence, Tuple, Union, cast

import torch
from torch import Tensor

from ..distributed.communicator import Communicator
from ..errors import DnneError
from .actor_critic import ActorCritic
from .adam import FlatAdam
from .advantages import generalized_advantages
from .checks import NonFiniteError, all_finite, check_parameters, check_rollout, check_successors, explained
from .flat import FlatParameters
from .freezing import Frozen
from .gradients import AutogradGradients, Gradients, ManualGradients
from .learning_rate import adapted_rate, scheduled_rate
from .metrics import EpochTrace, Trace, explained_variance, finite_mean, to_floats, value_clip
from .minibatches import ALONE, Minibatch, micro_batches, shuffled
from .objective import surrogate_gradient, surrogate_terms, value_gradient, value_loss
from .rollout import RolloutStorage
from .settings import PPOSettings

TARGET_KL_FACTOR = 1.5  # as Stable-Baselines3 and Spinning Up
NORM_EPSILON = 1e-6  # as torch.nn.utils.clip_grad_norm_
SMALLEST_LOSS_SCALE = 1.0
_HALF = {"off": None, "bf16": torch.bfloat16, "fp16": torch.float16}


class PPO:
    """Trains an `ActorCritic` on rollouts.

    The loss is that of Stable-Baselines3: policy + value_coef · mean squared value error (no ½)
    + entropy_coef · (−entropy) + bounds_coef · bounds. Its gradient with respect to the networks' outputs is written
    out by hand, and for plain MLPs so is the backward pass; both are tested against autograd and Stable-Baselines3.

    Args:
        model: The agent. Its parameters become views of one vector, in place.
        settings: Hyperparameters. May be replaced between updates: the next update obeys.
        generator: Draws the minibatches.
        device: Where the model lives.
        communicator: The processes that train the same parameters, each on its own rollouts of the same size.
    """

    def __init__(
        self,
        model: ActorCritic,
        settings: PPOSettings,
        generator: torch.Generator,
        device: Union[str, torch.device] = "cpu",
        communicator: Communicator = ALONE,
    ):
        self.communicator = communicator
        self.model = model.to(device)
        self.generator = generator
        self.device = torch.device(device)
        self.updates = 0
        self._settings = settings
        self._frozen: Optional[Frozen] = None
        self.learning_rate = settings.learning_rate
        self._deferred = self.device.type != "cpu"
        self._skip = torch.zeros((), device=self.device)
        self._rebuild()
        self._scaler = self._make_scaler()

    def _rebuild(self) -> None:
        self._flat = FlatParameters(self.model)
        self._mask = None if self._frozen is None else self._frozen.mask(self._flat)
        self._adam = FlatAdam(self._flat.vector, self._flat.gradient, self._settings.adam_epsilon)
        self._gradients = self._make_gradients()

    def _make_scaler(self) -> torch.amp.GradScaler:
        return torch.amp.GradScaler(self.device.type, enabled=self._settings.amp == "fp16")

    @property
    def settings(self) -> PPOSettings:
        """Hyperparameters of the next update."""
        return self._settings

    @settings.setter
    def settings(self, settings: PPOSettings) -> None:
        if settings.learning_rate != self._settings.learning_rate:
            self.learning_rate = settings.learning_rate
        precision_changed = settings.amp != self._settings.amp
        self._settings = settings
        if precision_changed:
            self._gradients = self._make_gradients()
            self._scaler = self._make_scaler()

    @property
    def optimizer_name(self) -> str:
        """Which implementation of Adam runs, for the log."""
        return self._adam.name

    @torch.no_grad()
    def update(self, storage: RolloutStorage, progress: float = 0.0) -> Dict[str, float]:
        """Improve the policy on a full rollout, then merge its observations into the normalisers.

        Args:
            storage: A full rollout of the present policy.
            progress: Share of the training that is done, for the linear schedule. Unit: 0 to 1.

        Returns:
            Metrics by name; losses and divergences are means over the last epoch.

        Raises:
            DnneError: if the rollout is not full, not of horizon_length steps, or does not divide into minibatches.
            NonFiniteError: for NaN or infinity, before a step of the optimiser would spread it.
        """
        if not storage.full:
            raise DnneError(f"the rollout holds {storage.step} of {storage.horizon} steps: too early for an update")
        if storage.horizon != self._settings.horizon_length:
            raise DnneError(
                f"the rollout has {storage.horizon} steps, but horizon_length is {self._settings.horizon_length}: "
                "it cannot change during a run"
            )
        self._attach()
        self._check_input(storage)
        self._begin(progress)
        rows = self._settings.rows_per_minibatch(storage.num_envs)
        batch, metrics = self._prepare(storage)
        norms, trace = self._run_epochs(batch, rows)
        metrics.update(trace.metrics(self._settings, self.model.distribution))
        metrics["train/gradient_norm"] = finite_mean(torch.stack(norms))
        metrics["train/weight_norm"] = torch.linalg.vector_norm(self._flat.vector)
        floats = to_floats(metrics)
        floats["train/learning_rate"] = self._adam.learning_rate
        self.model.update_normalizer(storage.observations, storage.critic_observations, self.communicator)
        self.updates += 1
        return floats

    def freeze(self, parts: Sequence[str]) -> str:
        """Let parts of the model ("actor", "critic", "trunk") stand still from now on; says what they are.

        Raises:
            ParameterError: a name is unknown, or the model has no such part of its own.
        """
        self._frozen = Frozen(self.model, parts)
        self._mask = self._frozen.mask(self._flat)
        self._still_moments()
        return self._frozen.text

    def _still_moments(self) -> None:
        """Adam moves nothing whose gradient and moments are zero."""
        if self._mask is not None:
            self._adam.exp_avg.mul_(self._mask)
            self._adam.exp_avg_sq.mul_(self._mask)

    def _attach(self) -> None:
        device = next(self.model.parameters()).device
        if device != self._flat.vector.device:
            state = self.state_dict()
            self.device = device
            self._deferred = device.type != "cpu"
            self._scaler = self._make_scaler()
            self._rebuild()
            self.load_state_dict(state)
        if self._flat.attach():
            self._gradients = self._make_gradients()

    def _make_gradients(self) -> Gradients:
        half = _HALF[self._settings.amp]
        if half is None and ManualGradients.supports(self.model):
            return ManualGradients(self.model)
        return AutogradGradients(self.model, self._flat.gradient, half)

    def _check_input(self, storage: RolloutStorage) -> None:
        if not all_finite({"parameters": self._flat.vector.data}):
            check_parameters(self._flat.views(self._flat.vector.data))
        fields = storage.fields
        order = ("observations", "critic_observations", "rewards", "actions", "log_probs", "values", "distribution")
        check_rollout({name: fields[name] for name in order if name in fields})
        check_successors(storage.final_observations(), storage.horizon)

    def _begin(self, progress: float) -> None:
        settings = self._settings
        self.learning_rate = scheduled_rate(self.learning_rate, progress, settings)
        self._adam.learning_rate = self.learning_rate
        self._adam.epsilon = settings.adam_epsilon
        self._skip = torch.zeros((), device=self.device)

    def _prepare(self, storage: RolloutStorage) -> Tuple[Minibatch, Dict[str, Tensor]]:
        settings, model = self._settings, self.model
        advantages = generalized_advantages(
            storage.rewards * settings.reward_scale,
            storage.values,
            storage.next_values(model.values),
            storage.terminated,
            storage.truncated,
            settings.gamma,
            settings.gae_lambda,
            settings.bootstrap_timeouts,
        )
        returns = advantages + storage.values
        metrics = {
            "train/explained_variance": explained_variance(storage.values, returns, self.communicator),
            "rollout/mean_reward": storage.rewards.mean(),
            "rollout/mean_value": storage.values.mean(),
            "rollout/mean_return": returns.mean(),
        }
        model.update_value_normalizer(returns, self.communicator)
        rows = {name: field.flatten(0, 1) for name, field in storage.fields.items()}
        observations = model.prepare(rows["observations"])
        batch = Minibatch(
            observations=observations,
            critic_observations=model.prepare_critic(rows["critic_observations"]) if model.privileged else observations,
            actions=rows["actions"],
            log_probs=rows["log_probs"],
            weights=advantages.flatten(),
            returns=model.normalize_values(returns.flatten()),
            values=model.normalize_values(rows["values"]) if settings.clip_value else None,
            distribution=rows["distribution"] if settings.learning_rate_schedule == "adaptive" else None,
        )
        return batch, metrics

    def _run_epochs(self, batch: Minibatch, rows: int) -> Tuple[List[Tensor], EpochTrace]:
        settings = self._settings
        adaptive = settings.learning_rate_schedule == "adaptive"
        traced = adaptive or settings.target_kl is not None
        for epoch in range(settings.num_epochs):
            last = epoch == settings.num_epochs - 1
            norms, traces = self._run_epoch(batch, rows, epoch, traced or last)
            if not traces:
                continue
            trace = EpochTrace(traces)
            if adaptive:
                kl = self._joint_mean(trace.kl(self.model.distribution))
                self.learning_rate = self._adam.learning_rate = adapted_rate(self.learning_rate, kl, settings)
            limit = settings.target_kl
            if limit is not None and self._joint_mean(trace.approx_kl()) > TARGET_KL_FACTOR * limit:
                break
        return norms, trace

    def _run_epoch(self, batch: Minibatch, rows: int, epoch: int, traced: bool) -> Tuple[List[Tensor], List[Trace]]:
        permutation = self._permutation(len(batch.log_probs))
        settings = self._settings
        minibatches = partial(shuffled, batch, rows, permutation, settings.normalize_advantages, self.communicator)
        norms: List[Tensor] = []
        traces: List[Trace] = []
        for index, minibatch in enumerate(minibatches()):
            log_ratio, outputs, values = self._gradient(minibatch)
            if traced:  # before the step, which changes log σ in place
                parameters = self.model.distribution_parameters(outputs)
                traces.append(Trace(log_ratio, values, parameters, *minibatch.targets))
            norm = self._step()
            if norm is None:
                raise self._explain(minibatch, epoch, index)
            norms.append(norm)
        if self._deferred and bool(self._skip):
            index = int((~torch.isfinite(torch.stack(norms))).nonzero()[0])
            raise self._explain(next(islice(minibatches(), index, None)), epoch, index)
        return norms, traces

    def _permutation(self, size: int) -> Tensor:
        return torch.randperm(size, generator=self.generator, device=self.generator.device).to(self.device)

    def _joint_mean(self, value: Tensor) -> float:
        if self.communicator.is_distributed:
            self.communicator.all_reduce_mean(value)
        return float(value)

    def _gradient(self, minibatch: Minibatch) -> Tuple[Tensor, Tensor, Tensor]:
        """As `_backward`, over all parts of the minibatch and all processes."""
        parts = self._settings.gradient_accumulation
        result = self._backward(minibatch) if parts == 1 else self._backward_in_parts(minibatch, parts)
        if self.communicator.is_distributed:
            self.communicator.all_reduce_mean(self._flat.gradient)
        if self._mask is not None:
            self._flat.gradient.mul_(self._mask)
        return result

    def _backward_in_parts(self, minibatch: Minibatch, parts: int) -> Tuple[Tensor, Tensor, Tensor]:
        gradient = self._flat.gradient
        total = torch.zeros_like(gradient)
        results = []
        for part in micro_batches(minibatch, parts):
            results.append(self._backward(part))
            total.add_(gradient)
        gradient.copy_(total.mul_(1.0 / parts))
        log_ratio, outputs, values = map(torch.cat, zip(*results))
        return log_ratio, outputs, values

    def _backward(self, minibatch: Minibatch) -> Tuple[Tensor, Tensor, Tensor]:
        """Fill the gradient vector. Returns log ratios, outputs of the policy head and values."""
        settings, model = self._settings, self.model
        outputs, values = self._gradients.forward(minibatch.observations, minibatch.critic_observations)
        likelihood = model.likelihood(outputs, minibatch.actions)
        log_ratio = likelihood.log_probs - minibatch.log_probs
        grad_log_probs = surrogate_gradient(log_ratio, minibatch.weights, settings.clip_param)
        grad_outputs = likelihood.backward(grad_log_probs, settings)
        old_values, clip = minibatch.values, value_clip(settings)
        grad_values = value_gradient(values, minibatch.returns, old_values, clip, settings.value_coef)
        if self._scaler.is_enabled():
            grad_outputs, grad_values = self._scaler.scale((grad_outputs, grad_values))
            self._scale_log_std()
        self._gradients.backward(grad_outputs, grad_values)
        return log_ratio, outputs, values

    def _scale_log_std(self) -> None:
        log_std = getattr(self.model, "log_std", None)
        if log_std is not None and log_std.grad is not None:
            log_std.grad.copy_(self._scaler.scale(log_std.grad))

    def _step(self) -> Optional[Tensor]:
        """Clip the gradient and step. Returns its norm, or None where it is NaN or infinite and nothing was changed."""
        if self._scaler.is_enabled():
            return self._step_scaled()
        norm = torch.linalg.vector_norm(self._flat.gradient)
        if self._deferred:
            return self._step_deferred(norm)
        value = float(norm)
        if not math.isfinite(value):
            return None
        limit = self._settings.max_grad_norm
        if limit and value + NORM_EPSILON > limit:
            self._flat.gradient.mul_(limit / (value + NORM_EPSILON))
        self._adam.step()
        return norm

    def _step_deferred(self, norm: Tensor) -> Tensor:
        """As `_step` without waiting for the device: from the first bad gradient on, an epoch's steps are skipped."""
        torch.maximum(self._skip, (~torch.isfinite(norm)).float(), out=self._skip)
        limit = self._settings.max_grad_norm
        if limit:
            self._flat.gradient.mul_((limit / (norm + NORM_EPSILON)).clamp_(max=1.0))
        self._adam.step(self._skip)
        return norm

    def _step_scaled(self) -> Optional[Tensor]:
        """As `_step` in fp16: infinity is expected now and then, skips the step and lowers the loss scale."""
        optimizer = cast(torch.optim.Optimizer, self._adam)  # the scaler needs no more than param_groups and step
        self._scaler.unscale_(optimizer)
        norm = torch.linalg.vector_norm(self._flat.gradient)
        limit = self._settings.max_grad_norm
        if limit:
            self._flat.gradient.mul_((limit / (norm + NORM_EPSILON)).clamp_(max=1.0))
        self._scaler.step(optimizer)
        self._scaler.update()
        return norm if self._scaler.get_scale() >= SMALLEST_LOSS_SCALE else None

    def _explain(self, minibatch: Minibatch, epoch: int, index: int) -> NonFiniteError:
        """Repeat a minibatch whose gradient was not finite, and name the first tensor that is not."""
        log_ratio, outputs, values = self._backward(minibatch)
        settings = self._settings
        named = {
            "policy output": outputs,
            "value": values,
            "policy loss": surrogate_terms(log_ratio, minibatch.weights, settings.clip_param),
            "value loss": value_loss(values, minibatch.returns, minibatch.values, value_clip(settings)),
        }
        gradients = self._flat.views(self._flat.gradient)
        named.update({f"gradient of {name}": gradient for name, gradient in gradients.items()})
        named["gradient norm"] = torch.linalg.vector_norm(self._flat.gradient)
        return explained(named, f"in epoch {epoch}, minibatch {index} of update {self.updates}")

    def state_dict(self) -> Dict[str, Any]:
        """Everything that must survive a stop but the model, as tensors, numbers and strings."""
        moments = {"exp_avg": self._adam.exp_avg, "exp_avg_sq": self._adam.exp_avg_sq}
        return {
            "updates": self.updates,
            "learning_rate": self.learning_rate,
            "initial_learning_rate": self._settings.learning_rate,
            "optimizer": {
                "step": float(self._adam.step_count),
                **{
                    moment: {name: view.clone() for name, view in self._flat.views(vector).items()}
                    for moment, vector in moments.items()
                },
            },
            "scaler": self._scaler.state_dict(),
        }

    def load_state_dict(self, state: Dict[str, Any]) -> None:
        """Go on where `state_dict` was taken; at the settings' learning rate where that is not the one it began with.

        Raises:
            CheckpointError: if the moments are not those of this model's parameters.
        """
        optimizer = state["optimizer"]
        for moment, vector in (("exp_avg", self._adam.exp_avg), ("exp_avg_sq", self._adam.exp_avg_sq)):
            self._flat.fill(vector, optimizer[moment], f"optimiser state {moment}")
        self._still_moments()
        self._adam.step_count.fill_(optimizer["step"])
        self.updates = int(state["updates"])
        initial = self._settings.learning_rate
        same_beginning = state.get("initial_learning_rate", initial) == initial
        self.learning_rate = float(state["learning_rate"]) if same_beginning else initial
        if state["scaler"] and self._scaler.is_enabled():
            self._scaler.load_state_dict(state["scaler"])
