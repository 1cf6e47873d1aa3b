"""When the window looks into the mailbox of a run."""

import threading

import pytest

from app.running import controller
from app.running.host import Outcome, RunHost
from runtime.events import LiveStatistics, LogMessage, Metrics


class SilentHost(RunHost):
    """A run that says what the test wants."""

    def start(self):
        pass

    def command(self, name, /, **arguments):
        pass

    def close(self):
        pass


@pytest.fixture
def host(run):
    host = SilentHost(run.controller._mailbox)
    run.controller._launch(host)
    yield host
    if run.controller.is_active:
        host.outcome = Outcome(0)
        run.until("finished")


def say(mailbox, *events):
    thread = threading.Thread(target=lambda: [mailbox.put(event) for event in events])
    thread.start()
    thread.join()


def test_an_event_wakes_the_window(run, host, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(controller, "HEARTBEAT_MS", 3_600_000)
        run.controller._deliver()
        say(host.mailbox, Metrics(1.0, 64, 1))
        run.wait(lambda: run.of(Metrics))
    run.controller._deliver()


def test_events_that_come_close_together_are_delivered_together(run, host, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(controller, "FRAME_MS", 3_600_000)
        run.controller._deliver()
        for index in range(50):
            say(host.mailbox, LogMessage(0.0, "info", str(index)))
            run.controller._on_ring()
        assert run.of(LogMessage) == [] and run.controller._timer.isActive()
    run.controller._deliver()
    assert [event.message for event in run.of(LogMessage)] == [str(index) for index in range(50)]


def test_what_does_not_ring_and_the_end_are_seen_in_time(run, host):
    say(host.mailbox, LiveStatistics(1.0, 5))
    run.wait(lambda: run.of(LiveStatistics))
    host.outcome = Outcome(0)
    run.until("finished")
    assert not run.controller._timer.isActive()


def test_a_run_that_was_given_up_does_not_disturb_the_next(run, host):
    mailbox = host.mailbox
    run.controller.stop()
    host.abandon = lambda: None
    run.controller.give_up()
    say(mailbox, LogMessage(0.0, "info", "late"))
    run.qtbot.wait(30)
    assert run.of(LogMessage) == [] and not run.controller._timer.isActive()
