import copy

import pytest
import torch

from runtime.errors import DnneError, ParameterError
from runtime.spaces import Box, Discrete


def observations(kit, rows=6, shape=(4,)):
    return torch.randn(rows, *shape, generator=kit.generator(9))


def test_shapes_for_every_space(kit, space):
    model = kit.make_model(space)
    output = model.act(observations(kit), kit.generator())
    assert output.actions.shape[:1] == output.log_probs.shape == output.values.shape == (6,)
    assert output.distribution.shape == (6, model.distribution.parameter_size)
    assert not output.log_probs.requires_grad


@pytest.mark.parametrize("options", [{}, {"shared_trunk": True}, {"sigma": "state"}, {"sigma": "fixed"}])
def test_evaluate_sees_what_act_did(kit, space, options):
    model = kit.make_model(space, normalize_observations=True, normalize_values=True, **options)
    model.update_normalizer(observations(kit) * 3 + 1)
    model.update_value_normalizer(torch.tensor([5.0, 9.0]))
    output = model.act(observations(kit), kit.generator())
    seen = model.evaluate(observations(kit), output.actions)
    torch.testing.assert_close(seen.log_probs, output.log_probs)
    torch.testing.assert_close(seen.values, output.values)
    torch.testing.assert_close(seen.distribution, output.distribution)
    torch.testing.assert_close(seen.entropy, model.distribution.entropy(output.distribution))
    torch.testing.assert_close(model.values(observations(kit)), output.values)


def test_deterministic_actions_are_the_mode_and_draw_nothing(kit, space):
    model, source = kit.make_model(space), kit.generator()
    before = source.get_state()
    output = model.act(observations(kit), source, deterministic=True)
    assert torch.equal(output.actions, model.distribution.mode(output.distribution))
    assert torch.equal(source.get_state(), before)


@pytest.mark.parametrize(("sigma", "trained"), [("learned", True), ("fixed", False), ("state", False)])
def test_sigma_starts_where_asked(kit, sigma, trained):
    model = kit.make_model(sigma=sigma, initial_log_std=-1.0)
    log_std = model.act(observations(kit), kit.generator()).distribution[:, 2:]
    torch.testing.assert_close(log_std, torch.full_like(log_std, -1.0), atol=0.05, rtol=0)
    assert ("log_std" in dict(model.named_parameters())) == trained


def test_a_shared_trunk_has_one_feature_network(kit):
    model = kit.make_model(shared_trunk=True)
    assert not any(name.startswith("critic.") for name in kit.parameters_of(model))


def test_a_privileged_critic_sees_its_own_observations(kit):
    model = kit.make_model(critic_observation_shape=(7,))
    private = observations(kit, shape=(7,))
    output = model.act(observations(kit), kit.generator(), critic_observations=private)
    assert output.critic_observations is private
    torch.testing.assert_close(output.values, model.values(private))
    other = model.act(observations(kit), kit.generator(), critic_observations=private + 1)
    assert torch.equal(other.actions, output.actions)
    assert not torch.equal(other.values, output.values)
    with pytest.raises(DnneError, match="privileged observations of shape"):
        model.act(observations(kit), kit.generator())


def test_images_get_a_cnn_and_vectors_in_matrix_form_are_flattened(kit):
    images = torch.randint(0, 256, (2, 1, 12, 12), dtype=torch.uint8, generator=kit.generator())
    assert kit.make_model(Discrete(3), (1, 12, 12)).act(images, kit.generator()).actions.shape == (2,)
    flat = kit.make_model(observation_shape=(2, 3))
    assert flat.act(observations(kit, shape=(2, 3)), kit.generator()).actions.shape == (6, 2)
    with pytest.raises(ParameterError, match=r"needs images \(C, H, W\)"):
        kit.make_model(cnn=True)


def test_contradictions_are_refused(kit):
    with pytest.raises(ParameterError, match="sigma: 'none' is not one of"):
        kit.make_model(sigma="none")
    with pytest.raises(ParameterError, match="needs a network of its own"):
        kit.make_model(shared_trunk=True, critic_observation_shape=(7,))
    with pytest.raises(ParameterError, match="scaled to \\[0, 1\\] instead"):
        kit.make_model(observation_shape=(1, 12, 12), normalize_observations=True)


def test_normalisers_change_only_when_told(kit):
    model = kit.make_model(normalize_observations=True, normalize_values=True)
    before = {name: buffer.clone() for name, buffer in model.named_buffers()}
    output = model.act(observations(kit), kit.generator())
    model.evaluate(observations(kit), output.actions)
    assert kit.largest_difference(before, dict(model.named_buffers())) == 0
    model.update_normalizer(observations(kit))
    assert float(model.observation_normalizer.count) == 6
    assert float(model.value_normalizer.count) == 0


def test_new_value_statistics_leave_values_as_they_are(kit):
    model = kit.make_model(normalize_values=True)
    before = model.values(observations(kit))
    model.update_value_normalizer(torch.tensor([100.0, 300.0, 500.0]))
    torch.testing.assert_close(model.values(observations(kit)), before, rtol=1e-5, atol=1e-4)
    assert float(model.value_normalizer.mean) == 300.0


def test_the_generator_decides_weights_and_actions(kit):
    first, second, third = kit.make_model(seed=1), kit.make_model(seed=1), kit.make_model(seed=2)
    assert kit.largest_difference(kit.parameters_of(first), kit.parameters_of(second)) == 0
    assert kit.largest_difference(kit.parameters_of(first), kit.parameters_of(third)) > 0
    actions = [first.act(observations(kit), kit.generator(seed)).actions for seed in (1, 1, 2)]
    assert torch.equal(actions[0], actions[1])
    assert not torch.equal(actions[0], actions[2])


def test_a_saved_model_loads(kit, tmp_path):
    model = kit.make_model(normalize_observations=True)
    model.update_normalizer(observations(kit))
    torch.save(model.state_dict(), tmp_path / "model.pt")
    other = kit.make_model(normalize_observations=True, seed=5)
    other.load_state_dict(torch.load(tmp_path / "model.pt", weights_only=True))
    assert torch.equal(other.values(observations(kit)), model.values(observations(kit)))
    assert torch.equal(copy.deepcopy(model).values(observations(kit)), model.values(observations(kit)))


def test_heads_have_the_gains_of_the_docstring(kit):
    model = kit.make_model(Box((3,)))
    assert float(model.policy_head.weight.detach().norm(dim=1)[0]) == pytest.approx(0.01, rel=1e-4)
    assert float(model.value_head.weight.detach().norm()) == pytest.approx(1.0, rel=1e-4)
