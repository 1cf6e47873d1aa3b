import pytest
import torch

from runtime.errors import RunError
from runtime.run import RunSettings


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"iterations": 0}, "iterations is 0; expected at least 1"),
        ({"total_timesteps": -4}, "total_timesteps is -4; expected at least 1"),
        ({"episodes": 0}, "episodes is 0"),
        ({"threads": 0}, "threads is 0"),
        ({"queue_size": 0}, "queue_size is 0"),
        ({"patience": 0}, "patience is 0"),
        ({"seed": -1}, "seed is -1; expected 0 to "),
        ({"seed": 2**63}, "seed is 9223372036854775808"),
        ({"scheduler": "best"}, "scheduler is 'best'; expected one of auto, static, queues"),
        ({"mode": "play"}, "mode is 'play'; expected 'train' or 'infer'"),
        ({"mode": "infer"}, "inference needs trained weights"),
    ],
)
def test_values_that_make_no_sense_are_refused(values, message):
    with pytest.raises(RunError, match=message):
        RunSettings(**values)


def test_inference_takes_weights_or_the_word_that_it_may_do_without():
    assert RunSettings(mode="infer", load_checkpoint_dir="ck").inference
    assert RunSettings(mode="infer", untrained=True).inference


def test_the_largest_seed_is_allowed():
    assert RunSettings(seed=2**63 - 1).seed == 2**63 - 1


@pytest.mark.parametrize("device", ["tpu", "", "cuda:x", "meta", "mps", "cuda:-1"])
def test_devices_that_are_none(device):
    with pytest.raises(RunError, match="expected cpu, cuda, cuda:N or auto"):
        RunSettings(device=device).torch_device()


def test_a_gpu_that_is_not_there(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert RunSettings(device="cuda:1").torch_device() == torch.device("cuda:1")
    with pytest.raises(RunError, match="device 'cuda:2' is not there: torch .* sees 2 CUDA devices; use --device cpu"):
        RunSettings(device="cuda:2").torch_device()


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("seed", "1", "a whole number"),
        ("seed", True, "a whole number"),
        ("seed", None, "a whole number"),
        ("total_timesteps", 2.0, "a whole number"),
        ("iterations", [3], "a whole number"),
        ("queue_size", None, "a whole number"),
        ("threads", {}, "a whole number"),
        ("timeout", "5m", "a finite number"),
        ("stop_reward", float("nan"), "a finite number"),
        ("stop_reward", 10**400, "a finite number"),
        ("resume_interval", float("inf"), "a finite number"),
        ("resume_interval", False, "a finite number"),
        ("save_checkpoint_dir", 3, "text"),
        ("device", None, "text"),
        ("mode", ["train"], "text"),
        ("scheduler", {}, "text"),
        ("untrained", "no", "true or false"),
        ("visual", 1, "true or false"),
        ("verbose", None, "true or false"),
    ],
)
def test_values_of_another_kind_are_refused(name, value, expected):
    with pytest.raises(RunError, match=f"^{name} is .*; expected {expected}$"):
        RunSettings(**{name: value})


def test_whole_numbers_are_numbers_and_what_is_optional_may_be_missing():
    assert RunSettings(timeout=5, stop_reward=-1, resume_interval=7, patience=None, save_checkpoint_dir=None)
