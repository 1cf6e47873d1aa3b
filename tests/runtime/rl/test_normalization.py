import copy

import numpy
import torch

from runtime.rl.normalization import RunningMeanStd


def batches(kit, sizes, shape=(3,)):
    source = kit.generator(7)
    return [torch.randn(size, *shape, generator=source) * 5 + 100 for size in sizes]


def test_many_batches_equal_numpy_on_all_rows(kit):
    normalizer, parts = RunningMeanStd((3,)), batches(kit, [1, 7, 2, 500, 64, 1, 33])
    for part in parts:
        normalizer.update(part)
    rows = torch.cat(parts).double().numpy()
    numpy.testing.assert_allclose(normalizer.mean.numpy(), rows.mean(0), rtol=1e-12)
    numpy.testing.assert_allclose(normalizer.var.numpy(), rows.var(0), rtol=1e-10)
    assert float(normalizer.count) == len(rows)


def test_leading_dimensions_are_rows(kit):
    (rows,) = batches(kit, [24])
    flat, folded = RunningMeanStd((3,)), RunningMeanStd((3,))
    flat.update(rows)
    folded.update(rows.view(4, 6, 3))
    assert torch.equal(flat.var, folded.var)


def test_normalized_rows_have_zero_mean_and_unit_variance(kit):
    (rows,) = batches(kit, [1000])
    normalizer = RunningMeanStd((3,))
    normalizer.update(rows)
    normalized = normalizer.normalize(rows)
    torch.testing.assert_close(normalized.mean(0), torch.zeros(3), atol=1e-4, rtol=0)
    torch.testing.assert_close(normalized.std(0, unbiased=False), torch.ones(3), atol=1e-4, rtol=0)
    torch.testing.assert_close(normalizer.denormalize(normalized), rows, rtol=1e-5, atol=1e-4)


def test_identity_before_the_first_update_and_for_an_empty_batch():
    normalizer, rows = RunningMeanStd((2,)), torch.tensor([[3.0, -4.0]])
    normalizer.update(torch.empty(0, 2))
    torch.testing.assert_close(normalizer(rows), rows)


def test_clip():
    normalizer = RunningMeanStd((), clip=2.0)
    assert normalizer(torch.tensor([-9.0, 1.0, 9.0])).tolist() == [-2.0, 1.0, 2.0]


def test_loading_and_copying_keep_the_normalisation(kit):
    (rows,) = batches(kit, [50])
    normalizer, other = RunningMeanStd((3,)), RunningMeanStd((3,))
    normalizer.update(rows)
    other.load_state_dict(normalizer.state_dict())
    assert torch.equal(other(rows), normalizer(rows))
    assert torch.equal(copy.deepcopy(normalizer)(rows), normalizer(rows))
    assert set(normalizer.state_dict()) == {"mean", "var", "count"}


def test_count_goes_on_growing_beyond_float32():
    normalizer = RunningMeanStd(())
    normalizer.count.fill_(2.0**24)
    normalizer.update(torch.ones(1))
    assert float(normalizer.count) == 2.0**24 + 1
