"""The runner: the same graph, the same bits, in as many calls as a program likes."""

import pytest
import torch
from torch import nn

from runtime import OnPolicyRunner
from runtime.errors import CheckpointError, DnneError, ParameterError, RunError
from runtime.events import Metrics, is_clock_metric
from runtime.runner import PPO, MLPActor, MLPCritic, PPOConfig
from runtime.runner.callbacks import EVENTS
from tests.runtime.runner.environments import Reaching

CFG = {"horizon_length": 8, "num_epochs": 2, "num_minibatches": 2}
BATCH = 8 * 8


def runner(env="Cartpole", **options):
    if isinstance(env, str):
        options = {"num_envs": 8, "simulator": "torch", **options}
    fixed = {"cfg": CFG, "device": "cpu", "log_interval": 1, "seed": 3, "verbose": 0}
    made = OnPolicyRunner(env, **{**fixed, **options})
    made.published = []
    made._run.sinks.sinks.append(
        lambda event: made.published.append(_plain(event)) if isinstance(event, Metrics) else None
    )
    return made


def _plain(event):
    return event.step, {name: value for name, value in event.values.items() if not is_clock_metric(name)}


def same_weights(first, second):
    return all(torch.equal(a, b) for a, b in zip(first.agent.state_dict().values(), second.agent.state_dict().values()))


def same(first, second):
    return same_weights(first, second) and first.published == second.published != []


# Learning in parts


@pytest.mark.parametrize("parts", [(3 * BATCH, BATCH), (100, 1, 91, BATCH), (BATCH + 8, 3 * BATCH - 8)])
def test_learning_in_parts_is_one_long_learning_to_the_last_bit(parts):
    whole, pieces = runner(), runner()
    whole.learn(sum(parts))
    for part in parts:
        pieces.learn(part)
    assert same(whole, pieces)
    assert pieces.iteration == 4 and pieces.total_timesteps == whole.total_timesteps == 4 * BATCH


def test_environments_that_cannot_be_saved_go_on_as_well():
    gymnasium = pytest.importorskip("gymnasium")
    make = lambda: gymnasium.make_vec("CartPole-v1", 8, "sync")  # noqa: E731
    whole, pieces = runner(make()), runner(make())
    whole.learn(3 * BATCH)
    pieces.learn(BATCH + 16)
    pieces.eval(3)
    pieces.learn(2 * BATCH - 16)
    assert same(whole, pieces)


def test_objects_go_on_as_well_and_the_queues_do_as_the_schedule():
    cfg = {**CFG, "horizon_length": 6}
    whole, pieces = runner(Reaching(), cfg=cfg), runner(Reaching(), cfg=cfg, scheduler="queues")
    whole.learn(4 * 24)
    for _ in range(4):
        pieces.learn(24)
    assert same(whole, pieces)


def test_the_runner_works_where_an_event_loop_runs_as_in_a_notebook():
    import asyncio

    plain, inside = runner(), runner()
    plain.learn(BATCH)

    async def cell():
        inside.learn(BATCH)
        return inside.eval(2)

    assert asyncio.run(cell())["eval/episodes"] == 2
    assert same(plain, inside)


# Evaluation


def test_an_evaluation_is_repeatable_and_changes_no_bit_of_the_training():
    plain, evaluated = runner(), runner()
    plain.learn(2 * BATCH)
    evaluated.learn(BATCH + 16)
    first, again, other = evaluated.eval(9), evaluated.eval(9), evaluated.eval(9, seed=5)
    evaluated.learn(BATCH - 16)
    assert first == again != other
    assert same(plain, evaluated)
    names = ("mean_reward", "std_reward", "min_reward", "max_reward", "mean_length")
    assert {f"eval/{name}" for name in names} <= set(first)
    assert first["eval/min_reward"] <= first["eval/mean_reward"] <= first["eval/max_reward"]
    assert first["eval/episodes"] == 9


def test_an_object_is_copied_for_an_evaluation():
    plain, evaluated = runner(Reaching()), runner(Reaching())
    plain.learn(64)
    evaluated.learn(32)
    torch.manual_seed(0)
    before = torch.get_rng_state()
    assert evaluated.eval(5)["eval/mean_length"] <= 6
    assert torch.equal(before, torch.get_rng_state())
    evaluated.learn(32)
    assert same(plain, evaluated)


def test_an_object_that_cannot_be_copied_needs_another_for_evaluations():
    env = Reaching()
    env.handle = (item for item in ())
    with pytest.raises(RunError, match="Reaching cannot be copied .* eval_env="):
        runner(env).eval(1)
    assert runner(env, eval_env=Reaching(seed=7)).eval(3)["eval/episodes"] == 3


# Callbacks


def test_callbacks_come_in_the_documented_order_and_change_no_bit():
    plain, heard = runner(), []
    made = runner()
    for event in EVENTS:
        made.add_callback(event, lambda *a, event=event: heard.append((event, made.iteration, made.total_timesteps)))
    plain.learn(2 * BATCH)
    made.learn(BATCH + 8)
    made.learn(BATCH - 8)
    one = [("pre_iteration", 0, 0), ("pre_rollout", 0, 0), ("post_rollout", 0, 64), ("pre_update", 0, 64)]
    one += [("post_update", 0, 64), ("post_iteration", 1, 64)]
    two = [(event, iteration + 1, step + 64) for event, iteration, step in one]
    two[2:5] = [(event, 1, 128) for event, _, _ in one[2:5]]
    assert heard == one + two
    assert same(plain, made)


def test_callbacks_get_the_names_of_the_reference():
    stats = {}
    made = runner()
    for event in EVENTS:
        if event.startswith("post_"):
            made.add_callback(event, lambda given, values, event=event: stats.update({event: values}))
    made.learn(20 * BATCH)
    assert {"rollout/mean_reward", "rollout/mean_value"} <= set(stats["post_rollout"])
    train = {f"train/{name}" for name in ("policy_loss", "value_loss", "entropy_loss", "approx_kl", "learning_rate")}
    assert train <= set(stats["post_update"])
    episodes = {"episode/mean_reward", "episode/mean_length"}
    assert train | episodes | set(stats["post_rollout"]) <= set(stats["post_iteration"])
    assert stats["post_iteration"]["rollout/mean_reward"] == stats["post_rollout"]["rollout/mean_reward"]
    assert stats["post_iteration"]["time/rollout_seconds"] > 0 < stats["post_iteration"]["time/update_seconds"]
    assert stats["post_iteration"]["train/weight_norm"] > 0


@pytest.mark.parametrize("event", EVENTS)
def test_what_a_callback_raises_ends_the_run_and_comes_out(event, caplog):
    def broken(*arguments):
        raise LookupError("my own mistake")

    made = runner()
    made.add_callback(event, broken)
    with pytest.raises(LookupError, match="my own mistake"):
        made.learn(BATCH)
    assert f"the {event} callback broken raised LookupError" in caplog.text
    with pytest.raises(RunError, match="has ended"):
        made.learn(BATCH)


def test_an_optional_callback_may_fail(caplog):
    plain, made = runner(), runner()
    made.add_callback("post_iteration", lambda runner, stats: 1 / 0, optional=True)
    plain.learn(BATCH)
    made.learn(BATCH)
    assert same(plain, made)
    assert "it is optional, so the run goes on" in caplog.text


def test_a_callback_can_stop_the_run_and_the_program_can_go_on():
    whole, made = runner(), runner()
    made.add_callback("post_iteration", lambda runner, stats: runner.iteration == 2 and runner.stop("good enough"))
    result = made.learn(100 * BATCH)
    assert (result.reason, made.iteration, made.total_timesteps) == ("good enough", 2, 2 * BATCH)
    made.learn(BATCH)
    whole.learn(3 * BATCH)
    assert same(whole, made)


def test_a_stop_before_an_iteration_acts_at_once():
    made = runner()
    made.add_callback("pre_iteration", lambda runner: runner.iteration == 1 and runner.stop())
    made.learn(100 * BATCH)
    assert (made.iteration, made.total_timesteps) == (1, BATCH)


def test_a_callback_can_evaluate_and_save_and_settings_of_a_run_are_taken(tmp_path):
    plain, made, found = runner(Reaching()), runner(Reaching(), eval_interval=2, eval_episodes=4), []
    made.add_callback("post_iteration", lambda given, stats: found.append((given.eval(4), stats)))
    made.add_callback("post_iteration", lambda given, stats: given.save_checkpoint(tmp_path / "last.pt"))
    plain.learn(64)
    made.learn(64)
    assert found[1][0]["eval/mean_reward"] == found[1][1]["eval/mean_reward"]
    assert not any(name.startswith("eval/") for name in found[0][1])
    assert same_weights(plain, made)
    plain.load_checkpoint(tmp_path / "last.pt")
    assert plain.iteration == 2 and same_weights(plain, made)


def test_a_wrong_event_names_the_close_match():
    with pytest.raises(ParameterError, match="no event 'post_iter'; did you mean 'post_iteration'"):
        runner().add_callback("post_iter", print)
    with pytest.raises(ParameterError, match="expected a function"):
        runner().add_callback("post_update", 3)


# Checkpoints


def test_a_checkpoint_is_one_file_that_holds_everything(tmp_path):
    made, other = runner(), runner(seed=8)
    made.learn(2 * BATCH)
    made.save_checkpoint(tmp_path / "model.pt")
    other.learn(BATCH + 8)
    other.load_checkpoint(tmp_path / "model.pt")
    assert (other.iteration, other.total_timesteps) == (2, 2 * BATCH)
    assert made.eval(4) == made.eval(4)
    assert made.eval(4, seed=1) == other.eval(4, seed=1)
    states = made._run.node_states(), other._run.node_states()
    assert states[0]["6"]["optimizer"]["step"] == states[1]["6"]["optimizer"]["step"] > 0
    other.learn(BATCH)
    assert (other.iteration, other.total_timesteps) == (3, 3 * BATCH)
    plain = torch.load(tmp_path / "model.pt", weights_only=True)
    assert torch.equal(plain["agent/policy_head.weight"], made.agent.policy_head.weight)


def test_a_fresh_runner_loads_before_it_learns(tmp_path):
    made, fresh = runner(), runner()
    made.learn(BATCH)
    made.save_checkpoint(tmp_path / f"checkpoint_{made.iteration}.pt")
    fresh.load_checkpoint(tmp_path / "checkpoint_1.pt")
    assert fresh.iteration == 1
    fresh.learn(BATCH)
    assert fresh._run.node_states()["6"]["updates"] == 2


def test_a_checkpoint_of_other_networks_changes_nothing(tmp_path):
    small, large = runner(actor_cfg={"hidden_dims": [4]}), runner()
    small.save_checkpoint(tmp_path / "small.pt")
    before = [tensor.clone() for tensor in large.agent.state_dict().values()]
    with pytest.raises(CheckpointError, match=r"(?s)small.pt.*actor.body.layers.0.weight"):
        large.load_checkpoint(tmp_path / "small.pt")
    assert all(torch.equal(a, b) for a, b in zip(before, large.agent.state_dict().values()))
    (tmp_path / "bad.pt").write_bytes(b"no checkpoint")
    with pytest.raises(CheckpointError, match="bad.pt"):
        large.load_checkpoint(tmp_path / "bad.pt")


# Agents


def test_actor_and_critic_have_their_own_sizes():
    made = runner(
        actor_class=MLPActor, critic_class=MLPCritic, actor_cfg={"hidden_dims": [5], "activation": "tanh"},
        critic_cfg={"hidden_dims": [6, 7], "activation": "tanh"},
    )  # fmt: skip
    made.learn(BATCH)
    assert made.agent.actor.body.output_size == 5 and made.agent.critic.body.output_size == 7
    assert made.agent.actor.body.activation == "tanh"


class Own(nn.Module):
    output_size = 3

    def __init__(self, observation_shape, slope):
        super().__init__()
        self.layer, self.slope = nn.Linear(observation_shape[0], 3), slope

    def forward(self, observations):
        return torch.tanh(self.slope * self.layer(observations))


def test_own_networks_train_and_evaluate_and_repeat():
    options = {"actor_class": Own, "critic_class": Own, "actor_cfg": {"slope": 2.0}, "critic_cfg": {"slope": 1.0}}
    torch.manual_seed(1)
    first = runner(**options)
    start = first.agent.actor.module.layer.weight.clone()
    first.learn(2 * BATCH)
    torch.manual_seed(2)
    again = runner(**options)
    again.learn(2 * BATCH)
    assert same(first, again)
    assert not torch.equal(start, first.agent.actor.module.layer.weight)
    assert first.eval(2) == again.eval(2)


def test_a_declared_agent_is_the_same_as_the_arguments():
    cfg = PPOConfig(**CFG, learning_rate=1e-3)
    agent = PPO(env="Cartpole", cfg=cfg, actor_class=MLPActor, critic_class=MLPCritic)
    declared, plain = runner(agent=agent, cfg=cfg), runner(cfg=cfg)
    declared.learn(BATCH)
    plain.learn(BATCH)
    assert same(declared, plain)
    assert declared.published[-1][1]["train/learning_rate"] == pytest.approx(1e-3)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"algorithm": "sac"}, "expected one of ppo"),
        ({"cfg": {"learning_rat": 1}}, "no 'learning_rat'; did you mean 'learning_rate'"),
        ({"cfg": {"gamma": 2.0}}, "gamma: 2.0 is out of range"),
        ({"actor_cfg": {"hidden_dim": [4]}}, "no 'hidden_dim'; did you mean 'hidden_dims'"),
        ({"actor_cfg": {"activation": "tanh"}, "critic_cfg": {"activation": "elu"}}, "one for both"),
        ({"actor_class": MLPCritic}, "MLPCritic stands where MLPActor belongs"),
        ({"env": "Cartpol"}, "did you mean 'Cartpole'"),
        ({"env": object(), "num_envs": None, "simulator": "auto"}, "object, which has no num_envs, reset, step"),
        ({"simulator": "mujco"}, "did you mean 'mujoco'"),
        ({"log_intervall": 1}, "no argument 'log_intervall'; did you mean 'log_interval'"),
        ({"env": None}, "env is missing"),
        ({"agent": PPO("Cartpole"), "actor_class": MLPActor, "cfg": None}, "agent and actor_class are both given"),
        ({"agent": PPO("CartPole-v1"), "cfg": None}, "another one than that of agent"),
        ({"agent": "ppo"}, "agent is str"),
        ({"eval_env": Reaching()}, "eval_env is for environments that a program made"),
        ({"env": Reaching(), "eval_env": "Cartpole"}, "eval_env is for environments that a program made"),
        ({"device": "tpu"}, "device 'tpu'"),
        ({"cfg": {**CFG, "num_minibatches": 7}}, "does not divide into 7 equal minibatches"),
    ],
)
def test_wrong_arguments_are_named(options, message):
    with pytest.raises(DnneError, match=message):
        runner(**options)


@pytest.mark.parametrize("number", [0, -1, 1.5, True])
def test_a_wrong_number_of_steps_is_refused(number):
    with pytest.raises(ParameterError, match="total_timesteps"):
        runner().learn(number)
