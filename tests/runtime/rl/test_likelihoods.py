import pytest
import torch

from runtime.rl.settings import PPOSettings

ROWS, ENTROPY_WEIGHT = 6, 0.3


def reference_loss(distribution, parameters, actions, grad_log_probs):
    """A loss with the given ∂L/∂log π and the given weight on the mean entropy, for autograd."""
    log_probs = distribution.log_prob(parameters, actions)
    return (log_probs * grad_log_probs).sum() - ENTROPY_WEIGHT * distribution.entropy(parameters).mean()


@pytest.mark.parametrize("sigma", ["learned", "state"])
def test_gradients_equal_autograd(kit, space, sigma):
    model = kit.make_model(space, sigma=sigma)
    source = kit.generator(2)
    width = model.policy_head.out_features
    outputs = torch.randn(ROWS, width, generator=source).requires_grad_()
    if model.sigma == "learned":
        model.log_std.data.copy_(torch.tensor([-0.5, 0.7]))
    grad_log_probs = torch.randn(ROWS, generator=source)
    parameters = model.distribution_parameters(outputs)
    actions = model.distribution.sample(parameters.detach(), source)
    reference_loss(model.distribution, parameters, actions, grad_log_probs).backward()

    with torch.no_grad():
        likelihood = model.likelihood(outputs, actions)
        torch.testing.assert_close(likelihood.log_probs, model.distribution.log_prob(parameters, actions))
        expected = model.log_std.grad.clone() if model.sigma == "learned" else None
        gradient = likelihood.backward(grad_log_probs, PPOSettings(entropy_coef=ENTROPY_WEIGHT))
    torch.testing.assert_close(gradient, outputs.grad, atol=1e-6, rtol=1e-5)
    if model.sigma == "learned":
        torch.testing.assert_close(model.log_std.grad, expected, atol=1e-6, rtol=1e-5)
