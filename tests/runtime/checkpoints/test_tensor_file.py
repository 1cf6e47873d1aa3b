import json
import tarfile
import zipfile
from unittest import mock

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runtime.checkpoints import tensor_file
from runtime.checkpoints.tensor_file import HEADER_KEY, read_tensor_file, write_tensor_file
from runtime.errors import CheckpointError

KIND = "test state"
STATE = {"policy": {"weight": torch.arange(6.0).reshape(2, 3)}, "count": 3, "rate": float("inf"), "none": None}


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "model.pt"
    write_tensor_file(file, KIND, STATE, {"step": 7})
    return file


def header_tensor(header):
    return torch.frombuffer(bytearray(json.dumps(header).encode()), dtype=torch.uint8)


def test_state_and_metadata_come_back(path):
    state, metadata = read_tensor_file(path, KIND)
    assert torch.equal(state.pop("policy")["weight"], STATE["policy"]["weight"])
    assert state == {"count": 3, "rate": float("inf"), "none": None}
    assert metadata == {"step": 7}


def test_plain_torch_reads_a_flat_dict_of_tensors(path):
    loaded = torch.load(path, weights_only=True)
    assert set(loaded) == {"policy/weight", HEADER_KEY}
    assert all(isinstance(value, torch.Tensor) for value in loaded.values())


def test_the_random_generators_of_python_and_torch_fit_in(tmp_path):
    import random

    python, generator = random.Random(3), torch.Generator().manual_seed(3)
    state = {"python": python.getstate(), "torch": generator.get_state()}
    write_tensor_file(tmp_path / "f", KIND, state, {})
    expected = (python.random(), torch.rand(2, generator=generator))
    restored, _ = read_tensor_file(tmp_path / "f", KIND)
    python.setstate(restored["python"])
    generator.set_state(restored["torch"])
    assert python.random() == expected[0]
    assert torch.equal(torch.rand(2, generator=generator), expected[1])


def test_every_truncation_is_an_error_that_names_the_file(path):
    content = path.read_bytes()
    for length in range(len(content)):
        path.write_bytes(content[:length])
        with pytest.raises(CheckpointError, match=r"model.pt"):
            read_tensor_file(path, KIND)


def test_every_flipped_byte_is_an_error_or_does_not_matter(path):
    """torch checks no checksums: without our own check a flipped byte would be a silently different weight."""
    content = path.read_bytes()
    refused = 0
    for position in range(len(content)):
        path.write_bytes(content[:position] + bytes([content[position] ^ 0x40]) + content[position + 1 :])
        try:
            state, metadata = read_tensor_file(path, KIND)
        except CheckpointError:
            refused += 1
        else:
            assert torch.equal(state["policy"]["weight"], STATE["policy"]["weight"])
            assert state["count"] == 3
            assert metadata == {"step": 7}
    assert refused > len(content) / 3


def test_a_flipped_weight_is_found(path):
    content = bytearray(path.read_bytes())
    position = content.find(STATE["policy"]["weight"].numpy().tobytes())
    content[position + 5] ^= 1
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match="the checksum of its entry 'archive/data/0' is wrong"):
        read_tensor_file(path, KIND)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.binary(max_size=200))
def test_any_other_content_is_an_error(tmp_path, content):
    (tmp_path / "f").write_bytes(content)
    with pytest.raises(CheckpointError, match="truncated or damaged"):
        read_tensor_file(tmp_path / "f", KIND)


@pytest.mark.parametrize("form", ["zip", "legacy", "pickle", "torchscript"])
def test_code_in_a_file_never_runs(tmp_path, write_hostile, form):
    path = tmp_path / "dir" / "model.pt"
    victim = write_hostile(path, form)
    with pytest.raises(CheckpointError, match=r"model.pt"):
        read_tensor_file(path, KIND)
    assert not victim.exists()


def test_the_hostile_files_are_hostile(tmp_path, write_hostile):
    """Without our care the code in them would run."""
    for form in ("zip", "legacy"):
        victim = write_hostile(tmp_path / "model.pt", form)
        torch.load(tmp_path / "model.pt", weights_only=False)
        assert victim.exists()
        victim.unlink()


def test_only_torch_archives_reach_torch(tmp_path, write_hostile):
    paths = [tmp_path / name for name in ("tar", "legacy", "pickle", "torchscript", "compressed")]
    (tmp_path / "x").write_text("x")
    with tarfile.open(paths[0], "w") as archive:
        archive.add(tmp_path / "x", "storages")
    for path in paths[1:4]:
        write_hostile(path, path.name)
    with zipfile.ZipFile(paths[4], "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", b"x" * 1000)
    with mock.patch.object(torch, "load", side_effect=AssertionError("torch must not see this file")):
        for path in paths:
            with pytest.raises(CheckpointError, match=path.name):
                read_tensor_file(path, KIND)


def test_a_script_module_is_refused(tmp_path):
    """It is an ordinary file of torch, which torch before 2.6 would load, and run, in spite of weights_only."""
    path = tmp_path / "module.pt"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("module/data.pkl", b"")
        archive.writestr("module/constants.pkl", b"")
    with pytest.raises(CheckpointError, match="is a TorchScript archive, which holds code"):
        read_tensor_file(path, KIND)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([torch.ones(1)], "expected a flat dict"),
        ({"w": torch.ones(1), "n": 3}, "expected a flat dict"),
        ({0: torch.ones(1)}, "expected a flat dict"),
        ({"w": torch.ones(1)}, "its metadata, the entry '__dnne__', is missing"),
        ({HEADER_KEY: torch.ones(3)}, "is damaged: expected bytes"),
        ({HEADER_KEY: torch.tensor(3, dtype=torch.uint8)}, "is damaged: expected bytes"),
        ({HEADER_KEY: torch.tensor([255, 3], dtype=torch.uint8)}, "is no JSON"),
        ({HEADER_KEY: header_tensor([])}, "is no JSON object"),
        ({HEADER_KEY: header_tensor({})}, "has format version None; this version of DNNE reads version 1"),
        (
            {HEADER_KEY: header_tensor({"format_version": 2})},
            "has format version 2; this version of DNNE reads version 1",
        ),
        ({HEADER_KEY: header_tensor({"format_version": 1, "kind": "x"})}, "is a 'x'; expected a 'test state'"),
        ({HEADER_KEY: header_tensor({"format_version": 1, "kind": KIND, "metadata": {}})}, "is incomplete"),
        (
            {
                HEADER_KEY: header_tensor(
                    {"format_version": 1, "kind": KIND, "metadata": {}, "outline": {"tensor": "w"}}
                )
            },
            "the tensor 'w' that the outline of the state names is missing",
        ),
        (
            {HEADER_KEY: torch.frombuffer(bytearray(b"[" * 100_000), dtype=torch.uint8)},
            "is no JSON",
        ),
    ],
)
def test_files_of_torch_that_are_not_ours(tmp_path, content, message):
    torch.save(content, tmp_path / "model.pt")
    with pytest.raises(CheckpointError, match=message) as caught:
        read_tensor_file(tmp_path / "model.pt", KIND)
    assert str(tmp_path / "model.pt") in str(caught.value)


def test_missing_files_and_folders(tmp_path):
    with pytest.raises(CheckpointError, match=r"model.pt cannot be read: No such file"):
        read_tensor_file(tmp_path / "model.pt", KIND)
    with pytest.raises(CheckpointError, match="cannot be read: Is a directory"):
        read_tensor_file(tmp_path, KIND)


def test_the_reserved_name(tmp_path):
    with pytest.raises(CheckpointError, match="'__dnne__', a name that is reserved"):
        write_tensor_file(tmp_path / "f", KIND, {HEADER_KEY: torch.ones(1)}, {})


def test_the_version_that_is_written_is_the_one_that_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(tensor_file, "FORMAT_VERSION", 2)
    write_tensor_file(tmp_path / "f", KIND, STATE, {})
    monkeypatch.undo()
    with pytest.raises(CheckpointError, match="has format version 2"):
        read_tensor_file(tmp_path / "f", KIND)
