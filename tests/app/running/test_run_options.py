"""Run settings are the command line's options: the same words, the same checks, kept as text."""

from pathlib import Path

import pytest

from app.running.run_options import PROCESS, THREAD, RunOptions, check, options_of, parse
from runtime.errors import DistributedError, RunError

HERE = Path("/somewhere")


def test_the_options_are_those_of_the_command_line():
    names = {option.name for option in options_of("train")}
    assert {"seed", "device", "num_envs", "timeout", "iterations", "resume", "save_checkpoint_dir"} <= names
    assert {"train_mode", "nproc", "world_size", "max_restarts", "collective_timeout"} <= names
    assert not {"help", "events", "commands", "overrides", "episodes"} & names
    inference = {option.name for option in options_of("infer")}
    assert {"episodes", "untrained", "load_checkpoint_dir"} <= inference and not {"nproc", "train_mode"} & inference


def test_words_are_made_of_what_is_set_with_paths_below_the_folder():
    options = RunOptions()
    options.put("train", "seed", "7")
    options.put("train", "save_checkpoint_dir", "checkpoints")
    options.put("infer", "untrained", "on")
    words = options.words("train", HERE)
    assert words == ["--seed=7", "--save-checkpoint-dir=/somewhere/checkpoints", "--log-dir=/somewhere/runs"]
    assert parse(words, "train").seed == 7
    assert "--untrained" in options.words("infer", HERE)
    options.put("train", "seed", "")
    options.put("train", "resume", "/runs/one")
    assert "--resume=/runs/one" in options.words("train", HERE) and "--log-dir" not in str(options.words("train", HERE))


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [("seed", "many", "is not a whole number"), ("timeout", "soon", "soon"), ("iterations", "0", "at least 1"),
     ("seed", "3", ""), ("timeout", "1h30m", ""), ("stop_reward", "nan", "finite")],
)  # fmt: skip
def test_a_text_is_checked_as_the_command_line_does(name, text, problem):
    option = next(option for option in options_of("train") if option.name == name)
    found = option.problem(text)
    assert (problem in found) if problem else not found


@pytest.mark.parametrize(
    ("mode", "name", "text", "message"),
    [("train", "device", "abacus", "device 'abacus' is unknown"), ("train", "seed", "x", "--seed"),
     ("infer", "episodes", "3", "inference needs trained weights")],
)  # fmt: skip
def test_settings_that_make_no_sense_are_refused(mode, name, text, message):
    options = RunOptions()
    options.put(mode, name, text)
    with pytest.raises(RunError, match=message):
        check(options.words(mode, HERE), mode)


@pytest.mark.parametrize(
    ("values", "processes", "host"),
    [({}, 1, THREAD), ({"nproc": "2"}, 2, PROCESS), ({"world_size": "3", "device": "cpu"}, 3, PROCESS),
     ({"world_size": "3"}, 1, THREAD), ({"world_size": "3", "train_mode": "distributed"}, 3, PROCESS),
     ({"train_mode": "single", "world_size": "2"}, 1, THREAD)],
)  # fmt: skip
def test_several_processes_are_asked_for_as_on_the_command_line(values, processes, host):
    options = RunOptions()
    for name, text in values.items():
        options.put("train", name, text)
    assert check(options.words("train", HERE), "train") == processes
    assert options.host_for(processes) == host


def test_several_processes_may_come_from_a_file_of_settings(tmp_path):
    config = tmp_path / "two.yaml"
    config.write_text("train_mode: distributed\nworld_size: 2\n")
    options = RunOptions()
    options.put("train", "config", str(config))
    assert check(options.words("train", HERE), "train") == 2


def test_contradictions_about_processes_are_refused():
    options = RunOptions()
    options.put("train", "train_mode", "single")
    options.put("train", "nproc", "2")
    with pytest.raises(DistributedError, match="--nproc 2 starts several processes, but the train mode is single"):
        check(options.words("train", HERE), "train")


def test_the_newest_run_is_looked_for_where_runs_lie():
    options = RunOptions()
    options.put("train", "resume", "auto")
    words = options.words("train", HERE)
    assert words == ["--resume=auto", "--log-dir=/somewhere/runs"]
    assert check(words, "train") == 1


def test_options_come_back_from_their_text():
    options = RunOptions(host=PROCESS, interpreter="/usr/bin/python3.8")
    options.put("train", "seed", "7")
    assert RunOptions.from_text(options.as_text()) == options


@pytest.mark.parametrize("text", ["", "{", "[]", '{"values": 3, "host": "moon"}', '{"values": {"train": {"no": "1"}}}'])
def test_damaged_texts_give_defaults(text):
    assert RunOptions.from_text(text) == RunOptions()
