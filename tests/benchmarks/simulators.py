"""Environment steps per second: our engines beside the bare engine in a loop, and beside gymnasium.vector."""

from __future__ import annotations

from importlib import util
from typing import Callable, List, Optional, Sequence

import torch

from runtime.simulators.factory import make_simulator
from runtime.simulators.mujoco_engine import make_backend
from runtime.simulators.tasks.catalogue import physics_tasks

from .report import Report, Target
from .turns import Contender, Done, speed_ratio, started, take_turns

NUM_ENVS = (16, 64, 256)
TASKS = ("Cartpole", "Ant", "Humanoid")
BARE_TARGET = 0.80
BARE_FROM = 64
"""Environments from which the target counts."""
GYMNASIUM_TARGET = 10.0
PREPARED_ACTIONS = 64
SMALL = 0.1
"""Size of the actions, with which episodes last about as long as those of a policy that learns."""


def run(
    quick: bool, num_envs: Sequence[int] = NUM_ENVS, tasks: Sequence[str] = TASKS, seconds: Optional[float] = None
) -> Report:
    """Measure; ``seconds`` are per task and number of environments."""
    report = Report("simulators", "environment steps with observations, rewards and resets, one thread")
    if util.find_spec("mujoco") is None:
        report.notes.append("mujoco NOT MEASURED: not installed")
        return report
    for task in tasks:
        for number in num_envs:
            _add_row(report, task, number, seconds if seconds is not None else 4.0 if quick else 30.0)
    report.notes += [
        "× bare: speed of our MuJoCo simulator in units of MuJoCo stepped in a loop with the same controls, which",
        "observes, rewards and resets nothing. × gymnasium: in units of gymnasium.vector's Ant-v5 (SyncVectorEnv),",
        "whose step is 5 substeps of 0.01 s, ours 2 of 0.0083 s.",
    ]
    return report


def _add_row(report: Report, task: str, num_envs: int, seconds: float) -> None:
    actions = _actions(task, num_envs)
    ours = Contender("ours", lambda done: _simulate("mujoco", task, actions, done))
    contenders = [ours, Contender("bare", lambda done: _bare(task, actions, done))]
    if task == "Cartpole":
        contenders.append(Contender("torch", lambda done: _simulate("torch", task, actions, done)))
    if task == "Ant":
        contenders.append(Contender("gymnasium", lambda done: _gymnasium(num_envs, done)))
    failures: List[str] = []
    with started(contenders, failures) as ready:
        take_turns(ready, seconds)
    report.notes += failures
    medians = {one.name: num_envs / one.median / 1e3 for one in ready}
    ratio = speed_ratio(ours, contenders[1])
    target = Target(BARE_TARGET) if num_envs >= BARE_FROM else None
    by_gymnasium = speed_ratio(ours, contenders[2]).value if "gymnasium" in medians else ""
    report.add(
        ratio.value,
        target,
        task=task,
        environments=num_envs,
        **{
            "k steps/s": medians["ours"],
            "bare": medians["bare"],
            "× bare": ratio.value,
            "95 %": f"{ratio.low:.2f}–{ratio.high:.2f}",
            "torch": medians.get("torch", ""),
            "× gymnasium": by_gymnasium,
        },
    )


def _actions(task: str, num_envs: int) -> torch.Tensor:
    shape = physics_tasks()[task].action_space.shape
    draws = torch.rand(PREPARED_ACTIONS, num_envs, *shape, generator=torch.Generator().manual_seed(1))
    return (draws * 2 - 1) * SMALL


def _repeat(step: Callable[[int], object], done: Done) -> None:
    number = 0
    while True:
        step(number % PREPARED_ACTIONS)
        number += 1
        if not done():
            return


def _simulate(engine: str, task: str, actions: torch.Tensor, done: Done) -> None:
    generator = torch.Generator().manual_seed(0)
    threads = {"simulation_threads": 1} if engine == "mujoco" else {}
    simulator = make_simulator(engine, task, actions.shape[1], "cpu", generator, desynchronise=True, **threads)
    simulator.reset()
    _repeat(lambda number: simulator.step(actions[number]), done)
    simulator.close()


def _bare(task: str, actions: torch.Tensor, done: Done) -> None:
    """The engine's own step, with controls written into its array."""
    definition = physics_tasks()[task](torch.device("cpu"))
    num_envs = actions.shape[1]
    backend = make_backend(definition, num_envs, 1)
    parameters = {one.name: torch.full((num_envs,), one.default) for one in definition.parameters}
    state = definition.initial_state(parameters, torch.Generator().manual_seed(0))
    backend.place(torch.arange(num_envs), definition.physics(state))
    controls, prepared = backend.controls, (actions * definition.efforts(parameters) / backend.layout.gears).double()

    def step(number: int) -> None:
        controls.copy_(prepared[number])
        backend.run(definition.substeps)

    _repeat(step, done)


def _gymnasium(num_envs: int, done: Done) -> None:
    import gymnasium

    environment = gymnasium.make_vec("Ant-v5", num_envs, vectorization_mode="sync")
    environment.reset(seed=0)
    environment.action_space.seed(0)
    prepared = [environment.action_space.sample() * SMALL for _ in range(PREPARED_ACTIONS)]
    _repeat(lambda number: environment.step(prepared[number]), done)
    environment.close()
