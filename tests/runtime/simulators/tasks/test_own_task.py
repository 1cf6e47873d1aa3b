"""A user's own task: the page that builds one is executed, trained and exported."""

import json
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch

from runtime.errors import TaskDefinitionError
from runtime.export.carrying import Carrier
from runtime.export.errors import ExportError
from runtime.registry import load_file
from runtime.simulators.factory import available_tasks, make_simulator, task_spec
from runtime.simulators.interface import SimulatorError
from runtime.simulators.rendering import MujocoRenderer
from runtime.simulators.tasks import catalogue
from runtime.simulators.tasks.ant import Ant
from runtime.simulators.tasks.catalogue import own_task
from runtime.simulators.tasks.physics_task import PhysicsTask
from tests.runtime.export.test_model_files import tetrahedron

ROOT = Path(__file__).resolve().parents[4]


@pytest.fixture(autouse=True)
def nothing_is_left(monkeypatch):
    monkeypatch.setattr(catalogue, "_own", {})


@pytest.fixture
def folder(tmp_path):
    """What the page tells to write."""
    page = (ROOT / "docs" / "own_task.md").read_text(encoding="utf-8")
    (tmp_path / "my_tasks").mkdir()
    for language, name in (("xml", "pendulum.xml"), ("python", "pendulum_task.py")):
        (code,) = re.findall(rf"```{language}\n(.*?)```", page, flags=re.DOTALL)
        (tmp_path / "my_tasks" / name).write_text(code, encoding="utf-8")
    return tmp_path / "my_tasks"


@pytest.fixture
def can_draw():
    """Whether this machine can film what MuJoCo simulates."""
    pytest.importorskip("mujoco")
    if any(find_spec(name) is None for name in ("imageio", "PIL")):
        return False
    try:
        MujocoRenderer("<mujoco><worldbody><geom size='1'/></worldbody></mujoco>", 8, 8).close()
    except SimulatorError:
        return False
    return True


def shows_red(video):
    import imageio.v3
    import numpy

    first = imageio.v3.imread(video)[0].astype(numpy.int16)
    return ((first[..., 0] > 60) & (first[..., 1:].max(-1) < first[..., 0] // 3)).sum() > 5


def workflow(path):
    document = json.loads((ROOT / "examples" / "cartpole_ppo.json").read_text(encoding="utf-8"))
    document["nodes"]["1"]["inputs"].update(simulator="mujoco", task="PendulumUp", num_envs=8)
    document["nodes"]["4"]["class_type"] = "PolicyActionNode"
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def command(*arguments, cwd=ROOT):
    return subprocess.run(
        [sys.executable, *map(str, arguments)], cwd=cwd, capture_output=True, text=True, timeout=240, check=False
    )


def test_the_task_of_the_page_is_listed_and_steps(folder):
    pytest.importorskip("mujoco")
    with pytest.raises(SimulatorError, match="PendulumUp"):
        task_spec("PendulumUp", 4, "mujoco")
    load_file(folder / "pendulum_task.py")
    assert "PendulumUp" in available_tasks("mujoco")
    assert "PendulumUp" not in available_tasks("torch")
    assert "PendulumUp" in available_tasks("auto")
    simulator = make_simulator("mujoco", "PendulumUp", 4, "cpu", torch.Generator().manual_seed(0))
    observations = simulator.reset()
    assert torch.allclose(observations[:, :2].square().sum(1), torch.ones(4))
    for _ in range(20):
        result = simulator.step(torch.ones(4, 1))
    total = result.reward_components["upright"] + result.reward_components["effort"]
    assert torch.equal(total, result.rewards)
    assert torch.allclose(result.reward_components["effort"], torch.full((4,), -0.01))
    load_file(folder / "pendulum_task.py")


def test_it_trains_and_is_carried_by_an_export(folder, tmp_path):
    pytest.importorskip("mujoco")
    file = workflow(tmp_path / "pendulum.json")
    train = ["-m", "app.cli", "train", file, "--nodes-dir", folder, "--iterations", "2", "--log-dir", tmp_path / "runs"]
    finished = command(*train, "--run-name", "here")
    assert finished.returncode == 0, finished.stderr
    exported = command("-m", "app.cli", "export", file, "-o", tmp_path / "out", "--nodes-dir", folder)
    assert exported.returncode == 0, exported.stderr
    for name in ("pendulum.xml", "pendulum_task.py"):
        (folder / name).unlink()
    run = command("runner.py", "--iterations", "2", "--run-name", "there", "--log-dir", "runs", cwd=tmp_path / "out")
    assert run.returncode == 0, run.stderr

    def metrics(path):
        lines = [line.split(",") for line in path.read_text(encoding="utf-8").splitlines()]
        kept = [index for index, name in enumerate(lines[0]) if not name.startswith("time/")]
        return [[line[index] for index in kept] for line in lines]

    here = metrics(tmp_path / "runs" / "here" / "metrics.csv")
    assert here == metrics(tmp_path / "out" / "runs" / "there" / "metrics.csv") and len(here) == 3


def with_parts(folder):
    """Give the pendulum's model an included file and a mesh."""
    (folder / "parts/meshes").mkdir(parents=True)
    (folder / "parts/meshes/tip.stl").write_bytes(tetrahedron())
    mesh = '<mesh name="tip" file="tip.stl" scale="2 2 2"/>'
    (folder / "parts/assets.xml").write_text(f"<mujocoinclude><asset>{mesh}</asset></mujocoinclude>", encoding="utf-8")
    model = (folder / "pendulum.xml").read_text(encoding="utf-8")
    geom = '<geom type="mesh" mesh="tip" pos="0 0 1" contype="0" conaffinity="0" mass="0.01" rgba="1 0 0 1"/>'
    model = model.replace("<worldbody>", '<include file="parts/assets.xml"/>\n  <worldbody>', 1)
    model = model.replace("<include", '<compiler meshdir="parts/meshes"/>\n  <include', 1)
    (folder / "pendulum.xml").write_text(model.replace("    </body>", f"{geom}</body>", 1), encoding="utf-8")


def test_a_model_with_an_included_file_and_a_mesh_trains_is_filmed_and_carried(folder, tmp_path, can_draw):
    with_parts(folder)
    file = workflow(tmp_path / "pendulum.json")
    more = ("--iterations", "2", "--record", "video.gif") if can_draw else ("--iterations", "2")
    train = ["-m", "app.cli", "train", file, "--nodes-dir", folder, "--log-dir", tmp_path / "runs"]
    finished = command(*train, *more[:2], *(("--record", tmp_path / "video.gif") if can_draw else ()))
    assert finished.returncode == 0, finished.stderr
    exported = command("-m", "app.cli", "export", file, "-o", tmp_path / "out", "--nodes-dir", folder)
    assert exported.returncode == 0, exported.stderr
    shutil.rmtree(folder)
    shutil.move(str(tmp_path / "out"), str(tmp_path / "there/out"))
    run = command("out/runner.py", *more, cwd=tmp_path / "there")
    assert run.returncode == 0, run.stderr
    carried = tmp_path / "there/out/framework/nodes/user/parts"
    assert sorted(str(path.relative_to(carried)) for path in carried.rglob("*")) == [
        "assets.xml", "meshes", "meshes/tip.stl"
    ]  # fmt: skip
    if can_draw:
        for video in (tmp_path / "video.gif", tmp_path / "there/video.gif"):
            assert shows_red(video), "the mesh is red, and nothing else is"


def test_a_part_outside_of_the_tasks_folder_cannot_be_carried(folder, tmp_path):
    with_parts(folder)
    (folder / "parts").rename(tmp_path / "parts")
    model = (folder / "pendulum.xml").read_text(encoding="utf-8")
    (folder / "pendulum.xml").write_text(model.replace('="parts/', '="../parts/'), encoding="utf-8")
    module = load_file(folder / "pendulum_task.py")
    with pytest.raises(ExportError, match=r"pendulum_task\.py reads .*assets\.xml: an export can carry only files"):
        Carrier().add_class(module.PendulumUp)


def test_a_link_out_of_the_tasks_folder_cannot_be_carried(folder, tmp_path):
    with_parts(folder)
    (folder / "parts").rename(tmp_path / "elsewhere")
    (folder / "parts").symlink_to(tmp_path / "elsewhere")
    module = load_file(folder / "pendulum_task.py")
    with pytest.raises(ExportError, match=r"pendulum_task\.py reads .*assets\.xml: an export can carry only files"):
        Carrier().add_class(module.PendulumUp)


def test_declarations_that_cannot_work_are_refused():
    with pytest.raises(TaskDefinitionError, match="task Bare lacks evaluate, observe"):
        own_task(type("Bare", (PhysicsTask,), {"name": "Bare"}))
    with pytest.raises(TaskDefinitionError, match="there is a built-in task 'Ant'"):
        own_task(type("MyAnt", (Ant,), {}))
    own_task(type("First", (Ant,), {"name": "Mine", "__module__": "one.node"}))
    with pytest.raises(TaskDefinitionError, match="two tasks are named 'Mine': in .*node and in .*graph"):
        own_task(type("Second", (Ant,), {"name": "Mine", "__module__": "another.graph"}))


def test_a_model_that_lies_elsewhere_cannot_be_carried(folder, tmp_path):
    page = (folder / "pendulum_task.py").read_text(encoding="utf-8")
    (folder / "pendulum.xml").rename(tmp_path / "pendulum.xml")
    (folder / "pendulum_task.py").write_text(
        page.replace('Path(__file__).with_name("pendulum.xml")', 'Path(__file__).parents[1] / "pendulum.xml"'),
        encoding="utf-8",
    )
    module = load_file(folder / "pendulum_task.py")
    with pytest.raises(ExportError, match=r"pendulum_task\.py reads .*pendulum\.xml: an export can carry only files"):
        Carrier().add_class(module.PendulumUp)
