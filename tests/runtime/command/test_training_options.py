"""What the options of checkpoints, pretraining, freezing and logging do to a run."""

import json
import shutil

import pytest

from runtime.checkpoints import load_node_checkpoint
from runtime.checkpoints.layout import history
from tests.commands import events_of, metrics_of, write_json


@pytest.fixture
def train(dnne, folder, small):
    def run(*words, code=0, name="a"):
        outcome = dnne("train", folder / "small.json", *(["--run-name", name] if name else []), *words)
        assert outcome.code == code, outcome.err
        return outcome

    return run


def _events(folder, name="a"):
    return events_of(folder / "runs" / name / "events.jsonl")


def _logged(folder, name="a"):
    return [record["message"] for record in _events(folder, name) if record["event"] == "log"]


def _weights(place):
    return load_node_checkpoint(place, "3").state


def test_checkpoints_are_saved_every_so_many_iterations_into_the_run(train, folder):
    train("--save-interval", 2, "--iterations", 5)
    saved = [record for record in _events(folder) if record["event"] == "checkpoint_saved" and record["node_id"] == "3"]
    assert [record["iteration"] for record in saved] == [2, 4, 5]
    assert load_node_checkpoint(folder / "runs/a/checkpoints", "3").metadata["iteration"] == 5


def test_the_newest_checkpoints_and_the_best_stay(train, folder):
    train("--save-interval", 20, "--last-k-checkpoints", 2, "--iterations", 200, "--save-checkpoint-dir", "ck")
    assert list(history(folder / "ck/node_3")) == [180, 200]
    rewards = {key[0]: value for key, value in metrics_of(_events(folder)).items() if key[2] == "episode/mean_reward"}
    best = max((rewards[iteration], -iteration) for iteration in range(20, 201, 20) if iteration in rewards)
    assert load_node_checkpoint("ck", "3", "best").metadata["iteration"] == -best[1]


def test_metrics_are_recorded_every_so_many_iterations_and_are_the_same(train, folder):
    train("--iterations", 7)
    train("log_interval=3", "--iterations", 7, name="b")
    every, some = metrics_of(_events(folder)), metrics_of(_events(folder, "b"))
    assert {key[0] for key in some} == {3, 6}
    assert some == {key: value for key, value in every.items() if key[0] in (3, 6)}
    assert json.loads((folder / "runs/b/run.json").read_text())["summary"]["iterations"] == 7


def test_pretrained_weights_are_taken_as_far_as_they_fit(train, folder):
    train("--iterations", 2, "--save-checkpoint-dir", "ck")
    # With a learning rate of 0 the weights that a run ends with are those that it began with.
    frozen = ("--iterations", 1, "trainer.learning_rate=0", "seed=9")
    train("--pretrained-dir", "ck", *frozen, "--save-checkpoint-dir", "same", name="b")
    assert all((value == _weights("same")[name]).all() for name, value in _weights("ck").items())
    assert any("weights fitted (100.0 %)" in line for line in _logged(folder, "b"))
    deeper = ("agent.hidden_sizes=[8,4]", "--save-checkpoint-dir", "deeper")
    train("--pretrained-dir", "ck", *frozen, *deeper, name="c")
    names = [name for name in _weights("ck") if name in _weights("deeper")]
    first = next(name for name in names if name.startswith("actor.") and name.endswith("weight"))
    assert (_weights("deeper")[first] == _weights("ck")[first]).all()
    (line,) = [line for line in _logged(folder, "c") if line.startswith("pretrained Agent from ck/node_3/model.pt")]
    assert "is there, not" in line


def test_the_folder_of_a_run_serves_as_pretrained(train, folder):
    train("--save-interval", 1, "--iterations", 1)
    train("train.pretrained_dir=runs/a", "--iterations", 1, name="b")
    assert any("runs/a/checkpoints/node_3/model.pt" in line for line in _logged(folder, "b"))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--pretrained-dir", "no"], "--pretrained-dir no: there is no such folder"),
        (["--pretrained-dir", "."], "holds no node; expected node_3"),
        (["--pretrained-dir", "ck", "--load-checkpoint-dir", "ck"], "both give weights to start from"),
        (["--freeze", "actr"], "'actr' cannot be frozen; expected actor, critic, trunk; did you mean 'actor'?"),
        (["--save-interval", "0"], "0 is too small"),
        (["--last-k-checkpoints", "0"], "0 is too small"),
        (["log_interval=0"], "log_interval: 0 is too small"),
    ],
)
def test_what_does_not_fit_is_refused(dnne, folder, small, words, message):
    (folder / "ck").mkdir()
    outcome = dnne("train", small, "--iterations", 1, *words)
    assert outcome.code in (1, 2)
    assert message in outcome.err
    assert "Traceback" not in outcome.err


@pytest.mark.parametrize(
    ("words", "still", "moves"),
    [
        (["--freeze", "actor"], "policy_head.weight", "value_head.weight"),
        (["--freeze=critic"], "value_head.weight", "policy_head.weight"),
        (["train.freeze_trunk=true"], "actor.", "policy_head.weight"),
    ],
)
def test_frozen_parts_keep_their_bits_also_across_a_resume(train, dnne, folder, words, still, moves):
    train("--iterations", 1, "trainer.learning_rate=0", "--save-checkpoint-dir", "first")
    train("--iterations", 2, *words, "--save-checkpoint-dir", "ck", name="b")
    assert dnne("train", "--resume", "runs/b", "--iterations", 4).code == 0
    before, after = _weights("first"), _weights("ck")
    assert all((after[name] == value).all() for name, value in before.items() if name.startswith(still))
    assert (before[moves] != after[moves]).any()
    assert any(line.startswith("frozen: ") for line in _logged(folder, "b"))


def test_auto_begins_a_run_and_then_goes_on_with_it(train, folder, dnne):
    train("--resume", "auto", "--iterations", 2, "seed=3", name="")
    (first,) = (folder / "runs").iterdir()
    train("--resume", "auto", "--iterations", 4, "seed=3", name="")
    assert list((folder / "runs").iterdir()) == [first]
    train("--iterations", 4, "seed=3", name="whole")
    assert metrics_of(events_of(first / "events.jsonl")) == metrics_of(_events(folder, "whole"))


def test_auto_takes_the_newest_run_of_this_workflow(train, folder, dnne, small):
    other = json.loads(small.read_text())
    other["name"] = "Another"
    for name in ("old", "new"):
        train("--iterations", 1, name=name)
    assert dnne("train", write_json(folder / "other.json", other), "--iterations", 1, "--run-name", "other").code == 0
    outcome = train("--resume", "auto", "--iterations", 2, name="")
    assert "resumed at step 16, iteration 1" in outcome.err
    assert {record["iteration"] for record in _events(folder, "new") if record["event"] == "metric"} == {1, 2}


def test_auto_with_a_name_moves_aside_what_has_no_state(train, folder):
    train("--iterations", 1)
    shutil.rmtree(folder / "runs/a/resume")
    train("--resume", "auto", "--iterations", 1)
    names = sorted(path.name for path in (folder / "runs").iterdir())
    assert names[0] == "a"
    assert names[1].startswith("a-unfinished-")
    assert any("which holds no state to go on from" in line for line in _logged(folder))


def test_auto_keeps_to_the_settings_of_a_file(train, folder):
    pytest.importorskip("omegaconf")
    (folder / "c.yaml").write_text("output_dir: out\nsuffix: x\nseed: 4\ntrain: {total_iters: 2}\n")
    for _ in range(2):
        outcome = train(
            "--resume", "auto", "--config", "c.yaml", name="", code=0 if not (folder / "out").exists() else 2
        )
    assert "the run is over (--iterations: 2 of 2 are done)" in outcome.err
    assert [path.name for path in (folder / "out").iterdir()] == ["cartpole-ppo-x"]
    assert (folder / "out/cartpole-ppo-x/checkpoints/node_3/model.pt").is_file()


def test_auto_without_a_workflow_asks_for_one(dnne, folder):
    outcome = dnne("train", "--resume", "auto")
    assert outcome.code == 2
    assert "which workflow?" in outcome.err
