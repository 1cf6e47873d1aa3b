"""Processes played by threads, which meet in memory: the arithmetic of several ranks, without starting any."""

import threading

import pytest
import torch

from runtime.distributed.communicator import Communicator


class ThreadCommunicator(Communicator):
    """One rank among threads of this process."""

    def __init__(self, rank, world_size, barrier, board):
        self.rank, self.world_size = rank, world_size
        self._barrier, self._board = barrier, board

    def _exchange(self, value):
        self._board[self.rank] = value
        self._barrier.wait()
        values = list(self._board)
        self._barrier.wait()
        return values

    def all_reduce_mean(self, tensor):
        values = self._exchange(tensor.clone())
        total = values[0].clone()
        for value in values[1:]:
            total += value
        tensor.copy_(total / self.world_size)

    def all_gather(self, tensor):
        return torch.stack(self._exchange(tensor.clone()))

    def all_gather_json(self, value):
        return self._exchange(value)

    def gather_bytes(self, content):
        values = self._exchange(content)
        return [] if self.rank else values

    def broadcast_bytes(self, content):
        return self._exchange(content)[0]

    def scatter_bytes(self, contents):
        return self._exchange(contents)[0][self.rank]

    def barrier(self):
        self._barrier.wait()


def run_ranks(world_size, function):
    """function(communicator) on every rank; returns results by rank and raises the first error."""
    barrier, board = threading.Barrier(world_size, timeout=60), [None] * world_size
    results, errors = [None] * world_size, []

    def run(rank):
        try:
            torch.set_num_threads(1)
            results[rank] = function(ThreadCommunicator(rank, world_size, barrier, board))
        except threading.BrokenBarrierError:
            pass
        except BaseException as error:  # noqa: BLE001 - raised again by the caller
            errors.append(error)
            barrier.abort()

    threads = [threading.Thread(target=run, args=(rank,)) for rank in range(world_size)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return results


@pytest.fixture
def ranks():
    return run_ranks
