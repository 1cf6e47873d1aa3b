"""Physical tasks on MuJoCo: the physics, episodes, resume, and what happens when something is wrong."""

import dataclasses
import math
import os
import subprocess
import sys

import pytest
import torch

from runtime.errors import CheckpointError, ParameterError
from runtime.simulators import mujoco_engine
from runtime.simulators.factory import make_simulator, task_spec
from runtime.simulators.interface import SimulatorError
from runtime.simulators.mujoco.layout import Layout, columns
from runtime.simulators.mujoco.rollout_backend import RolloutBackend
from runtime.simulators.mujoco_engine import MujocoEngine, make_backend
from runtime.simulators.physics_simulator import PhysicsSimulator
from runtime.simulators.tasks.ant import Ant
from runtime.simulators.tasks.cartpole import Cartpole, CartpoleState
from runtime.simulators.tasks.humanoid import Humanoid
from runtime.simulators.torch_engine import TorchSimulator

mujoco = pytest.importorskip("mujoco")

TASKS = (Cartpole, Ant, Humanoid)
CPU = torch.device("cpu")


def with_model(task, **changes):
    return type("Changed", (task,), {"model": dataclasses.replace(task.model, **changes)})


Backwards = with_model(
    Ant, **{name: getattr(Ant.model, name)[::-1] for name in ("joints", "actuated_joints", "joint_limits")}
)
InTheWorld = with_model(Ant, local_angular_velocities=False)


def rollout(layout, num_envs, threads=1):
    return RolloutBackend(layout, num_envs, threads)


def make(task=Ant, num_envs=8, seed=0, way=make_backend, **options):
    definition = task(CPU)
    layout = definition if way is make_backend else Layout(definition)
    generator = torch.Generator().manual_seed(seed)
    return PhysicsSimulator(definition, way(layout, num_envs, 1), num_envs, generator, **options)


def actions_of(task, steps, num_envs=8, seed=1):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(steps, num_envs, *task.action_space.shape, generator=generator) * 2 - 1


def run(simulator, actions):
    trace = []
    for action in actions:
        result = simulator.step(action)
        trace.append((result.observations, result.rewards, *result.dones[:3], *result.reward_components.values()))
    return trace


def same(first, second):
    return all(torch.equal(a, b) for one, other in zip(first, second) for a, b in zip(one, other))


ways = pytest.mark.parametrize("way", [make_backend, rollout], ids=["installed", "rollout"])


# The physics


@ways
def test_cart_pole_moves_as_the_equations_of_motion_say(way):
    """250 control steps are 500 substeps; the push keeps the pole up, so that its speed limit plays no part."""
    task = Cartpole()
    backend = way(task if way is make_backend else Layout(task), 4, 1)
    parameters = {one.name: torch.full((4,), one.default, dtype=torch.float64) for one in task.parameters}
    constants = task.constants(parameters)
    start = torch.tensor([[0.1, -0.2, 0.1, 0.2], [-0.1, 0.1, -0.3, 0.0], [0.0, 0.0, 0.02, 0.0], [0.4, 1.0, 0.2, -0.5]])
    state = CartpoleState(*start.double().unbind(1))
    backend.place(torch.arange(4), task.physics(CartpoleState(*start.unbind(1))))
    gains = torch.tensor([[0.01], [0.02], [0.35], [0.1]], dtype=torch.float64)
    for step in range(250):
        push = (torch.stack(state, 1) @ gains + 0.05 * math.sin(step / 7)).clamp(-1, 1)
        push = (push * 1024).round().div(1024).float()  # so that 400 times it is exact: the pole is unstable
        state = task.advance(state, push.double(), constants)
        measured = backend.advance(push * 400.0)
        expected = torch.stack(state, 1).float()
        assert expected.abs().max() < 4
        assert torch.allclose(measured.joint_positions, expected[:, ::2], atol=1e-4)
        assert torch.allclose(measured.joint_velocities, expected[:, 1::2], atol=1e-4)


@ways
def test_the_pole_is_no_faster_than_its_limit(way):
    """Strong pushes to and fro: the limit counts in every substep, as in the equations of motion."""
    task = Cartpole()
    backend = way(task if way is make_backend else Layout(task), 4, 1)
    constants = task.constants({one.name: torch.full((4,), one.default).double() for one in task.parameters})
    rows = torch.tensor([[0.0, 0.0, 0.1, 0.0], [0.5, 1.0, 3.0, 7.9], [0.0, 0.0, -1.0, -7.5], [0.0, 0.0, 2.0, 0.0]])
    state = CartpoleState(*rows.double().unbind(1))
    backend.place(torch.arange(4), task.physics(CartpoleState(*rows.unbind(1))))
    limited = 0
    for step in range(12):
        push = torch.full((4, 1), 1.0 if step % 6 < 3 else -1.0)
        state = task.advance(state, push.double(), constants)
        measured = backend.advance(push * 400.0)
        limited += int((state.theta_dot.abs() == 8).sum())
        expected = torch.stack(state, 1).float()
        assert torch.allclose(measured.joint_positions, expected[:, ::2], atol=1e-4)
        assert torch.allclose(measured.joint_velocities, expected[:, 1::2], atol=1e-4)
    assert limited > 10


def test_the_same_state_is_seen_and_rewarded_alike_on_torch_and_mujoco():
    task = Cartpole()
    rows = torch.rand(64, 4, generator=torch.Generator().manual_seed(0)) * 2 - 1
    state = CartpoleState(*(rows * torch.tensor([4.0, 5.0, 2.0, 7.0])).unbind(1))
    backend = make_backend(task, 64, 1)
    backend.place(torch.arange(64), task.physics(state))
    measured = task.next_state(state, backend.measure(), torch.zeros(64, 1))
    assert torch.allclose(task.observe(measured), task.observe(state), atol=1e-5)
    ours, theirs = task.evaluate(measured), task.evaluate(state)
    assert torch.allclose(ours.rewards, theirs.rewards, atol=1e-5)
    assert torch.equal(ours.terminated, theirs.terminated) and 10 < int(ours.terminated.sum()) < 60


def backend_of(task, num_envs, way):
    return way(task if way is make_backend else Layout(task), num_envs, 1)


@pytest.mark.parametrize("task", [Ant, Humanoid, Backwards, InTheWorld], ids=["ant", "humanoid", "backwards", "world"])
@ways
def test_what_was_placed_is_measured(task, way):
    definition = task()
    backend = backend_of(definition, 3, way)
    start = definition.start(3)
    generator = torch.Generator().manual_seed(5)
    placed = start._replace(
        joint_positions=start.joint_positions + 0.1 * torch.rand(start.joint_positions.shape, generator=generator),
        root_rotations=torch.nn.functional.normalize(torch.randn(3, 4, generator=generator), dim=1),
        root_linear_velocities=torch.randn(3, 3, generator=generator),
        root_angular_velocities=torch.randn(3, 3, generator=generator),
        joint_velocities=torch.randn(start.joint_velocities.shape, generator=generator),
    )
    backend.place(torch.arange(3), placed)
    for found, expected in zip(backend.measure()[:6], placed[:6]):
        assert torch.allclose(found, expected, atol=1e-6)


@ways
def test_angular_velocities_are_in_the_frame_that_the_task_wants(way):
    """A torso that is turned by 90° about z: its x axis points along the world's y, its y axis along -x."""
    for task, given in ((Ant(), (4.0, 5.0, 6.0)), (InTheWorld(), (-5.0, 4.0, 6.0))):
        backend = backend_of(task, 1, way)
        turned = task.start(1)._replace(
            root_rotations=torch.tensor([[0.0, 0.0, math.sqrt(0.5), math.sqrt(0.5)]]),
            root_angular_velocities=torch.tensor([given]),
        )
        backend.place(torch.arange(1), turned)
        assert backend.motion[0, 18:21].tolist() == pytest.approx((4.0, 5.0, 6.0), abs=1e-6)  # MuJoCo's own frame
        assert backend.measure().root_angular_velocities[0].tolist() == pytest.approx(given, abs=1e-6)


@ways
def test_joints_and_actions_stand_in_the_order_of_the_task(way):
    forwards, backwards = backend_of(Ant(), 4, way), backend_of(Backwards(), 4, way)
    for step, efforts in enumerate(actions_of(Ant, 5, 4) * 15):
        one, other = forwards.advance(efforts), backwards.advance(efforts.flip(1))
        assert torch.equal(one.joint_positions, other.joint_positions.flip(1)), step
        assert torch.equal(one.joint_velocities, other.joint_velocities.flip(1)), step
    assert one.joint_velocities.abs().max() > 0.1


@pytest.mark.parametrize("task", TASKS)
def test_the_model_agrees_with_the_task(task):
    layout = Layout(task())
    for name, limits in zip(task.model.joints, task.model.joint_limits):
        joint = layout.model.joint(name)
        expected = limits if math.isfinite(limits[0]) else (0, 0)
        assert joint.range.tolist() == pytest.approx(expected)
    efforts = torch.tensor(task.action_effort, dtype=torch.float64)
    assert torch.equal(layout.gears, torch.ones(1).double() if task is Cartpole else efforts)
    assert layout.model.opt.timestep == pytest.approx(0.0083)
    defaults = {parameter.name: torch.tensor([parameter.default]) for parameter in task.parameters}
    for name, body in task().bodies(defaults).items():
        found = layout.model.body(name)
        assert found.mass[0] == pytest.approx(float(body.masses[0]))
        assert found.ipos.tolist() == pytest.approx(body.centres[0].tolist())
        assert found.inertia.tolist() == pytest.approx(body.inertias[0].tolist())


def test_the_ant_stands_and_its_feet_carry_it():
    simulator = make(Ant, 2, seed=3)
    simulator.set_task_parameters({"start_position_range": 0.0, "start_velocity_range": 0.0})
    simulator.reset()
    for _ in range(150):
        result = simulator.step(torch.zeros(2, 8))
    assert not result.dones.ended.any()
    assert 0.35 < float(result.observations[0, 0]) < 0.42
    weight = 0.911 * 9.81 / 4
    vertical = torch.tensor([foot[2] for foot in result.observations[0, 28:52].view(4, 6) * 10])
    assert (-vertical > 0.3 * weight).all() and (-vertical < weight).all()


def test_the_humanoid_falls_over_when_nothing_drives_it():
    simulator = make(Humanoid, 2)
    simulator.set_task_parameters({"start_position_range": 0.0, "start_velocity_range": 0.0})
    simulator.reset()
    for step in range(200):
        result = simulator.step(torch.zeros(2, 21))
        if step == 30:
            # Both feet stand, and motors without a torque have no force but that of the joints' limits.
            assert (result.dones.final_observations[:, 77] * 100 < -50).all()
        if result.dones.terminated.all():
            break
    assert 40 < step < 199
    assert result.rewards.tolist() == [-1.0, -1.0]


@pytest.mark.parametrize("task", [Ant, Humanoid])
def test_random_actions_stay_finite(task):
    simulator = make(task, 64, desynchronise=True)
    simulator.reset()
    for action in actions_of(task, 150, 64):
        result = simulator.step(action)
        assert result.observations.isfinite().all() and result.rewards.isfinite().all()


@ways
def test_masses_of_the_pole_change_at_the_reset(way):
    simulator = make(Cartpole, 4, seed=1, way=way)
    values = {"pole_mass": 3.0, "pole_length": 2.0, "cart_mass": 0.5, "push_effort": 100.0}
    simulator.set_task_parameters(values)
    analytic = TorchSimulator(Cartpole(), 4, CPU, torch.Generator().manual_seed(1))
    analytic.set_task_parameters(values)
    assert torch.equal(simulator.reset(), analytic.reset())
    for _ in range(20):
        push = torch.full((4, 1), 0.1)
        assert torch.allclose(simulator.step(push).observations, analytic.step(push).observations, atol=1e-4)
    assert simulator.task_parameters()["pole_mass"].tolist() == [3.0] * 4


# Episodes


def test_an_episode_that_ends_is_reset_in_the_same_step():
    simulator = make(Ant)
    simulator.reset()
    for action in actions_of(Ant, 400):
        result = simulator.step(action)
        ended = result.dones.ended
        if ended.any():
            break
    fallen = result.dones.final_observations[ended]
    assert (fallen[:, 0] < 0.31).all() and result.dones.terminated[ended].all()
    assert (result.observations[ended][:, 0] == 0.44).all()
    assert not result.observations[ended][:, 28:].any()
    assert torch.equal(result.observations[~ended], result.dones.final_observations[~ended])
    assert torch.equal(simulator.observations(), result.observations)
    assert (simulator.episode_steps[ended] == 0).all() and (simulator.episode_steps[~ended] > 0).all()


def test_time_runs_out_after_the_limit_and_first_episodes_are_partial():
    simulator = make(Cartpole, 200, desynchronise=True)
    simulator.set_task_parameters({"start_position_range": 0.0, "start_velocity_range": 0.0})
    simulator.reset()
    steps = simulator.episode_steps
    assert torch.equal(simulator.partial, steps > 0) and steps.max() > 400
    for step in range(1, 60):
        dones = simulator.step(torch.zeros(200, 1)).dones
        assert torch.equal(dones.truncated, steps + step == 500)
        assert not dones.terminated.any()


# Resume


@pytest.mark.parametrize("task", TASKS)
@ways
def test_resume_is_bit_exact(task, way, tmp_path):
    actions = actions_of(task, 90)
    original = make(task, way=way, desynchronise=True)
    original.set_task_parameters({"start_velocity_range": 0.5})
    original.reset()
    run(original, actions[:30])
    torch.save({"simulator": original.state_dict(), "generator": original.generator.get_state()}, tmp_path / "state.pt")
    expected = run(original, actions[30:])
    assert any(trace[2].any() for trace in expected) or task is Ant
    saved = torch.load(tmp_path / "state.pt", weights_only=True)
    resumed = make(task, way=way, seed=99)
    resumed.load_state_dict(saved["simulator"])
    resumed.generator.set_state(saved["generator"])
    assert torch.equal(resumed.observations(), saved["simulator"]["observations"])
    assert same(expected, run(resumed, actions[30:]))


@ways
def test_resume_with_changed_masses_is_bit_exact(way):
    actions = actions_of(Cartpole, 60)
    original = make(Cartpole, way=way, desynchronise=True)
    original.reset()
    original.set_task_parameters({"pole_mass": 2.0, "pole_length": 1.5})
    run(original, actions[:15])
    original.set_task_parameters({"pole_mass": 1.0, "pole_length": 1.0})
    run(original, actions[15:25])
    state, generator = original.state_dict(), original.generator.get_state()
    assert len(set(state["parameters"][4].tolist())) == 2
    expected = run(original, actions[25:])
    resumed = make(Cartpole, way=way, seed=5)
    resumed.load_state_dict(state)
    resumed.generator.set_state(generator)
    assert same(expected, run(resumed, actions[25:]))


def test_threads_change_no_bit():
    actions = actions_of(Ant, 60, 48)
    traces = []
    for threads in (1, 3):
        generator = torch.Generator().manual_seed(0)
        simulator = make_simulator("mujoco", "Ant", 48, "cpu", generator, simulation_threads=threads)
        simulator.reset()
        traces.append(run(simulator, actions))
        simulator.close()
    assert same(*traces)


def test_threads_of_rollout_change_no_bit():
    actions = actions_of(Ant, 20, 7)
    traces = []
    for threads in (1, 3):
        simulator = make(Ant, 7, way=lambda layout, count, _, threads=threads: rollout(layout, count, threads))
        simulator.reset()
        traces.append(run(simulator, actions))
        simulator.close()
    assert same(*traces)


def test_a_state_of_another_simulation_is_refused():
    saved = make(Ant, 4).state_dict()
    with pytest.raises(CheckpointError, match="number of environments is 4, expected 8"):
        make(Ant, 8).load_state_dict(saved)
    with pytest.raises(CheckpointError, match="task is 'Ant', expected 'Humanoid'"):
        make(Humanoid, 4).load_state_dict(saved)
    saved["physics"] = {name: rows[:, 1:] for name, rows in saved["physics"].items()}
    with pytest.raises(CheckpointError, match=r"saved physics of Ant: .* belongs to another model"):
        make(Ant, 4).load_state_dict(saved)


# Bad physics


def break_physics(simulator, env_id):
    simulator.backend.motion[env_id, -1] = float("nan")


@ways
def test_physics_that_is_not_finite_names_environment_and_step(way):
    simulator = make(Ant, way=way)
    simulator.reset()
    run(simulator, actions_of(Ant, 3))
    break_physics(simulator, 5)
    with pytest.raises(SimulatorError, match=r"Ant: environment 5, step 4 of its episode: .*on_bad_physics"):
        simulator.step(torch.zeros(8, 8))


@ways
def test_warnings_of_mujoco_go_to_the_log(way, tmp_path, monkeypatch, caplog):
    """Five of them; MuJoCo would write MUJOCO_LOG.TXT into the working folder."""
    monkeypatch.chdir(tmp_path)
    simulator = make(Ant, way=way)
    simulator.reset()
    for env_id in range(8):
        break_physics(simulator, env_id)
    for _ in range(2):
        simulator.backend.run(2)
    assert caplog.text.count("Ant: MuJoCo: Nan, Inf or huge value") == 5
    assert caplog.text.count("Further warnings are not shown.") == 1
    assert not list(tmp_path.iterdir())


def test_an_action_that_is_not_finite_is_named():
    for task, width in ((Cartpole, 1), (Ant, 8)):
        simulator = make(task)
        simulator.reset()
        actions = torch.zeros(8, width)
        actions[[2, 6]] = float("nan")
        with pytest.raises(SimulatorError, match=r"environment 2 \(and 1 more environments\), step 1"):
            simulator.step(actions)


@ways
def test_bad_physics_is_reset_where_asked(way):
    simulator = make(Ant, way=way, on_bad_physics="reset")
    clean = make(Ant, way=way)
    before = simulator.reset()
    clean.reset()
    break_physics(simulator, 5)
    actions = actions_of(Ant, 1)[0]
    actions[3] = float("nan")
    result = simulator.step(actions)
    expected = clean.step(actions.nan_to_num())
    bad, good = [3, 5], [0, 1, 2, 4, 6, 7]
    assert result.dones.truncated.nonzero().flatten().tolist() == bad and not result.dones.terminated.any()
    assert torch.equal(result.dones.final_observations[bad], before[bad])
    assert result.rewards[bad].tolist() == [0.0, 0.0]
    assert result.observations.isfinite().all() and (result.observations[bad, 0] == 0.44).all()
    assert torch.equal(result.observations[good], expected.observations[good])
    assert torch.equal(result.rewards[good], expected.rewards[good])
    assert simulator.metrics() == {"simulation/bad_physics_resets": 2.0} and clean.metrics() == {}
    for action in actions_of(Ant, 5, seed=4):
        assert simulator.step(action).observations.isfinite().all()
    assert simulator.state_dict()["bad_physics_resets"] == 2


# Bad input


def test_misuse_is_named():
    simulator = make(Ant, 4)
    with pytest.raises(SimulatorError, match="must be reset"):
        simulator.step(torch.zeros(4, 8))
    simulator.reset()
    with pytest.raises(SimulatorError, match=r"actions have the shape \(4, 7\), expected \(4, 8\)"):
        simulator.step(torch.zeros(4, 7))
    with pytest.raises(ParameterError, match="no task parameter 'pole_mass'"):
        simulator.set_task_parameters({"pole_mass": 1.0})
    with pytest.raises(SimulatorError, match="on_bad_physics must be one of error, reset"):
        make(Ant, 4, on_bad_physics="ignore")
    simulator.close()
    simulator.close()


@pytest.mark.parametrize("backend", ["batch", "rollout"])
def test_a_backend_of_the_cpu_is_refused_on_a_gpu(backend, monkeypatch):
    task = Ant(CPU)
    task.device = torch.device("cuda")
    with pytest.raises(SimulatorError, match=f"'{backend}' computes on the CPU, not on cuda; use warp, or --device"):
        make_backend(task, 4, 1, backend)


def test_a_backend_that_cannot_be_used_is_refused(monkeypatch):
    options = {"num_envs": 4, "device": CPU, "generator": torch.Generator()}
    with pytest.raises(SimulatorError, match="mujoco_backend must be one of auto, batch, rollout, warp, got 'fast'"):
        MujocoEngine().make("Ant", mujoco_backend="fast", **options)
    lacking = ("mujoco.batch", "mujoco_warp")
    monkeypatch.setattr(mujoco_engine.util, "find_spec", lambda name: None if name in lacking else name)
    with pytest.raises(SimulatorError, match="'batch' needs MuJoCo 3.17 or later: pip install -U mujoco"):
        MujocoEngine().make("Ant", mujoco_backend="batch", **options)
    with pytest.raises(SimulatorError, match="MuJoCo Warp, which is not installed: pip install mujoco-warp"):
        MujocoEngine().make("Ant", mujoco_backend="warp", **options)


def test_a_model_that_does_not_fit_is_named(tmp_path):
    damaged = tmp_path / "damaged.xml"
    damaged.write_text("<mujoco><worldbody><body/>", encoding="utf-8")
    cases = [
        ({"file": str(tmp_path / "none.xml")}, r"none\.xml: there is no such file"),
        ({"file": str(damaged)}, r"damaged\.xml: .*XML"),
        ({"joints": (*Ant.model.joints[:-1], "knee"), "actuated_joints": Ant.model.actuated_joints[:-1]}, "no joint"),
        ({"sensor_bodies": ("torso",)}, "body 'torso' has no force sensor"),
        ({"sensor_bodies": ("hand",)}, "it has no body 'hand'"),
        ({"fixed_base": True}, "first joint must be a free one unless the base is fixed"),
        ({"measures_joint_forces": True}, "joint 'hip_1' has no jointactuatorfrc or no jointlimitfrc sensor"),
    ]
    for changes, text in cases:
        if "actuated_joints" in changes:
            continue
        with pytest.raises(SimulatorError, match=text):
            Layout(with_model(Ant, **changes)())


def test_a_missing_mujoco_names_the_command(monkeypatch):
    monkeypatch.setattr(mujoco_engine.util, "find_spec", lambda name: None)
    with pytest.raises(SimulatorError, match="simulator 'mujoco' is not installed: pip install mujoco"):
        make_simulator("mujoco", "Ant", 2, "cpu", torch.Generator())


def test_auto_names_the_engine_to_install_where_gymnasium_is_missing_too(monkeypatch):
    """A task of MuJoCo, on a machine that has none of the optional engines."""
    missing = {"mujoco", "gymnasium", "isaacgymenvs"}
    monkeypatch.setattr(mujoco_engine.util, "find_spec", lambda name, *rest: None if name in missing else object())
    monkeypatch.setitem(sys.modules, "gymnasium", None)
    with pytest.raises(SimulatorError, match="simulator 'mujoco' has it, but is not installed: pip install mujoco"):
        task_spec("Ant", 4)


@pytest.mark.parametrize("platform", ["osmesa", "nonsense"])
def test_physics_needs_no_graphics_library(platform):
    """Wherever MuJoCo's own import fails for the value of MUJOCO_GL; the log says that there are no pictures."""
    code = "from runtime.simulators.factory import make_simulator as make; import torch, os; "
    code += "make('mujoco', 'Ant', 2, 'cpu', torch.Generator()).reset(); print(os.environ['MUJOCO_GL'])"
    environment = {**os.environ, "MUJOCO_GL": platform}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, platform), done.stderr
    assert platform == "osmesa" or "MUJOCO_GL=nonsense does not work on this machine" in done.stderr


def test_columns_are_slices_where_they_can_be():
    assert columns([]) == slice(0, 0)
    assert columns([4]) == slice(4, 5)
    assert columns([3, 4, 5]) == slice(3, 6, 1)
    assert columns([24, 26, 28]) == slice(24, 29, 2)
    for numbers in ([3, 2, 1], [1, 2, 4]):
        assert columns(numbers).tolist() == numbers


def test_the_viewer_gets_the_model_and_positions():
    simulator = make(Ant, 4)
    assert simulator.viewer_state([0]) is None
    simulator.reset()
    state = simulator.viewer_state([2, 0])
    assert (state.kind, state.env_ids) == ("mujoco", (2, 0))
    assert state.values["qpos"].shape == (2, 15)
    assert state.values["qpos"][:, 2].tolist() == pytest.approx([0.44, 0.44])
    assert mujoco.MjModel.from_xml_string(state.description["model_xml"]).nq == 15
    assert state.description["seconds_per_step"] == "0.0166"
