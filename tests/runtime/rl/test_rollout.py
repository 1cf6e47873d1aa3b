import io
import re

import pytest
import torch

from runtime.errors import CheckpointError, DnneError
from runtime.rl.rollout import RolloutStorage
from runtime.rl.types import PolicyOutput
from runtime.spaces import Box


def number_observations(shape):
    """A value function for tests: the sum of an observation."""
    return shape.flatten(1).sum(-1)


def filled(horizon=3, truncated_at=()):
    """Two environments; observation at step t of environment e is 10 t + e, its true successor 1000 + 10 t + e."""
    storage = RolloutStorage(horizon, 2, (1,), Box((1,)))
    for t in range(horizon):
        observations = torch.tensor([[10.0 * t], [10.0 * t + 1]])
        output = PolicyOutput(torch.zeros(2, 1), torch.zeros(2), observations.flatten(), torch.zeros(2, 2))
        truncated = torch.tensor([(t, 0) in truncated_at, (t, 1) in truncated_at])
        storage.add(
            observations, output, torch.ones(2), torch.zeros(2, dtype=torch.bool), truncated, 1000 + observations
        )
    return storage


def test_successors_are_the_next_row_except_at_cuts_and_the_end():
    storage = filled(truncated_at=[(0, 1), (1, 0)])
    expected = [[10.0, 1001.0], [1010.0, 21.0], [1020.0, 1021.0]]
    assert storage.next_values(number_observations).tolist() == expected


def test_without_a_cut_only_the_last_successors_are_kept():
    assert set(filled().final_observations()) == {"last"}


def test_what_is_added_is_copied(kit):
    storage = filled(horizon=1, truncated_at=[(0, 0)])
    storage.clear()
    observations, final = torch.ones(2, 1), torch.ones(2, 1)
    output = PolicyOutput(torch.zeros(2, 1), torch.zeros(2), torch.zeros(2), torch.zeros(2, 2))
    storage.add(observations, output, torch.ones(2), torch.ones(2).bool(), torch.ones(2).bool(), final)
    observations.fill_(7.0)
    final.fill_(7.0)
    assert storage.observations.max() == 1.0
    assert storage.next_values(number_observations).max() == 1.0


def test_a_full_storage_refuses_more(kit):
    model = kit.make_model()
    storage = kit.make_rollout(model)
    with pytest.raises(DnneError, match="already holds its 8 steps"):
        kit.add_step(storage, model, kit.generator())
    storage.clear()
    assert not storage.full
    kit.add_step(storage, model, kit.generator())


def test_a_wrong_shape_is_named():
    storage = filled()
    storage.clear()
    output = PolicyOutput(torch.zeros(2, 1), torch.zeros(2), torch.zeros(2), torch.zeros(2, 2))
    with pytest.raises(DnneError, match=r"rewards .* expected the shape \(2,\), got \(2, 1\)"):
        storage.add(
            torch.ones(2, 1), output, torch.ones(2, 1), torch.ones(2).bool(), torch.ones(2).bool(), torch.ones(2, 1)
        )


@pytest.mark.parametrize("shape", [(2,), (2, 4), (1, 1)])
def test_successors_of_a_wrong_shape_are_named(shape):
    storage = RolloutStorage(3, 2, (1,), Box((1,)))
    output = PolicyOutput(torch.zeros(2, 1), torch.zeros(2), torch.zeros(2), torch.zeros(2, 2))
    no = torch.zeros(2).bool()
    message = f"final_observations of a rollout step: expected the shape (2, 1), got {shape}"
    with pytest.raises(DnneError, match=re.escape(message)):
        storage.add(torch.ones(2, 1), output, torch.ones(2), no, no, torch.ones(shape))
    assert storage.step == 0


def test_privileged_successors_of_a_wrong_shape_are_named(kit):
    model = kit.make_model(critic_observation_shape=(6,))
    storage = RolloutStorage(4, 2, (4,), model.action_space, (6,))
    output = model.act(torch.zeros(2, 4), kit.generator(), critic_observations=torch.zeros(2, 6))
    no, final = torch.zeros(2).bool(), torch.zeros(2, 4)
    with pytest.raises(DnneError, match=r"final_critic_observations .* expected the shape \(2, 6\), got \(2, 4\)"):
        storage.add(torch.zeros(2, 4), output, torch.ones(2), no, no, final, final)


def test_missing_privileged_observations_are_an_error(kit):
    model = kit.make_model(critic_observation_shape=(6,))
    storage = RolloutStorage(4, 2, (4,), model.action_space, (6,))
    output = model.act(torch.zeros(2, 4), kit.generator(), critic_observations=torch.zeros(2, 6))
    no = torch.zeros(2).bool()
    with pytest.raises(DnneError, match="final_critic_observations"):
        storage.add(torch.zeros(2, 4), output, torch.ones(2), no, no, torch.zeros(2, 4))


@pytest.mark.parametrize("cut", [0, 1, 5, 8])
@pytest.mark.parametrize("critic_shape", [None, (6,)])
def test_a_partial_rollout_survives_a_stop(kit, space, cut, critic_shape):
    model = kit.make_model(space, critic_observation_shape=critic_shape)
    whole = kit.make_rollout(model, critic_shape=critic_shape)
    first, source = RolloutStorage(8, 4, (4,), space, critic_shape), kit.generator(1)
    for _ in range(cut):
        kit.add_step(first, model, source, critic_shape)
    file = io.BytesIO()
    torch.save(first.state_dict(), file)
    file.seek(0)
    second = RolloutStorage(8, 4, (4,), space, critic_shape)
    second.load_state_dict(torch.load(file, weights_only=True))
    while not second.full:
        kit.add_step(second, model, source, critic_shape)
    for name, tensor in whole.fields.items():
        assert torch.equal(second.fields[name], tensor), name
    assert torch.equal(second.next_values(model.values), whole.next_values(model.values))


def test_a_state_of_another_size_is_refused(kit):
    state = kit.make_rollout(kit.make_model(), num_envs=4).state_dict()
    with pytest.raises(CheckpointError, match=r"observations should have the shape \(8, 5, 4\), found .*\(8, 4, 4\)"):
        RolloutStorage(8, 5, (4,), Box((2,))).load_state_dict(state)


def test_a_state_of_a_longer_rollout_is_refused(kit):
    state = kit.make_rollout(kit.make_model(), horizon=8).state_dict()
    with pytest.raises(CheckpointError, match="observations"):
        RolloutStorage(6, 4, (4,), Box((2,))).load_state_dict(state)


def test_images_stay_bytes():
    storage = RolloutStorage(2, 3, (1, 8, 8), Box((1,)), observation_dtype=torch.uint8)
    assert storage.observations.dtype == torch.uint8
