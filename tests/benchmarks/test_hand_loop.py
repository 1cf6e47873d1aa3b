import pytest
import torch

from runtime.events import Metrics, is_clock_metric
from runtime.run import Run, RunSettings
from tests.benchmarks.autograd_loop import AutogradLoop
from tests.benchmarks.hand_loop import HandLoop
from tests.benchmarks.reference_graph import reference_graph

NUM_ENVS, ITERATIONS = 32, 5


def _run_graph(iterations):
    graph, published = reference_graph(NUM_ENVS), []
    sink = lambda event: published.append(event.values) if isinstance(event, Metrics) else None  # noqa: E731
    Run(graph, RunSettings(seed=3, iterations=iterations), sinks=[sink]).execute()
    metrics = [{name: value for name, value in values.items() if not is_clock_metric(name)} for values in published]
    return graph.find("Agent").network, metrics


def test_graph_and_hand_written_loop_end_with_the_same_bits():
    network, metrics = _run_graph(ITERATIONS)
    loop = HandLoop(reference_graph(NUM_ENVS), seed=3)
    truncated, terminated, by_hand = 0, 0, []
    for _ in range(ITERATIONS):
        by_hand.append(loop.iterate())
        truncated += int(loop.storage.truncated.sum())
        terminated += int(loop.storage.terminated.sum())
    assert truncated and terminated, "the comparison must hold episodes that ended either way"
    assert by_hand == metrics
    for name, parameter in loop.model.named_parameters():
        assert torch.equal(parameter, dict(network.named_parameters())[name]), name


def test_the_autograd_loop_does_the_same_maths():
    hand, plain = HandLoop(reference_graph(NUM_ENVS), seed=3), AutogradLoop(reference_graph(NUM_ENVS), seed=3)
    for network, layers in zip((plain.policy, plain.value), _layers(hand.model)):
        for module, origin in zip(network[::2], layers):
            module.load_state_dict(origin.state_dict())
    plain.generator.set_state(hand.generator.get_state())
    plain.shuffle.set_state(hand.ppo.generator.get_state())
    metrics, by_autograd = hand.iterate(), plain.iterate()
    assert set(metrics) - set(by_autograd) == {"train/learning_rate", "train/weight_norm"}
    for name, value in by_autograd.items():
        assert value == pytest.approx(metrics[name], rel=1e-3, abs=1e-3), name
    for network, layers in zip((plain.policy, plain.value), _layers(hand.model)):
        for module, origin in zip(network[::2], layers):
            torch.testing.assert_close(module.weight, origin.weight, rtol=0.0, atol=1e-5)


def _layers(model):
    """The linear layers of policy and value function."""
    return [*model.actor.body.layers, model.policy_head], [*model.critic.body.layers, model.value_head]
