import errno
import logging
import sys

import pytest

from runtime.errors import StorageError
from runtime.events import Finished, LogMessage, Metrics
from runtime.recording.tensorboard_writer import TensorBoardWriter

# TensorBoard 2.14, the last for Python 3.8, uses what later versions of its own dependencies call deprecated.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture
def read_scalars():
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    def read(folder, tag):
        accumulator = EventAccumulator(str(folder))
        accumulator.Reload()
        return [(scalar.step, scalar.value) for scalar in accumulator.Scalars(tag)]

    return read


def test_scalars_lie_over_environment_steps(tmp_path, read_scalars):
    writer = TensorBoardWriter(tmp_path)
    assert writer.is_active
    writer(LogMessage(0.0, "info", "no metric"))
    writer(Metrics(1.0, 256, 1, {"train/loss": 0.5, "episode/mean_reward": 10.0}))
    writer(Metrics(2.0, 512, 2, {"train/loss": 0.25}))
    writer.close()
    assert read_scalars(tmp_path, "train/loss") == [(256, 0.5), (512, 0.25)]
    assert read_scalars(tmp_path, "episode/mean_reward") == [(256, 10.0)]


def test_the_end_of_the_run_flushes(tmp_path, read_scalars):
    writer = TensorBoardWriter(tmp_path)
    writer(Metrics(1.0, 256, 1, {"a": 0.5}))
    writer(Finished(2.0, "timeout", 256, 1))
    assert read_scalars(tmp_path, "a") == [(256, 0.5)]
    writer.close()


def test_a_log_from_the_future_is_not_waited_for(tmp_path, caplog):
    pytest.importorskip("tensorboard")
    (tmp_path / "events.out.tfevents.9999999999.machine.1.0").write_bytes(b"")
    TensorBoardWriter(tmp_path, purge_step=1).close()
    assert "holds a log from the future" in caplog.text


@pytest.mark.parametrize("attempt", [1, 2])
def test_a_resumed_run_hides_what_lay_past_its_state(tmp_path, read_scalars, attempt):
    first = TensorBoardWriter(tmp_path)
    for iteration in (1, 2, 3):
        first(Metrics(0.0, 16 * iteration, iteration, {"a": float(iteration)}))
    first.close()
    second = TensorBoardWriter(tmp_path, purge_step=32 + 1)
    second(Metrics(0.0, 48, 3, {"a": 30.0}))
    second.close()
    assert read_scalars(tmp_path, "a") == [(16, 1.0), (32, 2.0), (48, 30.0)]


@pytest.mark.parametrize("missing", ["torch.utils.tensorboard", "tensorboard.compat.proto.summary_pb2"])
def test_without_tensorboard_one_warning_says_so(tmp_path, monkeypatch, caplog, missing):
    monkeypatch.setitem(sys.modules, missing, None)
    with caplog.at_level(logging.WARNING):
        writer = TensorBoardWriter(tmp_path / "tensorboard")
        for iteration in range(3):
            writer(Metrics(0.0, iteration, iteration, {"a": 1.0}))
        writer(Finished(1.0, "timeout", 3, 3))
        writer.close()
    assert len(caplog.records) == 1
    assert "no TensorBoard log is written" in caplog.text
    assert "pip install tensorboard" in caplog.text
    assert not writer.is_active
    assert not (tmp_path / "tensorboard").exists()


def test_a_full_disk_is_one_error_that_names_the_folder(tmp_path, monkeypatch):
    pytest.importorskip("tensorboard")
    writer = TensorBoardWriter(tmp_path)
    inner = writer._writer

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(inner.file_writer, "add_summary", full)
    with pytest.raises(StorageError, match=f"{tmp_path}: No space left on device"):
        writer(Metrics(0.0, 1, 1, {"a": 1.0}))
    writer(Metrics(0.0, 1, 1, {"a": 1.0}))
    writer.close()
    inner.close()


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path):
    pytest.importorskip("tensorboard")
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="file/tensorboard"):
        TensorBoardWriter(tmp_path / "file" / "tensorboard")
