import pytest

from runtime.configuration.files import find_config, flatten, load_config
from runtime.errors import ConfigError

pytest.importorskip("omegaconf")


@pytest.fixture
def config(tmp_path):
    def write(text, name="c.yaml"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    return write


def test_interpolations_are_resolved_and_numbers_are_numbers(config):
    path = config("base: 3\nseed: ${base}\nagent:\n  lr: 1e-4\n  sizes: [8, 16]\n")
    assert load_config(path) == {"base": 3, "seed": 3, "agent": {"lr": 1e-4, "sizes": [8, 16]}}


def test_groups_become_dotted_keys():
    content = {"seed": 1, "train": {"total_epochs": 2}, "env": {"task_parameters": {"a": 1.0}}}
    assert dict(flatten(content)) == {"seed": 1, "train.total_epochs": 2, "env.task_parameters": {"a": 1.0}}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- 1\n- 2\n", "is a list; expected keys with values"),
        ("seed: ${nowhere}\n", "nowhere"),
        ("seed: [1\n", "cannot be read"),
        ("a: oc\nseed: ${${a}.env:HOME}\n", "has an interpolation within another"),
        ("seed: ${oc.decode:x}\n", "calls the resolver 'oc.decode'"),
        ("seed: ${eval:1+1}\n", "calls the resolver 'eval'; allowed are oc.env"),
        ("train:\n  names: ['${ oc.create:x}']\n", "calls the resolver 'oc.create'"),
        ("seed: !!python/object/apply:os.system ['touch ran']\n", "cannot be read"),
    ],
)
def test_what_cannot_be_used_is_named_and_never_executed(config, tmp_path, monkeypatch, text, message):
    monkeypatch.chdir(tmp_path)
    path = config(text)
    with pytest.raises(ConfigError, match="c.yaml") as caught:
        load_config(path)
    assert message in str(caught.value)
    assert not (tmp_path / "ran").exists()


def test_a_missing_file_and_a_folder_are_named(tmp_path):
    with pytest.raises(ConfigError, match="there is no configuration file"):
        load_config(tmp_path / "no.yaml")
    with pytest.raises(ConfigError, match="cannot be read"):
        load_config(tmp_path)


def test_configs_are_found_by_name(config, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config("seed: 1\n", "mine/a.yaml")
    config("seed: 2\n", "configs/b.yml")
    config("seed: 3\n", "c.yaml")
    assert str(find_config("mine", "a")) == "mine/a.yaml"
    assert str(find_config(None, "b")) == "configs/b.yml"
    assert str(find_config(None, "c.yaml")) == "c.yaml"
    with pytest.raises(ConfigError, match=r"no configuration 'd': looked for mine/d.yaml, mine/d.yml"):
        find_config("mine", "d")
