import math
import struct
import subprocess
import sys
import zlib

import pytest

from app.learning_curve import LearningCurveError, moving_average, plot_learning_curve, step_label
from runtime.errors import DnneError, StorageError
from runtime.events import Metrics
from runtime.recording.csv_metrics import CsvMetrics

# matplotlib 3.7, the last for Python 3.8, uses what later versions of its own dependencies call deprecated.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture
def write_metrics(tmp_path):
    def write(iterations, losses=True, first_episode=1, **constant):
        sink = CsvMetrics(tmp_path / "metrics.csv")
        for iteration in range(1, iterations + 1):
            values = dict(constant)
            if iteration >= first_episode:
                values["episode/mean_reward"] = 500 * iteration / iterations
            if losses:
                values.update({"train/policy_loss": -0.01, "train/value_loss": math.exp(-iteration / 20)})
                values.update({"train/approx_kl": 0.01, "train/explained_variance": math.nan})
            sink(Metrics(float(iteration), 1024 * iteration, iteration, values))
        sink.close()
        return tmp_path / "metrics.csv"

    return write


def _pixels(path):
    """The size of a PNG, and its rows of bytes, checked against the file's own checksums."""
    data, position, compressed = path.read_bytes(), 8, b""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    while position < len(data):
        length, kind = struct.unpack(">I4s", data[position : position + 8])
        body = data[position + 8 : position + 8 + length]
        assert zlib.crc32(kind + body) == struct.unpack(">I", data[position + 8 + length : position + 12 + length])[0]
        if kind == b"IHDR":
            size = struct.unpack(">II", body[:8])
        if kind == b"IDAT":
            compressed += body
        position += 12 + length
    return size, zlib.decompress(compressed)


def test_the_picture_is_a_whole_png_with_a_curve_in_it(write_metrics, tmp_path):
    plot_learning_curve(write_metrics(100), tmp_path / "figures" / "curve.png", "Cartpole", 500)
    size, pixels = _pixels(tmp_path / "figures" / "curve.png")
    assert size == (1170, 910)
    assert len(set(pixels)) > 20
    assert [path.name for path in (tmp_path / "figures").iterdir()] == ["curve.png"]


def test_the_goal_is_drawn_only_when_it_is_given(write_metrics, tmp_path):
    metrics = write_metrics(100)
    pictures = []
    for solved in (None, None, 475.0):
        plot_learning_curve(metrics, tmp_path / "curve.png", solved=solved)
        pictures.append((tmp_path / "curve.png").read_bytes())
    assert pictures[0] == pictures[1]
    assert pictures[0] != pictures[2]


def test_without_losses_there_are_no_small_panels(write_metrics, tmp_path):
    plot_learning_curve(write_metrics(10, losses=False), tmp_path / "curve.png")
    assert _pixels(tmp_path / "curve.png")[0] == (1170, 650)


def test_one_episode_is_enough(write_metrics, tmp_path):
    plot_learning_curve(write_metrics(1), tmp_path / "curve.png")
    plot_learning_curve(write_metrics(50, first_episode=50), tmp_path / "curve.png")


def test_no_state_of_pyplot_is_touched(write_metrics, tmp_path, request):
    program = (
        f"import sys; sys.path.insert(0, {str(request.config.rootpath)!r})\n"
        "from app.learning_curve import plot_learning_curve\n"
        f"plot_learning_curve({str(write_metrics(10))!r}, {str(tmp_path / 'curve.png')!r})\n"
        "assert 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_without_episodes_the_error_says_so(write_metrics, tmp_path):
    with pytest.raises(
        LearningCurveError, match=r"metrics.csv holds no 'episode/mean_reward' yet: no episode has ended"
    ):
        plot_learning_curve(write_metrics(5, first_episode=99), tmp_path / "curve.png")
    (tmp_path / "metrics.csv").write_text("")
    with pytest.raises(LearningCurveError, match="no episode has ended"):
        plot_learning_curve(tmp_path / "metrics.csv", tmp_path / "curve.png")
    assert not (tmp_path / "curve.png").exists()


def test_without_matplotlib_the_error_says_so(write_metrics, tmp_path, monkeypatch):
    for name in ("matplotlib", "matplotlib.figure", "matplotlib.backends.backend_agg"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(LearningCurveError, match="matplotlib, which is not installed; pip install matplotlib"):
        plot_learning_curve(write_metrics(5), tmp_path / "curve.png")


def test_a_missing_table_and_a_foreign_one_are_named(tmp_path):
    with pytest.raises(StorageError, match=r"nowhere.csv"):
        plot_learning_curve(tmp_path / "nowhere.csv", tmp_path / "curve.png")
    (tmp_path / "other.csv").write_text("step,name\n1,a\n")
    with pytest.raises(DnneError, match=r"other.csv, line 2"):
        plot_learning_curve(tmp_path / "other.csv", tmp_path / "curve.png")


def test_a_picture_that_cannot_be_written_is_named(write_metrics):
    with pytest.raises(StorageError, match="/dev/full"):
        plot_learning_curve(write_metrics(5), "/dev/full")


@pytest.mark.parametrize(
    ("values", "width", "expected"),
    [
        ([1.0, 2.0, 6.0, 3.0], 3, [1.5, 3.0, 11 / 3, 4.5]),
        ([1.0, 2.0, 6.0], 1, [1.0, 2.0, 6.0]),
        ([4.0], 9, [4.0]),
        ([], 3, []),
    ],
)
def test_the_moving_average(values, width, expected):
    assert moving_average(values, width) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("steps", "label"), [(0, "0"), (500, "500"), (1500, "1.5k"), (50_000, "50k"), (1.5e6, "1.5M"), (2e9, "2G")]
)
def test_labels_of_steps(steps, label):
    assert step_label(steps) == label
