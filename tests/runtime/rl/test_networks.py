import math

import pytest
import torch
from torch import nn

from runtime.errors import ParameterError
from runtime.rl.networks import ACTIVATIONS, CNN, MLP, FeatureNetwork, activation_named

MODULES = {
    "elu": nn.ELU(), "relu": nn.ReLU(), "tanh": nn.Tanh(), "sigmoid": nn.Sigmoid(), "selu": nn.SELU(),
    "leaky_relu": nn.LeakyReLU(), "gelu": nn.GELU(), "silu": nn.SiLU(), "mish": nn.Mish(), "softplus": nn.Softplus(),
    "identity": nn.Identity(),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
def test_activation_and_its_derivative_equal_torch(name, kit):
    values = torch.randn(50, generator=kit.generator()) * 3
    inputs = values.clone().requires_grad_()
    expected = MODULES[name](inputs)
    result = ACTIVATIONS[name].forward(values.clone())
    torch.testing.assert_close(result, expected)
    if ACTIVATIONS[name].backward:
        grad = torch.randn(50, generator=kit.generator(1))
        expected.backward(grad)
        torch.testing.assert_close(ACTIVATIONS[name].backward(grad.clone(), result), inputs.grad)


def test_an_unknown_activation_lists_the_known_ones():
    with pytest.raises(ParameterError, match="'swish' is unknown, known are elu"):
        activation_named("swish")


def network(kit, orthogonal, shape=(4,), seed=0):
    made = FeatureNetwork(shape, (16, 8), "elu", cnn=len(shape) == 3)
    made.initialize(kit.generator(seed), orthogonal)
    return made


def test_mlp_equals_a_sequence_of_layers(kit):
    made = network(kit, True)
    first, second = made.body.layers
    values = torch.randn(5, 4, generator=kit.generator())
    expected = nn.Sequential(first, nn.ELU(), second, nn.ELU())(values)
    assert torch.equal(made(values), expected)
    assert made.output_size == 8


def test_an_mlp_without_layers_passes_values_on():
    values = torch.ones(2, 4)
    assert torch.equal(MLP(4, (), "elu")(values), values)


def test_orthogonal_weights_have_gain_root_two_and_biases_are_zero(kit):
    weight = network(kit, True).body.layers[1].weight
    torch.testing.assert_close(weight @ weight.t(), 2 * torch.eye(8), atol=1e-5, rtol=0)
    assert network(kit, True).body.layers[0].bias.abs().max() == 0


def test_default_weights_are_bounded_as_torch_bounds_them(kit):
    layer = network(kit, False).body.layers[0]
    bound = 1 / math.sqrt(4)
    for tensor in (layer.weight, layer.bias):
        assert 0.8 * bound < float(tensor.detach().abs().max()) <= bound


@pytest.mark.parametrize("orthogonal", [True, False])
def test_same_generator_same_weights(kit, orthogonal):
    first, second = network(kit, orthogonal).state_dict(), network(kit, orthogonal).state_dict()
    assert kit.largest_difference(first, second) == 0
    assert kit.largest_difference(first, network(kit, orthogonal, seed=1).state_dict()) > 0


@pytest.mark.parametrize("shape", [(3, 84, 84), (1, 36, 40), (2, 12, 10)])
def test_cnn_announces_its_size(kit, shape):
    made = network(kit, True, shape)
    assert made(torch.zeros(2, *shape)).shape == (2, 8)
    assert CNN(shape, "relu").output_size == made.body.input_size


def test_bytes_are_scaled_to_one(kit):
    made = network(kit, True, (1, 12, 12))
    assert torch.equal(made(torch.full((1, 1, 12, 12), 255, dtype=torch.uint8)), made(torch.ones(1, 1, 12, 12)))
