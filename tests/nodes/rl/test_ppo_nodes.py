"""The agent and the trainer as nodes: sizes, settings, what is emitted when, and what is kept."""

import dataclasses

import pytest
import torch

from nodes.rl.ppo_agent import PPOAgentNode
from nodes.rl.ppo_trainer import PPOTrainerNode
from runtime.errors import CheckpointError, DnneError, ParameterError
from runtime.rl.settings import PPOSettings
from runtime.simulators.factory import task_spec
from runtime.simulators.interface import Dones
from runtime.spaces import Box, Discrete, MultiDiscrete
from runtime.specs import Spec
from tests.nodes.running import findings, prepare

TASK = task_spec("Cartpole", 4)
SEEN = {"observations": Spec((4, 4), "float32", TASK)}


def with_actions(space):
    return {"observations": Spec((4, 4), "float32", dataclasses.replace(TASK, action_space=space))}


def agent(inputs=SEEN, context=None, **values):
    return prepare(PPOAgentNode("3", {"hidden_sizes": [8], **values}), inputs, **(context or {}))


def observations(seed=0):
    return torch.randn(4, 4, generator=torch.Generator().manual_seed(seed))


def ends(final, terminated=False):
    return Dones(torch.full((4,), terminated), torch.zeros(4, dtype=torch.bool), final)


# Agent


@pytest.mark.parametrize(
    ("space", "shape", "dtype"),
    [(Box((1,)), (4, 1), "float32"), (Box((3,)), (4, 3), "float32"), (Discrete(5), (4,), "int64"),
     (MultiDiscrete((2, 3)), (4, 2), "int64")],
)  # fmt: skip
def test_the_actions_have_the_shape_that_was_inferred(space, shape, dtype):
    inputs = with_actions(space)
    spec = PPOAgentNode("3").infer(inputs)["policy_output"]
    assert (spec.shape, spec.dtype) == (shape, dtype)
    output = agent(inputs).compute(observations())["policy_output"]
    assert tuple(output.actions.shape) == shape
    assert str(output.actions.dtype) == f"torch.{dtype}"
    assert tuple(output.log_probs.shape) == tuple(output.values.shape) == (4,)


def test_what_the_policy_saw_through_travels_with_its_output():
    inputs = {"observations": Spec((4, 12), "float32", TASK, ("FrameStackNode 7",))}
    assert PPOAgentNode("3").infer(inputs)["policy_output"].transformed == ("FrameStackNode 7",)
    assert PPOAgentNode("3").infer({}) == {}


def test_the_same_seed_and_id_give_the_same_weights_and_actions():
    first, again = agent().compute(observations()), agent().compute(observations())
    assert torch.equal(first["policy_output"].actions, again["policy_output"].actions)
    other = agent(context={"seed": 1}).compute(observations())
    assert not torch.equal(first["policy_output"].actions, other["policy_output"].actions)


def test_in_inference_the_most_probable_action_is_taken_unless_told_otherwise():
    for deterministic, expected in ((True, True), (False, False)):
        node = agent(context={"inference": True}, deterministic=deterministic)
        first, second = (node.compute(observations())["policy_output"].actions for _ in range(2))
        assert torch.equal(first, second) is expected
    node = agent(deterministic=True)
    first, second = (node.compute(observations())["policy_output"].actions for _ in range(2))
    assert not torch.equal(first, second), "in training it explores"


def test_values_are_detached():
    with torch.enable_grad():
        output = agent().compute(observations())["policy_output"]
    assert not any(getattr(output, name).requires_grad for name in ("actions", "log_probs", "values", "distribution"))


def test_weights_and_random_numbers_go_on_from_a_saved_state():
    node, again = agent(normalize_observations=True), agent(normalize_observations=True, context={"seed": 5})
    node.compute(observations())
    node.network.update_normalizer(observations(1))
    again.load_state_dict(node.state_dict())
    again.random_state = node.random_state
    results = [one.compute(observations(2))["policy_output"] for one in (node, again)]
    assert torch.equal(results[0].actions, results[1].actions) and torch.equal(results[0].values, results[1].values)
    assert again.held_outputs() == {"model": again.network}


def test_a_checkpoint_of_other_sizes_is_refused():
    with pytest.raises(CheckpointError, match=r"(?s)expected.*found|shape"):
        agent(hidden_sizes=[16]).load_checkpoint_state(agent().checkpoint_state())


@pytest.mark.parametrize(
    ("values", "inputs", "port", "message"),
    [
        ({"input_size": 5}, SEEN, "input_size", "it is 5, but the observations are float32 (4, 4)"),
        ({"output_size": 2}, SEEN, "output_size", "it is 2, but Cartpole takes 1"),
        ({"output_size": 3}, with_actions(Discrete(5)), "output_size", "it is 3, but Cartpole takes 5"),
        ({"cnn": "on"}, SEEN, "cnn", "it takes images (N, C, H, W)"),
        ({}, {"observations": Spec((4, 4), "float32")}, "output_size", "it cannot be inferred"),
        ({}, {"observations": Spec()}, "observations", "their shape is not known before the run"),
        ({"normalize_observations": True}, {"observations": Spec((4, 3, 64, 64), "uint8", TASK)},
         "normalize_observations", "it is for vectors"),
        ({"shared_trunk": True}, {**SEEN, "critic_observations": Spec((4, 9))}, "shared_trunk", "a critic with"),
        ({"checkpoint_trigger_type": "time", "checkpoint_trigger_value": "x"}, SEEN, "checkpoint_trigger_value", ""),
    ],
)  # fmt: skip
def test_agent_checks(values, inputs, port, message):
    (finding,) = findings(PPOAgentNode("3", values), inputs)
    assert finding[0] == port and message in finding[1]


def test_an_agent_without_a_task_takes_its_output_size():
    inputs = {"observations": Spec((4, 4), "float32")}
    node = agent(inputs, output_size=2)
    assert findings(PPOAgentNode("3", {"output_size": 2}), inputs) == []
    assert node.compute(observations())["policy_output"].actions.shape == (4, 2)


# Trainer


def trainer(context=None, **values):
    settings = {"horizon_length": 3, "num_epochs": 1, "num_minibatches": 2, **values}
    return prepare(PPOTrainerNode("6", settings), **(context or {}))


def collect(node, model_owner, count, start=0):
    emitted = []
    for index in range(start, start + count):
        seen = observations(index)
        output = model_owner.compute(seen)["policy_output"]
        rewards = torch.ones(4)
        emitted.append(node.compute(seen, output, rewards, ends(observations(index + 1)), model_owner.network))
    return emitted


def test_it_triggers_once_per_transition_and_gives_metrics_once_per_rollout():
    node, model_owner = trainer(), agent()
    emitted = collect(node, model_owner, 7)
    assert [set(outputs) for outputs in emitted] == [{"trigger"}] * 2 + [{"trigger", "metrics"}] + [{"trigger"}] * 2 + [
        {"trigger", "metrics"}, {"trigger"},
    ]  # fmt: skip
    assert node.context.progress.iterations == 2
    assert emitted[2]["metrics"]["train/learning_rate"] == node.learning_rate
    assert {"train/policy_loss", "train/value_loss", "train/approx_kl"} <= set(emitted[2]["metrics"])


def test_the_update_is_done_before_the_trigger_goes_out():
    node, model_owner = trainer(), agent()
    before = [tensor.clone() for tensor in model_owner.network.parameters()]
    collect(node, model_owner, 2)
    assert all(torch.equal(old, new) for old, new in zip(before, model_owner.network.parameters()))
    collect(node, model_owner, 1, start=2)
    assert not all(torch.equal(old, new) for old, new in zip(before, model_owner.network.parameters()))


def test_every_setting_reaches_the_update():
    node = PPOTrainerNode("6")
    for field in dataclasses.fields(PPOSettings):
        assert field.name in node.parameters, field.name
    node = PPOTrainerNode("6", {"gamma": 0.5, "target_kl": 0.25, "minibatch_size": 8})
    settings = node.settings()
    assert (settings.gamma, settings.target_kl, settings.minibatch_size) == (0.5, 0.25, 8)
    assert PPOTrainerNode("6").settings().target_kl is None, "0 is for never"


def test_live_edits_act_at_the_next_update():
    node, model_owner = trainer(), agent()
    collect(node, model_owner, 1)
    node.learning_rate = 0.125
    node.parameters_changed(frozenset({"learning_rate"}))
    emitted = collect(node, model_owner, 2, start=1)
    assert emitted[-1]["metrics"]["train/learning_rate"] == 0.125


def test_in_inference_nothing_is_trained():
    node, model_owner = trainer({"inference": True}), agent(context={"inference": True})
    assert collect(node, model_owner, 4) == [{"trigger": True}] * 4
    assert node.context.progress.iterations == 0
    assert (node.emits_every("metrics"), trainer().emits_every("metrics")) == (0, 3)


def test_a_linear_learning_rate_needs_the_end_of_the_run():
    with pytest.raises(
        ParameterError, match="Trainer: a linear learning rate needs the end of the run: give --total-timest"
    ):
        trainer(learning_rate_schedule="linear")
    trainer({"inference": True}, learning_rate_schedule="linear")


def test_the_linear_learning_rate_follows_the_progress():
    from runtime.context import Progress

    node, model_owner = trainer({"progress": Progress(total_iterations=4)}, learning_rate_schedule="linear"), agent()
    rates = [out["metrics"]["train/learning_rate"] for out in collect(node, model_owner, 12) if "metrics" in out]
    assert rates == pytest.approx([3e-4, 3e-4 * 0.75, 3e-4 * 0.5, 3e-4 * 0.25])


def test_states_that_the_model_does_not_take_are_refused():
    node, model_owner = trainer(), agent()
    output = model_owner.compute(observations())["policy_output"]
    with pytest.raises(DnneError, match=r"states have the shape \(4, 12\), but the model takes \(N, 4\)"):
        node.compute(torch.zeros(4, 12), output, torch.ones(4), ends(observations()), model_owner.network)


@pytest.mark.parametrize("cut", [1, 2, 3, 4, 5, 6])
def test_it_goes_on_from_a_saved_state_anywhere_in_a_rollout(cut):
    node, model_owner = trainer(learning_rate_schedule="adaptive"), agent()
    collect(node, model_owner, cut)
    again, its_agent = trainer(learning_rate_schedule="adaptive"), agent(context={"seed": 9})
    its_agent.load_state_dict(model_owner.state_dict())
    its_agent.random_state = model_owner.random_state
    state = node.state_dict()
    again.load_state_dict(state)
    again.random_state = node.random_state
    assert again.state_dict().keys() == state.keys(), "also before the model arrives"
    first, second = collect(node, model_owner, 7, start=cut), collect(again, its_agent, 7, start=cut)
    strip = lambda emitted: [out.get("metrics", {}).get("train/policy_loss") for out in emitted]  # noqa: E731
    assert strip(first) == strip(second)
    weights = [list(one.network.state_dict().values()) for one in (model_owner, its_agent)]
    assert all(torch.equal(old, new) for old, new in zip(*weights))


def test_the_checkpoint_of_a_trainer_that_has_not_fired_since_it_was_loaded():
    node, model_owner = trainer(), agent()
    collect(node, model_owner, 3)
    saved = node.checkpoint_state()
    assert saved
    loaded = trainer()
    loaded.load_checkpoint_state(saved)
    assert loaded.checkpoint_state() == saved, "it does not overwrite the optimiser's state with nothing"
    resumed = trainer()
    resumed.load_state_dict(node.state_dict())
    assert resumed.checkpoint_state().keys() == saved.keys()


@pytest.mark.parametrize(
    ("values", "changes", "port", "message"),
    [
        ({"num_minibatches": 5}, {}, "num_minibatches", "does not divide into 5 equal minibatches"),
        ({"minibatch_size": 7}, {}, "minibatch_size", "does not divide into minibatches of 7"),
        ({}, {"rewards": Spec((8,), "float32")}, "rewards", "they are of 8 environments, the states of 4"),
        ({}, {"rewards": Spec((4, 1), "float32")}, "rewards", "they are float32 (4, 1)"),
        ({}, {"policy_outputs": Spec((8, 1), "float32")}, "policy_outputs", "they are of 8 environments"),
        ({}, {"states": Spec((4, 12), "float32", TASK, ("X 1",)), "dones": Spec(transformed=("X 1",))}, "states",
         "they went through X 1, but what the policy saw through no transform"),
        ({}, {"dones": Spec(transformed=("X 1",))}, "dones", "the final observations in dones through X 1"),
        ({"learning_rate_schedule": "adaptive", "learning_rate_low": 0.1}, {}, "learning_rate_low",
         "it is 0.1, above learning_rate_high, 0.01"),
        ({"checkpoint_trigger_value": "x"}, {}, "checkpoint_trigger_value", ""),
    ],
)  # fmt: skip
def test_trainer_checks(values, changes, port, message):
    inputs = {
        "states": Spec((4, 4), "float32", TASK), "policy_outputs": Spec((4, 1), "float32", TASK),
        "rewards": Spec((4,), "float32", TASK), "dones": Spec(task=TASK), "model": Spec(task=TASK), **changes,
    }  # fmt: skip
    (finding,) = findings(PPOTrainerNode("6", values), inputs)
    assert finding[0] == port and message in finding[1]
    good = {name: spec for name, spec in inputs.items() if name not in changes}
    assert [where for where, *_ in findings(PPOTrainerNode("6"), good) if where in good] == []
