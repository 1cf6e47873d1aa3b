"""The environment and its step: what goes out when, and what is kept across a stop."""

import pytest
import torch

from nodes.envs.env import IsaacGymEnvNode
from nodes.envs.step import IsaacGymStepNode
from runtime.errors import DnneError, ParameterError
from runtime.simulators.factory import task_spec
from runtime.specs import Spec
from tests.nodes.running import findings, prepare

TASK = task_spec("Cartpole", 4)


def env(inference=False, seed=0, **values):
    return prepare(IsaacGymEnvNode("1", {"num_envs": 4, "task": "Cartpole", **values}), inference=inference, seed=seed)


def step(trigger=True, **context):
    connected = ("sim", "actions", "observations", "rewards", "dones", "info") + (("trigger",) if trigger else ())
    inputs = {"sim": Spec(task=TASK), "actions": Spec((4, 1))}
    return prepare(IsaacGymStepNode("5", {"episode_window": 8}), inputs, connected, **context)


PUSH = torch.full((4, 1), 0.5)


# Env


def test_env_gives_the_simulation_and_its_first_observations():
    node = env()
    outputs = node.compute()
    assert outputs["sim"] is node.simulation
    assert outputs["observations"].shape == (4, 4)
    assert torch.equal(outputs["observations"], node.simulation.observations())
    assert outputs["critic_observations"] is None
    node.close()
    node.close()


def test_episodes_are_desynchronised_in_training_only():
    for inference, desynchronise, expected in ((False, True, True), (True, True, False), (False, False, False)):
        node = env(inference, desynchronise=desynchronise)
        node.compute()
        assert bool(node.simulation.partial.any()) is expected


def test_the_first_observations_depend_on_the_seed_alone():
    first, again, other = (env(seed=seed).compute()["observations"] for seed in (3, 3, 4))
    assert torch.equal(first, again) and not torch.equal(first, other)


def test_task_parameters_are_in_force_from_the_first_episode():
    node = env(task_parameters={"pole_length": 2.0})
    node.compute()
    assert node.simulation.task_parameters()["pole_length"].tolist() == [2.0] * 4
    node = env()
    node.compute(task_parameters_input={"pole_length": 3.0})
    assert node.simulation.task_parameters()["pole_length"].tolist() == [3.0] * 4


def test_task_parameters_out_of_range_are_refused_when_the_simulation_is_made():
    with pytest.raises(ParameterError, match="pole_length"):
        env(task_parameters={"pole_length": 99.0})


def test_env_goes_on_from_a_saved_state():
    node, again = env(), env(seed=9)
    observations = node.compute()["observations"]
    again.load_state_dict(node.state_dict())
    assert torch.equal(again.simulation.observations(), observations)
    assert again.held_outputs() == {"sim": again.simulation}


def test_env_knows_its_sizes_before_the_run():
    node = IsaacGymEnvNode("1", {"num_envs": 16})
    specs = node.infer({})
    assert specs["observations"].shape == (16, 4)
    assert specs["sim"].task.num_envs == 16
    assert "critic_observations" not in specs


def test_env_checks():
    assert findings(IsaacGymEnvNode("1")) == []
    (finding,) = findings(IsaacGymEnvNode("1", {"task": "Cartpol"}))
    assert finding[0] == "task" and "did you mean 'Cartpole'?" in finding[1]
    assert IsaacGymEnvNode("1", {"task": "Cartpol"}).infer({}) == {}
    (finding,) = findings(IsaacGymEnvNode("1"), connected=("critic_observations",))
    assert finding == ("critic_observations", "the task Cartpole has no privileged observations", "unlink the port")
    (finding,) = findings(IsaacGymEnvNode("1"), {"task_parameters_input": Spec(keys=("nothing",))})
    assert finding[0] == "task_parameters_input"


# Step


def test_without_a_trigger_everything_goes_out_at_once():
    simulation = env().compute()["sim"]
    outputs = step(trigger=False).compute(simulation, PUSH)
    assert set(outputs) == {"rewards", "dones", "info", "observations", "critic_observations"}
    assert torch.equal(outputs["observations"], simulation.observations())


def test_with_a_trigger_the_observations_are_held_and_released_in_turn():
    simulation, node = env().compute()["sim"], step()
    held = []
    for _ in range(3):
        assert set(node.compute(simulation, PUSH)) == {"rewards", "dones", "info"}
        held.append(simulation.observations())
    for observations in held:
        assert torch.equal(node.release()["observations"], observations)


def test_steps_of_all_environments_are_counted():
    simulation, node = env().compute()["sim"], step()
    for count in (4, 8, 12):
        node.compute(simulation, PUSH)
        assert node.context.progress.environment_steps == count


def test_final_observations_are_the_next_ones_where_no_episode_ended():
    simulation, node = env().compute()["sim"], step(trigger=False)
    ended_once = False
    for _ in range(600):
        outputs = node.compute(simulation, PUSH)
        dones, following = outputs["dones"], outputs["observations"]
        assert torch.equal(dones.final_observations[~dones.ended], following[~dones.ended])
        if dones.ended.any():
            ended_once = True
            assert not torch.equal(dones.final_observations[dones.ended], following[dones.ended])
    assert ended_once


def test_rewards_are_the_sum_of_their_components():
    simulation, node = env().compute()["sim"], step()
    outputs = node.compute(simulation, PUSH)
    components = outputs["info"]["reward_components"]
    assert set(components) == set(TASK.reward_components)
    assert torch.allclose(sum(components.values()), outputs["rewards"], atol=1e-6)


def test_episode_metrics_count_whole_episodes_only():
    node = step()
    simulation = env().compute()["sim"]
    returns, lengths, finished = torch.zeros(4), torch.zeros(4), []
    whole = ~simulation.partial
    assert node.collect_metrics() == {}
    for _ in range(400):
        outputs = node.compute(simulation, PUSH)
        returns, lengths = returns + outputs["rewards"], lengths + 1
        for index in outputs["dones"].ended.nonzero().flatten().tolist():
            if whole[index]:
                finished.append((float(returns[index]), float(lengths[index])))
            returns[index], lengths[index], whole[index] = 0.0, 0.0, True
    metrics = node.collect_metrics()
    last = finished[-8:]
    assert len(finished) > 8
    assert metrics["episode/count"] == len(finished)
    assert metrics["episode/mean_reward"] == pytest.approx(sum(value for value, _ in last) / 8, rel=1e-5)
    assert metrics["episode/mean_length"] == sum(length for _, length in last) / 8


def test_inference_ends_after_the_episodes_that_were_asked_for():
    node = step(inference=True, episodes=6)
    simulation = env(inference=True).compute()["sim"]
    for _ in range(500):
        node.compute(simulation, PUSH)
        if node.context.stop_reason:
            break
    assert node.context.stop_reason == "6 episodes"
    assert node.collect_metrics()["eval/episodes"] == 6.0


def test_task_parameters_are_handed_on_when_they_change():
    simulation, node = env().compute()["sim"], step()
    given = []
    simulation.set_task_parameters = given.append
    for parameters in ({"pole_length": 1.0}, {"pole_length": 1.0}, {"pole_length": 2.0}):
        node.compute(simulation, PUSH, task_parameters=parameters)
    assert given == [{"pole_length": 1.0}, {"pole_length": 2.0}]


def test_step_goes_on_from_a_saved_state():
    environment = env()
    simulation, node, again = environment.compute()["sim"], step(), step()
    for _ in range(250):
        node.compute(simulation, PUSH)
        if len(node.held) > 2:
            node.release()
    again.load_state_dict(node.state_dict())
    assert again.collect_metrics() == node.collect_metrics() != {}
    for _ in range(2):
        assert torch.equal(node.release()["observations"], again.release()["observations"])


def test_step_knows_its_sizes_before_the_run():
    specs = IsaacGymStepNode("5").infer({"sim": Spec(task=TASK)})
    assert specs["observations"].shape == (4, 4) and specs["rewards"].shape == (4,)
    assert specs["info"].task is TASK
    assert IsaacGymStepNode("5").infer({}) == {}


def test_step_checks():
    good = {"sim": Spec(task=TASK), "actions": Spec((4, 1), "float32")}
    assert findings(IsaacGymStepNode("5"), good) == []
    assert findings(IsaacGymStepNode("5"), {**good, "sim": Spec()}) == [
        ("sim", "it comes from no environment", "link the sim output of an environment node")
    ]
    (finding,) = findings(IsaacGymStepNode("5"), {**good, "actions": Spec((4, 2), "float32")})
    assert finding[:2] == ("actions", "they are float32 (4, 2); Cartpole takes float32 (4, 1)")
    (finding,) = findings(IsaacGymStepNode("5"), {**good, "actions": Spec((8, 1), "float32")})
    assert finding[0] == "actions", "actions of another number of environments"


def test_actions_of_the_wrong_shape_stop_the_run():
    simulation, node = env().compute()["sim"], step()
    with pytest.raises(DnneError, match="actions have the shape"):
        node.compute(simulation, torch.zeros(4, 2))


def test_options_that_an_engine_does_not_take_are_found_before_the_run():
    node = IsaacGymEnvNode("1", {"simulator": "torch", "simulation_threads": 2, "on_bad_physics": "reset"})
    expected = "simulator 'torch' has no such option for Cartpole"
    assert [finding[:2] for finding in findings(node)] == [
        ("on_bad_physics", expected),
        ("simulation_threads", expected),
    ]
    assert findings(IsaacGymEnvNode("1", {"simulator": "torch"})) == []


def test_options_of_mujoco_reach_it():
    pytest.importorskip("mujoco")
    values = {"simulator": "mujoco", "simulation_threads": 2, "on_bad_physics": "reset"}
    assert findings(IsaacGymEnvNode("1", values)) == []
    node = env(**values)
    assert node.simulation.on_bad_physics == "reset"
    stepping = step(trigger=False)
    node.compute()
    stepping.compute(node.simulation, PUSH)
    assert stepping.collect_metrics() == {"simulation/bad_physics_resets": 0.0}
    node.close()


def test_figures_of_the_engine_are_added_up_over_processes():
    parts = [
        {"simulation/bad_physics_resets": 2.0},
        {"simulation/bad_physics_resets": 1.0, "episode/count": 1.0, "episode/mean_reward": 5.0},
    ]
    merged = step().merge_metrics(parts)
    assert merged["simulation/bad_physics_resets"] == 3.0 and merged["episode/mean_reward"] == 5.0
