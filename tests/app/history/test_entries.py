"""What the folders of runs tell, and what differs between runs."""

import json
import math
import subprocess
import sys
import time

import pytest

from app.history.differences import (
    describe,
    differences_by_run,
    differences_within_workflows,
    differing_names,
    differing_types,
    unusual_names,
)
from app.history.entries import (
    DAMAGED,
    INTERRUPTED,
    RUNNING,
    RunReader,
    flat_values,
    last_metrics,
    node_titles,
    read_entry,
)
from runtime.recording import RunFolder


def test_a_finished_run(make_run, tmp_path):
    (tmp_path / "checkpoints" / "node_6").mkdir(parents=True)
    path = make_run("one", seed=7, save_dir="checkpoints", resume=True)
    entry = read_entry(path)
    assert (entry.name, entry.workflow, entry.state, entry.mode, entry.seed) == (
        "one", "Cartpole PPO", "finished", "train", 7
    )  # fmt: skip
    assert (entry.steps, entry.seconds, entry.reward, entry.best) == (192, 1.5, 10.0, 11.0)
    assert entry.weights == path
    assert entry.can_resume
    assert entry.values["6.learning_rate"] == 1e-3
    assert entry.started.isoformat(timespec="minutes")[:7] == "2026-03"


def test_a_failed_run_has_its_error_and_no_checkpoints_where_none_are(make_run):
    entry = read_entry(make_run("one", result="failed", save_dir="gone"))
    assert (entry.state, entry.error, entry.weights, entry.can_resume) == ("failed", "boom", None, False)


def test_a_training_that_only_saved_a_state_to_resume_from_has_weights(make_run):
    path = make_run("stopped", result="interrupted", resume=True)
    assert read_entry(path).weights == path


def test_the_weights_that_a_training_began_with_are_not_its_result(make_run, tmp_path):
    began = tmp_path / "earlier"
    (began / "node_6").mkdir(parents=True)
    assert read_entry(make_run("tuned", settings={"load_checkpoint_dir": str(began)})).weights is None
    inference = make_run("inference", mode="infer", settings={"load_checkpoint_dir": str(began)})
    assert read_entry(inference).weights == began


def test_the_reward_of_a_training_is_of_the_same_kind_as_its_best(make_run):
    def reward(name, mode):
        path = make_run(name, mode=mode, result=None)
        summary = {"mean_reward": 5.0, "best_mean_reward": 6.0, "evaluation": {"mean_reward": 9.0}}
        RunFolder.open(path, lock=False).finish("finished", summary)
        return read_entry(path).reward

    assert (reward("training", "train"), reward("inference", "infer")) == (5.0, 9.0)


def test_a_run_whose_process_lives_is_running_and_one_whose_process_is_gone_was_interrupted(make_run):
    assert read_entry(make_run("here", result=None)).state == RUNNING
    ended = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    killed = read_entry(make_run("killed", result=None, process=int(ended.stdout)))
    assert killed.state == INTERRUPTED
    assert (killed.steps, killed.reward, killed.seconds) == (192, 10.0, 1.5)
    elsewhere = read_entry(make_run("elsewhere", result=None, process=1, versions={"machine": "cluster-7"}))
    assert elsewhere.state == RUNNING


@pytest.mark.parametrize("text", ["", "{", "[]", '{"dnne_run": 99}', '{"dnne_run": 1, "parameters": 5, "summary": []}'])
def test_a_damaged_run_is_listed_with_the_reason(make_run, text):
    path = make_run("one")
    (path / "run.json").write_text(text, encoding="utf-8")
    entry = read_entry(path)
    assert entry.state == DAMAGED
    assert entry.error


def test_runs_are_listed_newest_first_and_other_folders_left_out(make_run, tmp_path):
    make_run("old", started="2026-01-01T00:00:00+00:00")
    make_run("new", started="2026-02-01T00:00:00+00:00")
    (tmp_path / "runs" / "no-run").mkdir()
    entries = RunReader().read([tmp_path / "runs", tmp_path / "gone", tmp_path / "runs"])
    assert [entry.name for entry in entries] == ["new", "old"]


def test_only_folders_that_have_changed_are_read_again(make_run, tmp_path, monkeypatch):
    from app.history import entries as module

    make_run("one")
    path = make_run("two")
    reader, read = RunReader(), []
    original = module.read_entry
    monkeypatch.setattr(module, "read_entry", lambda p, s=(): read.append(p.name) or original(p, s))
    reader.read([tmp_path / "runs"])
    assert sorted(read) == ["one", "two"]
    info = json.loads((path / "run.json").read_text(encoding="utf-8"))
    time.sleep(0.02)
    (path / "run.json").write_text(json.dumps({**info, "seed": 9}), encoding="utf-8")
    entries = reader.read([tmp_path / "runs"])
    assert read[2:] == ["two"]
    assert {entry.name: entry.seed for entry in entries} == {"one": 0, "two": 9}


def test_the_last_row_is_read_without_the_rest_and_a_torn_one_is_left_out(tmp_path):
    path = tmp_path / "metrics.csv"
    path.write_text("step,a\n" + "".join(f"{index},{index}.5\n" for index in range(20_000)) + "99999,1", "utf-8")
    assert last_metrics(path) == {"step": 19999, "a": 19999.5}
    path.write_text("step,a\n5,\n", "utf-8")
    assert last_metrics(path) == {"step": 5}
    path.write_text("step,a\n", "utf-8")
    assert last_metrics(path) == {}
    assert last_metrics(tmp_path / "gone.csv") == {}


def test_titles_of_nodes(make_run, tmp_path):
    assert node_titles(make_run("one")) == {"6": "Trainer"}
    assert node_titles(tmp_path) == {}


def test_values_are_flat():
    info = {"parameters": {"6": {"a": 1}}, "settings": {"device": "cpu", "timeout": 5}, "seed": 3}
    assert flat_values(info) == {"6.a": 1, "device": "cpu", "timeout": 5, "seed": 3}


def test_what_differs_between_runs():
    values = [
        {"6.learning_rate": 1e-3, "6.sizes": [1, 2], "seed": 1, "timeout": 5},
        {"6.learning_rate": 1e-4, "6.sizes": [1, 2], "seed": 2, "6.new": True},
    ]
    names = differing_names(values)
    assert names == ["6.learning_rate", "seed"]
    assert differing_names([]) == []
    titles = {"6": "Trainer"}
    assert describe(values[0], names, titles) == "Trainer.learning_rate 0.001 · seed 1"
    assert describe(values[1], names, {}) == "6.learning_rate 0.0001 · seed 2"
    assert describe({"6.a": "x" * 99}, ["6.a"], titles) == "Trainer.a " + "x" * 39 + "…"


def test_differences_by_run_and_within_workflows(make_run):
    entries = [read_entry(make_run(f"run{seed}", seed=seed, learning_rate=rate)) for seed, rate in ((1, 0.1), (2, 0.2))]
    entries.append(read_entry(make_run("other", workflow="Other", learning_rate=5.0)))
    assert differences_by_run(entries[:2], {"6": "Trainer"}) == {
        "run1": "Trainer.learning_rate 0.1 · seed 1",
        "run2": "Trainer.learning_rate 0.2 · seed 2",
    }
    assert differences_within_workflows(entries) == {"Cartpole PPO": ["6.learning_rate"], "Other": []}


def test_a_run_without_a_reward_has_none(make_run):
    path = make_run("one")
    info = json.loads((path / "run.json").read_text(encoding="utf-8"))
    info["summary"]["mean_reward"] = None
    (path / "run.json").write_text(json.dumps(info), encoding="utf-8")
    assert math.isnan(read_entry(path).reward)


def test_a_thousand_runs_are_looked_at_quickly(make_run, tmp_path):
    import shutil

    first = make_run("run0000")
    for number in range(1, 300):
        shutil.copytree(first, first.parent / f"run{number:04}")
    reader = RunReader()
    assert len(reader.read([first.parent])) == 300
    start = time.perf_counter()
    reader.read([first.parent])
    assert time.perf_counter() - start < 0.5


def test_nodes_of_other_types_are_named(make_run):
    one, two = make_run("one"), make_run("two")
    document = json.loads((two / "workflow.json").read_text(encoding="utf-8"))
    document["nodes"]["4"] = {"class_type": "PolicyActionNode", "inputs": {}}
    (two / "workflow.json").write_text(json.dumps(document), encoding="utf-8")
    assert differences_by_run([read_entry(one), read_entry(two)], {}) == {"one": "", "two": "with PolicyActionNode"}
    assert differing_types([["A", "A"], ["A", "B"], []]) == [["A"], ["A", "B"], []]


def test_values_that_most_runs_share_are_not_unusual():
    runs = [{"a": 1}, {"a": 1}, {"a": 1}, {"a": 2}]
    assert [unusual_names(values, runs, ["a"]) for values in runs] == [[], [], [], ["a"]]
    assert unusual_names(runs[0], runs[:1] + runs[3:], ["a"]) == ["a"]
