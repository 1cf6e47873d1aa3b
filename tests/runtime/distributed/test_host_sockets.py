"""Messages between processes of one host: here between threads, each with its own end."""

import os
import socket
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from runtime.distributed import host_sockets
from runtime.distributed.host_sockets import HostSockets, connect_host


class Gathering:
    """Gathers values of threads by rank, as a process group does."""

    def __init__(self, world_size):
        self.values = [None] * world_size
        self.barrier = threading.Barrier(world_size)

    def by(self, rank):
        def gather(value):
            self.values[rank] = value
            self.barrier.wait(20)
            values = list(self.values)
            self.barrier.wait(20)
            return values

        return gather


def on_ranks(world_size, function):
    """What a function of the rank returns on every rank, at the same time."""
    with ThreadPoolExecutor(world_size) as pool:
        return list(pool.map(function, range(world_size)))


@pytest.fixture
def connected():
    made = []

    def connect(world_size, timeout=20.0):
        gathering = Gathering(world_size)
        groups = on_ranks(world_size, lambda rank: connect_host(rank, gathering.by(rank), timeout))
        made.extend(group for group in groups if group is not None)
        return groups

    yield connect
    for group in made:
        group.close()


@pytest.mark.parametrize("world_size", [2, 3, 5])
def test_everybody_gets_the_contents_of_all_by_rank_again_and_again(connected, world_size):
    groups = connected(world_size)
    for lap in range(20):
        contents = [bytes([lap, rank]) * (rank * 1000 + lap) for rank in range(world_size)]
        found = on_ranks(world_size, lambda rank: groups[rank].all_gather(contents[rank]))  # noqa: B023
        assert found == [contents] * world_size


def test_contents_that_no_socket_can_hold_at_once(connected):
    groups = connected(3)
    contents = [bytes([rank]) * size for rank, size in enumerate((5_000_000, 3, 9_000_001))]
    assert on_ranks(3, lambda rank: groups[rank].all_gather(contents[rank])) == [contents] * 3


def test_one_may_be_a_whole_message_ahead(connected):
    first, second = connected(2)
    with ThreadPoolExecutor(1) as pool:
        ahead = pool.submit(lambda: [first.all_gather(b"one"), first.all_gather(b"two")])
        assert second.all_gather(b"1") == [b"one", b"1"]
        assert second.all_gather(b"22") == [b"two", b"22"]
        assert ahead.result(20) == [[b"one", b"1"], [b"two", b"22"]]


def test_the_end_of_a_process_is_told_at_once(connected):
    groups = connected(3)
    groups[1].close()
    with pytest.raises(ConnectionError, match="rank 1 closed its connection"):
        groups[0].all_gather(b"x")
    with pytest.raises(ConnectionError, match="rank [01] closed its connection"):
        groups[2].all_gather(b"x" * 5_000_000)


def test_the_end_in_the_midst_of_a_message(connected):
    first, second = connected(2)
    second.peers[0].send((100).to_bytes(8, "little") + b"only a part")
    second.close()
    with pytest.raises(ConnectionError, match="rank 1 closed its connection"):
        first.all_gather(b"")


def test_silence_is_an_error_after_the_timeout(connected):
    first = connected(3, timeout=0.2)[0]
    with pytest.raises(TimeoutError, match=r"no answer from rank 1, 2 for 0.2 s"):
        first.all_gather(b"x")


def test_processes_of_several_hosts_are_not_connected(connected, monkeypatch):
    names = iter(["one", "two"])
    monkeypatch.setattr(socket, "gethostname", lambda: next(names))
    assert connected(2) == [None, None]


def test_a_place_where_no_socket_can_be_is_no_error(connected, monkeypatch, tmp_path):
    deep = tmp_path / ("long-" * 40)
    deep.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(deep))
    assert connected(2) == [None, None]
    assert list(deep.iterdir()) == []


def test_a_stranger_who_does_not_know_the_token_is_sent_away(connected, monkeypatch):
    monkeypatch.setattr(host_sockets, "_call", _call_with_a_wrong_token)
    assert connected(2) == [None, None]


def _call_with_a_wrong_token(rank, addresses, peers):
    wrong = [(host, path, "00" * host_sockets.TOKEN_BYTES) for host, path, _ in addresses]
    return _CALL(rank, wrong, peers)


_CALL = host_sockets._call


def test_nothing_is_left_on_the_disk(connected, monkeypatch):
    with tempfile.TemporaryDirectory() as folder:
        monkeypatch.setattr(tempfile, "tempdir", folder)
        groups = connected(4)
        assert list(Path(folder).iterdir()) == []
    assert all(isinstance(group, HostSockets) for group in groups)
    assert [sorted(group.peers) for group in groups] == [[1, 2, 3], [0, 2, 3], [0, 1, 3], [0, 1, 2]]


@pytest.mark.parametrize(("cores", "sleeps"), [(2, 0), (1, 1)])
def test_it_sleeps_at_once_only_where_processes_share_cores(connected, monkeypatch, cores, sleeps):
    monkeypatch.setattr(host_sockets, "usable_cores", lambda: cores)
    monkeypatch.setattr(host_sockets, "WATCHFUL_SECONDS", 20.0)
    first, second = connected(2)
    waits = []
    waited, seen = first._wait, threading.Event()
    monkeypatch.setattr(first, "_wait", lambda *missing: (waits.append(missing), seen.set(), waited(*missing)))
    with ThreadPoolExecutor(1) as pool:
        found = pool.submit(first.all_gather, b"a")
        seen.wait(20 if sleeps else 0.1)
        second.all_gather(b"b")
        assert found.result(20) == [b"a", b"b"]
    assert len(waits) == sleeps


def test_after_a_failure_nothing_is_exchanged_any_more(connected):
    first, second = connected(2, timeout=0.2)
    with pytest.raises(TimeoutError):
        first.all_gather(b"one")
    with pytest.raises(ConnectionError, match="rank 0 closed its connection"):
        second.all_gather(b"1")
    for end, other in ((first, 1), (second, 0)):
        with pytest.raises(ConnectionError, match=f"rank {other} closed its connection"):
            end.all_gather(b"two")


def test_what_interrupts_an_exchange_ends_them_all(connected, monkeypatch):
    first, second = connected(2)

    def interrupted(*missing):
        raise KeyboardInterrupt

    monkeypatch.setattr(first, "_wait", interrupted)
    with pytest.raises(KeyboardInterrupt):
        first.all_gather(b"x" * 5_000_000)
    with pytest.raises(ConnectionError, match="rank 0 closed its connection"):
        second.all_gather(b"y" * 5_000_000)


def test_the_end_is_seen_although_a_copy_of_the_socket_lives(connected):
    first, second = connected(2)
    copy = os.dup(second.peers[0].fileno())
    second.close()
    with pytest.raises(ConnectionError, match="rank 1 closed its connection"):
        first.all_gather(b"x")
    os.close(copy)


def test_a_timeout_of_years_is_none(connected):
    groups = connected(2, timeout=1e9)
    with ThreadPoolExecutor(1) as pool:
        found = pool.submit(groups[0].all_gather, b"a")
        time.sleep(2 * host_sockets.WATCHFUL_SECONDS)
        assert groups[1].all_gather(b"b") == [b"a", b"b"]
        assert found.result(20) == [b"a", b"b"]


def test_more_processes_than_a_listener_holds_are_not_connected_but_do_not_hang(connected, monkeypatch):
    monkeypatch.setattr(socket, "SOMAXCONN", 0)
    monkeypatch.setattr(host_sockets, "ACCEPT_SECONDS", 0.2)
    assert connected(5) == [None] * 5


def test_no_room_for_sockets_is_no_error(connected, monkeypatch):
    made, count = socket.socket, threading.local()

    def one_per_process(*args):
        count.made = getattr(count, "made", 0) + 1
        if count.made > 1:
            raise OSError(24, "Too many open files")
        return made(*args)

    monkeypatch.setattr(host_sockets.socket, "socket", one_per_process)
    assert connected(2) == [None, None]
