"""Any task of an installed IsaacGymEnvs, through its own ``make``."""

import json
import os
import subprocess
import sys
from contextlib import ExitStack
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Dict, List, Tuple, Union

import torch

from ..spaces import Box
from ..specs import TaskSpec
from .engine import Engine
from .interface import SimulatorError
from .isaacgym_first import import_isaacgym_first, is_installed, unavailable_reason
from .isaacgymenvs_simulator import IsaacGymEnvsSimulator

MODULE = "isaacgymenvs"
PROBE_SECONDS = 300.0
SEEDS = 2**31 - 1


class IsaacGymEnvsEngine(Engine):
    """The tasks that IsaacGymEnvs brings. Option: ``visual``."""

    name = MODULE
    option_names = ("visual",)

    def __init__(self) -> None:
        self._sizes: Dict[str, Union[Dict[str, Any], SimulatorError]] = {}

    def is_available(self) -> bool:
        """Whether IsaacGymEnvs and Isaac Gym are there."""
        return not self.unavailable_reason()

    def unavailable_reason(self) -> str:
        """Which part is missing, and where it is found."""
        if find_spec(MODULE) is None:
            return (
                "is not installed: git clone https://github.com/isaac-sim/IsaacGymEnvs, then in the environment of "
                "Isaac Gym: pip install -e IsaacGymEnvs"
            )
        import_isaacgym_first()
        if is_installed() and find_spec("hydra") is None:
            return "cannot be used: IsaacGymEnvs needs hydra: pip install hydra-core"
        reason = unavailable_reason()
        return f"cannot be used: {reason}" if reason else ""

    def task_names(self) -> Tuple[str, ...]:
        """Those that it has a configuration for; none where it is not installed."""
        if find_spec(MODULE) is None:
            return ()
        return tuple(sorted(path.stem for path in (_config_folder() / "task").glob("*.yaml")))

    def task_spec(self, task: str, num_envs: int, **options: Any) -> TaskSpec:
        """Sizes, asked of the task itself: it is made once, small, in a process of its own.

        Raises:
            SimulatorError: The task cannot be made; with its own last words.
        """
        sizes = self._asked_once(task)
        return TaskSpec(
            name=task,
            num_envs=num_envs,
            observation_space=Box(tuple(sizes["observations"])),
            action_space=Box(tuple(sizes["actions"]), -1.0, 1.0),
            max_episode_length=int(sizes["max_episode_length"]),
            reward_components=("reward",),
        )

    def _asked_once(self, task: str) -> Dict[str, Any]:
        """The sizes, or the same error again: an editor validates after every change."""
        if task not in self._sizes:
            try:
                self._sizes[task] = probe(task)
            except SimulatorError as error:
                self._sizes[task] = error
        answer = self._sizes[task]
        if isinstance(answer, SimulatorError):
            raise SimulatorError(str(answer))
        return answer

    def make(
        self,
        task: str,
        num_envs: int,
        device: torch.device,
        generator: torch.Generator,
        visual: bool = False,
        **options: Any,
    ) -> IsaacGymEnvsSimulator:
        """A simulator that was not reset yet. The tasks draw from torch's global generator, seeded from ours."""
        spec = self.task_spec(task, num_envs)
        seed = int(torch.randint(SEEDS, (1,), generator=generator, device=generator.device))
        return IsaacGymEnvsSimulator(make_env(task, num_envs, device, seed, visual), spec, device)


def make_env(task: str, num_envs: int, device: torch.device, seed: int, visual: bool) -> Any:
    """Make an environment with its whole configuration: ``make`` alone leaves PhysX on the GPU where the CPU is meant.

    Raises:
        SimulatorError: It cannot be made.
    """
    hydra, isaacgymenvs = import_module("hydra"), import_module(MODULE)
    use_gpu, index = device.type == "cuda", device.index or 0
    name = f"cuda:{index}" if use_gpu else "cpu"
    overrides = [
        f"task={task}", f"num_envs={num_envs}", f"seed={seed}", f"pipeline={'gpu' if use_gpu else 'cpu'}",
        f"sim_device={name}", f"rl_device={name}", f"graphics_device_id={index}", f"headless={not visual}",
    ]  # fmt: skip
    with ExitStack() as stack:
        stack.enter_context(hydra.initialize_config_dir(config_dir=str(_config_folder()), version_base="1.1"))
        config = hydra.compose(config_name="config", overrides=overrides)
        try:
            return isaacgymenvs.make(
                seed=seed, task=task, num_envs=num_envs, sim_device=name, rl_device=name, graphics_device_id=index,
                headless=not visual, cfg=config,
            )  # fmt: skip
        except SystemExit as error:
            raise SimulatorError(f"IsaacGymEnvs gave up while making {task}; its output says why") from error


def probe(task: str) -> Dict[str, Any]:
    """Sizes of a task, from a process that makes two environments of it.

    Raises:
        SimulatorError: The process failed; with the end of its output.
    """
    package = __name__.rsplit(".", 1)[0]
    root = Path(__file__).resolve().parents[2]
    paths = os.pathsep.join([str(root), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))])
    try:
        process = subprocess.run(
            [sys.executable, "-m", f"{package}.isaacgymenvs_probe", task], env={**os.environ, "PYTHONPATH": paths},
            capture_output=True, text=True, timeout=PROBE_SECONDS, check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SimulatorError(f"IsaacGymEnvs: {task} could not be asked for its sizes: {error}") from error
    lines = process.stdout.strip().splitlines()
    if process.returncode != 0 or not lines:
        raise SimulatorError(f"IsaacGymEnvs cannot make {task}: {_last_line(process.stderr) or 'no reason given'}")
    sizes: Dict[str, Any] = json.loads(lines[-1])
    return sizes


def _last_line(text: str) -> str:
    lines: List[str] = text.strip().splitlines()
    return lines[-1] if lines else ""


def _config_folder() -> Path:
    spec = find_spec(MODULE)
    assert spec is not None and spec.origin is not None
    return Path(spec.origin).resolve().parent / "cfg"
