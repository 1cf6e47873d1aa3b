"""What overrides, files and presets do to a run: its effect in the run's folder, never the parsed value alone."""

import json
import shutil

import pytest

from runtime.command import processes
from tests.commands import events_of, metrics_of, small_workflow, write_json

pytest.importorskip("omegaconf")


@pytest.fixture
def train(dnne, folder):
    """Trains for two iterations and returns what run.json says; fails where the command fails."""

    def run(*words, name="a", started=()):
        outcome = dnne("train", folder / "small.json", "--run-name", name, *words)
        assert outcome.code == 0, outcome.err
        return None if started else json.loads((folder / "runs" / name / "run.json").read_text())

    return run


@pytest.fixture
def refused(dnne, folder):
    """The message of a training that ends with code 2 before a folder is made."""

    def run(*words):
        outcome = dnne("train", folder / "small.json", *words)
        assert outcome.code == 2, outcome.err
        assert "Traceback" not in outcome.err
        assert not (folder / "runs").exists()
        return outcome.err

    return run


def _metrics(folder, name):
    return metrics_of(events_of(folder / "runs" / name / "events.jsonl"))


@pytest.mark.parametrize("reference", ["6", "Trainer", "trainer", "PPOTrainer", "ppo_trainer", "PPOTrainerNode"])
def test_a_node_is_named_by_id_title_or_type(train, small, folder, reference):
    info = train("iterations=1", f"{reference}.learning_rate=1e-4")
    assert info["parameters"]["6"]["learning_rate"] == 1e-4
    assert _metrics(folder, "a")[1, 16, "train/learning_rate"] == 1e-4


def test_words_stand_anywhere_between_options(train, small):
    info = train("seed=5", "--iterations", 1, "agent.hidden_sizes=[4,4]", "--threads", "1", "env.num_envs=8")
    assert info["seed"] == 5
    assert info["parameters"]["3"]["hidden_sizes"] == [4, 4]
    assert info["summary"]["steps"] == 32


def test_the_workflow_may_stand_behind_options_and_words(dnne, small, folder):
    outcome = dnne("train", "seed=2", "--iterations", 1, "small.json", "--run-name", "a")
    assert outcome.code == 0, outcome.err
    assert json.loads((folder / "runs/a/run.json").read_text())["seed"] == 2


def test_presets_lose_to_files_and_files_to_the_command_line(train, small, folder):
    (folder / "c.yaml").write_text("seed: 1\nnum_envs: 8\ntrain:\n  total_iters: 3\ntrainer:\n  gamma: 0.5\n")
    from_preset = train("--preset", "cpu", "iterations=1", name="p")
    assert from_preset["parameters"]["1"]["num_envs"] == 64
    assert from_preset["summary"]["steps"] == 64 * 4
    from_file = train("--preset", "cpu", "--config", "c.yaml", name="f")
    assert (from_file["seed"], from_file["parameters"]["1"]["num_envs"]) == (1, 8)
    assert (from_file["parameters"]["6"]["gamma"], from_file["summary"]["iterations"]) == (0.5, 3)
    words = ("seed=2", "trainer.gamma=0.7", "--num-envs", 12, "--iterations", 2)
    said = train("--preset", "cpu", "--config", "c.yaml", *words, name="w")
    assert (said["seed"], said["parameters"]["1"]["num_envs"]) == (2, 12)
    assert (said["parameters"]["6"]["gamma"], said["summary"]["iterations"]) == (0.7, 2)


def test_num_envs_of_the_command_line_wins_over_the_nodes_own_in_a_file(train, small, folder):
    (folder / "c.yaml").write_text("env: {num_envs: 8}\n")
    assert train("--config", "c.yaml", "--num-envs", 12, "--iterations", 1)["parameters"]["1"]["num_envs"] == 12


def test_what_a_preset_chose_is_logged(train, small, folder):
    train("--preset", "cpu", "--iterations", 1)
    logged = [record["message"] for record in events_of(folder / "runs/a/events.jsonl") if record["event"] == "log"]
    assert any(text.startswith("preset cpu (asked for): device cpu, threads 1, num_envs 64") for text in logged)


def _warnings(folder, name="a"):
    records = events_of(folder / "runs" / name / "events.jsonl")
    return [record["message"] for record in records if record["event"] == "log" and record["level"] == "warning"]


def test_the_last_of_several_values_counts_and_the_log_says_so(train, small, folder):
    (folder / "c.yaml").write_text("seed: 9\ntrainer: {gamma: 0.1}\n6: {gamma: 0.2}\n")
    words = ("seed=1", "trainer.gamma=0.5", "seed=2", "6.gamma=0.6", "num_envs=8", "--num-envs", 4, "iterations=1")
    info = train("--config", "c.yaml", *words, "--set", "Trainer.gamma=0.7")
    assert (info["seed"], info["parameters"]["6"]["gamma"], info["parameters"]["1"]["num_envs"]) == (2, 0.7, 4)
    assert _warnings(folder) == [
        "seed=1 does not count: seed=2 comes after it",
        "c.yaml: trainer.gamma=0.1 does not count for Trainer: c.yaml: 6.gamma=0.2 comes after it",
        "trainer.gamma=0.5 does not count for Trainer: 6.gamma=0.6 comes after it",
        "num_envs=8 does not count for Env: --num-envs=4 comes after it",
        "6.gamma=0.6 does not count for Trainer: --set Trainer.gamma=0.7 comes after it",
    ]


def test_of_two_keys_that_say_the_same_the_later_layer_counts(train, small, folder):
    (folder / "c.yaml").write_text("output_dir: elsewhere\ndebug: true\n")
    assert train("--config", "c.yaml", "log_dir=runs", "verbose=false", "iterations=1")["settings"]["verbose"] is False
    assert not (folder / "elsewhere").exists()
    assert _warnings(folder) == []


def test_a_config_of_the_earlier_system_acts(dnne, small, folder):
    (folder / "configs").mkdir()
    (folder / "configs/old.yaml").write_text(
        "seed: 7\ndebug: false\nbatch_size: 8\noutput_dir: outputs/models\nsuffix: try${seed}\n"
        "train:\n  total_epochs: 2\n  epoch_iters: 3\n  total_iters: 100\n"
    )
    outcome = dnne("train", "small.json", "--config-name", "old")
    assert outcome.code == 0, outcome.err
    run = folder / "outputs/models/cartpole-ppo-try7"
    info = json.loads((run / "run.json").read_text())
    assert (info["seed"], info["summary"]["iterations"]) == (7, 6)
    assert info["parameters"]["6"]["minibatch_size"] == 8
    assert (run / "checkpoints/node_3/model.pt").is_file()


@pytest.mark.parametrize(
    ("words", "iterations"),
    [
        (["train.total_epochs=3"], 3),
        (["train.total_epochs=2", "train.epoch_iters=3"], 6),
        (["train.total_iters=4"], 4),
        (["train.total_epochs=2", "train.epoch_iters=3", "train.total_iters=5"], 5),
        (["train.total_epochs=2", "train.epoch_iters=3", "train.total_iters=7"], 6),
    ],
)
def test_epochs_and_iterations_end_a_training_at_the_first_that_is_reached(train, small, words, iterations):
    assert train(*words)["summary"]["iterations"] == iterations


def test_checkpoints_are_counted_in_epochs_and_so_many_of_them_stay(train, small, folder):
    words = ("train.epoch_iters=2", "train.total_epochs=5", "save_interval=2", "train.last_k_checkpoints=2")
    train(*words, "agent.checkpoint_keep_last=7")
    history = folder / "runs/a/checkpoints/node_3/history"
    assert sorted(path.name for path in history.iterdir()) == ["000000008", "000000010"]
    train(*words[:-1], "agent.checkpoint_keep_last=7", name="b")
    kept = folder / "runs/b/checkpoints/node_3/history"
    assert sorted(path.name for path in kept.iterdir()) == ["000000004", "000000008", "000000010"]


def test_a_configuration_is_chosen_by_folder_and_name(train, small, folder):
    for name, seed in (("mine/a", 1), ("mine/b", 2), ("configs/a", 3)):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / f"{name}.yaml").write_text(f"seed: {seed}\n")
    assert train("--config-path", "mine", "--config-name", "a", "iterations=1", name="x")["seed"] == 1
    assert train("--config-path", "mine", "--config-name", "b", "iterations=1", name="y")["seed"] == 2
    assert train("--config-name", "a", "iterations=1", name="z")["seed"] == 3


def test_the_train_mode_decides_whether_there_may_be_several_processes(train, refused, small, folder, monkeypatch):
    info = train("--train-mode", "single", "world_size=2", "device=cpu", "iterations=1")
    assert info["summary"]["steps"] == 16
    logged = [record["message"] for record in events_of(folder / "runs/a/events.jsonl") if record["event"] == "log"]
    assert "one process: the train mode is single" in logged
    shutil.rmtree(folder / "runs")
    assert "how many processes" in refused("train_mode=distributed")
    started = []
    monkeypatch.setattr(processes, "launch", lambda command, mode, *others: started.append(mode.world_size) or 0)
    train("train_mode=distributed", "world_size=3", started=started)
    assert started == [3]


def test_what_acts_on_several_processes_alone_is_told_where_there_is_one(train, small, folder):
    train("--max-restarts", 1, "collective_timeout=5m", "iterations=1")
    logged = [record["message"] for record in events_of(folder / "runs/a/events.jsonl") if record["event"] == "log"]
    text = "one process: one process was asked for; --max-restarts has no effect; --collective-timeout has no effect"
    assert text in logged


def test_the_saved_configuration_begins_the_same_run(train, small, folder):
    words = ("seed=4", "trainer.learning_rate=1e-5", "agent.hidden_sizes=[4]", "--iterations", 2, "--preset", "cpu")
    train(*words, name="a")
    train("--config", "runs/a/config.yaml", name="b")
    assert _metrics(folder, "a") == _metrics(folder, "b")
    assert (folder / "runs/a/config.yaml").read_text() == (folder / "runs/b/config.yaml").read_text()


def test_values_that_yaml_could_misread_come_back_as_they_were(train, small, folder):
    workflow = small_workflow()
    workflow["nodes"]["3"]["inputs"]["checkpoint_trigger_value"] = "010"
    workflow["nodes"]["1"]["inputs"]["task_parameters"] = {"start_position_range": 1e-05}
    workflow["nodes"]["3"]["title"] = "on: #\nyes"
    write_json(folder / "small.json", workflow)
    first = train("--iterations", 1, "--timeout", "1h30m", name="a")
    second = train("--config", "runs/a/config.yaml", name="b")
    assert first["parameters"] == second["parameters"]
    assert first["settings"] == second["settings"]


def test_checkpoints_of_a_saved_configuration_go_to_the_new_runs_own_folder(train, small, folder):
    train("output_dir=runs", "iterations=1", name="a")
    before = (folder / "runs/a/checkpoints/node_3/model.pt").stat().st_mtime_ns
    train("--config", "runs/a/config.yaml", name="b")
    assert (folder / "runs/b/checkpoints/node_3/model.pt").is_file()
    assert (folder / "runs/a/checkpoints/node_3/model.pt").stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["sed=3"], "sed=3: nothing reads the key 'sed'; did you mean 'seed'?"),
        (["learning_rate=1"], "nothing reads the key 'learning_rate'; did you mean Trainer.learning_rate?"),
        (["agent.learning_rate=1"], "unknown parameter 'learning_rate'; did you mean Trainer.learning_rate?"),
        (["agent.hiden_sizes=[1]"], "unknown parameter 'hiden_sizes'; did you mean 'hidden_sizes'?"),
        (["agnt.activation=elu"], "there is no node 'agnt'; did you mean 'Agent'?"),
        (["agent.checkpoint_enabled=2"], "2 is not true or false"),
        (["train.totl_epochs=3"], "nothing reads the key 'train.totl_epochs'; did you mean 'train.total_epochs'?"),
        (["dataset_path=data"], "dataset_path: it belongs to imitation learning"),
        (["domains=a.001"], "domains: it belongs to imitation learning"),
        (["dataset.action_horizon=16"], "dataset.action_horizon: it belongs to imitation learning"),
        (["dataset.observation_horizon=1"], "dataset.observation_horizon: it belongs to imitation learning"),
        (["dataset._target_=x"], "dataset._target_: it belongs to imitation learning"),
        (["eval_episodes=4"], "--eval-episodes has no effect without --eval-interval"),
        (["--longest-episode", "4"], "--longest-episode has no effect without --eval-interval"),
        (["seed=x"], "seed: 'x' is not a whole number"),
        (["scheduler=quick"], "scheduler is 'quick'; expected one of auto, static, queues"),
        (["seed=1", "--seed", "2"], "--seed and seed= are both given; leave one out"),
        (["--config", "no.yaml"], "there is no configuration file no.yaml"),
        (["--config-path", "configs"], "name the file in it with --config-name"),
        (["nonsense"], "unrecognized arguments: nonsense"),
    ],
)
def test_what_nothing_reads_is_an_error_with_the_close_match(refused, small, words, message):
    assert message in refused(*words)


def test_a_wrong_key_of_a_file_names_the_file(refused, small, folder):
    (folder / "c.yaml").write_text("seed: 1\ntrain: {totl_iters: 3}\ntrainer: {gamma: 7}\n")
    text = refused("--config", "c.yaml")
    assert "c.yaml: train.totl_iters=3: nothing reads the key" in text
    assert "c.yaml: trainer.gamma=7: 7" in text


def test_a_title_that_two_nodes_have_is_ambiguous(dnne, folder):
    workflow = small_workflow()
    workflow["nodes"]["4"]["title"] = "Agent"
    outcome = dnne("train", write_json(folder / "w.json", workflow), "agent.activation=relu")
    assert outcome.code == 2
    assert "the nodes 3, 4 all match 'agent'; give an id; there are 1 (Env)" in outcome.err


def test_a_file_of_a_training_serves_inference(train, dnne, small, folder):
    train("seed=4", "agent.hidden_sizes=[4]", "--iterations", 1, "--save-checkpoint-dir", "ck", name="a")
    words = ("--config", "runs/a/config.yaml", "--load-checkpoint-dir", "ck", "--episodes", 2)
    outcome = dnne("infer", folder / "small.json", *words)
    assert outcome.code == 0, outcome.err
    refused = dnne("infer", folder / "small.json", "--untrained", "iterations=3")
    assert refused.code == 2
    assert "--iterations has no effect in inference" in refused.err


def test_debug_shows_details(dnne, small):
    usual, debug = dnne("train", small, "--iterations", 1), dnne("train", small, "debug=true", "--iterations", 1)
    assert usual.code == debug.code == 0
    assert len(debug.err.splitlines()) > len(usual.err.splitlines())
    assert "train/policy_loss" in debug.err
    assert "train/policy_loss" not in usual.err


def test_headless_wins_over_a_file(train, small, folder):
    (folder / "c.yaml").write_text("visual: true\niterations: 1\n")
    train("--config", "c.yaml", name="a")
    train("--config", "c.yaml", "--headless", name="b")
    looked_for = "--visual: no simulator of this workflow has a viewer of its own; running without"
    assert (_warnings(folder, "a"), _warnings(folder, "b")) == ([looked_for], [])
