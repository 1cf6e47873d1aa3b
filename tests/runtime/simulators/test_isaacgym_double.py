"""The double of Isaac Gym is tested itself: whatever the real one does not forgive is noticed."""

import importlib
import sys

import pytest
import torch

from .isaacgym_double import DOUBLES, ENVS, forget

MODELS = "resources/models"


class World:
    """A Cartpole of four environments, made by hand."""

    def __init__(self, gym, graphics=-1, gpu=False):
        self.gym = gym
        self.gymapi = importlib.import_module("isaacgym.gymapi")
        self.gymtorch = importlib.import_module("isaacgym.gymtorch")
        self.structs = importlib.import_module("isaacgym.structs")
        self.params = self.gymapi.SimParams()
        self.params.dt, self.params.substeps = 0.0166, 2
        self.params.use_gpu_pipeline = self.params.physx.use_gpu = gpu
        self.sim = gym.create_sim(0, graphics, self.gymapi.SIM_PHYSX, self.params)

    def fill(self):
        gym, gymapi = self.gym, self.gymapi
        options = gymapi.AssetOptions()
        options.fix_base_link = True
        self.asset = gym.load_asset(self.sim, MODELS, "cartpole.xml", options)
        for index in range(ENVS):
            env = gym.create_env(self.sim, gymapi.Vec3(), gymapi.Vec3(), 2)
            gym.create_actor(env, self.asset, gymapi.Transform(), "cartpole", index, 1, 0)
        return self

    def prepare(self):
        self.fill().gym.prepare_sim(self.sim)
        self.dof = self.gymtorch.wrap_tensor(self.gym.acquire_dof_state_tensor(self.sim))
        return self

    def set_dof(self, states, ids, count=None):
        handle = self.gymtorch.unwrap_tensor
        self.gym.set_dof_state_tensor_indexed(
            self.sim, handle(states), handle(ids), len(ids) if count is None else count
        )

    def push(self, forces):
        self.gym.set_dof_actuation_force_tensor(self.sim, self.gymtorch.unwrap_tensor(forces))

    def misuse(self, match):
        return pytest.raises(self.structs.Misuse, match=match)


@pytest.fixture
def world(isaacgym):
    made = World(isaacgym)
    yield made
    for name in ("viewer", "sim"):
        setattr(isaacgym, name, None)


def ids_of(*actors):
    return torch.tensor(actors, dtype=torch.int32)


def test_torch_before_isaacgym_is_refused(monkeypatch):
    forget()
    monkeypatch.syspath_prepend(str(DOUBLES))
    assert "torch" in sys.modules
    with pytest.raises(ImportError, match="PyTorch was imported before isaacgym"):
        importlib.import_module("isaacgym.gymapi")


def test_a_tensor_before_prepare_sim(world):
    world.fill()
    with world.misuse("before prepare_sim"):
        world.gym.acquire_dof_state_tensor(world.sim)
    with world.misuse("simulate before prepare_sim"):
        world.gym.simulate(world.sim)


def test_an_actor_after_prepare_sim(world):
    world.prepare()
    with world.misuse("create_env after prepare_sim"):
        world.gym.create_env(world.sim, None, None, 2)


def test_values_show_only_after_a_refresh(world):
    world.prepare()
    world.push(torch.full((8,), 100.0))
    world.gym.simulate(world.sim)
    with world.misuse("before fetch_results"):
        world.gym.refresh_dof_state_tensor(world.sim)
    world.gym.fetch_results(world.sim, True)
    assert not world.dof.any()
    world.gym.refresh_dof_state_tensor(world.sim)
    assert (world.dof[:, 1] != 0.0).all()


def test_the_gpu_pipeline_needs_no_fetch(isaacgym):
    world = World(isaacgym, gpu=True).prepare()
    world.gym.simulate(world.sim)
    assert world.gym.refresh_dof_state_tensor(world.sim)
    world.gym.destroy_sim(world.sim)


def test_the_gpu_pipeline_without_physx_on_the_gpu(isaacgym):
    world = World(isaacgym)
    isaacgym.sim = None
    world.params.use_gpu_pipeline = True
    with world.misuse("needs physx.use_gpu"):
        isaacgym.create_sim(0, -1, world.gymapi.SIM_PHYSX, world.params)


@pytest.mark.parametrize(
    ("forces", "match"),
    [
        (torch.zeros(8, dtype=torch.float64), r"expected a float32 tensor, got float64\[8\]"),
        (torch.zeros(7), r"expected the shape \[8\], got float32\[7\]"),
        (torch.zeros(4), r"expected the shape \[8\], got float32\[4\]"),
        (torch.zeros(8, 2)[:, 0], r"not contiguous"),
        ([0.0] * 8, "takes a torch tensor, got list"),
    ],
)
def test_wrong_forces(world, forces, match):
    world.prepare()
    with world.misuse(match):
        world.push(forces)


def test_a_tensor_that_was_not_unwrapped(world):
    world.prepare()
    with world.misuse("expected a tensor from unwrap_tensor, got Tensor"):
        world.gym.set_dof_actuation_force_tensor(world.sim, torch.zeros(8))


@pytest.mark.parametrize(
    ("ids", "count", "match"),
    [
        (torch.tensor([0, 1]), 2, r"expected a int32 tensor, got int64\[2\]"),
        (ids_of(0, 1), 3, r"expected the shape \[3\], got int32\[2\]"),
        (ids_of(0, 4), 2, r"actor ids \[0, 4\] with 4 actors"),
        (ids_of(1, 1), 2, r"actor ids \[1, 1\]"),
    ],
)
def test_wrong_actor_ids(world, ids, count, match):
    world.prepare()
    with world.misuse(match):
        world.set_dof(world.dof, ids, count)


def test_only_the_named_actors_are_set(world):
    world.prepare()
    states, ids = torch.full((8, 2), 0.5), ids_of(1, 3)
    world.set_dof(states, ids)
    world.gym.refresh_dof_state_tensor(world.sim)
    assert world.dof.view(4, 2, 2).ne(0).flatten(1).any(1).tolist() == [False, True, False, True]


def test_ids_that_are_freed_before_simulate(world):
    world.prepare()
    ids = ids_of(0)
    world.set_dof(world.dof, ids)
    del ids
    with world.misuse(r"int32\[1\] was freed before simulate"):
        world.gym.simulate(world.sim)


def test_one_simulation_per_process(world):
    with world.misuse("one per process"):
        world.gym.create_sim(0, -1, world.gymapi.SIM_PHYSX, world.params)


def test_a_failed_create_sim_gives_none(isaacgym):
    isaacgym.fails_to_create = True
    assert World(isaacgym).sim is None


def test_a_viewer_without_graphics(world, capsys, monkeypatch):
    monkeypatch.setenv("DISPLAY", ":0")
    world.prepare()
    assert world.gym.create_viewer(world.sim, world.gymapi.CameraProperties()) is None
    assert "Graphics is nullptr" in capsys.readouterr().err


def test_a_viewer_without_a_display(isaacgym, monkeypatch):
    monkeypatch.delenv("DISPLAY", raising=False)
    world = World(isaacgym, graphics=0).prepare()
    with world.misuse("without a display"):
        isaacgym.create_viewer(world.sim, world.gymapi.CameraProperties())
    isaacgym.destroy_sim(world.sim)


def test_what_is_left_undestroyed_is_reported(isaacgym, monkeypatch):
    monkeypatch.setenv("DISPLAY", ":0")
    world = World(isaacgym, graphics=0).prepare()
    viewer = isaacgym.create_viewer(world.sim, world.gymapi.CameraProperties())
    assert isaacgym.left_open() == ["viewer", "sim"]
    with world.misuse("destroy_sim before destroy_viewer"):
        isaacgym.destroy_sim(world.sim)
    isaacgym.destroy_viewer(viewer)
    isaacgym.destroy_sim(world.sim)
    assert isaacgym.left_open() == []
    with world.misuse("simulate with sim, which is not open"):
        isaacgym.simulate(world.sim)


def test_a_sensor_after_an_actor(world):
    world.fill()
    with world.misuse("after an actor was made"):
        world.gym.create_asset_force_sensor(world.asset, 0, None)


def test_joint_forces_that_were_not_enabled(world):
    world.prepare()
    with world.misuse("without enable_actor_dof_force_sensors"):
        world.gym.acquire_dof_force_tensor(world.sim)


def test_a_misspelt_setting(world):
    with pytest.raises(AttributeError, match="PhysXParams has no attribute 'num_postion_iterations'"):
        world.params.physx.num_postion_iterations = 4


def test_a_base_that_is_fixed_wrongly(world):
    with world.misuse("fix_base_link = False does not fit cartpole.xml"):
        world.gym.load_asset(world.sim, MODELS, "cartpole.xml", world.gymapi.AssetOptions())
