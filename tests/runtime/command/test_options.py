import argparse

import pytest

from runtime.command.options import add_run_options, run_settings
from runtime.errors import RunError
from runtime.run import RunSettings


@pytest.fixture
def parser():
    """All options, as an exported runner has them."""
    made = argparse.ArgumentParser(allow_abbrev=False)
    add_run_options(made)
    return made


@pytest.fixture
def settings(parser):
    def make(*words, inference=False, earlier=None):
        return run_settings(parser.parse_args(list(words)), inference, earlier)

    return make


@pytest.mark.parametrize(
    ("text", "seconds"), [("30s", 30), ("5m", 300), ("1h", 3600), ("1h30m", 5400), ("2h45m30s", 9930)]
)
def test_durations_of_the_documented_grammar(settings, text, seconds):
    assert settings("--timeout", text).timeout == seconds
    assert settings("--resume-interval", text).resume_interval == seconds


@pytest.mark.parametrize("text", ["5mXYZ", "30s5m", "1m30", "0s", "", "-5m", "1.5h", "5 m", "5M", "1h1h", "ten"])
def test_other_durations_are_refused_with_the_grammar(parser, capsys, text):
    with pytest.raises(SystemExit) as exit:
        parser.parse_args([f"--timeout={text}"])
    assert exit.value.code == 2
    error = capsys.readouterr().err
    assert "argument --timeout: " in error
    assert "whole numbers with the units h, m and s, in that order" in error


@pytest.mark.parametrize(
    ("option", "wrong", "message"),
    [
        ("--iterations", "0", "0 is too small; expected at least 1"),
        ("--iterations", "3.5", "'3.5' is not a whole number"),
        ("--total-timesteps", "-1", "-1 is too small"),
        ("--total-timesteps", "1e6", "'1e6' is not a whole number"),
        ("--seed", "-1", "-1 is too small; expected at least 0"),
        ("--num-envs", "many", "'many' is not a whole number"),
        ("--threads", "0", "0 is too small"),
        ("--queue-size", "0", "0 is too small"),
        ("--patience", "0", "0 is too small"),
        ("--episodes", "0", "0 is too small"),
        ("--stop-reward", "nan", "'nan' is not a finite number"),
        ("--stop-reward", "high", "'high' is not a number"),
        ("--scheduler", "random", "invalid choice: 'random'"),
        ("--set", "gamma=1", "'gamma=1' is not of the form NODE.PARAM=VALUE"),
        ("--set", "Trainer.gamma", "is not of the form NODE.PARAM=VALUE"),
    ],
)
def test_values_out_of_range_are_refused(parser, capsys, option, wrong, message):
    with pytest.raises(SystemExit) as exit:
        parser.parse_args([f"{option}={wrong}"])
    assert exit.value.code == 2
    error = capsys.readouterr().err
    assert f"argument {option}: " in error
    assert message in error


def test_options_become_settings(settings):
    assert settings() == RunSettings()
    assert settings(
        "--seed=5", "--timeout=1m", "--total-timesteps=1_000_000", "--iterations=4", "--stop-reward=-2.5",
        "--patience=6", "--save-checkpoint-dir=ck", "--load-checkpoint-dir=old", "--resume-interval=7s",
        "--queue-size=8", "--scheduler=queues", "--threads=2", "--visual", "--verbose",
    ) == RunSettings(
        seed=5, timeout=60.0, total_timesteps=1_000_000, iterations=4, stop_reward=-2.5, patience=6,
        save_checkpoint_dir="ck", load_checkpoint_dir="old", resume_interval=7.0, queue_size=8, scheduler="queues",
        threads=2, visual=True, verbose=True,
    )  # fmt: skip


def test_a_reward_of_zero_and_the_seed_zero_count_as_given(settings):
    assert settings("--stop-reward=0").stop_reward == 0.0
    assert settings("--seed=0", earlier={"seed": 0}).seed == 0
    with pytest.raises(RunError, match="--stop-reward has no effect in inference"):
        settings("--stop-reward=0", "--untrained", inference=True)


@pytest.mark.parametrize(
    ("words", "option"),
    [
        (["--iterations=1"], "--iterations"),
        (["--stop-reward=1"], "--stop-reward"),
        (["--patience=1"], "--patience"),
        (["--save-checkpoint-dir=x"], "--save-checkpoint-dir"),
        (["--resume=x"], "--resume"),
        (["--resume-interval=1m"], "--resume-interval"),
    ],
)
def test_inference_refuses_what_would_be_ignored(settings, words, option):
    with pytest.raises(RunError, match=f"^{option} has no effect in inference$"):
        settings("--untrained", *words, inference=True)


@pytest.mark.parametrize("option", ["--episodes=4", "--untrained"])
def test_training_refuses_what_would_be_ignored(settings, option):
    with pytest.raises(RunError, match=f"^{option.split('=')[0]} has no effect in training$"):
        settings(option)


def test_test_mode_is_short_unless_a_time_is_given(settings):
    assert settings("--test-mode").timeout == 10.0
    assert settings("--test-mode", "--total-timesteps=1000000").timeout == 10.0
    assert settings("--test-mode", "--timeout=2m").timeout == 120.0


def test_a_resumed_run_inherits_what_is_not_given(settings):
    earlier = RunSettings(
        seed=5, device="cpu", iterations=9, timeout=60.0, patience=3, save_checkpoint_dir="ck",
        load_checkpoint_dir="old", scheduler="queues", verbose=True,
    ).as_dict()  # fmt: skip
    inherited = settings("--resume=a", earlier=earlier)
    assert (inherited.seed, inherited.iterations, inherited.patience, inherited.scheduler) == (5, 9, 3, "queues")
    assert inherited.save_checkpoint_dir == "ck"
    assert (inherited.timeout, inherited.load_checkpoint_dir, inherited.verbose) == (None, None, False)
    assert settings("--resume=a", "--patience=8", earlier=earlier).patience == 8


def test_a_new_counted_end_replaces_both_earlier_ones(settings):
    earlier = RunSettings(iterations=9, total_timesteps=100).as_dict()
    given = settings("--resume=a", "--total-timesteps=200", earlier=earlier)
    assert (given.iterations, given.total_timesteps) == (None, 200)
    kept = settings("--resume=a", "--timeout=1m", earlier=earlier)
    assert (kept.iterations, kept.total_timesteps) == (9, 100)
