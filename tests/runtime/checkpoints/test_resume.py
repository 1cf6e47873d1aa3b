import errno
import json
import os
from pathlib import Path

import pytest
import torch

from runtime.checkpoints import ResumeStore
from runtime.errors import CheckpointError, StorageError


def save(store, iteration, **meta):
    return store.save(
        {"w": torch.full((4,), float(iteration)), "n": [iteration, None]}, iteration * 64, iteration, meta
    )


def iterations(store):
    return [entry.iteration for entry in store.entries()]


def test_the_newest_state_comes_back(tmp_path):
    store = ResumeStore(tmp_path)
    for iteration in (8, 9, 10):
        path = save(store, iteration, seed=3, reason="timeout")
    assert path == tmp_path / "resume" / "iteration_000000010_step_000000000640"
    latest = ResumeStore(tmp_path).latest()
    assert (latest.iteration, latest.step, latest.path) == (10, 640, path)
    assert latest.state["w"].tolist() == [10.0] * 4
    assert latest.state["n"] == [10, None]
    assert latest.meta["seed"] == 3
    assert set(latest.meta) == {"seed", "reason", "iteration", "step", "versions", "created"}
    assert json.loads((path / "meta.json").read_text()) == {"format_version": 1, **latest.meta}
    assert sorted(file.name for file in path.iterdir()) == ["meta.json", "state.pt"]


def test_the_newest_two_stay(tmp_path):
    store = ResumeStore(tmp_path)
    for iteration in range(1, 6):
        save(store, iteration)
        assert iterations(store) == list(range(iteration, 0, -1))[:2]
    assert len(list((tmp_path / "resume").iterdir())) == 2
    save(ResumeStore(tmp_path, keep=1), 6)
    assert iterations(store) == [6]
    with pytest.raises(CheckpointError, match="cannot keep 0"):
        ResumeStore(tmp_path, keep=0)


def test_one_iteration_saved_twice(tmp_path):
    store = ResumeStore(tmp_path)
    save(store, 1)
    save(store, 2, reason="first")
    save(store, 2, reason="second")
    assert iterations(store) == [2, 1]
    assert store.latest().meta["reason"] == "second"


def test_steps_within_an_iteration_are_in_order(tmp_path):
    store = ResumeStore(tmp_path)
    for step in (640, 704):
        store.save({}, step=step, iteration=10)
    assert store.latest().step == 704


@pytest.mark.parametrize("damage", ["truncated", "missing", "hostile", "flipped", "renamed"])
def test_a_damaged_state_is_reported_and_the_previous_one_taken(tmp_path, caplog, write_hostile, damage):
    store = ResumeStore(tmp_path)
    save(store, 1)
    newest = save(store, 2) / "state.pt"
    content = newest.read_bytes()
    victim = tmp_path / "the code ran"
    if damage == "truncated":
        newest.write_bytes(content[:-100])
    elif damage == "missing":
        newest.unlink()
    elif damage == "hostile":
        victim = write_hostile(newest, "zip")
    elif damage == "flipped":
        position = content.find(torch.full((4,), 2.0).numpy().tobytes())
        newest.write_bytes(content[:position] + b"\x01" + content[position + 1 :])
    else:
        newest.parent.rename(newest.parent.with_name("iteration_000000003_step_000000000192"))
    assert store.latest().iteration == 1
    assert "a damaged resume state is skipped" in caplog.text
    assert str(newest.parent.parent) in caplog.text
    assert not victim.exists()


def test_a_run_that_went_on_from_an_earlier_state_drops_the_later_ones(tmp_path):
    store = ResumeStore(tmp_path)
    save(store, 1)
    (save(store, 5) / "state.pt").write_bytes(b"damaged")
    assert store.latest().iteration == 1
    save(store, 2)
    assert iterations(store) == [2, 1]
    save(store, 3)
    assert iterations(store) == [3, 2]


def test_without_any_state(tmp_path):
    with pytest.raises(CheckpointError, match=r"the run folder .*nowhere does not exist"):
        ResumeStore(tmp_path / "nowhere").latest()
    with pytest.raises(CheckpointError, match="resume holds no resume state; expected the folder of a run"):
        ResumeStore(tmp_path).latest()
    (tmp_path / "resume" / "iteration_1_step_x").mkdir(parents=True)
    (tmp_path / "resume" / "iteration_000000001_step_000000000064").write_text("a file")
    with pytest.raises(CheckpointError, match="holds no resume state"):
        ResumeStore(tmp_path).latest()


def test_all_damaged_lists_each(tmp_path):
    store = ResumeStore(tmp_path)
    for iteration in (1, 2):
        (save(store, iteration) / "state.pt").write_bytes(b"damaged")
    with pytest.raises(CheckpointError, match="can be read") as caught:
        store.latest()
    assert "iteration_000000001" in str(caught.value)
    assert "iteration_000000002" in str(caught.value)


@pytest.mark.parametrize(
    ("state", "meta", "message"),
    [
        ({"agent": {"x": [1, object()]}}, {}, "'agent/x/1' is a builtins.object"),
        ({}, {"path": Path("x")}, "meta.path is a PosixPath"),
    ],
)
def test_what_cannot_be_stored_leaves_nothing_behind(tmp_path, state, meta, message):
    with pytest.raises(CheckpointError, match=message):
        ResumeStore(tmp_path).save(state, 1, 1, meta)
    assert ResumeStore(tmp_path).entries() == []
    assert [path for path in tmp_path.rglob("*") if path.name != "resume"] == []


def test_a_full_disk_leaves_the_earlier_states(tmp_path, monkeypatch):
    store = ResumeStore(tmp_path)
    save(store, 1)
    save(store, 2)

    def full(descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match="No space left on device"):
        save(store, 3)
    monkeypatch.undo()
    assert iterations(store) == [2, 1]
    assert len(list((tmp_path / "resume").iterdir())) == 2


def test_a_state_left_aside_by_another_machine_counts(tmp_path):
    """Killed between the two renames of a replacement, and resumed on another machine of a cluster."""
    store = ResumeStore(tmp_path)
    save(store, 1)
    path = save(store, 2)
    path.rename(path.with_name(path.name + ".old-7-ffffffff-ffffffff-0"))
    (tmp_path / "resume" / (path.name.replace("2", "3") + ".tmp-7-ffffffff-ffffffff-0")).mkdir()
    assert iterations(store) == [2, 1]
    assert store.latest().iteration == 2
    save(store, 3)
    assert iterations(store) == [3, 2]
    save(store, 4)
    assert iterations(store) == [4, 3]
