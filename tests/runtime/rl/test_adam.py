import pytest
import torch

from runtime.rl.adam import FlatAdam


def pair(kit):
    start = torch.randn(37, generator=kit.generator())
    return torch.nn.Parameter(start.clone()), torch.nn.Parameter(start.clone())


@pytest.mark.parametrize("fused", [True, False])
def test_equals_torch_adam(kit, fused):
    ours, theirs = pair(kit)
    ours.grad = torch.zeros(37)
    adam = FlatAdam(ours, ours.grad, epsilon=1e-5)
    assert adam.fused, "torch's fused Adam should run on the CPU in every supported version"
    adam.fused = fused
    reference = torch.optim.Adam([theirs], lr=1e-2, eps=1e-5)
    source = kit.generator(1)
    for step in range(20):
        gradient = torch.randn(37, generator=source)
        ours.grad.copy_(gradient)
        theirs.grad = gradient
        adam.learning_rate = reference.param_groups[0]["lr"] = 1e-2 / (step + 1)
        adam.step()
        reference.step()
    torch.testing.assert_close(ours, theirs, rtol=1e-6, atol=1e-7)
    state = reference.state[theirs]
    torch.testing.assert_close(adam.exp_avg, state["exp_avg"], rtol=1e-5, atol=1e-8)
    torch.testing.assert_close(adam.exp_avg_sq, state["exp_avg_sq"], rtol=1e-5, atol=1e-8)
    assert float(adam.step_count) == 20


@pytest.mark.parametrize("fused", [True, False])
def test_a_skipped_step_changes_nothing(kit, fused):
    ours, _ = pair(kit)
    ours.grad = torch.zeros(37)
    adam = FlatAdam(ours, ours.grad, epsilon=1e-5)
    adam.fused, adam.learning_rate = fused, 0.1
    ours.grad.fill_(float("nan"))
    before = ours.detach().clone()
    adam.step(skip=torch.ones(()))
    assert torch.equal(ours.detach(), before)
    assert float(adam.step_count) == 0
    assert float(adam.exp_avg.abs().max()) == 0
    ours.grad.fill_(1.0)
    adam.step(skip=torch.zeros(()))
    assert float(adam.step_count) == 1
    assert not torch.equal(ours.detach(), before)
