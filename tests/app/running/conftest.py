"""A window with the small workflow, ready to be run."""

import json
import threading

import pytest

from tests.commands import small_workflow

OURS = ("dnne-run", "dnne-live-reports", "dnne-attached", "dnne-run-events", "dnne-run-output")


@pytest.fixture
def workflow(tmp_path):
    return small_workflow()


@pytest.fixture
def path(tmp_path, workflow):
    path = tmp_path / "small.json"
    path.write_text(json.dumps(workflow))
    return path


@pytest.fixture
def window(make_window, path, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    window = make_window(path)
    yield window
    window.controller.finish()
    assert [thread.name for thread in threading.enumerate() if thread.name in OURS] == []


@pytest.fixture
def run(window, qtbot):
    """Starts, waits and collects: ``run.start()``, ``run.until("paused")``, ``run.of(Metrics)``."""
    return RunUnderTest(window, qtbot)


class RunUnderTest:
    def __init__(self, window, qtbot):
        self.window, self.qtbot, self.controller = window, qtbot, window.controller
        self.events, self.states = [], []
        self.controller.events.connect(self.events.extend)
        self.controller.state_changed.connect(self.states.append)

    def put(self, **options):
        for name, value in options.items():
            self.controller.options.put("train", name, str(value))

    def press(self, name):
        self.window.actions_by_name[name].trigger()

    def start(self, state="running", **options):
        self.put(**options)
        self.press("actionTrain")
        return self.until(state)

    def until(self, state, seconds=30):
        self.qtbot.waitUntil(lambda: state in self.states or self.controller.state == "failed", timeout=seconds * 1000)
        assert state in self.states, self.controller.failure
        return self

    def wait(self, condition, seconds=20):
        self.qtbot.waitUntil(lambda: bool(condition()), timeout=seconds * 1000)

    def of(self, kind):
        return [event for event in self.events if isinstance(event, kind)]

    def stop(self):
        self.press("actionStop")
        return self.until("finished")
