"""Environment steps per second: our engines beside the bare engine in a loop, and beside gymnasium.vector."""

from __future__ import annotations

from importlib import util
from typing import Callable, List, Optional, Sequence

import torch

from runtime.cores import usable_cores
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
"""Of ours on all cores beside the better of gymnasium.vector's ways."""
ALL_CORES = (64,)
"""Numbers of environments that are measured on all cores, too."""
PREPARED_ACTIONS = 64
SMALL = 0.1
"""Size of the actions, with which episodes last about as long as those of a policy that learns."""


def run(
    quick: bool,
    num_envs: Sequence[int] = NUM_ENVS,
    tasks: Sequence[str] = TASKS,
    seconds: Optional[float] = None,
    all_cores: Sequence[int] = ALL_CORES,
) -> Report:
    """Measure; ``seconds`` are per task and number of environments."""
    report = Report("simulators", "environment steps with observations, rewards and resets")
    if util.find_spec("mujoco") is None:
        report.notes.append("mujoco NOT MEASURED: not installed")
        return report
    each = seconds if seconds is not None else 4.0 if quick else 30.0
    for task in tasks:
        for number in num_envs:
            _add_row(report, task, number, each)
    for number in all_cores:
        _add_row_of_all_cores(report, number, each)
    report.notes += [
        "× bare: speed of our MuJoCo simulator in units of MuJoCo stepped in a loop with the same controls, which",
        "observes, rewards and resets nothing; both in one thread. cpu: the same of the threads' processor time.",
        "× gymnasium: in units of gymnasium.vector's Ant-v5: in one thread of its SyncVectorEnv, on all cores of the",
        "faster of SyncVectorEnv and AsyncVectorEnv (one process per environment). It is steps that are compared, not",
        "physics: a step of Ant-v5 is 5 substeps of 0.01 s by RK4, which is 20 evaluations of the dynamics, ours 2 of",
        "0.0083 s by Euler, which is 2.",
    ]
    return report


def _add_row(report: Report, task: str, num_envs: int, seconds: float) -> None:
    actions = _actions(task, num_envs)
    ours = Contender("ours", lambda done: _simulate("mujoco", task, actions, done))
    contenders = [ours, Contender("bare", lambda done: _bare(task, actions, done))]
    if task == "Cartpole":
        contenders.append(Contender("torch", lambda done: _simulate("torch", task, actions, done)))
    if task == "Ant":
        contenders.append(Contender("gymnasium", lambda done: _gymnasium("sync", num_envs, done)))
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
            "cpu": ratio.cpu,
            "torch": medians.get("torch", ""),
            "× gymnasium": by_gymnasium,
        },
    )


def _add_row_of_all_cores(report: Report, num_envs: int, seconds: float) -> None:
    """Ours with a thread per core beside Gymnasium's two ways."""
    actions, cores = _actions("Ant", num_envs), usable_cores()
    ours = Contender("ours", lambda done: _simulate("mujoco", "Ant", actions, done, threads=cores))
    sync = Contender("sync", lambda done: _gymnasium("sync", num_envs, done))
    parallel = Contender("async", lambda done: _gymnasium("async", num_envs, done))
    failures: List[str] = []
    with started([ours, sync, parallel], failures) as ready:
        take_turns(ready, seconds)
    theirs = [one for one in ready if one is not ours]
    report.notes += [f"on all cores: {failure}" for failure in failures]
    if not theirs or ours not in ready:
        return
    speeds = ", ".join(f"{one.name} {num_envs / one.median / 1e3:.2f}" for one in theirs)
    report.notes.append(
        f"Ant, {num_envs} environments on {cores} cores: Gymnasium's thousand steps per second: {speeds}"
    )
    ratio = speed_ratio(ours, min(theirs, key=lambda one: one.median))
    report.add(
        ratio.value,
        Target(GYMNASIUM_TARGET),
        task=f"Ant, {cores} threads",
        environments=num_envs,
        **{
            "k steps/s": num_envs / ours.median / 1e3,
            "95 %": f"{ratio.low:.2f}–{ratio.high:.2f}",
            "× gymnasium": ratio.value,
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


def _simulate(engine: str, task: str, actions: torch.Tensor, done: Done, threads: int = 1) -> None:
    generator = torch.Generator().manual_seed(0)
    options = {"simulation_threads": threads} if engine == "mujoco" else {}
    simulator = make_simulator(engine, task, actions.shape[1], "cpu", generator, desynchronise=True, **options)
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


def _gymnasium(way: str, num_envs: int, done: Done) -> None:
    import gymnasium

    environment = gymnasium.make_vec("Ant-v5", num_envs, vectorization_mode=way)
    environment.reset(seed=0)
    environment.action_space.seed(0)
    prepared = [environment.action_space.sample() * SMALL for _ in range(PREPARED_ACTIONS)]
    _repeat(lambda number: environment.step(prepared[number]), done)
    environment.close()
