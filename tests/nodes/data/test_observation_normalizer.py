"""Normalisation of observations by running statistics, against arithmetic by hand."""

import pytest
import torch

from nodes.data.observation_normalizer import ObservationNormalizerNode
from runtime.errors import CheckpointError
from runtime.simulators.interface import Dones
from runtime.specs import Spec
from tests.nodes.running import findings, numbers, prepare

SPECS = {"observations": Spec((2, 1), "float32"), "dones": Spec()}


def column(*values):
    return numbers(*values).unsqueeze(1)


def normalizer(inference=False, **values):
    return prepare(ObservationNormalizerNode("7", values), SPECS, inference=inference)


def test_mean_and_variance_of_everything_seen_so_far():
    node = normalizer()
    assert node.compute(observations=column(1.0, 3.0))["normalized"].flatten().tolist() == pytest.approx([-1.0, 1.0])
    # Seen: 1, 3, 5, 7: mean 4, variance 5
    second = node.compute(observations=column(5.0, 7.0))["normalized"].flatten().tolist()
    assert second == pytest.approx([1 / 5**0.5, 3 / 5**0.5], rel=1e-6)


def test_final_observations_are_normalised_but_not_counted():
    node = normalizer()
    node.compute(observations=column(1.0, 3.0))
    ends = Dones(torch.tensor([True, False]), torch.tensor([False, False]), column(5.0, -3.0))
    out = node.compute(dones=ends)["normalized_dones"]
    assert out.final_observations.flatten().tolist() == pytest.approx([3.0, -5.0])
    assert out.terminated is ends.terminated
    assert float(node.statistics.count) == 2.0


def test_the_limit():
    node = normalizer(clip=0.5)
    assert node.compute(observations=column(1.0, 3.0))["normalized"].flatten().tolist() == [-0.5, 0.5]
    node.clip = 0.75
    node.parameters_changed(frozenset({"clip"}))
    assert node.statistics.normalize(column(3.0)).item() == 0.75


def test_in_inference_the_statistics_stand_still():
    trained = normalizer()
    trained.compute(observations=column(1.0, 3.0))
    node = normalizer(inference=True)
    node.load_checkpoint_state(trained.checkpoint_state())
    for _ in range(2):
        assert node.compute(observations=column(4.0, 2.0))["normalized"].flatten().tolist() == pytest.approx([2.0, 0.0])
    assert float(node.statistics.count) == 2.0


def test_it_goes_on_from_a_saved_state():
    node, again = normalizer(), normalizer()
    node.compute(observations=column(1.0, 3.0))
    again.load_state_dict(node.state_dict())
    results = [one.compute(observations=column(5.0, 7.0))["normalized"] for one in (node, again)]
    assert torch.equal(*results)


def test_a_state_of_other_observations_is_refused():
    other = prepare(ObservationNormalizerNode("7"), {"observations": Spec((2, 3), "float32"), "dones": Spec()})
    with pytest.raises(CheckpointError, match="mean"):
        normalizer().load_checkpoint_state(other.checkpoint_state())


def test_checks():
    assert findings(ObservationNormalizerNode("7"), SPECS) == []
    found = findings(ObservationNormalizerNode("7"), {"observations": Spec(), "dones": Spec()})
    assert found == [("observations", "their shape is not known before the run", "link observations of an environment")]
    wrong = ObservationNormalizerNode("7", {"checkpoint_trigger_value": "often"})
    assert [port for port, *_ in findings(wrong, SPECS)] == ["checkpoint_trigger_value"]
