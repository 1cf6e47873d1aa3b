"""Steps of episodes, and time that is up, against a count step by step."""

import pytest
import torch

from runtime.simulators.episode_clock import EpisodeClock

N = 5


class Plain:
    """The same, counted in every step."""

    def __init__(self, limit, steps):
        self.limit, self.steps, self.partial = limit, steps.clone(), steps > 0

    def tick(self):
        self.steps += 1
        return self.steps >= self.limit

    def begin(self, env_ids):
        self.steps[env_ids], self.partial[env_ids] = 0, False


@pytest.mark.parametrize("spread", [0, 7])
def test_it_agrees_with_a_count_step_by_step(spread):
    """Episodes that end at random and by their time, from common and from different first steps."""
    limit, generator = 8, torch.Generator().manual_seed(spread)
    first = torch.randint(0, spread + 1, (N,), generator=generator)
    clock, plain = EpisodeClock(N, limit, torch.device("cpu")), Plain(limit, first)
    clock.restart(first, first > 0)
    time_outs = 0
    for _ in range(200):
        expected, found = plain.tick(), clock.tick()
        assert torch.equal(expected, torch.zeros(N, dtype=torch.bool) if found is None else found)
        assert torch.equal(clock.steps, plain.steps)
        time_outs += int(expected.sum())
        ended = expected | (torch.rand(N, generator=generator) < 0.05)
        env_ids = ended.nonzero().squeeze(1)
        if len(env_ids):
            clock.begin(env_ids)
            plain.begin(env_ids)
        assert torch.equal(clock.partial, plain.partial)
    assert time_outs > 50


def test_what_was_given_never_changes():
    clock = EpisodeClock(2, 3, torch.device("cpu"))
    clock.restart(torch.tensor([1, 0]), torch.tensor([True, False]))
    clock.tick()
    steps, partial = clock.steps, clock.partial
    clock.begin(torch.tensor([0]))
    clock.tick()
    assert (steps.tolist(), partial.tolist()) == ([2, 1], [True, False])
    assert (clock.steps.tolist(), clock.partial.tolist()) == ([1, 2], [False, False])


def test_it_looks_only_where_time_can_be_up(monkeypatch):
    """Between two time-outs no tensor is touched."""
    clock = EpisodeClock(3, 100, torch.device("cpu"))
    looks = []
    monkeypatch.setattr(torch.Tensor, "min", lambda rows: looks.append(clock._now) or torch.amin(rows))
    for _ in range(250):
        timed_out = clock.tick()
        if timed_out is not None:
            clock.begin(timed_out.nonzero().squeeze(1))
    assert looks == [1, 100, 101, 200, 201]
