"""The policy and value networks of an actor-critic agent, with their normalisers."""

from __future__ import annotations

from typing import NamedTuple, Optional, Sequence, Tuple, Union

import torch
from torch import Tensor, nn

from ..distributed.communicator import Communicator
from ..errors import DnneError, ParameterError
from ..spaces import Space, policy_outputs
from .custom_features import CustomFeatures, MakeFeatures
from .distributions import DiagonalGaussian, Family, distribution_for, gaussian_log_prob, standard_normal
from .likelihoods import CategoricalLikelihood, GaussianLikelihood, Likelihood
from .networks import EmptyLinear, FeatureNetwork, initialize
from .normalization import ALONE, RunningMeanStd
from .types import PolicyOutput

SIGMAS = ("learned", "fixed", "state")
POLICY_GAIN = 0.01
VALUE_GAIN = 1.0

Features = Union[FeatureNetwork, CustomFeatures]


class Evaluation(NamedTuple):
    """How the present policy sees recorded transitions, with gradients.

    Attributes:
        log_probs: log π(a|s). Shape: (N,).
        entropy: Unit: nats. Shape: (N,).
        values: V(s) in units of return. Shape: (N,).
        distribution: Flat parameters. Shape: (N, P).
    """

    log_probs: Tensor
    entropy: Tensor
    values: Tensor
    distribution: Tensor


class ActorCritic(nn.Module):
    """A stochastic policy and a value function, with separate networks or a shared trunk.

    Normalisers change only in `update_normalizer` and `update_value_normalizer`, so rollout and update see one policy.
    Image observations (C, H, W) are not normalised by running statistics but scaled to [0, 1] where uint8.

    Args:
        observation_shape: Shape of one environment's observation.
        action_space: A space of `runtime.spaces`.
        generator: Draws the initial weights.
        critic_observation_shape: Shape of privileged observations; None where the critic sees the actor's.
        hidden_sizes: Widths of the hidden layers.
        critic_hidden_sizes: Likewise of the critic; None for the same.
        activation: A name of `networks.ACTIVATIONS`.
        shared_trunk: One feature network for policy and value.
        sigma: Log standard deviation of a Gaussian policy: a "learned" or "fixed" vector, or a function of the "state".
        initial_log_std: Where the log standard deviation starts.
        orthogonal_init: Orthogonal weights with gains √2 (hidden), 0.01 (policy), 1 (value); off, torch's default.
        normalize_observations: Normalise vector observations by running statistics.
        observation_clip: Normalised observations are clamped to ± this; 0 for no limit.
        normalize_values: Train the value head on normalised returns.
        cnn: Convolutional front for images; None decides by the rank of the observation (3).
        make_actor, make_critic: Make feature networks in place of those described here.
        device: Where parameters live.

    Raises:
        ParameterError: if the arguments contradict each other.
    """

    log_std: Tensor

    def __init__(
        self,
        observation_shape: Sequence[int],
        action_space: Space,
        *,
        generator: torch.Generator,
        critic_observation_shape: Optional[Sequence[int]] = None,
        hidden_sizes: Sequence[int] = (64, 64),
        critic_hidden_sizes: Optional[Sequence[int]] = None,
        activation: str = "elu",
        shared_trunk: bool = False,
        sigma: str = "learned",
        initial_log_std: float = 0.0,
        orthogonal_init: bool = True,
        normalize_observations: bool = False,
        observation_clip: float = 10.0,
        normalize_values: bool = False,
        cnn: Optional[bool] = None,
        make_actor: Optional[MakeFeatures] = None,
        make_critic: Optional[MakeFeatures] = None,
        device: str = "cpu",
    ):
        super().__init__()
        _check_arguments(sigma, shared_trunk, critic_observation_shape, make_critic, critic_hidden_sizes)
        self.observation_shape = tuple(observation_shape)
        self.privileged = critic_observation_shape is not None
        self.critic_observation_shape = tuple(critic_observation_shape or observation_shape)
        self.action_space = action_space
        self.distribution: Family = distribution_for(action_space)
        self.gaussian = isinstance(self.distribution, DiagonalGaussian)
        self.sigma = sigma if self.gaussian else "none"
        self.shared_trunk = shared_trunk

        self.actor = _features(make_actor, observation_shape, generator, hidden_sizes, activation, cnn)
        self.critic: Optional[Features] = None
        if not shared_trunk:
            critic_cnn = None if cnn and self.privileged else cnn
            sizes = hidden_sizes if critic_hidden_sizes is None else critic_hidden_sizes
            shape = self.critic_observation_shape
            self.critic = _features(make_critic, shape, generator, sizes, activation, critic_cnn)
        outputs = policy_outputs(action_space) * (2 if self.sigma == "state" else 1)
        self.policy_head = EmptyLinear(self.actor.output_size, outputs)
        self.value_head = EmptyLinear(self.value_network.output_size, 1)
        self._initialize(generator, orthogonal_init, initial_log_std)
        self._add_log_std(initial_log_std)
        self._add_normalizers(normalize_observations, observation_clip, normalize_values)
        self.to(device)

    @property
    def value_network(self) -> Features:
        """The features under the value head: the critic's own, or those of the shared trunk."""
        return self.actor if self.critic is None else self.critic

    def _initialize(self, generator: torch.Generator, orthogonal: bool, initial_log_std: float) -> None:
        self.to(generator.device)
        _initialize_features(self.actor, generator, orthogonal)
        initialize(self.policy_head, generator, POLICY_GAIN if orthogonal else None)
        if self.critic is not None:
            _initialize_features(self.critic, generator, orthogonal)
        initialize(self.value_head, generator, VALUE_GAIN if orthogonal else None)
        if self.sigma == "state":
            with torch.no_grad():
                self.policy_head.bias[self.policy_head.out_features // 2 :] = initial_log_std

    def _add_log_std(self, initial_log_std: float) -> None:
        start = torch.full((self.policy_head.out_features,), float(initial_log_std))
        if self.sigma == "learned":
            self.log_std = nn.Parameter(start)
        elif self.sigma == "fixed":
            self.register_buffer("log_std", start)

    def _add_normalizers(self, observations: bool, clip: float, values: bool) -> None:
        actor = observations and self.actor.front is None
        critic = observations and self.privileged and self.value_network.front is None
        if observations and not actor and not critic:
            raise ParameterError(
                "normalize_observations: running statistics are for vectors, but the observations are images, which "
                "are scaled to [0, 1] instead; switch it off"
            )
        self.observation_normalizer = RunningMeanStd(self.observation_shape, clip) if actor else None
        self.critic_observation_normalizer = RunningMeanStd(self.critic_observation_shape, clip) if critic else None
        self.value_normalizer = RunningMeanStd(()) if values else None

    def prepare(self, observations: Tensor) -> Tensor:
        """Observations as the actor's network takes them. Shape: (N, *observation_shape) -> (N, F) or images."""
        return _prepare(observations, self.observation_normalizer, self.actor)

    def prepare_critic(self, critic_observations: Tensor) -> Tensor:
        """Observations as the critic's network takes them; those of the actor where the critic has none of its own."""
        if not self.privileged:
            return self.prepare(critic_observations)
        return _prepare(critic_observations, self.critic_observation_normalizer, self.value_network)

    def networks(self, prepared: Tensor, critic_prepared: Tensor) -> Tuple[Tensor, Tensor]:
        """Raw outputs of both heads, from prepared observations.

        Returns:
            Outputs of the policy head, shape (N, O), and normalised values, shape (N,).
        """
        features = self.actor(prepared)
        critic_features = features if self.critic is None else self.critic(critic_prepared)
        return self.policy_head(features), self.value_head(critic_features).squeeze(-1)

    def gaussian_parts(self, outputs: Tensor) -> Tuple[Tensor, Tensor]:
        """Mean and log standard deviation from the policy head. Shape: (N, O) -> (N, A) and (A,) or (N, A)."""
        if self.sigma == "state":
            mean, log_std = outputs.chunk(2, -1)
            return mean, log_std
        return outputs, self.log_std

    def likelihood(self, outputs: Tensor, actions: Tensor) -> Likelihood:
        """Likelihood of recorded actions, with its gradient by hand. Shape: (N, O) and as in `PolicyOutput`."""
        if isinstance(self.distribution, DiagonalGaussian):
            return GaussianLikelihood(outputs, None if self.sigma == "state" else self.log_std, actions)
        return CategoricalLikelihood(outputs, actions, self.distribution.sizes)

    def distribution_parameters(self, outputs: Tensor) -> Tensor:
        """Flat parameters of the distribution from the policy head. Shape: (N, O) -> (N, P)."""
        if self.sigma in ("learned", "fixed"):
            return torch.cat((outputs, self.log_std.expand_as(outputs)), -1)
        return outputs

    def denormalize_values(self, values: Tensor) -> Tensor:
        """Values of the head in units of return. Shape: (N,)."""
        return values if self.value_normalizer is None else self.value_normalizer.denormalize(values)

    def normalize_values(self, returns: Tensor) -> Tensor:
        """Returns in the units of the value head. Shape: (N,)."""
        return returns if self.value_normalizer is None else self.value_normalizer.normalize(returns)

    @torch.no_grad()
    def act(
        self,
        observations: Tensor,
        generator: torch.Generator,
        deterministic: bool = False,
        critic_observations: Optional[Tensor] = None,
    ) -> PolicyOutput:
        """Choose actions for N environments.

        Args:
            observations: Shape: (N, *observation_shape).
            generator: Draws the actions.
            deterministic: Take the most probable action.
            critic_observations: Privileged observations, where the model has them.
                Shape: (N, *critic_observation_shape).

        Raises:
            DnneError: if privileged observations are missing.
        """
        outputs, values = self.networks(*self._prepare_both(observations, critic_observations))
        parameters = self.distribution_parameters(outputs)
        if self.gaussian and not deterministic:
            actions, log_probs = self._sample_gaussian(outputs, generator)
        else:
            family = self.distribution
            actions = family.mode(parameters) if deterministic else family.sample(parameters, generator)
            log_probs = family.log_prob(parameters, actions)
        return PolicyOutput(actions, log_probs, self.denormalize_values(values), parameters, critic_observations)

    def _sample_gaussian(self, outputs: Tensor, generator: torch.Generator) -> Tuple[Tensor, Tensor]:
        mean, log_std = self.gaussian_parts(outputs)
        std = log_std.exp()
        actions = torch.addcmul(mean, std, standard_normal(mean.shape, mean, generator))
        # from the rounded action, as the update will see it
        return actions, gaussian_log_prob(((actions - mean) / std).square(), log_std)

    def evaluate(
        self, observations: Tensor, actions: Tensor, critic_observations: Optional[Tensor] = None
    ) -> Evaluation:
        """Log-probabilities, entropies and values of recorded transitions, with gradients.

        Args:
            observations: Shape: (N, *observation_shape).
            actions: Shape: as in `PolicyOutput`.
            critic_observations: As in `act`.
        """
        outputs, values = self.networks(*self._prepare_both(observations, critic_observations))
        parameters = self.distribution_parameters(outputs)
        return Evaluation(
            self.distribution.log_prob(parameters, actions),
            self.distribution.entropy(parameters),
            self.denormalize_values(values),
            parameters,
        )

    @torch.no_grad()
    def values(self, critic_observations: Tensor) -> Tensor:
        """V(s) in units of return. Shape: (N, *critic_observation_shape) -> (N,)."""
        values = self.value_head(self.value_network(self.prepare_critic(critic_observations))).squeeze(-1)
        return self.denormalize_values(values)

    def update_normalizer(
        self,
        observations: Tensor,
        critic_observations: Optional[Tensor] = None,
        communicator: Communicator = ALONE,
    ) -> None:
        """Merge a rollout's observations, those of all processes, into the running statistics. Shape: (..., *shape)."""
        if self.observation_normalizer is not None:
            self.observation_normalizer.update(observations, communicator)
        if self.critic_observation_normalizer is not None and critic_observations is not None:
            self.critic_observation_normalizer.update(critic_observations, communicator)

    @torch.no_grad()
    def update_value_normalizer(self, returns: Tensor, communicator: Communicator = ALONE) -> None:
        """Merge returns into the value statistics and rescale the value head, so that V(s) itself does not change.

        van Hasselt et al. 2016, arXiv:1602.07714, eq. 9 (PopArt). Shape: (...).
        """
        if self.value_normalizer is None or self.value_normalizer.frozen:
            return
        old_mean, old_std = self.value_normalizer.mean.clone(), self.value_normalizer.std
        self.value_normalizer.update(returns, communicator)
        mean, std = self.value_normalizer.mean, self.value_normalizer.std
        # W' = W σ/σ',  b' = (σ b + μ − μ')/σ'
        head = self.value_head
        head.weight.copy_(head.weight * (old_std / std))
        head.bias.copy_((old_std * head.bias + old_mean - mean) / std)

    def _prepare_both(self, observations: Tensor, critic_observations: Optional[Tensor]) -> Tuple[Tensor, Tensor]:
        prepared = self.prepare(observations)
        if not self.privileged:
            return prepared, prepared
        if critic_observations is None:
            raise DnneError(
                f"this agent's critic needs privileged observations of shape (N, {self.critic_observation_shape}), "
                "but none were given: connect critic_observations"
            )
        return prepared, self.prepare_critic(critic_observations)


def _prepare(observations: Tensor, normalizer: Optional[RunningMeanStd], network: Features) -> Tensor:
    if network.front is not None:
        return observations
    values = observations.float()
    if normalizer is not None:
        values = normalizer.normalize(values)
    return values if values.dim() == 2 else values.flatten(1)


def _wants_cnn(cnn: Optional[bool], shape: Sequence[int]) -> bool:
    if cnn and len(shape) != 3:
        raise ParameterError(f"cnn: needs images (C, H, W), but the observations have the shape {tuple(shape)}")
    return len(shape) == 3 if cnn is None else cnn


def _features(
    make: Optional[MakeFeatures],
    shape: Sequence[int],
    generator: torch.Generator,
    hidden_sizes: Sequence[int],
    activation: str,
    cnn: Optional[bool],
) -> Features:
    if make is not None:
        return CustomFeatures(make, shape, generator)
    return FeatureNetwork(shape, hidden_sizes, activation, _wants_cnn(cnn, shape))


def _initialize_features(network: Features, generator: torch.Generator, orthogonal: bool) -> None:
    """A user's own network has its weights already."""
    if isinstance(network, FeatureNetwork):
        network.initialize(generator, orthogonal)


def _check_arguments(
    sigma: str,
    shared_trunk: bool,
    critic_observation_shape: Optional[Sequence[int]],
    make_critic: Optional[MakeFeatures],
    critic_hidden_sizes: Optional[Sequence[int]],
) -> None:
    if sigma not in SIGMAS:
        raise ParameterError(f"sigma: {sigma!r} is not one of {SIGMAS}")
    if shared_trunk and critic_observation_shape is not None:
        raise ParameterError("shared_trunk: a critic with privileged observations needs a network of its own")
    if shared_trunk and (make_critic is not None or critic_hidden_sizes is not None):
        raise ParameterError("shared_trunk: a critic of its own kind or size cannot share the trunk")
