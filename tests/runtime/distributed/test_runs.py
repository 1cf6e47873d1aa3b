"""Runs of several processes, each started as a launcher starts them."""

import json
import signal
import socket

import pytest
import torch

from runtime.checkpoints import ResumeStore, load_node_checkpoint
from runtime.checkpoints.resume import decode_rank_state
from tests.commands import (
    USER_NODES,
    add_node,
    dnne,
    events_of,
    folder,
    insert_node,
    metrics_of,
    small,
    small_workflow,
    start,
    write_json,
)

__all__ = ["dnne", "folder", "small", "start"]


@pytest.fixture
def group(start):
    """Start a command as every rank of a group, with further words for single ranks; returns the processes."""

    def launch(world_size, *arguments, own=None, **variables):
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            port = str(found.getsockname()[1])
        return [
            start(
                *arguments, *(own or {}).get(rank, ()), RANK=str(rank), LOCAL_RANK=str(rank), MASTER_ADDR="127.0.0.1",
                MASTER_PORT=port, WORLD_SIZE=str(world_size), LOCAL_WORLD_SIZE=str(world_size), **variables,
            )
            for rank in range(world_size)
        ]  # fmt: skip

    return launch


def codes(processes):
    return [process.wait(60) for process in processes]


def run_dir(folder, name):
    return folder / "runs" / name


def numbers(folder, name):
    return metrics_of(events_of(run_dir(folder, name) / "events.jsonl"))


def parting(folder, **parameters):
    workflow = small_workflow()
    add_node(workflow, "9", "PartingNode", metrics=["6", "metrics"], **parameters)
    return [write_json(folder / "parting.json", workflow), "--nodes-dir", USER_NODES]


def test_ranks_train_the_same_agent_on_their_own_episodes(group, folder, small):
    arguments = ("train", small, "--save-checkpoint-dir", "saved", "--iterations", 12, "--seed", 3)
    arguments += ("--set", "5.episode_window=3")
    first = group(2, *arguments, "--run-name", "a")
    assert codes(first) == [0, 0]
    assert codes(group(2, *arguments, "--run-name", "b")) == [0, 0]
    assert numbers(folder, "a") == numbers(folder, "b")
    assert "2 processes: this is rank 0 of 2" in first[0].err
    assert "minibatches of 16 transitions: 8 on each of 2 processes\n" in first[0].err
    assert first[1].err == ""
    assert [path.name for path in (folder / "runs").iterdir()].sort() == ["a", "b"].sort()

    found = ResumeStore(run_dir(folder, "a")).latest()
    assert (found.iteration, found.step, found.processes) == (12, 12 * 16 * 2, 2)
    other = decode_rank_state((found.path / "rank_00001.pt").read_bytes(), found, 1)
    nodes, others = found.state["nodes"], other.state["nodes"]
    saved = load_node_checkpoint("saved", "3").state
    for name, tensor in nodes["3"]["state"]["network"].items():
        assert torch.equal(tensor, others["3"]["state"]["network"][name])
        assert torch.equal(tensor, saved[name])
    assert nodes["5"]["state"]["episodes"]["finished"].shape[1] == 2, "a window of 3 is one of 2 on each"
    assert not torch.equal(nodes["1"]["random"], others["1"]["random"])
    assert not torch.equal(nodes["3"]["random"], others["3"]["random"])


@pytest.mark.slow
def test_the_normaliser_node_and_value_statistics_stay_together(group, folder):
    workflow = small_workflow()
    workflow["nodes"]["3"]["inputs"].update(normalize_values=True)
    add_node(workflow, "8", "ObservationNormalizerNode", observations=["2", "output"], dones=["5", "dones"])
    workflow["nodes"]["3"]["inputs"]["observations"] = ["8", "normalized"]
    workflow["nodes"]["6"]["inputs"].update(states=["8", "normalized"], dones=["8", "normalized_dones"])
    path = write_json(folder / "normalised.json", workflow)
    assert codes(group(2, "train", path, "--iterations", 5, "--run-name", "cut")) == [0, 0]
    assert codes(group(2, "train", path, "--resume", "runs/cut", "--iterations", 9)) == [0, 0]
    assert codes(group(2, "train", path, "--iterations", 9, "--run-name", "whole")) == [0, 0]
    assert numbers(folder, "cut") == numbers(folder, "whole")
    state = ResumeStore(run_dir(folder, "whole")).latest().state["nodes"]["8"]["state"]
    assert float(state["shared"]["count"]) == 2 * (9 * 16)


def test_a_resume_by_as_many_processes_is_exact_and_by_others_goes_on_with_the_weights(group, dnne, folder, small):
    assert codes(group(2, "train", small, "--iterations", 6, "--run-name", "cut")) == [0, 0]
    assert codes(group(2, "train", small, "--iterations", 10, "--run-name", "whole")) == [0, 0]
    assert codes(group(2, "train", small, "--resume", "runs/cut", "--iterations", 10)) == [0, 0]
    assert numbers(folder, "cut") == numbers(folder, "whole")

    before = ResumeStore(run_dir(folder, "cut")).latest().state["nodes"]
    outcome = dnne("train", "--resume", "runs/cut", "--iterations", 11, "--set", "6.learning_rate=0")
    assert outcome.code == 0
    assert "the number of processes was 2 and is 1" in outcome.err
    after = ResumeStore(run_dir(folder, "cut")).latest()
    assert (after.iteration, after.step, after.processes) == (11, 10 * 32 + 16, 1)
    for name, tensor in before["3"]["state"]["network"].items():
        assert torch.equal(tensor, after.state["nodes"]["3"]["state"]["network"][name])
    steps = [nodes["6"]["state"]["ppo"]["optimizer"]["step"] for nodes in (before, after.state["nodes"])]
    assert steps[1] == steps[0] + 4

    more = group(3, "train", small, "--resume", "runs/cut", "--iterations", 12)
    assert codes(more) == [0, 0, 0]
    assert "the number of processes was 1 and is 3" in more[0].err
    assert ResumeStore(run_dir(folder, "cut")).latest().step == 10 * 32 + 16 + 48


@pytest.mark.slow
def test_a_state_without_the_part_of_a_rank_is_not_used(group, folder, small):
    options = ("--run-name", "a", "--resume-interval", "1s")
    assert codes(group(2, "train", small, "--iterations", 4, *options)) == [0, 0]
    newest = ResumeStore(run_dir(folder, "a")).latest()
    (newest.path / "rank_00001.pt").write_bytes(b"damaged")
    resumed = group(2, "train", small, "--resume", "runs/a", "--iterations", 9)
    assert codes(resumed) == [2, 2]
    assert "rank_00001.pt: the file is truncated or damaged" in resumed[0].err
    assert resumed[1].err == ""


@pytest.mark.parametrize("rank", [pytest.param(0, marks=pytest.mark.slow), 1])
def test_a_signal_to_one_rank_ends_all_in_order(group, folder, small, rank):
    processes = group(2, "train", small, "--run-name", "a")
    processes[0].wait_for(lambda: numbers(folder, "a"))
    processes[rank].send(signal.SIGTERM)
    assert codes(processes) == [143 if each == rank else 0 for each in range(2)]
    assert f"Finished: stopped by SIGTERM (rank {rank})" in processes[0].err
    assert json.loads((run_dir(folder, "a") / "run.json").read_text())["result"] == "interrupted"
    found = ResumeStore(run_dir(folder, "a")).latest()
    assert (found.processes, found.step) == (2, found.iteration * 32)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("--total-timesteps", 201), "208 of 201 steps"),
        pytest.param(("--timeout", "1s"), "time-out after 1s", marks=pytest.mark.slow),
        pytest.param(("--stop-reward", "-1000"), "episode/mean_reward reached", marks=pytest.mark.slow),
    ],
)
def test_limits_end_all_ranks_together(group, small, options, reason):
    processes = group(2, "train", small, *options)
    assert codes(processes) == [0, 0]
    assert reason in processes[0].err


@pytest.mark.slow
def test_a_request_of_one_node_ends_all_ranks_together(group, folder):
    processes = group(2, "train", *parting(folder, what="stop"), "--run-name", "a")
    assert codes(processes) == [0, 0]
    assert "the node has seen enough (rank 1)" in processes[0].err
    assert ResumeStore(run_dir(folder, "a")).latest().iteration == 3


def test_a_trained_state_that_drifts_is_an_error(group, folder):
    processes = group(2, "train", *parting(folder, what="drift"), "--iterations", 9)
    assert codes(processes) == [1, 1]
    assert "node 9: its trained state on rank 1 is no longer that of rank 0 after iteration 3" in processes[0].err


def test_a_node_that_fails_on_one_rank_ends_all_and_is_named(group, folder):
    processes = group(2, "train", *parting(folder, what="fail"), "--run-name", "a")
    assert codes(processes) == [1, 1]
    assert "rank 0 lost another process while" in processes[0].err
    assert "rank 1: error: failed in node 9 (PartingNode): node 9" in processes[1].err
    assert "rank 1 was told to fail" in processes[1].err


def test_a_killed_rank_ends_the_others_within_seconds(group, folder, small):
    processes = group(3, "train", small, "--run-name", "a")
    processes[0].wait_for(lambda: numbers(folder, "a"))
    processes[2].kill()
    assert [process.wait(10) for process in processes[:2]] == [1, 1]
    assert "lost another process" in processes[0].err


def test_bad_input_of_one_rank_is_told_by_rank_zero(group, small, folder):
    processes = group(2, "train", small, own={1: ("--set", "6.gamma=7")})
    assert codes(processes) == [2, 2]
    assert "rank 1: " in processes[0].err
    assert "gamma" in processes[0].err
    assert not (folder / "runs").exists()


@pytest.mark.slow
def test_bad_input_of_all_is_told_once(group, small, folder):
    processes = group(2, "train", small, "--set", "6.gamma=7")
    assert codes(processes) == [2, 2]
    assert processes[0].err.count("error: ") == 1
    assert processes[1].err == ""


@pytest.mark.slow
def test_what_only_rank_zero_can_see_fails_on_all(group, small, folder):
    for words in (("--resume", "nowhere"), ("--run-name", ".")):
        processes = group(2, "train", small, *words)
        assert codes(processes) == [2, 2], words
        assert processes[0].err.startswith("error: ")
        assert processes[1].err == ""


def test_inference_refuses_several_processes(group, small):
    processes = group(2, "infer", small, "--untrained", "--timeout", "1s")
    assert codes(processes) == [2, 2]
    assert "inference runs in one process" in processes[0].err


@pytest.mark.slow
def test_loaded_weights_reach_every_rank(group, dnne, folder, small):
    assert dnne("train", small, "--iterations", 3, "--save-checkpoint-dir", "saved").code == 0
    options = ("--iterations", 1, "--set", "6.learning_rate=0", "--run-name", "a")
    assert codes(group(2, "train", small, "--load-checkpoint-dir", "saved", *options)) == [0, 0]
    saved, found = load_node_checkpoint("saved", "3").state, ResumeStore(run_dir(folder, "a")).latest()
    other = decode_rank_state((found.path / "rank_00001.pt").read_bytes(), found, 1)
    for name, tensor in saved.items():
        assert torch.equal(tensor, other.state["nodes"]["3"]["state"]["network"][name])


def test_evaluations_on_rank_zero_change_no_bit_and_hold_nobody_up(group, folder, small):
    words = ("train", small, "--iterations", 6)
    assert codes(group(2, *words, "--run-name", "without")) == [0, 0]
    options = ("--eval-interval", 2, "--eval-episodes", 6, "--save-checkpoint-dir", "saved")
    best = ("agent.checkpoint_trigger_type=best_metric", "agent.checkpoint_trigger_value=max:eval/mean_reward")
    assert codes(group(2, *words, *options, *best, "--run-name", "with")) == [0, 0]
    evaluated = {key: value for key, value in numbers(folder, "with").items() if key[2].startswith("eval/")}
    assert {(key[0], value) for key, value in evaluated.items() if key[2] == "eval/episodes"} == {
        (2, 6.0), (4, 6.0), (6, 6.0),
    }  # fmt: skip
    assert {**numbers(folder, "without"), **evaluated} == numbers(folder, "with")
    rewards = {key[0]: value for key, value in evaluated.items() if key[2] == "eval/mean_reward"}
    assert load_node_checkpoint("saved", "3", "best").metadata["metric"]["value"] == max(rewards.values())


@pytest.mark.slow
def test_a_signal_during_an_evaluation_ends_all(group, folder):
    workflow = small_workflow()
    insert_node(workflow, "9", "SlowNode", "5.rewards", "6", seconds=0.02)
    path = write_json(folder / "w.json", workflow)
    options = ("--nodes-dir", USER_NODES, "--eval-interval", 1, "--eval-episodes", 4, "--run-name", "a")
    processes = group(2, "train", path, *options)
    processes[0].wait_for(lambda: numbers(folder, "a"))
    processes[1].send(signal.SIGUSR1)
    assert codes(processes) == [0, 138]
    assert "Finished: stopped by SIGUSR1 (rank 1)" in processes[0].err


@pytest.mark.parametrize("amp", ["bf16", pytest.param("fp16", marks=pytest.mark.slow)])
def test_half_precision_trains_the_same_agent_on_all_ranks(group, folder, small, amp):
    words = ("train", small, "--iterations", 4)
    assert codes(group(2, *words, "--set", f"Trainer.amp={amp}", "--run-name", "half")) == [0, 0]
    found = ResumeStore(run_dir(folder, "half")).latest()
    other = decode_rank_state((found.path / "rank_00001.pt").read_bytes(), found, 1)
    assert codes(group(2, *words, "--run-name", "full")) == [0, 0]
    full = ResumeStore(run_dir(folder, "full")).latest().state["nodes"]["3"]["state"]["network"]
    for name, tensor in found.state["nodes"]["3"]["state"]["network"].items():
        assert torch.equal(tensor, other.state["nodes"]["3"]["state"]["network"][name])
        assert torch.allclose(tensor, full[name], atol=0.05)
    assert not torch.equal(found.state["nodes"]["3"]["state"]["network"]["log_std"], full["log_std"])


@pytest.mark.slow
def test_a_process_that_takes_longer_than_the_timeout_ends_the_run(group, folder):
    workflow = small_workflow()
    insert_node(workflow, "9", "SlowNode", "5.rewards", "6", seconds=0.0)
    path = write_json(folder / "w.json", workflow)
    words = ("train", path, "--nodes-dir", USER_NODES, "--collective-timeout", "3s")
    processes = group(2, *words, own={1: ("--set", "9.seconds=2")})
    assert processes[0].wait(60) == 1
    assert "rank 0 lost another process while" in processes[0].err
    assert processes[1].wait(30) == 1
