"""A process killed with SIGKILL at any instant leaves the previous state or the new one, whole."""

import os
import random

import pytest
import torch

from runtime.checkpoints import ResumeStore, load_node_checkpoint, node_metadata, save_node_checkpoint
from runtime.checkpoints.layout import NODE_KIND, history
from runtime.checkpoints.resume import read_resume_state
from runtime.checkpoints.tensor_file import read_tensor_file
from tests.runtime.killing import kill_at_every_file_operation, kill_at_random

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="kills forked processes"),
    pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning"),
]


def state(number, size=50_000):
    return {"first": torch.full((size,), float(number)), "second": [torch.full((size,), float(number))], "n": number}


def is_whole(content, number):
    tensors = [content["first"], content["second"][0]]
    return content["n"] == number and all(bool((tensor == number).all()) for tensor in tensors)


def save(directory, number, size=50_000):
    metadata = node_metadata("X", iteration=number, step=number, reason="epoch")
    save_node_checkpoint(directory, "3", state(number, size), metadata, keep_last=2, is_best=True)


def saved_number(directory):
    """Return the number of the latest checkpoint, having checked that everything in the folder is whole."""
    loaded = load_node_checkpoint(directory, "3")
    number = loaded.metadata["iteration"]
    assert is_whole(loaded.state, number)
    best = load_node_checkpoint(directory, "3", which="best")
    assert is_whole(best.state, best.metadata["iteration"])
    for iteration, folder in history(directory / "node_3").items():
        assert is_whole(read_tensor_file(folder / "model.pt", NODE_KIND).state, iteration)
    return number


def leftovers(folder):
    return sorted(path.name for path in folder.rglob("*") if ".tmp-" in path.name or ".old-" in path.name)


def test_checkpoint_killed_at_every_file_operation(tmp_path):
    for number in (1, 2):
        save(tmp_path, number, size=10)
    seen = set()
    for _ in kill_at_every_file_operation(lambda: save(tmp_path, 3, size=10)):
        seen.add(saved_number(tmp_path))
        save(tmp_path, 1, size=10)
        save(tmp_path, 2, size=10)
        assert saved_number(tmp_path) == 2
        assert leftovers(tmp_path) == []
    assert seen == {2, 3}


def test_checkpoint_killed_at_random(tmp_path):
    rng = random.Random(2)
    total = 0
    for _ in range(20):
        save(tmp_path, 0)
        finished = kill_at_random(lambda number: save(tmp_path, number), rng, longest=0.08)
        assert saved_number(tmp_path) in (finished, finished + 1)
        total += finished
    assert total > 0
    save(tmp_path, 1)
    assert leftovers(tmp_path) == []


def test_first_checkpoint_killed_at_every_file_operation(tmp_path):
    for n in kill_at_every_file_operation(lambda: save(tmp_path / "now", 3, size=10)):
        if (tmp_path / "now" / "node_3" / "model.pt").exists():
            assert load_node_checkpoint(tmp_path / "now", "3").metadata["iteration"] == 3
        if (tmp_path / "now").exists():
            (tmp_path / "now").rename(tmp_path / str(n))


def test_resume_state_killed_at_every_file_operation(tmp_path):
    """Also where the very same state is saved again, as after a stop straight after a resume."""
    store = ResumeStore(tmp_path)
    for number in (2, 3):
        store.save(state(1, 10), step=1, iteration=1)
        store.save(state(2, 10), step=2, iteration=2)
        seen = set()
        for _ in kill_at_every_file_operation(lambda n=number: store.save(state(n, 10), step=n, iteration=n)):
            latest = store.latest()
            assert is_whole(latest.state, latest.iteration)
            assert all(is_whole(read_resume_state(entry).state, entry.iteration) for entry in store.entries())
            seen.add(latest.iteration)
            store.save(state(1, 10), step=1, iteration=1)
            store.save(state(2, 10), step=2, iteration=2)
            assert [entry.iteration for entry in store.entries()] == [2, 1]
        assert seen == {2, number}
        assert leftovers(tmp_path) == []


def test_resume_state_killed_at_random(tmp_path):
    rng = random.Random(3)
    store = ResumeStore(tmp_path)
    for _ in range(10):
        store.save(state(0), step=0, iteration=0)
        finished = kill_at_random(lambda n: store.save(state(n), step=n, iteration=n), rng, longest=0.08)
        latest = store.latest()
        assert latest.iteration in (finished, finished + 1)
        assert is_whole(latest.state, latest.iteration)
