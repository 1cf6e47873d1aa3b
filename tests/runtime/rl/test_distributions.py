import pytest
import torch
from torch import distributions as reference

from runtime.rl.distributions import Categorical, DiagonalGaussian, MultiCategorical, distribution_for
from runtime.spaces import Box, Discrete, MultiDiscrete

ROWS, SAMPLES = 7, 40_000


def split(parameters, sizes):
    return parameters.split(list(sizes), -1)


def gaussian_reference(parameters):
    mean, log_std = parameters.chunk(2, -1)
    return reference.Independent(reference.Normal(mean, log_std.exp()), 1)


def random_parameters(size, seed):
    return torch.randn(ROWS, size, generator=torch.Generator().manual_seed(seed))


def test_gaussian_equals_torch(kit):
    family, old, new = DiagonalGaussian(3), random_parameters(6, 0), random_parameters(6, 1)
    actions = random_parameters(3, 2)
    torch.testing.assert_close(family.log_prob(old, actions), gaussian_reference(old).log_prob(actions))
    torch.testing.assert_close(family.entropy(old), gaussian_reference(old).entropy())
    expected = reference.kl_divergence(gaussian_reference(old), gaussian_reference(new))
    torch.testing.assert_close(family.kl(old, new), expected, rtol=1e-5, atol=1e-5)
    assert torch.equal(family.mode(old), old[:, :3])


def test_categorical_equals_torch():
    family, old, new = Categorical(5), random_parameters(5, 0), random_parameters(5, 1)
    actions = torch.arange(ROWS) % 5
    first, second = reference.Categorical(logits=old), reference.Categorical(logits=new)
    torch.testing.assert_close(family.log_prob(old, actions), first.log_prob(actions))
    torch.testing.assert_close(family.entropy(old), first.entropy())
    torch.testing.assert_close(family.kl(old, new), reference.kl_divergence(first, second))
    assert torch.equal(family.mode(old), old.argmax(-1))


def test_multi_categorical_is_the_sum_of_its_choices():
    nvec = (2, 4, 3)
    family, old, new = MultiCategorical(nvec), random_parameters(9, 0), random_parameters(9, 1)
    actions = torch.stack([torch.arange(ROWS) % n for n in nvec], -1)
    olds = [reference.Categorical(logits=part) for part in split(old, nvec)]
    news = [reference.Categorical(logits=part) for part in split(new, nvec)]
    expected = sum(choice.log_prob(action) for choice, action in zip(olds, actions.unbind(-1)))
    torch.testing.assert_close(family.log_prob(old, actions), expected)
    torch.testing.assert_close(family.entropy(old), sum(choice.entropy() for choice in olds))
    expected = sum(reference.kl_divergence(first, second) for first, second in zip(olds, news))
    torch.testing.assert_close(family.kl(old, new), expected)


def test_gaussian_samples_have_the_mean_and_deviation_asked_for(kit):
    parameters = torch.tensor([[1.0, -2.0, -1.0, 0.5]]).expand(SAMPLES, -1)
    samples = DiagonalGaussian(2).sample(parameters, kit.generator(3))
    torch.testing.assert_close(samples.mean(0), torch.tensor([1.0, -2.0]), atol=0.03, rtol=0)
    torch.testing.assert_close(samples.std(0), torch.tensor([-1.0, 0.5]).exp(), atol=0.03, rtol=0)


@pytest.mark.parametrize("family", [Categorical(3), MultiCategorical((3, 2))])
def test_choices_are_drawn_with_their_probabilities(family, kit):
    logits = torch.tensor([0.5, -1.0, 1.5, 0.0, 2.0])[: family.parameter_size]
    samples = family.sample(logits.expand(SAMPLES, -1), kit.generator(4)).view(SAMPLES, -1)
    for column, part in zip(samples.t(), split(logits, family.sizes)):
        frequencies = torch.bincount(column, minlength=len(part)) / SAMPLES
        torch.testing.assert_close(frequencies, part.softmax(-1), atol=0.01, rtol=0)


@pytest.mark.parametrize(
    ("space", "shape", "dtype", "size"),
    [
        (Box((3,)), (ROWS, 3), torch.float32, 6),
        (Discrete(4), (ROWS,), torch.int64, 4),
        (MultiDiscrete((2, 3)), (ROWS, 2), torch.int64, 5),
    ],
)
def test_family_fits_the_space(space, shape, dtype, size, kit):
    family = distribution_for(space)
    assert family.parameter_size == size
    actions = family.sample(random_parameters(size, 0), kit.generator())
    assert (actions.shape, actions.dtype) == (shape, dtype)


def test_same_generator_state_same_actions(space, kit):
    family = distribution_for(space)
    parameters = random_parameters(family.parameter_size, 0)
    assert torch.equal(family.sample(parameters, kit.generator(5)), family.sample(parameters, kit.generator(5)))
