import pytest
import torch

from runtime.rl.flat import FlatParameters
from runtime.rl.gradients import AutogradGradients, ManualGradients
from runtime.rl.networks import ACTIVATIONS

DIFFERENTIABLE = sorted(name for name, activation in ACTIVATIONS.items() if activation.backward)


def gradient_of(kind, kit, options, rows=9):
    model = kit.make_model(**options)
    flat = FlatParameters(model)
    source = kit.generator(4)
    observations = torch.randn(rows, 4, generator=source)
    critic_observations = torch.randn(rows, *model.critic_observation_shape, generator=source)
    gradients = ManualGradients(model) if kind == "manual" else AutogradGradients(model, flat.gradient)
    flat.gradient.fill_(7.0)  # neither may add to what it finds
    with torch.no_grad():
        for _ in range(2):  # the second pass must not see the first
            outputs, values = gradients.forward(observations, critic_observations)
            grad_outputs = torch.randn(outputs.shape, generator=source)
            grad_values = torch.randn(rows, generator=source)
            gradients.backward(grad_outputs, grad_values)
    return outputs, values, [gradient for name, gradient in flat.views(flat.gradient).items() if name != "log_std"]


@pytest.mark.parametrize(
    "options",
    [{"activation": name} for name in DIFFERENTIABLE]
    + [
        {"shared_trunk": True},
        {"sigma": "state"},
        {"critic_observation_shape": (6,)},
        {"hidden_sizes": ()},
        {"hidden_sizes": (), "shared_trunk": True},
        {"hidden_sizes": (5, 6, 7)},
    ],
    ids=str,
)
def test_by_hand_equals_autograd(kit, options):
    for manual, automatic in zip(gradient_of("manual", kit, options), gradient_of("autograd", kit, options)):
        torch.testing.assert_close(manual, automatic, rtol=1e-5, atol=1e-6)


def test_changing_batch_sizes(kit):
    model = kit.make_model()
    FlatParameters(model)
    gradients = ManualGradients(model)
    with torch.no_grad():
        for rows in (3, 8, 3):
            observations = torch.randn(rows, 4, generator=kit.generator(rows))
            outputs, values = gradients.forward(observations, observations)
            expected, expected_values = model.networks(observations, observations)
            torch.testing.assert_close(outputs, expected)
            torch.testing.assert_close(values, expected_values)


def test_what_hand_written_gradients_support(kit):
    assert ManualGradients.supports(kit.make_model(activation="elu"))
    assert not ManualGradients.supports(kit.make_model(activation="gelu"))
    assert not ManualGradients.supports(kit.make_model(observation_shape=(1, 12, 12)))


def test_bf16_is_close_to_full_precision(kit):
    model = kit.make_model()
    flat = FlatParameters(model)
    observations = torch.randn(16, 4, generator=kit.generator())
    gradients = [AutogradGradients(model, flat.gradient, dtype) for dtype in (None, torch.bfloat16)]
    results = []
    for gradient in gradients:
        outputs, values = gradient.forward(observations, observations)
        assert outputs.dtype == values.dtype == torch.float32
        gradient.backward(torch.ones_like(outputs), torch.ones_like(values))
        results.append(flat.gradient.clone())
    assert not torch.equal(*results)
    torch.testing.assert_close(*results, rtol=0.05, atol=0.2)
