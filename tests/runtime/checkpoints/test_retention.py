import os

import pytest
import torch

from runtime.checkpoints import load_node_checkpoint, node_metadata, save_node_checkpoint
from runtime.checkpoints.layout import NODE_KIND, history
from runtime.checkpoints.tensor_file import read_tensor_file


def save(directory, iteration, **kwargs):
    metadata = node_metadata("X", iteration=iteration, step=iteration, reason="epoch")
    save_node_checkpoint(directory, "3", {"w": torch.full((4,), float(iteration))}, metadata, **kwargs)


def kept(directory):
    folders = history(directory / "node_3")
    for iteration, folder in folders.items():
        state, metadata = read_tensor_file(folder / "model.pt", NODE_KIND)
        assert state["w"].tolist() == [iteration] * 4
        assert metadata["iteration"] == iteration
        assert (folder / "metadata.json").is_file()
    return list(folders)


def no_links(source, target):
    raise PermissionError(1, "Operation not permitted")


@pytest.mark.parametrize("has_links", [True, False])
def test_the_newest_and_the_best_stay(tmp_path, monkeypatch, has_links):
    if not has_links:
        monkeypatch.setattr(os, "link", no_links)
    for iteration in (5, 10, 15, 20):
        save(tmp_path, iteration, keep_last=2, is_best=iteration in (5, 10))
    assert kept(tmp_path) == [15, 20]
    assert load_node_checkpoint(tmp_path, "3").metadata["iteration"] == 20
    assert load_node_checkpoint(tmp_path, "3", which="best").state["w"].tolist() == [10] * 4
    history_file = tmp_path / "node_3" / "history" / "000000020" / "model.pt"
    assert history_file.samefile(tmp_path / "node_3" / "model.pt") == has_links


def test_one_alone_has_no_history(tmp_path):
    save(tmp_path, 1)
    save(tmp_path, 2)
    assert sorted(path.name for path in (tmp_path / "node_3").iterdir()) == ["metadata.json", "model.pt"]


def test_fewer_to_be_kept_than_there_are(tmp_path):
    for iteration in range(1, 6):
        save(tmp_path, iteration, keep_last=4)
    assert kept(tmp_path) == [2, 3, 4, 5]
    save(tmp_path, 6, keep_last=2)
    assert kept(tmp_path) == [5, 6]
    save(tmp_path, 7)
    assert kept(tmp_path) == []


def test_a_run_that_starts_anew_in_the_same_folder_keeps_its_own(tmp_path):
    for iteration in (100, 200, 1, 2):
        save(tmp_path, iteration, keep_last=2)
    assert kept(tmp_path) == [1, 2]


def test_one_iteration_saved_twice(tmp_path):
    for iteration in (1, 2, 2, 2):
        save(tmp_path, iteration, keep_last=2)
    assert kept(tmp_path) == [1, 2]


def test_what_a_killed_process_left_incomplete_goes_first_and_foreign_files_stay(tmp_path):
    save(tmp_path, 1, keep_last=2)
    (tmp_path / "node_3" / "history" / "000000002").mkdir()
    (tmp_path / "node_3" / "history" / "notes").mkdir()
    assert kept(tmp_path) == [1]
    save(tmp_path, 3, keep_last=2)
    assert kept(tmp_path) == [1, 3]
    names = sorted(path.name for path in (tmp_path / "node_3" / "history").iterdir())
    assert names == ["000000001", "000000003", "notes"]
