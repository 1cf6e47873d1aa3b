"""Feature networks: multi-layer perceptron, and a convolutional front for images."""

from __future__ import annotations

import math
from functools import partial
from typing import Callable, Dict, List, NamedTuple, Optional, Sequence, Union, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..errors import ParameterError

Layer = Union[nn.Linear, nn.Conv2d]

HIDDEN_GAIN = math.sqrt(2.0)


class Activation(NamedTuple):
    """An activation function and, where it follows from the result alone, its derivative.

    Attributes:
        forward: x -> y; may write into x.
        backward: (∂L/∂y, y) -> ∂L/∂x, written over ∂L/∂y; None where x itself is needed.
    """

    forward: Callable[[Tensor], Tensor]
    backward: Optional[Callable[[Tensor, Tensor], Tensor]] = None


_aten = torch.ops.aten
_SELU_ALPHA, _SELU_SCALE = 1.6732632423543772848170429916717, 1.0507009873554804934193349852946
_LEAK = 0.01


def _elu_backward(grad: Tensor, result: Tensor, alpha: float = 1.0, scale: float = 1.0) -> Tensor:
    return _aten.elu_backward.grad_input(grad, alpha, scale, 1.0, True, result, grad_input=grad)


def _relu_backward(grad: Tensor, result: Tensor) -> Tensor:
    return _aten.threshold_backward.grad_input(grad, result, 0.0, grad_input=grad)


def _tanh_backward(grad: Tensor, result: Tensor) -> Tensor:
    return _aten.tanh_backward.grad_input(grad, result, grad_input=grad)


def _sigmoid_backward(grad: Tensor, result: Tensor) -> Tensor:
    return _aten.sigmoid_backward.grad_input(grad, result, grad_input=grad)


def _leaky_relu_backward(grad: Tensor, result: Tensor) -> Tensor:
    return _aten.leaky_relu_backward.grad_input(grad, result, _LEAK, True, grad_input=grad)


ACTIVATIONS: Dict[str, Activation] = {
    "elu": Activation(partial(F.elu, inplace=True), _elu_backward),
    "relu": Activation(torch.relu_, _relu_backward),
    "tanh": Activation(torch.tanh_, _tanh_backward),
    "sigmoid": Activation(torch.sigmoid_, _sigmoid_backward),
    "selu": Activation(partial(F.selu, inplace=True), partial(_elu_backward, alpha=_SELU_ALPHA, scale=_SELU_SCALE)),
    "leaky_relu": Activation(partial(F.leaky_relu, negative_slope=_LEAK, inplace=True), _leaky_relu_backward),
    "gelu": Activation(F.gelu),
    "silu": Activation(F.silu),
    "mish": Activation(F.mish),
    "softplus": Activation(F.softplus),
    "identity": Activation(lambda values: values, lambda grad, result: grad),
}


def activation_named(name: str) -> Activation:
    """The activation of a name.

    Raises:
        ParameterError: if there is none of this name.
    """
    if name not in ACTIVATIONS:
        raise ParameterError(f"activation: {name!r} is unknown, known are {', '.join(sorted(ACTIVATIONS))}")
    return ACTIVATIONS[name]


class EmptyLinear(nn.Linear):
    """A linear layer that is not initialised, so that nothing is drawn from the global generator.

    `torch.nn.utils.skip_init` does the same by way of the meta device, which takes a second to import.
    """

    def reset_parameters(self) -> None:
        pass


class EmptyConv2d(nn.Conv2d):
    """A convolution that is not initialised."""

    def reset_parameters(self) -> None:
        pass


@torch.no_grad()
def initialize(layer: Layer, generator: torch.Generator, gain: Optional[float]) -> None:
    """Initialise a linear or convolutional layer on the generator's device.

    Args:
        layer: Has `weight` and `bias`.
        generator: What to draw from.
        gain: Orthogonal weights of this gain, biases 0 (Saxe et al. 2014, arXiv:1312.6120); None for torch's default.
    """
    bias = cast(Tensor, layer.bias)
    if gain is not None:
        nn.init.orthogonal_(layer.weight, gain, generator=generator)
        bias.zero_()
        return
    nn.init.kaiming_uniform_(layer.weight, a=math.sqrt(5), generator=generator)
    bound = 1.0 / math.sqrt(layer.weight[0].numel())
    bias.uniform_(-bound, bound, generator=generator)


class MLP(nn.Module):
    """Linear layers, each followed by the activation. Shape: (..., input_size) -> (..., output_size)."""

    def __init__(self, input_size: int, hidden_sizes: Sequence[int], activation: str):
        super().__init__()
        self.activation = activation
        self.input_size = input_size
        sizes = [input_size, *hidden_sizes]
        self.output_size = sizes[-1]
        self.layers = nn.ModuleList(EmptyLinear(*pair) for pair in zip(sizes, sizes[1:]))
        self._activate = activation_named(activation).forward

    @property
    def linear_layers(self) -> List[nn.Linear]:
        """`layers` as a list."""
        return cast(List[nn.Linear], list(self.layers))

    def forward(self, values: Tensor) -> Tensor:
        for layer in self.linear_layers:
            values = self._activate(F.linear(values, layer.weight, layer.bias))
        return values


# kernel size, stride, padding of the three layers
_LARGE_IMAGE = ((8, 4, 0), (4, 2, 0), (3, 1, 0))  # Mnih et al. 2015, doi:10.1038/nature14236
_SMALL_IMAGE = ((3, 2, 1), (3, 2, 1), (3, 1, 1))
_LARGE_SIDE = 36


class CNN(nn.Module):
    """Three convolutions and a flatten. uint8 images are scaled to [0, 1]. Shape: (N, C, H, W) -> (N, output_size).

    From 36 pixels on the layers are those of Mnih et al. 2015; smaller images get 3 x 3 kernels.
    """

    def __init__(self, image_shape: Sequence[int], activation: str, channels: Sequence[int] = (32, 64, 64)):
        super().__init__()
        depth, *side = image_shape
        geometry = _LARGE_IMAGE if min(side) >= _LARGE_SIDE else _SMALL_IMAGE
        layers = []
        for width, (kernel, stride, padding) in zip(channels, geometry):
            layers.append(EmptyConv2d(depth, width, kernel, stride=stride, padding=padding))
            side = [(length + 2 * padding - kernel) // stride + 1 for length in side]
            depth = width
        self.layers = nn.ModuleList(layers)
        self.output_size = depth * side[0] * side[1]
        self._activate = activation_named(activation).forward

    def forward(self, images: Tensor) -> Tensor:
        values = images.float().div(255.0) if images.dtype == torch.uint8 else images
        for layer in self.layers:
            values = self._activate(layer(values))
        return values.flatten(1)


class FeatureNetwork(nn.Module):
    """Observations to features: an optional CNN, then an MLP. Shape: (N, *observation_shape) -> (N, output_size)."""

    def __init__(
        self,
        observation_shape: Sequence[int],
        hidden_sizes: Sequence[int],
        activation: str,
        cnn: bool,
    ):
        super().__init__()
        self.front = CNN(observation_shape, activation) if cnn else None
        size = self.front.output_size if self.front is not None else math.prod(observation_shape)
        self.body = MLP(size, hidden_sizes, activation)
        self.output_size = self.body.output_size

    def forward(self, observations: Tensor) -> Tensor:
        if self.front is not None:
            observations = self.front(observations)
        return self.body(observations)

    def initialize(self, generator: torch.Generator, orthogonal: bool) -> None:
        """Draw all weights, front first."""
        for layer in self.hidden_layers():
            initialize(layer, generator, HIDDEN_GAIN if orthogonal else None)

    def hidden_layers(self) -> List[Layer]:
        """All layers with weights, in the order of the forward pass."""
        front = [] if self.front is None else cast(List[Layer], list(self.front.layers))
        return [*front, *self.body.linear_layers]
