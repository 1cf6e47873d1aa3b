"""A training that is killed at any instant leaves checkpoints that load and a run that goes on."""

import json
import random
import time
from pathlib import Path

from runtime.checkpoints import ResumeStore, load_node_checkpoint
from tests.commands import events_of, metrics_of

KILLS = 4


def test_a_training_survives_being_killed(dnne, start, small, folder, monkeypatch):
    """Each process saves after every iteration, and is killed at a random instant; together they give the same bits."""
    monkeypatch.setattr("runtime.recording.tensorboard_writer._await_later_name", lambda folder: None)
    rng, events = random.Random(), folder / "runs/a/events.jsonl"
    settings = [
        "--set", "Agent.checkpoint_trigger_value=1", "--set", "Trainer.checkpoint_trigger_value=1",
        "--set", "Agent.checkpoint_keep_last=2",
    ]  # fmt: skip
    first = ["train", small, "--run-name", "a", "--save-checkpoint-dir", "ck", "--resume-interval", "1s", *settings]
    for kill in range(KILLS):
        running = start(*first) if kill == 0 else start("train", "--resume", "runs/a")
        _wait_until_it_trains(running)
        time.sleep(rng.uniform(0.0, 0.6) if kill == 0 else rng.uniform(0.0, 1.4))
        running.kill()
        _assert_that_everything_loads(dnne, small)
    recorded = max(record["iteration"] for record in events_of(events) if record["event"] == "metric")
    assert dnne("train", "--resume", "runs/a", "--iterations", recorded + 5).code == 0
    assert dnne("train", small, "--iterations", recorded + 5, "--run-name", "whole", *settings).code == 0
    assert metrics_of(events_of(events)) == metrics_of(events_of(folder / "runs/whole/events.jsonl"))
    earlier = json.loads((folder / "runs/a/run.json").read_text())["earlier"]
    assert [info["result"] for info in earlier] == [None] * KILLS, "a killed run has no end"


def _wait_until_it_trains(running):
    saved = [Path("ck", f"node_{node_id}", "model.pt") for node_id in (3, 6)]
    running.wait_for(lambda: ResumeStore("runs/a").entries() and all(path.exists() for path in saved))
    running.wait_for(lambda: "so far" in running.err)


def _assert_that_everything_loads(dnne, small):
    assert ResumeStore("runs/a").latest().step > 0
    for node_id in ("3", "6"):
        assert load_node_checkpoint("ck", node_id).metadata["iteration"] > 0
    assert dnne("inspect-checkpoint", "ck").code == 0
    assert dnne("infer", small, "--load-checkpoint-dir", "ck", "--total-timesteps", 4).code == 0
