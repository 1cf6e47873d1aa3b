import json

import pytest

from app import evaluation
from app.ranges import TooManyValues, parse_seeds, split_values
from tests.commands import events_of, metrics_of, write_json


@pytest.fixture
def trained(dnne, small, folder):
    for name, seed in (("one", 1), ("two", 2)):
        words = ("--iterations", 2, "--seed", seed, "--save-checkpoint-dir", folder / name, "--run-name", name)
        assert dnne("train", small, *words).code == 0
    return small


def _documents(dnne, *words):
    outcome = dnne("evaluate", *words, "--json", "-")
    assert outcome.code == 0, outcome.err
    return json.loads(outcome.out)


def test_checkpoints_and_seeds_stand_side_by_side(dnne, trained):
    words = ("--load-checkpoint-dir", "one,two", "--seeds", "0..1", "--episodes", 6)
    documents = _documents(dnne, trained, *words)
    keys = [(row["checkpoint"], row["seed"], row["episodes"]) for row in documents]
    assert keys == [("one", 0, 6), ("one", 1, 6), ("one", None, 12), ("two", 0, 6), ("two", 1, 6), ("two", None, 12)]
    for row in documents:
        if row["seed"] is not None:
            returns = row["returns"]
            assert len(returns) == len(row["lengths"]) == 6
            assert row["mean"] == pytest.approx(sum(returns) / 6)
            assert (row["min"], row["max"]) == (min(returns), max(returns))
    assert documents[0]["returns"] != documents[1]["returns"], "seeds differ"
    assert documents[0]["returns"] != documents[3]["returns"], "checkpoints differ"
    assert documents[2]["mean"] == pytest.approx((documents[0]["mean"] + documents[1]["mean"]) / 2)
    table = dnne("evaluate", trained, *words).out
    assert all(word in table for word in ("checkpoint", "IQM", "success", "all", f"{documents[0]['mean']:.2f}"))


def test_episodes_are_those_of_infer_and_the_same_each_time(dnne, trained, folder):
    words = ("--load-checkpoint-dir", "one", "--episodes", 4)
    (first,), (second,) = _documents(dnne, trained, *words), _documents(dnne, trained, *words)
    assert first == second
    assert dnne("infer", trained, *words, "--run-name", "i").code == 0
    inferred = {key[2]: value for key, value in metrics_of(events_of(folder / "runs/i/events.jsonl")).items()}
    assert first["mean"] == pytest.approx(inferred["eval/mean_reward"], rel=1e-12)
    assert first["max"] == inferred["eval/max_reward"]


def test_several_processes_give_the_same_episodes(dnne, trained, folder):
    words = ("--load-checkpoint-dir", "one,two", "--episodes", 10)
    assert dnne("evaluate", trained, *words, "--json", "alone.json").code == 0
    assert dnne("evaluate", trained, *words, "--json", "together.json", "--parallel", 2).code == 0
    assert (folder / "alone.json").read_text() == (folder / "together.json").read_text()


@pytest.mark.parametrize("parallel", [1, 2])
def test_what_fails_fails_the_command_with_its_message(dnne, trained, folder, parallel):
    (folder / "two/node_3/model.pt").write_bytes(b"broken")
    outcome = dnne("evaluate", trained, "--load-checkpoint-dir", "one,two", "--episodes", 2, "--parallel", parallel)
    assert outcome.code == 2
    assert "error: two, seed 0: " in outcome.err
    assert "two/node_3/model.pt" in outcome.err
    assert outcome.out == ""


def test_a_missing_folder_is_named(dnne, trained):
    outcome = dnne("evaluate", trained, "--load-checkpoint-dir", "nowhere")
    assert outcome.code == 2
    assert "nowhere" in outcome.err


def test_success_is_counted_where_the_task_defines_it(dnne, trained, monkeypatch):
    (row,) = _documents(dnne, trained, "--load-checkpoint-dir", "one", "--episodes", 4)
    assert row["success_rate"] == 0.0
    monkeypatch.setattr("runtime.simulators.tasks.cartpole.Cartpole.success_return", sorted(row["returns"])[1])
    assert _documents(dnne, trained, "--load-checkpoint-dir", "one", "--episodes", 4)[0]["success_rate"] == 0.75
    monkeypatch.setattr("runtime.simulators.tasks.cartpole.Cartpole.success_return", None)
    assert _documents(dnne, trained, "--load-checkpoint-dir", "one", "--episodes", 4)[0]["success_rate"] is None


def test_overrides_and_environments_act(dnne, trained, folder):
    words = ("--load-checkpoint-dir", "one", "--episodes", 4)
    (wide,) = _documents(dnne, trained, *words, "--num-envs", 2)
    (usual,) = _documents(dnne, trained, *words)
    assert wide["returns"][:2] != usual["returns"][:2]
    workflow = json.loads(trained.read_text())
    workflow["nodes"]["3"]["inputs"]["hidden_sizes"] = [6]
    other = write_json(folder / "other.json", workflow)
    assert dnne("evaluate", other, *words).code == 2
    assert _documents(dnne, other, *words, "agent.hidden_sizes=[8]") == [usual]


def test_lists_of_values():
    assert split_values("1e-4,3e-4", 6) == ["1e-4", "3e-4"]
    assert split_values("0..2,7,3..1", 7) == ["0", "1", "2", "7", "3", "2", "1"]
    assert split_values("[64,64],[32]", 6) == ["[64,64]", "[32]"]
    assert split_values('{"a": 1, "b": 2}', 6) == ['{"a": 1, "b": 2}']
    assert split_values('"a,b",c', 6) == ['"a,b"', "c"]
    assert parse_seeds("0..2,1") == [0, 1, 2]
    with pytest.raises(TooManyValues, match="0..2,7,3..1 are 7 values, and 6 are allowed"):
        split_values("0..2,7,3..1", 6)


def test_a_range_of_seeds_is_counted_before_it_is_written_out(dnne, small):
    outcome = dnne("evaluate", small, "--load-checkpoint-dir", "ck", "--seeds", "0..300000000")
    assert outcome.code == 2
    assert "0..300000000 are 300,000,001 values, and 10,000 are allowed" in outcome.err


@pytest.mark.parametrize("text", ["", "a", "1.5", "-1", "0..x"])
def test_wrong_seeds_are_refused(dnne, trained, text):
    outcome = dnne("evaluate", trained, "--load-checkpoint-dir", "one", f"--seeds={text}")
    assert outcome.code == 2
    assert "is no list of seeds" in outcome.err


def test_a_run_folder_and_its_best_checkpoint(dnne, small, folder):
    trigger = (
        "--set",
        "3.checkpoint_trigger_type=best_metric",
        "--set",
        "3.checkpoint_trigger_value=min:rollout/mean_value",
    )
    run = ("--save-checkpoint-dir", "runs/a/checkpoints", "--run-name", "a")
    assert dnne("train", small, "--iterations", 6, "6.learning_rate=0.01", *trigger, *run).code == 0
    words = ("--load-checkpoint-dir", "runs/a", "--episodes", 4)
    (latest,), (best,) = _documents(dnne, small, *words), _documents(dnne, small, *words, "--best")
    node = folder / "runs/a/checkpoints/node_3"
    assert (node / "best/model.pt").read_bytes() != (node / "model.pt").read_bytes()
    assert best["returns"] != latest["returns"]
    for name in ("model.pt", "metadata.json"):
        (node / name).write_bytes((node / "best" / name).read_bytes())
    assert _documents(dnne, small, *words)[0]["returns"] == best["returns"]


def test_a_run_leads_to_its_checkpoints_elsewhere(dnne, trained):
    rows = [
        _documents(dnne, trained, "--load-checkpoint-dir", name, "--episodes", 4)[0] for name in ("one", "runs/one")
    ]
    assert rows[0]["returns"] == rows[1]["returns"]


def test_a_run_without_checkpoints_is_evaluated_from_its_resume_state(dnne, trained, folder):
    trainings = [dnne("train", trained, "--iterations", 2, "--seed", 1, "--run-name", "bare")]
    assert "none were saved; --save-checkpoint-dir DIR" in trainings[0].err
    rows = [
        _documents(dnne, trained, "--load-checkpoint-dir", name, "--episodes", 4)[0] for name in ("one", "runs/bare")
    ]
    assert rows[0]["returns"] == rows[1]["returns"]
    outcome = dnne("infer", trained, "--load-checkpoint-dir", "runs/bare", "--episodes", 4, "3.hidden_sizes=[7]")
    assert outcome.code == 1
    assert "does not fit node 3 (Agent)" in outcome.err
    assert "expected shape (7, 4), found (8, 4)" in outcome.err
    (folder / "runs/bare/run.json").write_text("{")
    outcome = dnne("infer", trained, "--load-checkpoint-dir", "runs/bare", "--episodes", 4)
    assert outcome.code == 1
    assert "run.json cannot be read" in outcome.err


def test_a_folder_without_a_best_checkpoint_is_named(dnne, trained):
    outcome = dnne("evaluate", trained, "--load-checkpoint-dir", "one", "--best")
    assert outcome.code != 0
    assert "best/model.pt is missing" in outcome.err


def test_best_of_a_run_with_only_a_resume_state_is_refused_before_processes_start(dnne, trained, monkeypatch):
    dnne("train", trained, "--iterations", 1, "--run-name", "bare")
    monkeypatch.setattr(evaluation, "_in_processes", lambda parts, parallel: pytest.fail("processes have started"))
    words = ["--load-checkpoint-dir", "runs/bare", "--best", "--seeds", "0..1", "--parallel", 2]
    outcome = dnne("evaluate", trained, *words)
    assert outcome.code == 2
    assert "runs/bare: this run has only a resume state, which has no best; leave out --best" in outcome.err


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("seed=3", "seed= has no effect in an evaluation; give --seeds LIST"),
        ("iterations=3", "iterations= has no effect in an evaluation"),
        ("verbose=true", "verbose= has no effect in an evaluation"),
    ],
)
def test_a_key_that_has_no_effect_is_refused(dnne, trained, word, message):
    outcome = dnne("evaluate", trained, "--load-checkpoint-dir", "one", word)
    assert outcome.code == 2
    assert f"error: {message}" in outcome.err


def test_keys_of_how_it_runs_act(dnne, trained, folder):
    words = ("--load-checkpoint-dir", "one", "--json", "-")
    (document,) = json.loads(dnne("evaluate", trained, *words, "episodes=3").out)
    assert document["episodes"] == 3
    for key, message in (("threads=0", "threads: 0 is too small"), ("scheduler=quick", "expected one of auto, static")):
        assert message in dnne("evaluate", trained, *words, key).err
    (folder / "c.yaml").write_text("seed: 3\niterations: 5\n")
    assert dnne("evaluate", trained, *words, "--episodes", 2, "--config", "c.yaml").code == 0
