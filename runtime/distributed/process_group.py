"""Several processes connected by torch.distributed: NCCL between GPUs, Gloo between CPUs."""

from __future__ import annotations

import contextlib
import ctypes
import datetime
import json
import os
from collections import deque
from typing import Any, Deque, Iterator, List, Optional, Sequence, Union

import torch
import torch.distributed as dist
from torch import Tensor

from ..errors import DistributedError
from .communicator import Communicator
from .failures import LOST_ANOTHER, has_launcher
from .host_sockets import LARGEST_BYTES, HostSockets, connect_host

DEFAULT_TIMEOUT = 600.0
MESSAGE_BYTES = 8192  # a longer message takes a second exchange
LENGTH_BYTES = 8
KEPT_EXCHANGES = 1024
"""Tensors of so many exchanges are kept alive: a thread of Gloo that drops the last reference to one needs Python's
lock, and torch 2.4 holds that while it closes the group and waits for the thread."""


class ProcessGroup(Communicator):
    """The processes of torch's default group.

    Tensors are reduced where they live; messages between the hosts (JSON, files) go through main memory, so that they
    never wait for a GPU. Nothing is pickled.

    The default group must be one of Gloo. What is small and frequent (averages, gathered tensors up to a size, and
    messages in main memory) goes over sockets where all processes live on one host.
    """

    def __init__(self, timeout: float = DEFAULT_TIMEOUT, local_rank: Optional[int] = None):
        self.rank = dist.get_rank()
        self.world_size = dist.get_world_size()
        self.local_rank = local_rank
        self._timeout = datetime.timedelta(seconds=timeout)
        self._tensors: Optional[dist.ProcessGroup] = None
        self._sockets: Optional[HostSockets] = None
        self._launcher = os.getppid() if has_launcher() else None
        self._outbox = torch.zeros(MESSAGE_BYTES, dtype=torch.uint8)
        self._inboxes = [torch.zeros_like(self._outbox) for _ in range(self.world_size)]
        self._kept: Deque[List[Tensor]] = deque(maxlen=KEPT_EXCHANGES)

    @classmethod
    def connect(cls, timeout: float = DEFAULT_TIMEOUT) -> ProcessGroup:
        """Join the processes that RANK, LOCAL_RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT tell of.

        Args:
            timeout: Seconds that an exchange may take before the run fails.

        Raises:
            DistributedError: they cannot be reached.
        """
        limit = datetime.timedelta(seconds=timeout)
        try:
            store, rank, world_size = next(dist.rendezvous("env://", timeout=limit))
            # torch 2.13 keeps addresses of processes that a launcher started before, and Gloo would wait for those
            store = dist.PrefixStore(f"dnne/attempt_{os.environ.get('TORCHELASTIC_RESTART_COUNT', '0')}", store)
            dist.init_process_group("gloo", store=store, rank=rank, world_size=world_size, timeout=limit)
        except (RuntimeError, ValueError) as error:
            raise DistributedError(f"the other processes of the run cannot be reached: {error}") from error
        group = cls(timeout, int(os.environ["LOCAL_RANK"]))
        group._sockets = connect_host(rank, group.all_gather_json, timeout)
        return group

    def use(self, device: torch.device) -> None:
        if device.type == "cuda" and self._tensors is None:
            torch.cuda.set_device(device)
            with self._lost("connecting the GPUs"):
                self._tensors = dist.new_group(backend="nccl", timeout=self._timeout)

    @property
    def is_orphaned(self) -> bool:
        return self._launcher is not None and os.getppid() != self._launcher

    def all_reduce_mean(self, tensor: Tensor) -> None:
        sockets = self._sockets_for(tensor)
        if sockets is not None:
            total, *others = self._gather_over_sockets(sockets, tensor, "averaging")
            for other in others:
                total.add_(other)
            tensor.copy_(total.mul_(1.0 / self.world_size))
            return
        self._kept.append([tensor])
        with self._lost("averaging"):
            dist.all_reduce(tensor, group=self._tensors)
        tensor.mul_(1.0 / self.world_size)

    def all_gather(self, tensor: Tensor) -> Tensor:
        sockets = self._sockets_for(tensor)
        if sockets is not None:
            return torch.stack(self._gather_over_sockets(sockets, tensor, "gathering"))
        gathered = tensor.new_empty((self.world_size, *tensor.shape))
        parts, own = list(gathered.unbind(0)), tensor.contiguous()
        self._kept.append([*parts, own])
        with self._lost("gathering"):
            dist.all_gather(parts, own, group=self._tensors)
        return gathered

    def _sockets_for(self, tensor: Tensor) -> Optional[HostSockets]:
        """None where torch's own groups exchange it."""
        is_small = tensor.numel() * tensor.element_size() <= LARGEST_BYTES
        return self._sockets if is_small and tensor.device.type == "cpu" else None

    def _gather_over_sockets(self, sockets: HostSockets, tensor: Tensor, action: str) -> List[Tensor]:
        with self._lost(action):
            contents = sockets.all_gather(_as_bytes(tensor.detach().contiguous()))
        lengths = {len(content) for content in contents}
        if len(lengths) > 1:
            raise DistributedError(f"while {action}: the processes have tensors of different sizes: {lengths} bytes")
        return [_tensor_of(content, tensor.dtype).view(tensor.shape) for content in contents]

    def all_gather_json(self, value: Any) -> List[Any]:
        return [json.loads(content) for content in self._all_gather_bytes(json.dumps(value).encode())]

    def _all_gather_bytes(self, content: bytes) -> Sequence[Union[bytes, bytearray]]:
        if self._sockets is not None:
            with self._lost("exchanging messages"):
                return self._sockets.all_gather(content)
        outbox = self._outbox
        outbox[:LENGTH_BYTES] = _as_tensor(len(content).to_bytes(LENGTH_BYTES, "little"))
        fits = len(content) + LENGTH_BYTES <= MESSAGE_BYTES
        if fits:
            outbox[LENGTH_BYTES : LENGTH_BYTES + len(content)] = _as_tensor(content)
        with self._lost("exchanging messages"):
            dist.all_gather(self._inboxes, outbox)
        lengths = [int.from_bytes(_as_bytes(inbox[:LENGTH_BYTES]), "little") for inbox in self._inboxes]
        if max(lengths) + LENGTH_BYTES <= MESSAGE_BYTES:
            return [_as_bytes(inbox[LENGTH_BYTES:][:length]) for inbox, length in zip(self._inboxes, lengths)]
        return self._all_gather_long(content, lengths)

    def _all_gather_long(self, content: bytes, lengths: List[int]) -> List[bytes]:
        padded = _as_tensor(content.ljust(max(lengths), b"\0"))
        inboxes = [torch.empty_like(padded) for _ in lengths]
        self._kept.append([*inboxes, padded])
        with self._lost("exchanging messages"):
            dist.all_gather(inboxes, padded)
        return [_as_bytes(inbox[:length]) for inbox, length in zip(inboxes, lengths)]

    def gather_bytes(self, content: bytes) -> List[bytes]:
        lengths = self.all_gather_json(len(content))
        if self.rank:
            self._send(content, 0)
            return []
        return [content, *(self._receive(lengths[rank], rank) for rank in range(1, self.world_size))]

    def broadcast_bytes(self, content: bytes) -> bytes:
        length = self.all_gather_json(len(content))[0]
        tensor = _as_tensor(content if self.rank == 0 else bytes(length))
        self._kept.append([tensor])
        with self._lost("broadcasting"):
            dist.broadcast(tensor, 0)
        return _as_bytes(tensor)

    def scatter_bytes(self, contents: List[bytes]) -> bytes:
        lengths = self.all_gather_json([len(content) for content in contents])[0]
        if self.rank:
            return self._receive(lengths[self.rank], 0)
        for rank in range(1, self.world_size):
            self._send(contents[rank], rank)
        return contents[0]

    def _send(self, content: bytes, rank: int) -> None:
        with self._lost("sending"):
            dist.send(_as_tensor(content), rank)

    def _receive(self, length: int, rank: int) -> bytes:
        tensor = torch.empty(length, dtype=torch.uint8)
        with self._lost("receiving"):
            dist.recv(tensor, rank)
        return _as_bytes(tensor)

    def barrier(self) -> None:
        self.all_gather_json(None)

    def close(self) -> None:
        if self._sockets is not None:
            self._sockets.close()
            self._sockets = None
        if dist.is_initialized():
            dist.destroy_process_group()

    @contextlib.contextmanager
    def _lost(self, action: str) -> Iterator[None]:
        try:
            yield
        except (RuntimeError, OSError) as error:
            reason = str(error).strip().splitlines()[0]
            raise DistributedError(
                f"rank {self.rank} {LOST_ANOTHER} while {action}; the process that failed first says why ({reason})"
            ) from error


def _as_tensor(content: bytes) -> Tensor:
    return _tensor_of(bytearray(content), torch.uint8)


def _tensor_of(content: bytearray, dtype: torch.dtype) -> Tensor:
    return torch.frombuffer(content, dtype=dtype) if content else torch.empty(0, dtype=dtype)


def _as_bytes(tensor: Tensor) -> bytes:
    size = tensor.numel() * tensor.element_size()
    return ctypes.string_at(tensor.data_ptr(), size) if size else b""
