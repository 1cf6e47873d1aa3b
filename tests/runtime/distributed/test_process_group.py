"""The exchanges between real processes."""

import multiprocessing
import os
import socket

import pytest
import torch

from runtime.distributed.process_group import MESSAGE_BYTES, ProcessGroup
from runtime.errors import DistributedError


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def exchange(group):
    tensor = torch.arange(3.0) + group.rank
    group.all_reduce_mean(tensor)
    long = "x" * (MESSAGE_BYTES * 2 + group.rank)
    contents = [bytes([rank]) * (rank * 5000) for rank in range(group.world_size)]
    group.barrier()
    return {
        "mean": tensor.tolist(),
        "gathered": group.all_gather(torch.tensor([[group.rank, 7]])).tolist(),
        "json": group.all_gather_json({"rank": group.rank, "nan": None}),
        "long": [len(text) for text in group.all_gather_json(long)],
        "short": group.all_gather_json(group.rank),
        "bytes": [content.hex() for content in group.gather_bytes(bytes([group.rank]) * group.rank)],
        "broadcast": group.broadcast_bytes(b"zero" if group.rank == 0 else b"").decode(),
        "scattered": len(group.scatter_bytes([] if group.rank else contents)),
    }


def over_gloo(group):
    """As processes on several hosts are connected."""
    group._sockets.close()
    group._sockets = None


def exchange_over_gloo(group):
    over_gloo(group)
    return exchange(group)


def lose_over_gloo(group):
    over_gloo(group)
    return lose(group)


def lose(group):
    if group.rank == 1:
        os._exit(3)
    with pytest.raises(DistributedError, match="rank 0 lost another process while averaging"):
        average_for_ever(group)
    return True


def average_for_ever(group):
    while True:
        group.all_reduce_mean(torch.zeros(4))


def run(rank, world_size, port, function, results):
    os.environ.update(
        RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE=str(world_size), MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port)
    )
    torch.set_num_threads(1)
    group = ProcessGroup.connect(30.0)
    results.put((group.rank, function(group)))
    group.close()


def in_processes(world_size, function):
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.preloaded"])
    results, port = context.SimpleQueue(), free_port()
    processes = [
        context.Process(target=run, args=(rank, world_size, port, function, results)) for rank in range(world_size)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    found = {}
    while not results.empty():
        rank, value = results.get()
        found[rank] = value
    return found, [process.exitcode for process in processes]


@pytest.mark.parametrize("function", [exchange, exchange_over_gloo])
@pytest.mark.parametrize("world_size", [2, 4])
def test_exchanges(world_size, function):
    found, codes = in_processes(world_size, function)
    assert codes == [0] * world_size
    ranks = range(world_size)
    mean = (world_size - 1) / 2
    for rank in ranks:
        assert found[rank]["mean"] == [mean, mean + 1, mean + 2]
        assert found[rank]["gathered"] == [[[other, 7]] for other in ranks]
        assert found[rank]["json"] == [{"rank": other, "nan": None} for other in ranks]
        assert found[rank]["long"] == [MESSAGE_BYTES * 2 + other for other in ranks]
        assert found[rank]["short"] == list(ranks)
        assert found[rank]["bytes"] == ([(bytes([other]) * other).hex() for other in ranks] if rank == 0 else [])
        assert found[rank]["broadcast"] == "zero"
        assert found[rank]["scattered"] == rank * 5000


def average_both_ways(group):
    generator = torch.Generator().manual_seed(group.rank)
    shapes = ((5, 700), (2, 3), (300, 1000))
    tensors = [torch.randn(shape, generator=generator).t().double() for shape in shapes]
    copies = [tensor.clone() for tensor in tensors]
    for tensor in tensors:
        group.all_reduce_mean(tensor)
    over_gloo(group)
    for tensor in copies:
        group.all_reduce_mean(tensor)
    group.barrier()
    return [torch.equal(*pair) for pair in zip(tensors, copies)], [float(tensor.sum()) for tensor in tensors]


def test_averages_over_sockets_are_those_of_gloo_and_the_same_everywhere():
    found, _ = in_processes(2, average_both_ways)
    assert found[0] == found[1]
    assert found[0][0] == [True] * 3


def differ(group):
    with pytest.raises(DistributedError, match="tensors of different sizes: {8, 12} bytes"):
        group.all_reduce_mean(torch.zeros(2 + group.rank))
    return True


def test_tensors_of_different_sizes_are_an_error():
    assert in_processes(2, differ)[0] == {0: True, 1: True}


@pytest.mark.parametrize("function", [lose, lose_over_gloo])
def test_a_lost_process_is_named_at_once(function):
    found, codes = in_processes(2, function)
    assert found == {0: True}
    assert codes == [0, 3]


def test_a_group_that_cannot_be_reached_is_an_error(monkeypatch):
    for name, value in {"RANK": "1", "LOCAL_RANK": "1", "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("MASTER_PORT", "none")
    with pytest.raises(DistributedError, match="cannot be reached"):
        ProcessGroup.connect(1.0)


def average_what_nobody_keeps(group):
    over_gloo(group)
    for _ in range(3):
        group.all_gather(torch.ones(4))
    group.all_reduce_mean(torch.ones(3))
    return True


def test_a_group_closes_while_gloo_lets_go_of_the_last_tensors():
    for _ in range(3):
        found, codes = in_processes(4, average_what_nobody_keeps)
        assert codes == [0] * 4
        assert found == dict.fromkeys(range(4), True)
