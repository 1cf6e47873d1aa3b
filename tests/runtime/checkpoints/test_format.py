import errno
import json
import logging
import os
from pathlib import Path

import pytest
import torch

from runtime import __version__
from runtime.checkpoints import load_node_checkpoint, node_folder, node_folders, node_metadata, save_node_checkpoint
from runtime.checkpoints.tensor_file import write_tensor_file
from runtime.errors import CheckpointError, StorageError


def save(directory, iteration=10, node_id="3", **kwargs):
    metadata = node_metadata(
        "PPOAgentNode",
        iteration=iteration,
        step=iteration * 64,
        reason="epoch",
        title="Agent",
        hyperparameters={"hidden_sizes": (64, 64), "target_kl": float("inf")},
        metric=("episode/mean_reward", 1.5),
    )
    state = {"policy": {"weight": torch.full((2, 3), float(iteration))}, "sigma": 0.5}
    return save_node_checkpoint(directory, node_id, state, metadata, **kwargs)


def test_save_and_load(tmp_path, caplog):
    assert save(tmp_path) == tmp_path / "node_3" / "model.pt"
    loaded = load_node_checkpoint(tmp_path, "3")
    assert loaded.path == tmp_path / "node_3" / "model.pt"
    assert loaded.state["policy"]["weight"].tolist() == [[10.0] * 3] * 2
    assert loaded.state["sigma"] == 0.5
    assert sorted(path.name for path in (tmp_path / "node_3").iterdir()) == ["metadata.json", "model.pt"]
    assert not caplog.records


def test_metadata_is_plain_json_and_the_same_in_both_files(tmp_path):
    save(tmp_path)
    copy = json.loads((tmp_path / "node_3" / "metadata.json").read_text())
    assert copy.pop("format_version") == 1
    assert copy == load_node_checkpoint(tmp_path, "3").metadata
    assert copy.pop("created")[:2] == "20"
    versions = copy.pop("versions")
    assert versions["dnne"] == __version__
    assert versions["torch"] == torch.__version__
    assert set(versions) == {"dnne", "python", "torch", "platform"}
    assert copy == {
        "node_id": "3",
        "class_type": "PPOAgentNode",
        "title": "Agent",
        "iteration": 10,
        "step": 640,
        "reason": "epoch",
        "metric": {"name": "episode/mean_reward", "value": 1.5},
        "hyperparameters": {"hidden_sizes": [64, 64], "target_kl": "inf"},
        "architecture": {"parameters": 6, "tensors": {"policy/weight": {"shape": [2, 3], "dtype": "float32"}}},
    }


def test_the_second_save_replaces_the_first(tmp_path):
    save(tmp_path, 10)
    save(tmp_path, 20)
    loaded = load_node_checkpoint(tmp_path, "3")
    assert loaded.metadata["iteration"] == 20
    assert loaded.state["policy"]["weight"][0, 0] == 20


@pytest.mark.parametrize("node_id", ["3", "40", "a/b", "../..", "12:4", "ä", "", "%41", "."])
def test_any_node_id_names_a_folder_of_its_own(tmp_path, node_id):
    save(tmp_path, node_id=node_id)
    assert node_folder(tmp_path, node_id).parent == tmp_path
    assert node_folder(tmp_path, node_id).is_dir()
    assert list(node_folders(tmp_path)) == [node_id]
    assert load_node_checkpoint(tmp_path, node_id).metadata["node_id"] == node_id


def test_folders_of_nodes_are_in_the_order_of_their_numbers(tmp_path):
    for node_id in ("10", "x", "9"):
        save(tmp_path, node_id=node_id)
    (tmp_path / "node_file").write_text("not a folder")
    assert list(node_folders(tmp_path)) == ["9", "10", "x"]


def test_a_missing_folder(tmp_path):
    with pytest.raises(CheckpointError, match=r"node 3: the checkpoint folder .*nowhere does not exist.*node_3/"):
        load_node_checkpoint(tmp_path / "nowhere", "3")
    (tmp_path / "file").write_text("")
    with pytest.raises(CheckpointError, match=r"node 3: .*file is a file, not a folder"):
        load_node_checkpoint(tmp_path / "file", "3")


def test_a_missing_node_names_those_that_are_there(tmp_path):
    with pytest.raises(CheckpointError, match="has no node_3/; found no node folder at all"):
        load_node_checkpoint(tmp_path, "3")
    save(tmp_path, node_id="6")
    save(tmp_path, node_id="40")
    with pytest.raises(CheckpointError, match="has no node_3/; found node_6, node_40"):
        load_node_checkpoint(tmp_path, "3")
    with pytest.raises(CheckpointError, match=f"is the folder of one node, give its parent {tmp_path}$"):
        load_node_checkpoint(tmp_path / "node_6", "6")


def test_a_missing_or_damaged_file_names_the_alternatives(tmp_path):
    for iteration in (10, 20):
        save(tmp_path, iteration, keep_last=2, is_best=iteration == 10)
    model = tmp_path / "node_3" / "model.pt"
    content = model.read_bytes()
    model.unlink()
    others = r"other checkpoints of this node: .*history/000000010, .*history/000000020, .*node_3/best"
    with pytest.raises(CheckpointError, match=f"node 3: {model} is missing; {others}"):
        load_node_checkpoint(tmp_path, "3")
    model.write_bytes(content[:100])
    with pytest.raises(CheckpointError, match=f"node 3: {model}: the file is truncated or damaged.*; {others}"):
        load_node_checkpoint(tmp_path, "3")


def test_a_hostile_checkpoint_does_not_run(tmp_path, write_hostile):
    victim = write_hostile(tmp_path / "node_3" / "model.pt", "zip")
    with pytest.raises(CheckpointError, match=r"node 3: .*model.pt was refused.*could run code"):
        load_node_checkpoint(tmp_path, "3")
    assert not victim.exists()


def test_a_file_of_another_kind(tmp_path):
    write_tensor_file(tmp_path / "node_3" / "model.pt", "dnne resume state", {}, {})
    with pytest.raises(CheckpointError, match="is a 'dnne resume state'; expected a 'dnne node checkpoint'"):
        load_node_checkpoint(tmp_path, "3")


def test_the_best_checkpoint(tmp_path):
    save(tmp_path, 10, is_best=True)
    save(tmp_path, 20)
    assert load_node_checkpoint(tmp_path, "3", which="best").metadata["iteration"] == 10
    assert load_node_checkpoint(tmp_path, "3").metadata["iteration"] == 20
    with pytest.raises(CheckpointError, match="expected 'latest' or 'best'"):
        load_node_checkpoint(tmp_path, "3", which="first")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda path: path.unlink(), "is missing"),
        (lambda path: path.write_text("{"), "cannot be read"),
        (lambda path: path.write_bytes(b"\xff"), "cannot be read"),
        (lambda path: path.write_text(path.read_text().replace("640", "641")), "differs"),
    ],
)
def test_metadata_inside_the_model_is_the_truth(tmp_path, caplog, damage, message):
    save(tmp_path)
    damage(tmp_path / "node_3" / "metadata.json")
    with caplog.at_level(logging.WARNING):
        assert load_node_checkpoint(tmp_path, "3").metadata["step"] == 640
    assert [message in record.getMessage() for record in caplog.records] == [True]


def test_a_checkpoint_of_another_node_loads_with_a_warning(tmp_path, caplog):
    save(tmp_path, node_id="6")
    (tmp_path / "node_6").rename(tmp_path / "node_3")
    assert load_node_checkpoint(tmp_path, "3").metadata["node_id"] == "6"
    assert "was saved by node 6, and is loaded into node 3" in caplog.text


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"iteration": -1}, r"metadata.iteration is -1; expected a whole number"),
        ({"step": 1.5}, r"metadata.step is 1.5; expected a whole number"),
        ({"title": torch.ones(1)}, r"metadata.title is a Tensor, which is no JSON"),
        ({"hyperparameters": {"a": [1, {2}]}}, r"metadata.hyperparameters.a\[1\] is a set"),
        ({"hyperparameters": {1: 2}}, r"metadata.hyperparameters has the key 1"),
    ],
)
def test_bad_metadata_is_refused_before_anything_is_written(tmp_path, change, message):
    metadata = {**node_metadata("X", iteration=1, step=1, reason="x"), **change}
    with pytest.raises(CheckpointError, match=f"node 3 cannot be saved to .*{message}"):
        save_node_checkpoint(tmp_path, "3", {}, metadata)
    assert list(tmp_path.iterdir()) == []


def test_incomplete_metadata_and_bad_states_are_refused(tmp_path):
    with pytest.raises(CheckpointError, match="the metadata lacks class_type, iteration, step, reason"):
        save_node_checkpoint(tmp_path, "3", {}, {})
    with pytest.raises(CheckpointError, match=r"node 3 cannot be saved.*'a/1' is a builtins.set"):
        save_node_checkpoint(tmp_path, "3", {"a": [1, {2}]}, node_metadata("X", 1, 1, "x"))
    with pytest.raises(CheckpointError, match="cannot keep the last 0"):
        save(tmp_path, keep_last=0)
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_fails_leaves_the_last_checkpoint(tmp_path, monkeypatch):
    save(tmp_path, 10)

    def full(descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match=r"node_3/model.pt: No space left on device"):
        save(tmp_path, 20)
    monkeypatch.undo()
    assert load_node_checkpoint(tmp_path, "3").metadata["iteration"] == 10
    assert sorted(path.name for path in (tmp_path / "node_3").iterdir()) == ["metadata.json", "model.pt"]


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(StorageError, match="choose another folder"):
        save(tmp_path / "file" / "checkpoints")
    with pytest.raises(StorageError, match="No such file or directory"):
        save(Path("/proc/checkpoints"))


def test_the_generator_of_torch_is_not_drawn_from(tmp_path):
    before = torch.get_rng_state()
    save(tmp_path)
    load_node_checkpoint(tmp_path, "3")
    assert torch.equal(torch.get_rng_state(), before)
