import pytest
import torch

from runtime.configuration import presets
from runtime.configuration.presets import PRESETS, load_preset, preset_for
from runtime.errors import ConfigError

pytest.importorskip("omegaconf")


def test_every_preset_has_a_file_and_every_file_is_a_preset():
    assert {path.stem for path in presets.FOLDER.glob("*.yaml")} == set(PRESETS)
    for name in PRESETS:
        values = load_preset(name).values
        assert set(values) == {"device", "threads", "num_envs", "minibatch_size", "num_minibatches"}
        assert values["num_envs"] % values["num_minibatches"] == 0


@pytest.mark.parametrize(
    ("name", "gigabytes", "preset"),
    [
        ("RTX 4070 Laptop", 8, "laptop-gpu"),
        ("A100 40GB", 39.4, "a100"),
        ("A100 80GB", 79, "a100"),
        ("H200", 139, "h200"),
    ],
)
def test_a_gpu_is_judged_by_its_memory(name, gigabytes, preset):
    chosen, reason = preset_for(name, int(gigabytes * 2**30))
    assert chosen == preset
    assert name in reason


def test_auto_takes_the_cpu_where_there_is_no_gpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert load_preset("auto").name == "cpu"


def test_a_preset_without_its_file_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(presets, "FOLDER", tmp_path)
    with pytest.raises(ConfigError, match=r"--preset a100: there is no file .*a100.yaml"):
        load_preset("a100")
