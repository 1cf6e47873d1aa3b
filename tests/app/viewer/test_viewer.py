"""The viewer dock: painters, the grid, what it asks for, the camera, and what happens where nothing can be drawn."""

import importlib.util
import threading

import pytest
import torch
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QWheelEvent
from PySide6.QtWidgets import QApplication

from app.theme import apply_theme, plot_colours
from app.viewer import mujoco_painter
from app.viewer.panel import FRAMES_PER_SECOND, Viewer
from runtime.errors import DnneError
from runtime.events import RunStarted, ViewerFrame
from runtime.simulators.interface import ViewerState

MODEL = """<mujoco><visual><headlight ambient="1 1 1"/></visual><worldbody>
<body pos="0 0 1"><freejoint/><geom size=".2" rgba="1 0 0 1"/></body>
<geom type="plane" size="5 5 .1" rgba="0 0 1 1"/></worldbody></mujoco>"""
needs_mujoco = pytest.mark.skipif(importlib.util.find_spec("mujoco") is None, reason="MuJoCo is not installed")


@pytest.fixture
def viewer(qtbot):
    apply_theme(QApplication.instance(), "dark")
    viewer = Viewer()
    qtbot.addWidget(viewer)
    viewer.resize(600, 300)
    viewer.show()
    qtbot.waitExposed(viewer)
    viewer.set_in_front(True)
    yield viewer
    viewer.stop()
    assert [thread for thread in threading.enumerate() if thread.name == "dnne-viewer"] == []


def frame(state):
    return ViewerFrame(1.0, "1", state)


def cartpoles(*positions):
    count = len(positions)
    values = {"cart_position": torch.tensor(positions), "pole_angle": torch.zeros(count),
              "pole_length": torch.ones(count)}  # fmt: skip
    return ViewerState("cartpole", tuple(range(count)), values, {})


def scene_state(x=0.0):
    qpos = torch.tensor([[x, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0]])
    return ViewerState("mujoco", (0,), {"qpos": qpos}, {"model_xml": MODEL})


def columns_of(viewer, colour):
    image = viewer.scene.grab().toImage()
    wanted = QColor(colour).rgb()
    return [x for x in range(image.width()) if any(image.pixel(x, y) == wanted for y in range(image.height()))]


def test_without_a_run_it_says_what_to_do(viewer):
    assert viewer.pages.currentWidget() is viewer.words
    assert "Press Train" in viewer.words.text()
    viewer.take([RunStarted(0.0, "a", "train", 0, "cpu", "static", "")])
    assert "Waiting" in viewer.words.text()


def test_a_cart_is_painted_where_it_stands(viewer):
    viewer.take([frame(cartpoles(-2.0)), frame(cartpoles(2.0))])
    assert viewer.pages.currentWidget() is viewer.scene
    right = columns_of(viewer, plot_colours("dark")[0])
    assert min(right) > viewer.scene.width() / 2
    viewer.take([frame(cartpoles(-2.0))])
    assert max(columns_of(viewer, plot_colours("dark")[0])) < viewer.scene.width() / 2


def test_several_environments_share_the_area(viewer):
    viewer.take([frame(cartpoles(0.0, 0.0, 0.0, 0.0, 0.0))])
    cells = viewer.scene.cells()
    assert len(cells) == 5
    assert all(cell.width() == cells[0].width() and cell.height() == cells[0].height() for cell in cells)
    assert not any(one.intersects(other) for i, one in enumerate(cells) for other in cells[:i])
    assert max(cell.right() for cell in cells) == pytest.approx(viewer.scene.width())


def test_nothing_is_painted_when_nothing_comes(viewer, qtbot):
    viewer.take([frame(cartpoles(0.0))])
    qtbot.wait(50)
    paints = viewer.scene.paints
    viewer.take([])
    qtbot.wait(50)
    assert viewer.scene.paints == paints


def test_frames_of_an_environment_are_painted(viewer):
    frames = torch.zeros(1, 8, 8, 3, dtype=torch.uint8)
    frames[..., 1] = 255
    viewer.take([frame(ViewerState("pixels", (0,), {"frames": frames}, {}))])
    assert len(columns_of(viewer, "#00ff00")) > 50


def test_it_asks_for_environments_only_while_it_can_be_seen(viewer):
    asked = []
    viewer.watch_requested.connect(lambda ids, hz: asked.append((tuple(ids), hz)))
    viewer.count.setValue(2)
    viewer.first.setValue(5)
    viewer.set_in_front(False)
    viewer.set_in_front(False)
    viewer.set_in_front(True)
    assert asked == [
        ((0, 1), FRAMES_PER_SECOND), ((5, 6), FRAMES_PER_SECOND), ((), 0.0), ((5, 6), FRAMES_PER_SECOND)
    ]  # fmt: skip
    viewer.set_in_front(False)
    viewer.take([frame(cartpoles(0.0))])
    assert viewer.scene.state is None


def test_unknown_kinds_are_told(viewer):
    viewer.take([frame(ViewerState("smoke", (0,), {}, {}))])
    assert "“smoke”" in viewer.words.text()
    assert viewer.pages.currentWidget() is viewer.words


def test_a_scene_that_cannot_be_drawn_says_why_and_the_next_run_tries_again(viewer, qtbot, monkeypatch):
    class NoDriver:
        def draw(self, job):
            raise DnneError("no driver; install libegl1")

        def close(self):
            pass

    monkeypatch.setattr(mujoco_painter, "_Scene", NoDriver)
    viewer.take([frame(scene_state())])
    qtbot.waitUntil(lambda: viewer.pages.currentWidget() is viewer.words)
    assert "the run goes on" in viewer.words.text()
    assert "install libegl1" in viewer.words.text()
    viewer.take([frame(scene_state())])
    assert viewer.pages.currentWidget() is viewer.words
    viewer.take([RunStarted(0.0, "a", "train", 0, "cpu", "static", ""), frame(cartpoles(0.0))])
    assert viewer.pages.currentWidget() is viewer.scene


class Camera:
    """Stands in for the renderer and notes how it was looked at."""

    seen = []

    def draw(self, job):
        self.seen.append(job.camera)
        return [torch.zeros(job.height, job.width, 3, dtype=torch.uint8).numpy()]

    def close(self):
        pass


def test_the_mouse_turns_the_camera_and_the_wheel_zooms(viewer, qtbot, monkeypatch):
    monkeypatch.setattr(mujoco_painter, "_Scene", Camera)
    monkeypatch.setattr(Camera, "seen", [])
    viewer.take([frame(scene_state())])
    qtbot.waitUntil(lambda: len(Camera.seen) == 1)
    assert viewer.follow.isVisible()
    scene = viewer.scene
    qtbot.mousePress(scene, Qt.MouseButton.LeftButton, pos=QPoint(100, 100))
    qtbot.mouseMove(scene, QPoint(100 + scene.width() // 4, 100))
    qtbot.mouseRelease(scene, Qt.MouseButton.LeftButton, pos=QPoint(200, 100))
    qtbot.waitUntil(lambda: Camera.seen[-1].turned == pytest.approx(-90, abs=2))
    place = QPointF(100, 100)
    event = QWheelEvent(
        place, QPointF(scene.mapToGlobal(place.toPoint())), QPoint(), QPoint(0, 120), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(scene, event)
    qtbot.waitUntil(lambda: Camera.seen[-1].distance == pytest.approx(0.9))
    viewer.follow.click()
    qtbot.waitUntil(lambda: not Camera.seen[-1].follow)


@needs_mujoco
@pytest.mark.parametrize("in_parts", [False, True])
def test_a_scene_is_drawn_by_a_thread_of_its_own(viewer, qtbot, tmp_path, in_parts):
    state = scene_state()
    if in_parts:
        (tmp_path / "part.xml").write_text(MODEL.replace("mujoco>", "mujocoinclude>"))
        (tmp_path / "model.xml").write_text('<mujoco><include file="part.xml"/></mujoco>')
        state.description.update(model_xml=(tmp_path / "model.xml").read_text(), model_path=str(tmp_path / "model.xml"))
    viewer.take([frame(state)])
    qtbot.waitUntil(lambda: bool(viewer.scene.painter._pictures) or viewer._has_failed, timeout=20_000)
    if viewer._has_failed:
        assert "cannot draw off screen" in viewer.words.text()
    else:
        picture = viewer.scene.painter._pictures[0].astype(int)
        assert (picture[..., 0] > picture[..., 2] + 60).sum() > 10
