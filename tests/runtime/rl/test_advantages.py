import pytest
import torch

from runtime.rl.advantages import generalized_advantages

GAMMA, LAMBDA = 0.9, 0.5


def column(*values):
    return torch.tensor(values).unsqueeze(-1)


def advantages(terminated=(), truncated=(), **options):
    """Rewards 1, 2, 3; values 10, 20, 30; successors' values 20, 30, 40."""
    flags = lambda steps: column(*(step in steps for step in range(3)))  # noqa: E731
    return generalized_advantages(
        column(1.0, 2.0, 3.0), column(10.0, 20.0, 30.0), column(20.0, 30.0, 40.0),
        flags(terminated), flags(truncated), GAMMA, LAMBDA, **options,
    ).flatten().tolist()  # fmt: skip


def test_by_hand_without_an_end():
    # δ = 1 + 18 − 10 = 9;  2 + 27 − 20 = 9;  3 + 36 − 30 = 9;  γλ = 0.45
    assert advantages() == pytest.approx([9 + 0.45 * (9 + 0.45 * 9), 9 + 0.45 * 9, 9])


def test_by_hand_with_a_termination():
    # δ₁ = 2 − 20 = −18, and nothing is carried back over the end
    assert advantages(terminated=[1]) == pytest.approx([9 + 0.45 * -18, -18, 9])


def test_by_hand_with_a_truncation():
    # δ₁ = 2 + 0.9·30 − 20 = 9: bootstrapped, but nothing is carried back over the end
    assert advantages(truncated=[1]) == pytest.approx([9 + 0.45 * 9, 9, 9])


def test_truncation_counts_as_termination_without_bootstrap():
    assert advantages(truncated=[1], bootstrap_timeouts=False) == advantages(terminated=[1])


def test_termination_wins_over_truncation():
    assert advantages(terminated=[1], truncated=[1]) == advantages(terminated=[1])


def test_last_step_bootstraps_at_its_successor():
    assert advantages()[2] == pytest.approx(3 + GAMMA * 40 - 30)
    assert advantages(terminated=[2])[2] == pytest.approx(3 - 30)


def test_equals_a_loop_over_environments(kit):
    source, shape = kit.generator(3), (12, 5)
    rewards, values, successors = (torch.randn(shape, generator=source) for _ in range(3))
    terminated, truncated = (torch.rand(shape, generator=source) < 0.2 for _ in range(2))
    result = generalized_advantages(rewards, values, successors, terminated, truncated, 0.99, 0.95)
    for env in range(shape[1]):
        carried = 0.0
        for t in reversed(range(shape[0])):
            alive = 0.0 if terminated[t, env] else 1.0
            delta = float(rewards[t, env]) + 0.99 * alive * float(successors[t, env]) - float(values[t, env])
            carried = delta + (0.0 if terminated[t, env] or truncated[t, env] else 0.99 * 0.95 * carried)
            assert float(result[t, env]) == pytest.approx(carried, abs=1e-5)


def test_inputs_are_not_changed(kit):
    rewards = torch.randn(4, 2, generator=kit.generator())
    before, no = rewards.clone(), torch.zeros(4, 2, dtype=torch.bool)
    generalized_advantages(rewards, rewards, rewards, no, no, 0.99, 0.95)
    assert torch.equal(rewards, before)
