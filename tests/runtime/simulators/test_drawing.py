"""Pictures of cart-poles, frames and MuJoCo scenes."""

import importlib.util
import math

import pytest
import torch

from runtime.simulators import rendering
from runtime.simulators.cartpole_geometry import cartpole_geometry
from runtime.simulators.interface import SimulatorError, ViewerState

np = pytest.importorskip("numpy")
pytest.importorskip("PIL")

from runtime.simulators.drawing import StateDrawer, draw_cartpole  # noqa: E402

MODEL = """<mujoco><visual><headlight ambient="1 1 1"/></visual><worldbody>
<body pos="0 0 1"><freejoint/><geom size=".2" rgba="1 0 0 1"/></body>
<geom type="plane" size="5 5 .1" rgba="0 0 1 1"/></worldbody></mujoco>"""
needs_mujoco = pytest.mark.skipif(importlib.util.find_spec("mujoco") is None, reason="MuJoCo is not installed")


def cartpole(*positions):
    count = len(positions)
    values = {
        "cart_position": torch.tensor(positions),
        "pole_angle": torch.zeros(count),
        "pole_length": torch.ones(count),
    }
    return ViewerState("cartpole", tuple(range(count)), values, {})


def test_an_upright_pole_stands_above_its_cart():
    parts = cartpole_geometry(0.0, 0.0, 1.0, 840, 400)
    scale = min(840 / 8.4, 400 / 2.9)
    assert parts.joint[0] == parts.tip[0] == 420
    assert parts.joint[1] - parts.tip[1] == pytest.approx(scale)
    assert parts.cart[0] < 420 < parts.cart[2]
    assert parts.limits == pytest.approx((420 - 3 * scale, 420 + 3 * scale))


def test_positive_angles_lean_to_the_right_and_positions_move_there():
    parts = cartpole_geometry(1.0, math.pi / 2, 0.5, 840, 400)
    assert parts.tip[0] - parts.joint[0] == pytest.approx(50)
    assert parts.tip[1] == pytest.approx(parts.joint[1])
    assert parts.joint[0] == pytest.approx(520)


def test_a_cartpole_is_drawn_where_it_stands():
    picture = draw_cartpole(2.0, 0.0, 1.0, 320, 240)
    assert (picture.shape, picture.dtype) == ((240, 320, 3), np.uint8)
    is_cart = (picture == (0, 114, 178)).all(axis=2)
    columns = np.flatnonzero(is_cart.any(axis=0))
    assert columns.mean() == pytest.approx(160 + 2.0 * 320 / 8.4, abs=2)
    assert not (picture == draw_cartpole(-2.0, 0.0, 1.0, 320, 240)).all()


def test_a_row_of_a_state_is_drawn():
    drawer = StateDrawer(160, 120)
    assert (drawer.frame(cartpole(0.0, 1.5), 1) == draw_cartpole(1.5, 0.0, 1.0, 160, 120)).all()


def test_frames_are_scaled_without_being_stretched():
    frames = torch.zeros(1, 10, 20, 3, dtype=torch.uint8)
    frames[..., 0] = 200
    picture = StateDrawer(100, 100).frame(ViewerState("pixels", (0,), {"frames": frames}, {}))
    is_red = (picture == (200, 0, 0)).all(axis=2)
    assert is_red.sum() == 100 * 50
    assert is_red[25:75].all()


def test_unknown_kinds_are_named():
    with pytest.raises(SimulatorError, match="'smoke' cannot be drawn; expected cartpole, mujoco or pixels"):
        StateDrawer(10, 10).frame(ViewerState("smoke", (0,), {}, {}))


@pytest.fixture
def renderer():
    try:
        made = rendering.MujocoRenderer(MODEL, 160, 120)
    except SimulatorError as error:
        pytest.skip(str(error))
    yield made
    made.close()


def red(picture):
    return (picture[..., 0].astype(int) > picture[..., 2].astype(int) + 60).sum()


@needs_mujoco
def test_a_scene_is_drawn_and_its_camera_moves(renderer):
    qpos = [0, 0, 1, 1, 0, 0, 0]
    picture = renderer.frame(qpos)
    assert (picture.shape, picture.dtype) == ((120, 160, 3), np.uint8)
    assert red(picture) > 10
    far = renderer.distance
    renderer.distance = 3 * far
    assert 0 < red(renderer.frame(qpos)) < red(picture) / 3
    assert red(renderer.frame([50, 0, 1, 1, 0, 0, 0])) == 0
    renderer.follow = True
    assert red(renderer.frame([50, 0, 1, 1, 0, 0, 0])) > 10


@needs_mujoco
def test_a_state_of_a_scene_is_drawn_and_released(renderer):
    state = ViewerState("mujoco", (0,), {"qpos": torch.tensor([[0.0, 0, 1, 1, 0, 0, 0]])}, {"model_xml": MODEL})
    drawer = StateDrawer(64, 48)
    assert drawer.frame(state).shape == (48, 64, 3)
    drawer.close()
    drawer.close()


@needs_mujoco
def test_a_model_whose_file_names_others_is_drawn_from_there(renderer, tmp_path):
    included = tmp_path / "inc/body.xml"
    included.parent.mkdir()
    included.write_text("<mujocoinclude><body><geom size='1' rgba='1 0 0 1'/></body></mujocoinclude>")
    model = tmp_path / "model.xml"
    model.write_text("<mujoco><worldbody><include file='inc/body.xml'/></worldbody></mujoco>")
    description = {"model_xml": model.read_text(), "model_path": str(model)}
    state = ViewerState("mujoco", (0,), {"qpos": torch.zeros(1, 0)}, description)
    drawer = StateDrawer(64, 48)
    assert red(drawer.frame(state)) > 10
    drawer.close()
    model.write_text("<mujoco/>")  # as somebody edits it while the run goes on
    with pytest.raises(SimulatorError, match=r"does not load.*inc/body\.xml"):
        StateDrawer(64, 48).frame(state)


@needs_mujoco
def test_misuse_is_named(renderer):
    with pytest.raises(SimulatorError, match="3 joint positions for a model of 7"):
        renderer.frame([1, 2, 3])
    renderer.close()
    with pytest.raises(SimulatorError, match="closed"):
        renderer.frame([0] * 7)


@needs_mujoco
def test_what_cannot_be_drawn_says_why_and_what_to_do(monkeypatch):
    with pytest.raises(SimulatorError, match="does not load"):
        rendering.MujocoRenderer("<mujoco><body></mujoco>", 10, 10)
    with pytest.raises(SimulatorError, match="0×10 pixels"):
        rendering.MujocoRenderer(MODEL, 0, 10)

    def no_driver(name):
        raise ImportError(f"no driver for {name}")

    monkeypatch.setattr(rendering.importlib, "import_module", no_driver)
    with pytest.raises(SimulatorError, match=r"cannot draw off screen .*no driver.*apt-get install libegl1"):
        rendering.MujocoRenderer(MODEL, 10, 10)


def test_a_missing_mujoco_names_the_command(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "mujoco", None)
    with pytest.raises(SimulatorError, match="pip install mujoco"):
        rendering.MujocoRenderer(MODEL, 10, 10)
