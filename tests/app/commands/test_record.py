"""``--record``: a video of environment 0, in training, in inference, after Ctrl+C, and by an exported runner."""

import csv
import importlib.util
import signal
import subprocess
import sys

import pytest

from runtime.simulators.drawing import StateDrawer
from runtime.simulators.interface import SimulatorError

pytestmark = pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in ("imageio", "imageio_ffmpeg", "PIL")),
    reason="videos need imageio, imageio-ffmpeg and Pillow",
)


def frames_and_seconds(path):
    import imageio_ffmpeg

    return imageio_ffmpeg.count_frames_and_secs(str(path))


def metrics_of(folder):
    with (folder / "metrics.csv").open(encoding="utf-8", newline="") as file:
        return [{name: value for name, value in row.items() if not name.startswith("time/")}
                for row in csv.DictReader(file)]  # fmt: skip


def test_inference_is_recorded_in_simulated_time(dnne, folder, small):
    result = dnne("infer", small, "--untrained", "--total-timesteps", 400, "--num-envs", 4, "--record", "run.mp4")
    assert result.code == 0, result.err
    frames, seconds = frames_and_seconds(folder / "run.mp4")
    assert 97 <= frames <= 100
    assert seconds == pytest.approx(frames * 0.0166, rel=0.01)
    assert f"recorded {frames} pictures of environment 0, {seconds:.1f} s at 60.2 pictures/s: run.mp4" in result.err


def test_training_is_recorded_without_changing_a_bit(dnne, folder, small):
    for name, more in (("plain", ()), ("recorded", ("--record", "videos/run.gif"))):
        result = dnne("train", small, "--iterations", "3", "--run-name", name, *more)
        assert result.code == 0, result.err
    assert metrics_of(folder / "runs" / "plain") == metrics_of(folder / "runs" / "recorded")
    assert (folder / "videos" / "run.gif").stat().st_size > 500


def test_a_video_is_whole_after_ctrl_c(start, folder, small):
    running = start("infer", small, "--untrained", "--record", "run.mp4", "--run-name", "one")
    part = running.wait_for(lambda: list(folder.glob("run.mp4.tmp-*")))
    running.wait_for(lambda: part[0].stat().st_size > 0)
    assert not (folder / "run.mp4").exists()
    running.send(signal.SIGINT)
    assert running.wait() == 130
    assert frames_and_seconds(folder / "run.mp4")[0] >= 1


@pytest.mark.parametrize("name", ["run.avi", "run"])
def test_other_endings_are_refused_before_anything_is_written(dnne, folder, small, name):
    result = dnne("train", small, "--iterations", "1", "--record", name)
    assert result.code == 2
    assert "ends in .mp4 or .gif" in result.err
    assert not (folder / "runs").exists()


def test_an_exported_runner_records(dnne, folder, small):
    assert dnne("export", small, "-o", "exported").code == 0
    command = [sys.executable, "exported/runner.py", "--iterations", "1", "--record", "run.mp4"]
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stderr
    assert frames_and_seconds(folder / "run.mp4")[0] >= 1


def test_a_training_goes_on_where_pictures_fail_and_an_inference_ends(dnne, folder, small, monkeypatch):
    def fails(self, state):
        raise SimulatorError("no picture can be rendered here")

    monkeypatch.setattr(StateDrawer, "frame", fails)
    trained = dnne("train", small, "--iterations", "2", "--record", "run.gif", "--save-checkpoint-dir", "saved")
    assert trained.code == 0
    assert "no more pictures are recorded, and the training goes on: no picture can be rendered here" in trained.err
    assert not (folder / "run.gif").exists()
    inferred = dnne("infer", small, "--load-checkpoint-dir", "saved", "--total-timesteps", 100, "--record", "run.gif")
    assert inferred.code == 1
    assert "no picture can be rendered here" in inferred.err
