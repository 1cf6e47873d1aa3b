import pytest
import torch

from runtime.checkpoints import ResumeStore, describe_checkpoint, node_metadata, save_node_checkpoint
from runtime.checkpoints.inspect import table
from runtime.errors import CheckpointError


@pytest.fixture
def run(tmp_path):
    weight = torch.ones(2, 3)
    weight[0, 0] = float("nan")
    for iteration in (10, 20, 30):
        metadata = node_metadata(
            "PPOAgentNode", iteration, iteration * 64, "epoch", title="Agent", metric=("episode/mean_reward", 7.5)
        )
        state = {"policy": {"weight": weight, "limit": torch.tensor(float("inf"))}, "count": torch.arange(4)}
        save_node_checkpoint(tmp_path / "checkpoints", "3", state, metadata, keep_last=2, is_best=iteration == 10)
    save_node_checkpoint(tmp_path / "checkpoints", "6", {}, node_metadata("PPOTrainerNode", 30, 1920, "finished"))
    ResumeStore(tmp_path).save({"w": torch.ones(1000)}, 1920, 30, {"reason": "timeout"})
    return tmp_path


def cells(text, first):
    """Return the words of the line that starts with ``first``."""
    (line,) = [line for line in text.splitlines() if line.split("  ")[0].strip() == first]
    return [cell.strip() for cell in line.split("  ") if cell.strip()]


def test_a_folder_of_checkpoints(run):
    text = describe_checkpoint(run / "checkpoints")
    row = cells(text, "3")
    assert row[:7] == ["3", "PPOAgentNode", "Agent", "30", "1920", "episode/mean_reward = 7.5", "epoch"]
    assert row[8] == "iterations 20, 30; best 10"
    assert cells(text, "6")[:5] == ["6", "PPOTrainerNode", "30", "1920", "finished"]
    assert cells(text, "policy/weight") == ["policy/weight", "(2, 3)", "float32", "6", "24", "NaN"]
    assert cells(text, "policy/limit") == ["policy/limit", "()", "float32", "1", "4", "infinite"]
    assert cells(text, "count") == ["count", "(4,)", "int64", "4", "32"]
    assert "3 tensors, 11 elements, 60 bytes; dnne " in text
    assert f"torch {torch.__version__}" in text


def test_a_run_folder_shows_checkpoints_and_resume_states(run):
    text = describe_checkpoint(run)
    assert cells(text, "policy/weight")
    assert cells(text, "iteration_000000030_step_000000001920")[1:5] == ["30", "1920", "4.0 kB", "timeout"]
    assert "Resume states in" in describe_checkpoint(run / "resume")


def test_one_node_and_one_file(run):
    node = run / "checkpoints" / "node_3"
    assert "best 10" in describe_checkpoint(node)
    assert cells(describe_checkpoint(node / "model.pt"), "3")[3] == "30"
    assert cells(describe_checkpoint(node / "best"), "3")[3] == "10"
    resume = run / "resume" / "iteration_000000030_step_000000001920"
    assert cells(describe_checkpoint(resume), "w") == ["w", "(1000,)", "float32", "1,000", "4,000"]
    assert describe_checkpoint(resume / "state.pt") == describe_checkpoint(resume)


def test_a_damaged_node_is_shown_beside_the_others(run):
    (run / "checkpoints" / "node_3" / "model.pt").write_bytes(b"x")
    (run / "checkpoints" / "node_3" / "best" / "model.pt").write_bytes(b"x")
    text = describe_checkpoint(run / "checkpoints")
    assert "truncated or damaged" in text
    assert "best damaged" in text
    assert cells(text, "6")[1] == "PPOTrainerNode"
    with pytest.raises(CheckpointError, match="truncated or damaged"):
        describe_checkpoint(run / "checkpoints" / "node_3")


def test_a_damaged_resume_state_is_shown(run):
    (run / "resume" / "iteration_000000030_step_000000001920" / "state.pt").write_bytes(b"x")
    assert "truncated or damaged" in describe_checkpoint(run / "resume")


def test_no_checkpoint_at_all(tmp_path):
    with pytest.raises(CheckpointError, match=r"nowhere does not exist; expected a folder with node_ID/model.pt"):
        describe_checkpoint(tmp_path / "nowhere")
    with pytest.raises(CheckpointError, match="holds no checkpoint: found nothing"):
        describe_checkpoint(tmp_path)
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(CheckpointError, match=r"found notes.txt"):
        describe_checkpoint(tmp_path)
    with pytest.raises(CheckpointError, match=r"notes.txt: the file is truncated or damaged, or it was not written by"):
        describe_checkpoint(tmp_path / "notes.txt")


def test_tables_are_aligned_and_leave_empty_columns_out():
    assert table(["node", "title", "steps"], [["3", None, 5], ["12", "", 100]]).splitlines() == [
        "node  steps",
        "----  -----",
        "3         5",
        "12      100",
    ]
