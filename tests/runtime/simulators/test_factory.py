"""Simulators and tasks by name."""

import pytest
import torch

from runtime.simulators import factory
from runtime.simulators.engine import Engine
from runtime.simulators.factory import available_simulators, available_tasks, make_simulator, task_spec
from runtime.simulators.gymnasium_engine import GymnasiumEngine
from runtime.simulators.interface import SimulatorError
from runtime.simulators.tasks.cartpole import Cartpole
from runtime.simulators.torch_engine import TorchSimulator


@pytest.fixture(autouse=True)
def without_mujoco(monkeypatch):
    """Whether MuJoCo is installed or not, these tests do not see it."""
    monkeypatch.setattr(factory, "ENGINES", tuple(engine for engine in factory.ENGINES if engine.name != "mujoco"))


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(0)


@pytest.mark.parametrize("name", ["auto", "torch"])
def test_cartpole_is_made(name, generator):
    simulator = make_simulator(name, "Cartpole", 6, "cpu", generator, desynchronise=True)
    assert isinstance(simulator, TorchSimulator)
    assert simulator.generator is generator
    assert simulator.desynchronise
    assert simulator.reset().shape == (6, 4)
    assert simulator.task_spec == task_spec("Cartpole", 6)


def test_what_there_is():
    assert "torch" in available_simulators()
    assert available_tasks("torch") == ("Cartpole",)
    assert "Cartpole" in available_tasks()


def test_gymnasium_that_is_not_installed_is_said_to_be_so(generator, monkeypatch):
    monkeypatch.setattr(GymnasiumEngine, "is_available", lambda self: False)
    with pytest.raises(SimulatorError, match="simulator 'gymnasium' is not installed: pip install gymnasium"):
        make_simulator("gymnasium", "CartPole-v1", 2, "cpu", generator)


@pytest.mark.parametrize("name", ["mujoco"])
def test_engines_of_later_versions_are_refused(name, generator):
    with pytest.raises(
        SimulatorError, match=f"'{name}' is not part of this version of DNNE; use one of 'auto', 'torch'"
    ):
        make_simulator(name, "Cartpole", 2, "cpu", generator)


def test_isaac_gym_says_how_it_is_installed(generator):
    with pytest.raises(
        SimulatorError, match=r"Isaac Gym is not installed.*docs/isaacgym.md.*use one of 'auto', 'torch'"
    ):
        make_simulator("isaacgym", "Cartpole", 2, "cpu", generator)


def test_unknown_simulator():
    with pytest.raises(
        SimulatorError, match=r"no simulator 'mujocco'; did you mean 'mujoco'\?; use one of 'auto', 'torch'"
    ):
        task_spec("Cartpole", 2, "mujocco")


def test_misspelt_task():
    with pytest.raises(
        SimulatorError, match=r"task 'cartpol'; did you mean 'Cartpole'\?; there are: Cartpole.*--nodes-dir DIR"
    ):
        task_spec("cartpol", 2)
    with pytest.raises(SimulatorError, match=r"simulator 'torch' does not have a task 'Humanoid'; there are: Cartpole"):
        task_spec("Humanoid", 2, "torch")


@pytest.mark.parametrize("num_envs", [0, -1, 2.0, True, "4"])
def test_numbers_of_environments_are_checked(num_envs, generator):
    with pytest.raises(SimulatorError, match="num_envs must be a whole number of at least 1"):
        task_spec("Cartpole", num_envs)
    with pytest.raises(SimulatorError, match="num_envs"):
        make_simulator("torch", "Cartpole", num_envs, "cpu", generator)


def test_misspelt_option(generator):
    with pytest.raises(SimulatorError, match=r"no option 'desynchronize'; did you mean 'desynchronise'\?"):
        make_simulator("torch", "Cartpole", 2, "cpu", generator, desynchronize=True)


def test_the_generator_must_be_on_the_device(generator):
    with pytest.raises(SimulatorError, match="generator is on cpu, the simulator on cuda"):
        make_simulator("torch", "Cartpole", 2, "cuda", generator)


class Stand(Engine):
    """An engine as a later version would add it."""

    name = "mujoco"

    def __init__(self, installed):
        self.installed = installed

    def is_available(self):
        return self.installed

    def task_names(self):
        return ("Ant", "Cartpole")

    def task_spec(self, task, num_envs):
        return Cartpole.spec(num_envs + 1000)

    def make(self, task, num_envs, device, generator, **options):
        return "a simulator"


def test_auto_prefers_the_engine_that_stands_first(monkeypatch, generator):
    monkeypatch.setattr(factory, "ENGINES", (Stand(installed=True), *factory.ENGINES))
    assert make_simulator("auto", "Cartpole", 2, "cpu", generator) == "a simulator"
    assert isinstance(make_simulator("torch", "Cartpole", 2, "cpu", generator), TorchSimulator)
    assert task_spec("Ant", 2).num_envs == 1002
    assert {"Ant", "Cartpole"} <= set(available_tasks())


def test_auto_passes_over_what_is_not_installed(monkeypatch, generator):
    monkeypatch.setattr(factory, "ENGINES", (Stand(installed=False), *factory.ENGINES))
    assert isinstance(make_simulator("auto", "Cartpole", 2, "cpu", generator), TorchSimulator)
    with pytest.raises(SimulatorError, match="'mujoco' is not installed; use one of 'auto', 'torch'"):
        make_simulator("mujoco", "Cartpole", 2, "cpu", generator)
    with pytest.raises(SimulatorError, match="no simulator has a task 'Ant'.*'mujoco' has it, but is not installed"):
        task_spec("Ant", 2)
