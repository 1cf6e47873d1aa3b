"""The Gymnasium engine against environments whose course is known."""

import sys

import pytest
import torch

gymnasium = pytest.importorskip("gymnasium")

from runtime.errors import CheckpointError, ParameterError  # noqa: E402
from runtime.simulators.factory import make_simulator, task_spec  # noqa: E402
from runtime.simulators.interface import SimulatorError  # noqa: E402
from runtime.spaces import Box, Discrete, MultiDiscrete  # noqa: E402

from . import gymnasium_tasks  # noqa: E402

gymnasium_tasks.register()


@pytest.fixture
def make():
    made = []

    def build(task="DnneCountdown-v0", num_envs=2, seed=0, **options):
        made.append(make_simulator("gymnasium", task, num_envs, "cpu", torch.Generator().manual_seed(seed), **options))
        return made[-1]

    yield build
    for simulator in made:
        simulator.close()
        simulator.close()


def still(*shape):
    return torch.zeros(*shape)


def test_an_episode_and_the_beginning_of_the_next_one(make):
    simulator = make()
    assert simulator.reset().tolist() == [[0, 1, 0, 0]] * 2
    action = torch.tensor([[0.5, -1.0], [-3.0, 0.0]])
    results = [simulator.step(action) for _ in range(4)]
    assert [result.rewards.tolist() for result in results] == [[1, 1], [2, 2], [3, 3], [1, 1]]
    assert [result.dones.terminated.tolist() for result in results] == [
        [False] * 2,
        [False] * 2,
        [True] * 2,
        [False] * 2,
    ]
    assert not any(result.dones.truncated.any() for result in results)
    # [-1, 1] is spread over [-2, 2] and [0, 10], and -3 is limited to -1.
    assert results[2].dones.final_observations.tolist() == [[3, 1, 1.0, 0.0], [3, 1, -2.0, 5.0]]
    assert results[2].observations.tolist() == [[0, 2, 0, 0]] * 2
    assert results[1].dones.final_observations.tolist() == results[1].observations.tolist()
    assert results[3].observations[:, :2].tolist() == [[1, 2]] * 2
    assert results[3].log == {"speed": 2.0}
    assert results[0].observations.dtype == results[0].rewards.dtype == torch.float32


def test_what_a_step_returned_never_changes(make):
    simulator = make()
    simulator.reset()
    first = simulator.step(still(2, 2))
    copies = [first.observations.clone(), first.rewards.clone(), first.dones.final_observations.clone()]
    for _ in range(4):
        simulator.step(torch.ones(2, 2))
    for kept, copy in zip((first.observations, first.rewards, first.dones.final_observations), copies):
        assert torch.equal(kept, copy)


def test_the_time_limit_truncates_and_a_failure_on_the_same_step_terminates(make):
    simulator = make(env_options={"length": 100.0})
    simulator.reset()
    for _ in range(9):
        simulator.step(still(2, 2))
    dones = simulator.step(still(2, 2)).dones
    assert (dones.terminated.tolist(), dones.truncated.tolist()) == ([False] * 2, [True] * 2)
    both = make(env_options={"length": 10.0})
    both.reset()
    for _ in range(9):
        both.step(still(2, 2))
    dones = both.step(still(2, 2)).dones
    assert (dones.terminated.tolist(), dones.truncated.tolist()) == ([True] * 2, [False] * 2)


def test_only_the_environments_whose_episode_ended_are_reset(make):
    simulator = make(num_envs=32, desynchronise=True, env_options={"length": 100.0})
    simulator.reset()
    assert simulator.partial.all()
    ended_at, steps = [], torch.zeros(32)
    for _ in range(10):
        before = simulator.partial
        result = simulator.step(still(32, 2))
        steps += 1
        ended = result.dones.ended
        assert torch.equal(ended, result.dones.truncated)
        assert (result.dones.final_observations[:, 0] == steps).all()
        assert (result.observations[:, 0] == torch.where(ended, torch.zeros(()), steps)).all()
        assert torch.equal(simulator.partial, before & ~ended)
        ended_at += steps[ended].tolist()
        steps[ended] = 0
        assert simulator.episode_steps.tolist() == steps.tolist()
    assert not simulator.partial.any()
    assert len(set(ended_at)) > 3, "the first episodes end at different ages"


@pytest.mark.parametrize(
    ("kind", "space", "actions", "seen"),
    [
        ("unbounded", Box((2,), -1.0, 1.0), [[3.0, -7.0]], [3.0, -7.0]),
        ("choice", Discrete(3), [2], [7.0, 7.0]),
        ("choices", MultiDiscrete((2, 3)), [[1, 2]], [1.0, 2.0]),
        ("switches", MultiDiscrete((2, 2)), [[0, 1]], [0.0, 1.0]),
    ],
)
def test_actions_of_every_kind(make, kind, space, actions, seen):
    simulator = make(num_envs=1, env_options={"space": kind})
    assert simulator.task_spec.action_space == space
    simulator.reset()
    assert simulator.step(torch.tensor(actions)).observations[0, 2:].tolist() == seen


def test_observations_of_every_kind(make):
    flat = make("DnneVarious-v0", env_options={"kind": "dict"})
    assert flat.task_spec.observation_space == Box((5,))
    first = flat.reset()
    assert first.shape == (2, 5)
    assert first[:, 2:].sum(1).tolist() == [1.0, 1.0], "a choice becomes one-hot"
    image = make("DnneVarious-v0", env_options={"kind": "image"})
    assert image.task_spec.observation_space == Box((3, 8, 6), 0.0, 255.0)
    seen = image.reset()
    assert (seen.shape, seen.dtype) == ((2, 3, 8, 6), torch.uint8)
    assert seen[1, 2, 4, 3] == image.vector.envs[1].unwrapped.seen[4, 3, 2]
    assert make("DnneVarious-v0", env_options={"kind": "number"}).reset().shape == (2, 1)


def test_seeds_come_from_the_generator(make):
    runs = []
    for seed in (0, 0, 1):
        simulator = make("CartPole-v1", num_envs=3, seed=seed)
        observations = [simulator.reset()]
        observations += [simulator.step(torch.ones(3, dtype=torch.int64)).observations for _ in range(30)]
        runs.append(torch.stack(observations))
    assert torch.equal(runs[0], runs[1])
    assert not torch.equal(runs[0], runs[2])
    assert not torch.equal(runs[0][0, 0], runs[0][0, 1]), "every environment has a seed of its own"


def test_the_same_course_as_gymnasium_alone(make):
    simulator = make("Pendulum-v1", num_envs=1)
    simulator.reset()
    alone = gymnasium.make("Pendulum-v1").unwrapped
    alone.reset()
    alone.state = simulator.vector.envs[0].unwrapped.state.copy()
    for push in (0.5, -1.5, 0.25):
        result = simulator.step(torch.tensor([[push]]))
        observation, reward, *_ = alone.step([min(max(push, -1.0), 1.0) * 2.0])
        assert result.observations[0].tolist() == pytest.approx(observation.tolist(), abs=1e-6)
        assert result.rewards.item() == pytest.approx(reward, rel=1e-6)


def test_processes_give_the_same_course_as_one_process(make):
    courses = []
    for vectorization in ("sync", "async"):
        simulator = make("CartPole-v1", num_envs=2, vectorization=vectorization, desynchronise=True)
        rows = [simulator.reset()]
        rows += [simulator.step(torch.tensor([0, 1])).dones.final_observations for _ in range(15)]
        courses.append(torch.stack(rows))
    assert torch.equal(*courses)


def test_a_process_that_ends_by_itself_is_an_error_and_no_hang(make):
    simulator = make("DnneCrashing-v0", vectorization="async")
    simulator.reset()
    simulator.step(still(2, 2))
    with pytest.raises(SimulatorError, match="the process of an environment ended by itself"):
        simulator.step(still(2, 2))


def test_a_saved_state_says_only_of_which_environments_it_is(make):
    simulator = make()
    assert not simulator.exact_resume
    assert not simulator.episodes_resume
    simulator.reset()
    simulator.step(still(2, 2))
    state = simulator.state_dict()
    make().load_state_dict(state)
    with pytest.raises(CheckpointError, match="2 environments of 'DnneCountdown-v0', expected 3 of"):
        make(num_envs=3).load_state_dict(state)


@pytest.mark.parametrize(
    ("task", "options", "message"),
    [
        ("CartPol-v1", {}, "does not have a task 'CartPol-v1'; did you mean 'CartPole-v1'"),
        ("DnneCountdown-v0", {"env_options": {"length": 3.0, "wind": 1.0}}, "cannot be made: .*'wind'"),
        ("DnneCountdown-v0", {"env_options": {"space": "words"}}, "a policy chooses those of Box, Discrete"),
        ("DnneVarious-v0", {"env_options": {"kind": "graph"}}, "have no fixed size, which a network needs"),
        ("DnneCountdown-v0", {"vectorization": "asynk"}, "did you mean 'async'"),
        ("DnneCountdown-v0", {"threads": 2}, "has no option 'threads'"),
    ],
)
def test_bad_input(make, task, options, message):
    with pytest.raises(SimulatorError, match=message):
        make(task, **options)


def test_bad_use(make):
    simulator = make()
    with pytest.raises(SimulatorError, match="must be reset before"):
        simulator.step(still(2, 2))
    simulator.reset()
    with pytest.raises(SimulatorError, match=r"shape \(2, 1\), expected \(2, 2\)"):
        simulator.step(still(2, 1))
    with pytest.raises(ParameterError, match="has no task parameters, got gravity"):
        simulator.set_task_parameters({"gravity": 1.0})


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "gymnasium.envs.toy_text.blackjack", None)
    with pytest.raises(SimulatorError, match="Blackjack-v1 needs a package that is not installed"):
        task_spec("Blackjack-v1", 2, "gymnasium")


def test_the_command_that_installs_a_missing_package_is_named():
    def entry_point(**_):
        import no_such_package  # noqa: F401

    gymnasium.register("DnneLacking-v0", entry_point)
    with pytest.raises(SimulatorError, match="DnneLacking-v0 needs .* not installed: .*: pip install no_such_package"):
        task_spec("DnneLacking-v0", 2, "gymnasium")


@pytest.mark.parametrize("vectorization", ["sync", "async"])
def test_warnings_of_mujoco_go_to_the_log(make, vectorization, tmp_path, monkeypatch, caplog):
    """Also those of building a model; MuJoCo would write MUJOCO_LOG.TXT into the working folder."""
    pytest.importorskip("mujoco")
    task = f"DnneWobbling{vectorization}-v0"
    gymnasium.register(task, "tests.runtime.simulators.gymnasium_mujoco_task:Wobbling")
    monkeypatch.chdir(tmp_path)
    make(task, vectorization=vectorization).reset()
    text = f"{task}: MuJoCo: Nan, Inf or huge value"
    built_here = {"sync": 1, "async": 2}[vectorization]  # each text once; async builds one more for its spaces
    assert caplog.text.count(text) == built_here
    assert not list(tmp_path.iterdir())


def test_frames_for_the_viewer_change_nothing(make):
    pytest.importorskip("pygame")
    simulator = make("CartPole-v1", num_envs=3)
    simulator.reset()
    before = simulator.observations().clone()
    state = simulator.viewer_state([0, 2])
    assert (state.kind, state.env_ids) == ("pixels", (0, 2))
    frames = state.values["frames"]
    assert (frames.shape[0], frames.shape[3], frames.dtype) == (2, 3, torch.uint8)
    assert not torch.equal(frames[0], frames[1])
    assert torch.equal(simulator.observations(), before)
    assert make().viewer_state([0]) is None, "an environment without images"


def test_rendering_that_fails_says_why_and_spares_the_environments(make, monkeypatch):
    simulator = make("CartPole-v1", vectorization="async")
    simulator.reset()
    monkeypatch.setitem(sys.modules, "pygame", None)
    with pytest.raises(SimulatorError, match="CartPole-v1 cannot be rendered: .*pygame"):
        simulator.viewer_state([0])
    assert simulator.step(torch.tensor([0, 1])).rewards.tolist() == [1.0, 1.0]
