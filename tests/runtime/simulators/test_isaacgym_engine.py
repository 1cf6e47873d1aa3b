"""The adapter of Isaac Gym against the transcripts and the double: calls, resets, viewer, reuse and messages."""

import importlib

import pytest
import torch

from runtime.errors import ParameterError
from runtime.simulators import isaacgym_engine, isaacgym_scene, isaacgym_viewer
from runtime.simulators.factory import available_simulators, make_simulator, option_names
from runtime.simulators.interface import SimulatorError
from runtime.simulators.isaacgym_engine import IsaacGymSimulator, _physical_tasks
from runtime.simulators.isaacgym_scene import SceneSettings, borrow_scene
from runtime.simulators.tasks.cartpole import Cartpole
from runtime.simulators.torch_engine import TorchSimulator

from .isaacgym_double import ENVS, compare, transcript

CPU = torch.device("cpu")
SCRIPTED = ("Cartpole", "Ant", "Humanoid")


def make(task="Cartpole", num_envs=ENVS, seed=0, **options):
    generator = torch.Generator().manual_seed(seed)
    return make_simulator("isaacgym", task, num_envs, "cpu", generator, **options)


def make_gpu(task, **scene):
    """The calls of the GPU pipeline, on tensors of the CPU."""
    chosen = _physical_tasks()[task]
    settings = SceneSettings(chosen, ENVS, CPU, use_gpu=True, **scene)
    return IsaacGymSimulator(chosen(CPU), borrow_scene(settings), ENVS, torch.Generator())


def zeros(simulator):
    return torch.zeros(simulator.num_envs, *simulator.task_spec.action_space.shape)


def taken(gym):
    calls, gym.calls = gym.calls, []
    return calls


@pytest.fixture
def display(monkeypatch):
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(isaacgym_viewer, "_connect", lambda host, number: None)


@pytest.mark.parametrize("task", SCRIPTED)
@pytest.mark.parametrize("pipeline", ["cpu", "gpu"])
def test_the_calls_of_a_run_are_those_of_the_transcript(isaacgym, task, pipeline):
    common, own = transcript("common.txt"), transcript(f"{task.lower()}.txt")
    simulator = make(task) if pipeline == "cpu" else make_gpu(task)
    assert compare(taken(isaacgym), common[f"sim {pipeline}"] + own["scene"] + own["tensors"]) == ""
    simulator.reset()
    assert compare(taken(isaacgym), own["reset of all"]) == ""
    simulator.step(zeros(simulator))
    assert compare(taken(isaacgym), own[f"step {pipeline}"]) == ""
    simulator._begin_episodes(torch.tensor([1, 3]))
    assert compare(taken(isaacgym), own["reset of 1 and 3"]) == ""
    simulator.close()
    isaacgym_scene.destroy_scene()
    assert compare(taken(isaacgym), common["close"]) == ""
    assert isaacgym.left_open() == []


@pytest.mark.parametrize("pipeline", ["cpu", "gpu"])
def test_the_viewers_calls_are_those_of_the_transcript(isaacgym, display, pipeline):
    common, own = transcript("common.txt"), transcript("cartpole.txt")
    simulator = make(visual=True) if pipeline == "cpu" else make_gpu("Cartpole", visual=True)
    assert simulator.has_viewer
    expected = common["sim with a viewer"] + own["scene"] + common["viewer"] + own["tensors"]
    assert compare(taken(isaacgym), expected) == ""
    simulator.reset()
    taken(isaacgym)
    simulator.step(zeros(simulator))
    assert compare(taken(isaacgym), own[f"step {pipeline}"] + common[f"viewer frame {pipeline}"]) == ""
    simulator.close()
    isaacgym_scene.destroy_scene()
    assert compare(taken(isaacgym), common["close with a viewer"]) == ""


def test_the_comparison_bites():
    own = transcript("cartpole.txt")
    calls = [type("Call", (), {"line": line, "settings": []}) for line in own["step cpu"]]
    assert compare(calls, own["step cpu"]) == ""
    assert "call 2" in compare(calls, own["step gpu"])
    assert compare(calls[:-1], own["step cpu"]) != ""
    assert "float32[8]" in compare(calls, [own["step cpu"][0].replace("8", "9"), *own["step cpu"][1:]])
    assert "one call too many" in compare([*calls, calls[0]], own["step cpu"])
    swapped = [calls[1], calls[0], *calls[2:]]
    assert "call 0" in compare(swapped, own["step cpu"])


def test_cartpole_moves_as_on_the_torch_engine(isaacgym):
    simulator, torch_simulator = make(), TorchSimulator(Cartpole(), ENVS, CPU, torch.Generator().manual_seed(0))
    assert torch.equal(simulator.reset(), torch_simulator.reset())
    for step in range(40):
        actions = torch.full((ENVS, 1), 0.02 if step % 4 < 2 else -0.02)
        found, expected = simulator.step(actions), torch_simulator.step(actions)
        assert torch.allclose(found.dones.final_observations, expected.dones.final_observations, atol=1e-4)
        assert torch.allclose(found.rewards, expected.rewards, atol=1e-4)


@pytest.mark.parametrize("task", ["Ant", "Humanoid"])
def test_walkers_step_with_finite_values(isaacgym, task):
    simulator = make(task)
    simulator.reset()
    generator, ends = torch.Generator().manual_seed(1), 0
    for _ in range(120):
        actions = torch.rand(ENVS, *simulator.task_spec.action_space.shape, generator=generator) * 2 - 1
        result = simulator.step(actions)
        assert result.observations.isfinite().all()
        assert result.rewards.isfinite().all()
        ends += int(result.dones.ended.sum())
    assert ends > 0 or task == "Ant"


def test_it_does_not_matter_where_root_positions_count_from(isaacgym):
    seen = {}
    for from_world in (False, True):
        isaacgym.counts_from_world = from_world
        simulator = make("Ant")
        simulator.reset()
        for step in range(8):
            result = simulator.step(torch.full((ENVS, 8), 0.5 if step % 2 else -0.5))
        simulator._begin_episodes(torch.tensor([1, 3]))
        seen[from_world] = torch.cat(
            (result.observations, simulator.observations(), result.rewards.unsqueeze(1)), dim=1
        )
        assert (simulator.scene._origins.abs().max() > 1.0) == from_world
        isaacgym_scene.destroy_scene()
    assert torch.allclose(seen[True], seen[False], atol=1e-4)


def test_episodes_end_and_begin_within_the_step(isaacgym):
    simulator = make(num_envs=8)
    simulator.reset()
    push, ends = torch.ones(8, 1), 0
    for _ in range(60):
        before = simulator.episode_steps
        result = simulator.step(push)
        ended = result.dones.ended
        final = result.dones.final_observations
        assert torch.equal(result.observations[~ended], final[~ended])
        assert (result.observations[ended].abs() <= torch.tensor([0.1, 0.25, 0.1, 0.25])).all()
        assert (result.rewards[result.dones.terminated] == -2.0).all()
        assert torch.equal(simulator.episode_steps, torch.where(ended, 0, before + 1))
        ends += int(ended.sum())
        failed = (final[:, 0].abs() > 3.0) | (final[:, 2].abs() > 3.14159265 / 2)
        assert torch.equal(result.dones.terminated, failed)
    assert ends >= 8


def test_a_time_limit_is_a_truncation(isaacgym):
    simulator = make(num_envs=2)
    simulator.reset()
    state = simulator.state_dict()
    state["episode_steps"] = torch.tensor([498, 0])
    simulator.load_state_dict(state)
    assert not simulator.step(torch.zeros(2, 1)).dones.ended.any()
    dones = simulator.step(torch.zeros(2, 1)).dones
    assert dones.truncated.tolist() == [True, False]
    assert dones.terminated.tolist() == [False, False]


def test_results_never_change_afterwards(isaacgym):
    simulator = make()
    first = simulator.reset()
    results = [simulator.step(torch.full((ENVS, 1), 0.5)) for _ in range(2)]
    copies = [first.clone(), *(result.observations.clone() for result in results)]
    for _ in range(30):
        simulator.step(torch.ones(ENVS, 1))
    kept = [first, *(result.observations for result in results)]
    assert all(torch.equal(a, b) for a, b in zip(kept, copies))


def test_a_saved_state_puts_robots_back(isaacgym):
    simulator = make()
    simulator.reset()
    for _ in range(5):
        simulator.step(torch.full((ENVS, 1), 0.1))
    saved, generator = simulator.state_dict(), simulator.generator.get_state()
    expected = [simulator.step(torch.full((ENVS, 1), -0.1)).observations for _ in range(5)]
    simulator.close()
    resumed = make(seed=7)
    resumed.load_state_dict(saved)
    resumed.generator.set_state(generator)
    assert torch.equal(resumed.observations(), simulator.task.observe(resumed._state))
    found = [resumed.step(torch.full((ENVS, 1), -0.1)).observations for _ in range(5)]
    assert all(torch.allclose(a, b, atol=1e-5) for a, b in zip(found, expected))
    assert not simulator.exact_resume
    assert "not bit for bit" in simulator.resume_note


def test_a_second_run_reuses_the_simulation_where_nothing_changed(isaacgym):
    first = make()
    with pytest.raises(SimulatorError, match="in use by another environment"):
        make()
    first.close()
    first.close()
    second = make()
    assert second.scene is first.scene
    second.close()
    with pytest.raises(SimulatorError, match="4 × Cartpole on cpu, and this run wants 8 × Cartpole on cpu.*process"):
        make(num_envs=8)
    assert make().scene is first.scene


def test_escape_ends_the_run_and_v_stops_drawing(isaacgym, display):
    simulator = make(visual=True)
    simulator.reset()
    viewer = isaacgym.viewer
    simulator.step(zeros(simulator))
    viewer.press("KEY_V")
    simulator.step(zeros(simulator))
    assert viewer.frames == 1
    assert isaacgym.calls[-1].line == "poll_viewer_events(viewer)"
    viewer.press("KEY_V")
    simulator.step(zeros(simulator))
    assert viewer.frames == 2
    assert simulator.stop_reason is None
    viewer.press("KEY_ESCAPE")
    simulator.step(zeros(simulator))
    assert simulator.stop_reason == "ESC in the viewer"
    simulator.step(zeros(simulator))
    simulator.close()
    assert isaacgym.left_open() == ["sim"]


def test_closing_the_window_ends_the_run(isaacgym, display):
    simulator = make(visual=True)
    simulator.reset()
    isaacgym.viewer.is_closed = True
    simulator.step(zeros(simulator))
    assert simulator.stop_reason == "the viewer was closed"
    simulator.close()
    assert make(visual=True).stop_reason is None


def test_no_display(isaacgym, monkeypatch):
    monkeypatch.delenv("DISPLAY", raising=False)
    with pytest.raises(SimulatorError, match="needs an X display: DISPLAY is not set; run without --visual"):
        make(visual=True)
    monkeypatch.setenv("DISPLAY", ":97531")
    with pytest.raises(SimulatorError, match="nothing answers there"):
        make(visual=True)
    monkeypatch.setenv("DISPLAY", "wayland-0")
    with pytest.raises(SimulatorError, match="expected :0 or host:0"):
        make(visual=True)
    assert isaacgym.calls == []


def test_a_simulation_that_cannot_be_made(isaacgym):
    isaacgym.fails_to_create = True
    with pytest.raises(SimulatorError, match=r"could not make a simulation of 4 × Cartpole.*nvidia-smi"):
        make()
    isaacgym.fails_to_create = False
    assert make().num_envs == ENVS


def test_masses_are_fixed_and_other_parameters_are_not(isaacgym):
    simulator = make()
    with pytest.raises(ParameterError, match="pole_mass = 2 would change a body's mass"):
        simulator.set_task_parameters({"push_effort": 100.0, "pole_mass": 2.0})
    assert simulator.state_dict()["pending_parameters"][2] == 400.0
    simulator.set_task_parameters({"push_effort": 100.0, "pole_mass": 1.0, "start_velocity_range": 0.0})
    assert not simulator.reset()[:, 1::2].any()


def test_wrong_actions_are_refused(isaacgym):
    simulator = make()
    with pytest.raises(SimulatorError, match="must be reset"):
        simulator.step(torch.zeros(4, 1))
    simulator.reset()
    with pytest.raises(SimulatorError, match=r"shape \(4, 2\), expected \(4, 1\)"):
        simulator.step(torch.zeros(4, 2))


def test_auto_takes_isaac_gym_where_it_imports(isaacgym):
    assert available_simulators()[0] == "isaacgym"
    assert isinstance(make_simulator("auto", "Cartpole", 2, "cpu", torch.Generator()), IsaacGymSimulator)
    assert "visual" in option_names("auto", "Cartpole")


def test_a_model_with_other_joints_is_refused(isaacgym, monkeypatch):
    model = Cartpole.model.__class__(**{**Cartpole.model.__dict__, "joints": ("slider", "other")})
    monkeypatch.setattr(Cartpole, "model", model)
    with pytest.raises(SimulatorError, match=r"has the joints \['slider', 'hinge'\], the task \['slider', 'other'\]"):
        make()
    assert isaacgym.left_open() == []


def test_a_missing_model_is_named(isaacgym, monkeypatch):
    model = Cartpole.model.__class__(**{**Cartpole.model.__dict__, "file": "absent.xml"})
    monkeypatch.setattr(Cartpole, "model", model)
    with pytest.raises(SimulatorError, match=r"there is no model file .*absent\.xml"):
        make()


def test_joints_in_another_order(isaacgym, monkeypatch):
    ordinary = make()
    first = ordinary.reset()
    pushed = ordinary.step(torch.full((ENVS, 1), 0.3)).dones.final_observations
    isaacgym_scene.destroy_scene()
    gym_class = type(isaacgym)
    assert importlib.import_module("isaacgym.gymapi")._gym is isaacgym
    swap = _Swapped(isaacgym)
    for name in ("get_asset_dof_names", "acquire_dof_state_tensor", "refresh_dof_state_tensor",
                 "set_dof_state_tensor_indexed", "set_dof_actuation_force_tensor",
                 "set_actor_dof_properties"):  # fmt: skip
        monkeypatch.setattr(gym_class, name, getattr(swap, name))
    swapped = make()
    assert torch.allclose(swapped.reset(), first)
    assert torch.allclose(swapped.step(torch.full((ENVS, 1), 0.3)).dones.final_observations, pushed, atol=1e-6)


class _Swapped:
    """Cartpole's two joints the other way round."""

    def __init__(self, gym):
        self.original = {name: getattr(type(gym), name) for name in dir(type(gym)) if not name.startswith("__")}
        self.own = None
        gymtorch = importlib.import_module("isaacgym.gymtorch")
        original, swap = self.original, self

        def flip(tensor):
            return tensor.view(ENVS, 2, -1).flip(1).reshape(tensor.shape).contiguous()

        def get_asset_dof_names(gym, asset):
            return original["get_asset_dof_names"](gym, asset)[::-1]

        def acquire_dof_state_tensor(gym, sim):
            swap.inner = torch.from_numpy(original["acquire_dof_state_tensor"](gym, sim))
            swap.own = torch.zeros_like(swap.inner)
            return swap.own.numpy()

        def refresh_dof_state_tensor(gym, sim):
            original["refresh_dof_state_tensor"](gym, sim)
            swap.own.copy_(flip(swap.inner))
            return True

        def set_dof_state_tensor_indexed(gym, sim, states, ids, count):
            swap.kept = flip(states.tensor)
            return original["set_dof_state_tensor_indexed"](gym, sim, gymtorch.unwrap_tensor(swap.kept), ids, count)

        def set_dof_actuation_force_tensor(gym, sim, forces):
            swap.forces = flip(forces.tensor)
            return original["set_dof_actuation_force_tensor"](gym, sim, gymtorch.unwrap_tensor(swap.forces))

        def set_actor_dof_properties(gym, env, actor, properties):
            return original["set_actor_dof_properties"](gym, env, actor, properties[::-1])

        for name, function in list(locals().items()):
            if callable(function) and name in self.original:
                setattr(self, name, function)


@pytest.mark.parametrize("task", SCRIPTED)
def test_a_viewer_gets_the_robots_as_mujoco_draws_them(isaacgym, task):
    """qpos of the same state from both engines, joint by joint, and the root as w, x, y, z."""
    pytest.importorskip("mujoco")
    simulator = make(task)
    assert simulator.viewer_state([0]) is None
    simulator.reset()
    for _ in range(5):
        simulator.step(zeros(simulator) + 0.3)
    found = simulator.viewer_state([2, 0])
    same = make_simulator("mujoco", task, ENVS, "cpu", torch.Generator())
    same.reset()
    same.backend.place(torch.arange(ENVS), simulator.task.physics(simulator._state))
    expected = same.viewer_state([2, 0])
    assert (found.kind, found.env_ids) == ("mujoco", (2, 0)) and found.description == expected.description
    assert torch.allclose(found.values["qpos"], expected.values["qpos"], atol=1e-6)


def test_robots_that_mujoco_cannot_load_are_not_drawn(isaacgym, caplog, monkeypatch):
    def fails(task):
        raise SimulatorError("it has no motor")

    monkeypatch.setattr(isaacgym_engine, "Layout", fails)
    simulator = make()
    simulator.reset()
    assert simulator.viewer_state([0]) is None and simulator.viewer_state([0]) is None
    assert caplog.text.count("MuJoCo cannot draw them: it has no motor") == 1
