"""Which mode options, environment and machine give."""

import pytest

from runtime.distributed.modes import JOIN, LAUNCH, SINGLE, Wishes, choose_mode
from runtime.errors import DistributedError

NODE = {"MASTER_ADDR": "first", "MASTER_PORT": "29500", "WORLD_SIZE": "8"}


def choose(environment=None, gpus=0, **wishes):
    return choose_mode(Wishes(**wishes), environment or {}, lambda: gpus)


@pytest.mark.parametrize(
    ("wishes", "gpus", "kind", "local", "reason"),
    [
        ({}, 0, SINGLE, 1, "one process was asked for"),
        ({}, 4, SINGLE, 1, "one process was asked for"),
        ({"nproc": 1}, 0, SINGLE, 1, "one process was asked for"),
        ({"train_mode": "single", "world_size": 4}, 4, SINGLE, 1, "the train mode is single"),
        ({"nproc": 3}, 0, LAUNCH, 3, "3 processes on this machine"),
        ({"world_size": 4}, 0, SINGLE, 1, "must be asked for by --nproc"),
        ({"world_size": 4, "device": "cpu"}, 0, LAUNCH, 4, "4 processes"),
        ({"world_size": 4, "train_mode": "distributed"}, 0, LAUNCH, 4, "4 processes"),
        ({"world_size": 4, "device": "cuda"}, 4, LAUNCH, 4, "4 processes"),
        ({"world_size": 4, "device": "auto"}, 4, LAUNCH, 4, "4 processes"),
        ({"world_size": 4, "device": "cuda"}, 2, SINGLE, 1, "has 2 CUDA devices"),
        ({"train_mode": "distributed", "device": "cuda"}, 2, LAUNCH, 2, "2 processes"),
        ({"train_mode": "distributed", "nproc": 1}, 0, LAUNCH, 1, "1 processes"),
    ],
)
def test_this_machine(wishes, gpus, kind, local, reason):
    mode = choose(gpus=gpus, **wishes)
    assert (mode.kind, mode.local, mode.world_size) == (kind, local, local)
    assert reason in mode.reason


def test_a_launcher_is_joined():
    environment = {"LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "2", "RANK": "3", "WORLD_SIZE": "4"}
    mode = choose(environment, nproc=2, world_size=4)
    assert (mode.kind, mode.world_size, mode.local) == (JOIN, 4, 2)
    assert "rank 3 of 4" in mode.reason
    assert choose({"LOCAL_RANK": "0"}, train_mode="single").kind == JOIN


@pytest.mark.parametrize(
    ("base", "nproc", "gpus", "node", "local"), [(0, 4, 0, 0, 4), (4, 4, 0, 1, 4), (7, None, 0, 7, 1)]
)
def test_a_node_of_several(base, nproc, gpus, node, local):
    mode = choose({**NODE, "RANK": str(base)}, gpus, nproc=nproc, world_size=8, train_mode="distributed")
    assert (mode.kind, mode.world_size, mode.local, mode.node_rank) == (LAUNCH, 8, local, node)
    assert (mode.address, mode.port) == ("first", "29500")


def test_a_node_takes_as_many_processes_as_it_has_gpus():
    mode = choose({**NODE, "RANK": "4"}, 4, device="cuda")
    assert (mode.local, mode.node_rank) == (4, 1)


@pytest.mark.parametrize(
    ("environment", "wishes", "gpus", "message"),
    [
        ({}, {"train_mode": "single", "nproc": 2}, 0, "the train mode is single"),
        ({}, {"train_mode": "distributed"}, 4, "how many processes"),
        ({}, {"nproc": 2, "world_size": 4}, 0, "contradict each other"),
        ({}, {"nproc": 2, "device": "cuda"}, 1, "each needs one"),
        ({}, {"world_size": 2, "device": "cuda", "train_mode": "distributed"}, 1, "1 CUDA devices"),
        ({"WORLD_SIZE": "2"}, {}, 0, "does not know which of them it is"),
        ({"WORLD_SIZE": "two"}, {}, 0, "WORLD_SIZE is 'two'; expected a whole number"),
        ({"LOCAL_RANK": "0", "WORLD_SIZE": "2"}, {"train_mode": "single"}, 0, "the train mode is single"),
        ({"LOCAL_RANK": "0", "WORLD_SIZE": "2"}, {"world_size": 3}, 0, "--world-size 3, but 2 processes"),
        ({"LOCAL_RANK": "0", "WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2"}, {"nproc": 4}, 0, "leave --nproc out"),
        ({"RANK": "0", "WORLD_SIZE": "2", "MASTER_ADDR": "first"}, {}, 0, "MASTER_PORT is not set"),
        ({**NODE, "RANK": "3"}, {"nproc": 4}, 0, "do not fit 4 processes"),
        ({**NODE, "RANK": "0"}, {"nproc": 3}, 0, "do not fit 3 processes"),
        ({**NODE, "RANK": "0"}, {"world_size": 4}, 0, "--world-size 4, but WORLD_SIZE is 8"),
        ({**NODE, "RANK": "0"}, {"nproc": 8, "device": "cuda"}, 4, "4 CUDA devices"),
    ],
)
def test_contradictions_are_refused(environment, wishes, gpus, message):
    with pytest.raises(DistributedError, match=message):
        choose(environment, gpus, **wishes)
