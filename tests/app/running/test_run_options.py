"""Run settings are the command line's options: the same words, the same checks, kept as text."""

from pathlib import Path

import pytest

from app.running.run_options import PROCESS, RunOptions, check, options_of, parse
from runtime.errors import RunError

HERE = Path("/somewhere")


def test_the_options_are_those_of_the_command_line():
    names = {option.name for option in options_of("train")}
    assert {"seed", "device", "num_envs", "timeout", "iterations", "resume", "save_checkpoint_dir"} <= names
    assert not {"help", "events", "commands", "overrides", "episodes"} & names
    assert {"episodes", "untrained", "load_checkpoint_dir"} <= {option.name for option in options_of("infer")}


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


def test_several_processes_are_left_to_the_command_line(tmp_path):
    assert not {"nproc", "world_size", "train_mode"} & {option.name for option in options_of("train")}
    config = tmp_path / "two.yaml"
    config.write_text("train_mode: distributed\nworld_size: 2\n")
    options = RunOptions()
    options.put("train", "config", str(config))
    with pytest.raises(RunError, match="2 processes; the editor runs one"):
        check(options.words("train", HERE), "train")


def test_options_come_back_from_their_text():
    options = RunOptions(host=PROCESS, interpreter="/usr/bin/python3.8")
    options.put("train", "seed", "7")
    assert RunOptions.from_text(options.as_text()) == options


@pytest.mark.parametrize("text", ["", "{", "[]", '{"values": 3, "host": "moon"}', '{"values": {"train": {"no": "1"}}}'])
def test_damaged_texts_give_defaults(text):
    assert RunOptions.from_text(text) == RunOptions()
