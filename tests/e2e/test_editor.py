"""From an empty canvas to a training export, with a real mouse and keyboard in a real window."""

import importlib.util
import json
import os
import subprocess
import sys

import pytest

from tests.e2e.desk import MISSING, Desk

LACKING = [*MISSING, *(["PySide6"] if importlib.util.find_spec("PySide6") is None else [])]
IN_CI = os.environ.get("CI") == "true"
pytestmark = pytest.mark.skipif(bool(LACKING) and not IN_CI, reason=f"not installed: {', '.join(LACKING)}")

NODES = ("IsaacGymEnvNode", "ORNode", "PPOAgentNode", "CartpoleActionNode", "IsaacGymStepNode", "PPOTrainerNode")
PLACES = {"1": (60, 60), "2": (330, 60), "3": (600, 60), "4": (60, 420), "5": (330, 420), "6": (600, 420)}
WIRES = (
    ("1", "observations", "2", "input_a"), ("5", "observations", "2", "input_b"), ("2", "output", "3", "observations"),
    ("3", "policy_output", "4", "policy_output"), ("1", "sim", "5", "sim"), ("4", "actions", "5", "actions"),
    ("6", "trigger", "5", "trigger"), ("2", "output", "6", "states"), ("3", "policy_output", "6", "policy_outputs"),
    ("5", "rewards", "6", "rewards"), ("5", "dones", "6", "dones"), ("3", "model", "6", "model"),
)  # fmt: skip
PARAMETERS = (("6", "learning_rate", "0.002"), ("6", "horizon_length", "8"))
DOCUMENT = "workflow_to_dict(w.session.workflow)"


@pytest.fixture
def desk(tmp_path):
    desk = Desk(tmp_path)
    yield desk
    desk.close()


def build(desk):
    left, top = desk.ask("w.canvas.viewer.viewport().mapToGlobal(QPoint(0, 0)).toTuple()")
    for (node_id, place), class_type in zip(PLACES.items(), NODES):
        desk.drag(desk.ask(f"w.type_at({class_type!r})"), (left + place[0], top + place[1]))
        desk.wait(f"{node_id!r} in w.session.workflow.nodes")
    for source, output, target, port in WIRES:
        start = desk.ask(f"w.canvas.port_position({source!r}, {output!r}, 'out').toTuple()")
        end = desk.ask(f"w.canvas.port_position({target!r}, {port!r}, 'in').toTuple()")
        desk.drag(start, end)
        desk.wait(f"w.session.workflow.nodes[{target!r}].inputs.get({port!r}) == [{source!r}, {output!r}]")


def set_parameters(desk):
    for node_id, name, value in PARAMETERS:
        rect = desk.ask(f"w.canvas.node_rect({node_id!r}).getRect()")
        desk.click((rect[0] + rect[2] // 2, rect[1] + 12))
        desk.wait(f"w.session.selection == [{node_id!r}]")
        desk.click(desk.wait(f"w.widget_at('param_{name}')"))
        desk.press("ctrl+a")
        desk.type(value)
        desk.press("Return")
        desk.wait(f"w.session.workflow.nodes[{node_id!r}].inputs.get({name!r}) == {value}")


def type_path(desk, dialog, path):
    desk.wait(f"w.findChild(QDialog, {dialog!r}) is not None")
    desk.focus()
    desk.wait("isinstance(QApplication.focusWidget(), QLineEdit)")
    desk.press("ctrl+a")
    desk.type(str(path))
    desk.press("Return")
    desk.wait(f"w.findChild(QDialog, {dialog!r}) is None")
    desk.focus()


@pytest.mark.timeout(420)
def test_a_graph_is_built_saved_reopened_exported_and_trained(desk, tmp_path):
    desk.wait("w.session.registry is not None", 120)
    desk.focus()
    empty = desk.ask(DOCUMENT)
    build(desk)
    set_parameters(desk)
    desk.click(desk.ask("w.canvas.viewer.viewport().mapToGlobal(QPoint(15, 15)).toTuple()"))
    desk.wait("w.canvas.isAncestorOf(QApplication.focusWidget())")
    full = desk.ask(DOCUMENT)
    assert desk.wait("w.session.problems == []")

    steps = len(NODES) + len(WIRES) + len(PARAMETERS)
    desk.press(*["ctrl+z"] * steps)
    desk.wait("not w.session.document.can_undo")
    assert desk.ask(DOCUMENT) == empty
    desk.press(*["ctrl+shift+z"] * steps)
    desk.wait("not w.session.document.can_redo")
    assert desk.ask(DOCUMENT) == full

    path, export = tmp_path / "mine.json", tmp_path / "exported"
    desk.press("ctrl+s")
    type_path(desk, "saveDialog", path)
    saved = json.loads(path.read_text())
    assert {**saved, "name": full["name"]} == full
    desk.press("ctrl+n")
    desk.wait("w.session.workflow.nodes == {}")
    desk.press("ctrl+o")
    type_path(desk, "openDialog", path)
    assert desk.ask(DOCUMENT) == saved

    desk.press("ctrl+e")
    desk.wait("(lambda d: d is not None and not d.is_busy)(w.findChild(QDialog, 'exportDialog'))")
    desk.focus()
    desk.click(desk.ask("w.widget_at('exportFolder')"))
    desk.press("ctrl+a")
    desk.type(str(export))
    desk.press("Return")
    desk.wait("w.widget_at('exportOpenFolder')")
    desk.press("Escape")
    desk.focus()
    desk.press("ctrl+q")
    assert desk.editor.wait(60) == 0
    assert desk.said() == []

    run = subprocess.run([sys.executable, "runner.py", "--iterations", "2"], cwd=export, capture_output=True, text=True,
                         timeout=200)  # fmt: skip
    assert run.returncode == 0, run.stderr
