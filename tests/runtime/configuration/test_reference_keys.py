import pytest

from runtime.configuration.reference_keys import refusal, translate
from runtime.errors import ConfigError


def _values(keys):
    return {name: setting.value for name, setting in translate(keys, "Cartpole PPO").items()}


@pytest.mark.parametrize(
    ("keys", "options"),
    [
        ({"train.total_epochs": 3, "train.epoch_iters": 500}, {"iterations": 1500}),
        ({"train.total_epochs": "3"}, {"iterations": 3}),
        ({"train.total_epochs": 3, "train.epoch_iters": 5, "train.total_iters": 12}, {"iterations": 12}),
        ({"train.total_epochs": 2, "train.epoch_iters": 5, "train.total_iters": 1000000000}, {"iterations": 10}),
        ({"iterations": 4, "train.total_iters": 9}, {"iterations": 4}),
        ({"save_interval": 10}, {"save_interval": 10}),
        ({"save_interval": 10, "train.epoch_iters": 3}, {"save_interval": 30}),
        ({"output_dir": "out"}, {"log_dir": "out", "checkpoints_in_run": True}),
        ({"suffix": "large"}, {"run_name": "cartpole-ppo-large"}),
        ({"suffix": ""}, {}),
        ({"train.freeze_trunk": True}, {"freeze": "trunk"}),
        ({"train.freeze_trunk": "false"}, {}),
        ({"train.freeze_trunk": True, "freeze": "critic"}, {"freeze": "critic,trunk"}),
        ({"train.pretrained_dir": ""}, {}),
        ({"train.pretrained_dir": "ck"}, {"pretrained_dir": "ck"}),
        ({"train.last_k_checkpoints": 5}, {"last_k_checkpoints": 5}),
        ({"output_dir": "a", "log_dir": "b"}, {"log_dir": "b", "checkpoints_in_run": True}),
        ({"log_dir": "b", "output_dir": "a"}, {"log_dir": "a", "checkpoints_in_run": True}),
        ({"suffix": "a", "run_name": "b"}, {"run_name": "b"}),
        ({"train.last_k_checkpoints": 5, "last_k_checkpoints": 3}, {"last_k_checkpoints": 3}),
        ({"verbose": True, "debug": False}, {"verbose": False}),
        ({"debug": False, "verbose": True}, {"verbose": True}),
        ({"debug": True}, {"verbose": True}),
        ({"debug": False, "seed": 42}, {"seed": 42}),
    ],
)
def test_keys_become_options(keys, options):
    assert _values(keys) == options


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"train.total_epochs": 0}, "train.total_epochs is 0; expected a whole number of at least 1"),
        ({"train.total_epochs": "many"}, "train.total_epochs is 'many'"),
        ({"train.epoch_iters": True}, "train.epoch_iters is True"),
        ({"debug": "maybe"}, "debug is 'maybe'; expected true or false"),
    ],
)
def test_wrong_values_are_named(keys, message):
    with pytest.raises(ConfigError, match=message):
        translate(keys, "x")


@pytest.mark.parametrize("key", ["dataset_path", "domains", "dataset.action_horizon", "dataset._target_"])
def test_keys_of_datasets_are_refused_by_name(key):
    assert "imitation learning on recorded datasets" in refusal(key)
    assert "not composed" in refusal("defaults")
    assert refusal("seed") == ""
