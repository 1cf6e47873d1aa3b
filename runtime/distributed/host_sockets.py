"""Messages between the processes of one host, over a socket for every two of them.

An average of a small tensor is bound by how often threads must be woken. Gloo takes several threads and a dozen
messages for one; on two busy cores that lasts 1 to 3 ms. Here every process sends to every other one and waits once.
Large tensors (`LARGEST_BYTES`) are bound by how often they are copied, which Gloo does less.
"""

from __future__ import annotations

import contextlib
import hmac
import os
import secrets
import select
import shutil
import socket
import tempfile
import time
from pathlib import Path
from typing import Callable, Container, Dict, List, Optional, Tuple

from ..cores import usable_cores

TOKEN_BYTES, RANK_BYTES, LENGTH_BYTES = 16, 4, 8
LARGEST_BYTES = 256 * 1024
"""Up to here two and four processes exchange tensors faster than over Gloo."""
LONGEST_POLL_MS = 2**31 - 1
ACCEPT_SECONDS = 10.0
"""For a process that listens, or has connected, already."""
WATCHFUL_SECONDS = 0.003
"""So long a process looks again and again before it sleeps, where each has a core of its own: those that do the same
work arrive within this time of one another, and to fall asleep and be woken takes as long as an exchange."""

GatherJson = Callable[[object], List]


class HostSockets:
    """Connected sockets to all other processes of a run.

    Args:
        rank: This process.
        peers: A connected stream socket by the rank of the process at its other end.
        timeout: Seconds that may pass without a byte while one is waited for.
    """

    def __init__(self, rank: int, peers: Dict[int, socket.socket], timeout: float):
        self.rank, self.peers = rank, peers
        self._timeout = timeout
        self._watchful = WATCHFUL_SECONDS if len(peers) < usable_cores() else 0.0
        for peer in peers.values():
            peer.setblocking(False)

    def all_gather(self, content: bytes) -> List[bytearray]:
        """The bytes of every process, by rank. Lengths may differ.

        Raises:
            OSError: A process closed its end, or sent nothing for too long; names its rank. After that, or any other
                exception in the midst, nothing can be exchanged any more: the others would be at another message.
        """
        try:
            return self._all_gather(content)
        except BaseException:
            self.close()
            raise

    def _all_gather(self, content: bytes) -> List[bytearray]:
        message = memoryview(len(content).to_bytes(LENGTH_BYTES, "little") + content)
        unsent = dict.fromkeys(self.peers, message)
        incoming = {rank: _Incoming() for rank in self.peers}
        unread = dict(incoming)
        watchful_until = time.perf_counter() + self._watchful
        while True:
            self._send(unsent)
            self._receive(unread)
            if not unsent and not unread:
                break
            if time.perf_counter() < watchful_until:
                os.sched_yield()
            else:
                self._wait(unsent.keys(), unread.keys())
        return [incoming[rank].content if rank in incoming else bytearray(content) for rank in range(len(incoming) + 1)]

    def close(self) -> None:
        """Close every socket, so that all others see it, whoever else has a copy."""
        _close(self.peers)

    def _send(self, unsent: Dict[int, memoryview]) -> None:
        for rank, rest in list(unsent.items()):
            try:
                sent = self.peers[rank].send(rest)
            except BlockingIOError:
                continue
            except OSError as error:
                raise _closed(rank) from error
            if sent == len(rest):
                del unsent[rank]
            else:
                unsent[rank] = rest[sent:]

    def _receive(self, unread: Dict[int, _Incoming]) -> None:
        for rank, message in list(unread.items()):
            try:
                while not message.is_complete:
                    count = self.peers[rank].recv_into(message.room)
                    if count == 0:
                        raise ConnectionResetError
                    message.take(count)
            except BlockingIOError:
                continue
            except OSError as error:
                raise _closed(rank) from error
            del unread[rank]

    def _wait(self, to_send: Container[int], to_receive: Container[int]) -> None:
        """Sleep until a socket can go on."""
        waiting = select.poll()
        for rank, peer in self.peers.items():
            events = select.POLLOUT * (rank in to_send) | select.POLLIN * (rank in to_receive)
            if events:
                waiting.register(peer, events)
        if not waiting.poll(min(self._timeout * 1000, LONGEST_POLL_MS)):
            missing = ", ".join(str(rank) for rank in self.peers if rank in to_send or rank in to_receive)
            raise TimeoutError(f"no answer from rank {missing} for {self._timeout:g} s")


def _close(peers: Dict[int, socket.socket]) -> None:
    for peer in peers.values():
        with contextlib.suppress(OSError):
            peer.shutdown(socket.SHUT_RDWR)
        peer.close()


def _closed(rank: int) -> ConnectionError:
    return ConnectionError(f"rank {rank} closed its connection")


class _Incoming:
    """A message of which a part has arrived: its length, then its content."""

    def __init__(self) -> None:
        self.content = bytearray(LENGTH_BYTES)
        self._filled = 0
        self._length: Optional[int] = None

    @property
    def is_complete(self) -> bool:
        return self._filled == self._length

    @property
    def room(self) -> memoryview:
        """Where the next bytes belong."""
        return memoryview(self.content)[self._filled :]

    def take(self, count: int) -> None:
        """So many bytes were written into the room."""
        self._filled += count
        if self._length is None and self._filled == LENGTH_BYTES:
            self._length, self._filled = int.from_bytes(self.content, "little"), 0
            self.content = bytearray(self._length)


def connect_host(rank: int, gather: GatherJson, timeout: float) -> Optional[HostSockets]:
    """Connect the processes of a run where all of them live on one host; collective.

    Args:
        rank: This process.
        gather: Gathers a JSON value of every process, by rank.
        timeout: As for `HostSockets`.

    Returns:
        None, on all processes, where one of them cannot be reached so.
    """
    peers: Dict[int, socket.socket] = {}
    is_connected = False
    try:
        is_connected = _connect(rank, gather, peers)
    finally:
        if not is_connected:
            _close(peers)
    return HostSockets(rank, dict(sorted(peers.items())), timeout) if is_connected else None


def _connect(rank: int, gather: GatherJson, peers: Dict[int, socket.socket]) -> bool:
    """Fill ``peers``; the same answer on all processes."""
    with _Door() as door:
        addresses = gather([socket.gethostname(), door.path, door.token])
        can_connect = all(host == addresses[0][0] and path for host, path, _ in addresses)
        if can_connect:
            can_connect = _call(rank, addresses, peers)
        is_connected = all(gather(can_connect))
        if is_connected:
            is_connected = door.answer(len(addresses) - 1 - rank, peers)
        return all(gather(is_connected))


def _call(rank: int, addresses: List[Tuple[str, str, str]], peers: Dict[int, socket.socket]) -> bool:
    """Connect to every process of a lower rank."""
    for other in range(rank):
        _, path, token = addresses[other]
        try:
            peers[other] = peer = socket.socket(socket.AF_UNIX)
            peer.settimeout(ACCEPT_SECONDS)
            peer.connect(path)
            peer.sendall(bytes.fromhex(token) + rank.to_bytes(RANK_BYTES, "little"))
        except OSError:
            return False
    return True


class _Door:
    """Where processes of higher ranks connect; nobody else can reach it, or knows the token.

    Attributes:
        path: Of a Unix socket that listens; empty where there is none.
    """

    def __init__(self) -> None:
        self.token = secrets.token_hex(TOKEN_BYTES)
        self.path = ""
        self._folder: Optional[str] = None
        self._listener: Optional[socket.socket] = None

    def __enter__(self) -> _Door:
        if hasattr(socket, "AF_UNIX") and hasattr(select, "poll"):
            try:
                self._open()
            except OSError:  # no room for files, or a longer path than a socket may have
                self.path = ""
        return self

    def __exit__(self, *_: object) -> None:
        if self._listener is not None:
            self._listener.close()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def answer(self, callers: int, peers: Dict[int, socket.socket]) -> bool:
        """Accept connections that wait already."""
        assert self._listener is not None
        self._listener.settimeout(ACCEPT_SECONDS)
        try:
            for _ in range(callers):
                peer, _ = self._listener.accept()
                peer.settimeout(ACCEPT_SECONDS)
                greeting = peer.recv(TOKEN_BYTES + RANK_BYTES, socket.MSG_WAITALL)
                if not hmac.compare_digest(greeting[:TOKEN_BYTES], bytes.fromhex(self.token)):
                    peer.close()
                    return False
                peers[int.from_bytes(greeting[TOKEN_BYTES:], "little")] = peer
        except OSError:
            return False
        return True

    def _open(self) -> None:
        self._folder = tempfile.mkdtemp(prefix="dnne-")
        path = str(Path(self._folder) / "socket")
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(path)
        self._listener.listen(socket.SOMAXCONN)
        self.path = path
