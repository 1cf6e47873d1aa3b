"""Videos that appear under their name when they are complete."""

import sys

import pytest

from runtime.errors import RunError, StorageError
from runtime.recording.video_file import FORMATS, VideoFile, video_format

np = pytest.importorskip("numpy")
Image = pytest.importorskip("PIL.Image")
pytest.importorskip("imageio")
imageio_ffmpeg = pytest.importorskip("imageio_ffmpeg")


def pictures(path, count):
    form = FORMATS[path.suffix]
    return [np.full((form.height, form.width, 3), 20 * index, np.uint8) for index in range(count)]


def read_gif(path):
    with Image.open(path) as image:
        return image.n_frames, image.info["duration"]


def test_an_mp4_holds_every_picture_at_its_speed(tmp_path):
    path = tmp_path / "sub" / "run.mp4"
    video = VideoFile(path, 25.0)
    for picture in pictures(path, 10):
        video.add(picture)
    assert not path.exists()
    video.close()
    video.close()
    frames, seconds = imageio_ffmpeg.count_frames_and_secs(str(path))
    assert (frames, video.frames) == (10, 10)
    assert seconds == pytest.approx(0.4, abs=0.01)
    assert [entry.name for entry in path.parent.iterdir()] == ["run.mp4"]


def test_a_gif_holds_every_picture_at_its_speed(tmp_path):
    path = tmp_path / "run.gif"
    video = VideoFile(path, 20.0)
    for picture in pictures(path, 5):
        video.add(picture)
    video.close()
    assert read_gif(path) == (5, 50)


@pytest.mark.parametrize("ending", [".mp4", ".gif"])
def test_an_earlier_video_is_replaced_only_when_the_new_one_is_complete(tmp_path, ending):
    path = tmp_path / f"run{ending}"
    path.write_bytes(b"earlier")
    empty = VideoFile(path, 20.0)
    empty.close()
    assert path.read_bytes() == b"earlier"
    video = VideoFile(path, 20.0)
    video.add(pictures(path, 1)[0])
    assert path.read_bytes() == b"earlier"
    video.close()
    assert path.stat().st_size > 100


def test_other_endings_are_refused(tmp_path):
    with pytest.raises(RunError, match=r"run.avi: a video's name ends in .mp4 or .gif"):
        VideoFile(tmp_path / "run.avi", 20.0)


@pytest.mark.parametrize(("ending", "module"), [("mp4", "imageio_ffmpeg"), ("gif", "imageio"), ("gif", "PIL")])
def test_a_missing_package_is_named_with_the_command_that_installs_it(monkeypatch, ending, module):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(RunError, match=rf"needs {module}: pip install imageio.* pillow"):
        video_format(f"run.{ending}")


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="file"):
        VideoFile(tmp_path / "file" / "run.mp4", 20.0)
