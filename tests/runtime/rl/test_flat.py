import copy

import torch

from runtime.rl.flat import FlatParameters


def observations(kit):
    return torch.randn(5, 4, generator=kit.generator(3))


def test_the_module_goes_on_as_before(kit):
    model = kit.make_model()
    before, values = kit.parameters_of(model), model.values(observations(kit))
    flat = FlatParameters(model)
    assert kit.largest_difference(kit.parameters_of(model), before) == 0
    assert torch.equal(model.values(observations(kit)), values)
    assert list(flat.parameters) == list(before)


def test_parameters_and_gradients_are_views(kit):
    model = kit.make_model()
    flat = FlatParameters(model)
    with torch.no_grad():
        flat.vector.fill_(2.0)
    flat.gradient.fill_(3.0)
    for parameter in model.parameters():
        assert float(parameter.detach().min()) == 2.0
        assert float(parameter.grad.max()) == 3.0
        assert parameter.data_ptr() % 64 == flat.vector.data_ptr() % 64


def test_gradients_land_in_the_vector(kit):
    model = kit.make_model()
    flat = FlatParameters(model)
    model.networks(observations(kit), observations(kit))[1].sum().backward()
    expected = torch.cat([parameter.grad.flatten() for parameter in model.parameters()]).norm()
    torch.testing.assert_close(flat.gradient.norm(), expected)
    assert float(expected) > 0


def test_load_state_dict_writes_through(kit):
    model, other = kit.make_model(), kit.make_model(seed=8)
    flat = FlatParameters(model)
    model.load_state_dict(other.state_dict())
    assert not flat.attach()
    assert kit.largest_difference(flat.views(flat.vector.data), kit.parameters_of(other)) == 0


def test_a_deep_copy_is_independent(kit):
    model = kit.make_model()
    flat = FlatParameters(model)
    twin = copy.deepcopy(model)
    with torch.no_grad():
        flat.vector.zero_()
    assert kit.largest_difference(kit.parameters_of(twin), kit.parameters_of(kit.make_model())) == 0


def test_attach_repairs_what_was_replaced(kit):
    model = kit.make_model()
    flat = FlatParameters(model)
    model.value_head.bias.data = torch.tensor([5.0])
    model.zero_grad(set_to_none=True)
    assert flat.attach()
    assert float(flat.views(flat.vector.data)["value_head.bias"]) == 5.0
    flat.gradient.fill_(1.0)
    assert float(model.value_head.bias.grad) == 1.0
    assert not flat.attach()
