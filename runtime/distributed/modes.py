"""Whether a run trains in one process, in several that are to be started, or as one of several that were started."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, Mapping, NoReturn, Optional

from ..errors import DistributedError

AUTO, SINGLE_MODE, DISTRIBUTED = TRAIN_MODES = ("auto", "single", "distributed")
SINGLE, LAUNCH, JOIN = "single", "launch", "join"


@dataclass(frozen=True)
class Wishes:
    """What the options ask for.

    Attributes:
        train_mode: One of `TRAIN_MODES`.
        world_size: Processes of all nodes together.
        nproc: Processes on this node.
        device: As in the settings; None where it was left out.
    """

    train_mode: str = AUTO
    world_size: Optional[int] = None
    nproc: Optional[int] = None
    device: Optional[str] = None


@dataclass(frozen=True)
class Mode:
    """How a run trains.

    Attributes:
        kind: ``single``, ``launch`` (start processes, and wait for them) or ``join`` (this is one of them).
        reason: Why, for the log.
        world_size: Processes of all nodes together.
        local: Of these on this node.
        node_rank: This node among all.
        address, port: Where the nodes meet; empty where there is one.
    """

    kind: str
    reason: str
    world_size: int = 1
    local: int = 1
    node_rank: int = 0
    address: str = ""
    port: str = ""


def choose_mode(wishes: Wishes, environment: Mapping[str, str], count_gpus: Callable[[], int]) -> Mode:
    """Choose as the options and the environment say.

    Args:
        wishes: The options.
        environment: LOCAL_RANK, RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT decide.
        count_gpus: Number of this machine's CUDA devices.

    Raises:
        DistributedError: the options contradict the environment or the machine.
    """
    if "LOCAL_RANK" in environment:
        return _join(wishes, environment)
    if wishes.train_mode == SINGLE_MODE:
        if (wishes.nproc or 1) > 1:
            _refuse(f"--nproc {wishes.nproc} starts several processes, but the train mode is single")
        _expect_alone(environment)
        return Mode(SINGLE, "the train mode is single")
    if "RANK" in environment and _number(environment, "WORLD_SIZE", 1) > 1:
        return _one_node_of_several(wishes, environment, count_gpus)
    _expect_alone(environment, wishes.world_size)
    return _this_machine(wishes, count_gpus)


def uses_gpu(device: Optional[str], count_gpus: Callable[[], int]) -> bool:
    """Whether a device, as options name it, is CUDA."""
    return (device or "").startswith("cuda") or (device == "auto" and count_gpus() > 0)


def _join(wishes: Wishes, environment: Mapping[str, str]) -> Mode:
    world_size, local = _number(environment, "WORLD_SIZE", 1), _number(environment, "LOCAL_WORLD_SIZE", 1)
    rank = _number(environment, "RANK", 0)
    if wishes.train_mode == SINGLE_MODE and world_size > 1:
        _refuse(f"the train mode is single, but {world_size} processes were started (WORLD_SIZE); start one")
    if wishes.world_size not in (None, world_size):
        _refuse(f"--world-size {wishes.world_size}, but {world_size} processes were started (WORLD_SIZE)")
    if wishes.nproc not in (None, local):
        _refuse(
            f"--nproc {wishes.nproc} starts processes, but this one was started by a launcher, as one of {local} on "
            "this node; leave --nproc out"
        )
    if world_size == 1:
        return Mode(JOIN, "a launcher started this one process")
    return Mode(JOIN, f"this is rank {rank} of {world_size} processes that a launcher started", world_size, local)


def _one_node_of_several(wishes: Wishes, environment: Mapping[str, str], count_gpus: Callable[[], int]) -> Mode:
    """RANK is that of the first process on this node, as in launchers that start one command per node."""
    world_size, base = _number(environment, "WORLD_SIZE", 1), _number(environment, "RANK", 0)
    for name in ("MASTER_ADDR", "MASTER_PORT"):
        if not environment.get(name):
            _refuse(f"WORLD_SIZE is {world_size} and RANK {base}, but {name} is not set: where do the nodes meet?")
    if wishes.world_size not in (None, world_size):
        _refuse(f"--world-size {wishes.world_size}, but WORLD_SIZE is {world_size}")
    gpus = count_gpus() if uses_gpu(wishes.device, count_gpus) else 0
    local = min(wishes.nproc or gpus or 1, world_size)
    if world_size % local or base % local:
        _refuse(
            f"WORLD_SIZE {world_size} and RANK {base} do not fit {local} processes on every node: both must be "
            "multiples of it (RANK is that of the node's first process); for unequal nodes use torchrun"
        )
    if gpus and local > gpus:
        _refuse(f"--nproc {local}, but this node has {gpus} CUDA devices")
    reason = f"ranks {base} to {base + local - 1} of {world_size} run on this node (RANK and WORLD_SIZE are set)"
    where = (environment["MASTER_ADDR"], environment["MASTER_PORT"])
    return Mode(LAUNCH, reason, world_size, local, base // local, *where)


def _this_machine(wishes: Wishes, count_gpus: Callable[[], int]) -> Mode:
    on_gpu = uses_gpu(wishes.device, count_gpus)
    wanted = wishes.nproc or wishes.world_size
    if wishes.nproc and wishes.world_size not in (None, wishes.nproc):
        _refuse(
            f"--nproc {wishes.nproc} and --world-size {wishes.world_size} contradict each other on one node; on "
            "several nodes set MASTER_ADDR, MASTER_PORT, WORLD_SIZE and RANK"
        )
    insists = wishes.train_mode == DISTRIBUTED
    if wanted is None:
        if not insists:
            return Mode(SINGLE, "one process was asked for")
        wanted = count_gpus() if on_gpu else 0
        if not wanted:
            _refuse("the train mode is distributed, but how many processes? Give --nproc N or --world-size N")
    if wanted == 1 and not insists:
        return Mode(SINGLE, "one process was asked for")
    if on_gpu and wanted > count_gpus():
        lack = f"{wanted} processes were asked for, but this machine has {count_gpus()} CUDA devices"
        if insists or wishes.nproc:
            _refuse(f"{lack}, and each needs one")
        return Mode(SINGLE, lack)
    if not on_gpu and not (insists or wishes.nproc or wishes.device == "cpu"):
        return Mode(
            SINGLE,
            f"the world size is {wanted}, but no GPU is used, and processes on the CPU must be asked for by --nproc, "
            "--device cpu or the train mode distributed",
        )
    return Mode(LAUNCH, f"{wanted} processes on this machine were asked for", wanted, wanted)


def _expect_alone(environment: Mapping[str, str], world_size: Optional[int] = None) -> None:
    """WORLD_SIZE without RANK tells this process neither who it is nor who starts the others."""
    found = _number(environment, "WORLD_SIZE", 1)
    if found not in (1, world_size):
        _refuse(
            f"WORLD_SIZE is {found}, but this process does not know which of them it is: start it by torchrun, or set "
            "RANK, MASTER_ADDR and MASTER_PORT, or use --nproc"
        )


def _number(environment: Mapping[str, str], name: str, default: int) -> int:
    text = environment.get(name, "").strip()
    if not text:
        return default
    if not text.isdecimal():
        _refuse(f"{name} is {text!r}; expected a whole number")
    return int(text)


def _refuse(message: str) -> NoReturn:
    raise DistributedError(message)
