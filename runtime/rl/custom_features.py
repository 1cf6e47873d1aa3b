"""A user's own network in place of a feature network."""

from __future__ import annotations

from typing import Any, Callable, Optional, Sequence

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.dropout import _DropoutNd

from ..context import MAX_SEED
from ..errors import ParameterError

MakeFeatures = Callable[..., nn.Module]
"""``make(observation_shape)`` gives a module that turns observations, (N, *observation_shape) float32 (images scaled to
[0, 1]), into features, (N, F), and has the attribute ``output_size``, F."""


class CustomFeatures(nn.Module):
    """The module, with what `ActorCritic` asks of every feature network. Shape: as `prepare` gives -> (N, output_size).

    Its weights are those that its own constructor gave: it runs on a copy of torch's global generator that is seeded
    from ``generator`` and put back, so that nothing else draws other numbers.

    Args:
        make: See `MakeFeatures`.
        observation_shape: Shape of one environment's observation.
        generator: Gives the seed.

    Raises:
        ParameterError: the module breaks the contract; names its class and what would be right.
    """

    body: Optional[nn.Module] = None

    def __init__(self, make: MakeFeatures, observation_shape: Sequence[int], generator: torch.Generator):
        super().__init__()
        self.observation_shape = tuple(observation_shape)
        self.module = _made(make, self.observation_shape, generator)
        self._name = type(self.module).__name__
        _check_layers(self.module)
        self.output_size = self._checked_size()

    @property
    def front(self) -> Optional[nn.Module]:
        """The module where it sees images, which are neither flattened nor normalised by statistics."""
        return self.module if len(self.observation_shape) == 3 else None

    def forward(self, observations: Tensor) -> Tensor:
        if observations.dtype == torch.uint8:
            observations = observations.float().div(255.0)
        return self.module(observations.reshape(-1, *self.observation_shape))

    def _checked_size(self) -> int:
        size = getattr(self.module, "output_size", None)
        if isinstance(size, bool) or not isinstance(size, int) or size < 1:
            raise ParameterError(
                f"{self._name}: its attribute output_size is {size!r}; expected the number of features, F"
            )
        parameter = next(self.module.parameters(), None)
        device = "cpu" if parameter is None else parameter.device
        with torch.no_grad():
            features = self.module(torch.zeros((2, *self.observation_shape), device=device))
        found = tuple(features.shape) if isinstance(features, Tensor) else type(features).__name__
        if found != (2, size):
            raise ParameterError(
                f"{self._name}: of observations (2, {', '.join(map(str, self.observation_shape))}) it makes {found}; "
                f"expected features of the shape (2, {size}), as output_size says"
            )
        return size


def _made(make: MakeFeatures, shape: Sequence[int], generator: torch.Generator) -> nn.Module:
    seed = int(torch.randint(0, MAX_SEED, (), generator=generator, device=generator.device))
    devices = [generator.device] if generator.device.type == "cuda" else []
    with torch.random.fork_rng(devices):
        torch.random.default_generator.manual_seed(seed)
        if devices:
            with torch.cuda.device(generator.device):
                torch.cuda.manual_seed(seed)
        module: Any = make(tuple(shape))
    if not isinstance(module, nn.Module):
        raise ParameterError(f"{make!r} gave {type(module).__name__}; an actor or critic class is an nn.Module")
    return module


def _check_layers(module: nn.Module) -> None:
    for name, layer in module.named_modules():
        if isinstance(layer, _DropoutNd):
            raise ParameterError(
                f"{type(module).__name__}.{name} is {type(layer).__name__}, which draws from torch's global generator, "
                "so that no run could be repeated; leave it out"
            )
        if isinstance(layer, _BatchNorm):
            raise ParameterError(
                f"{type(module).__name__}.{name} is {type(layer).__name__}, whose statistics would change while the "
                "policy acts; take LayerNorm or GroupNorm"
            )
