import os
import signal
import threading

import pytest

from runtime.command.signals import stop_on_signals
from runtime.scheduler.control import RunControl


@pytest.mark.parametrize(
    ("number", "code", "reason"),
    [(signal.SIGINT, 130, "stopped by Ctrl-C"), (signal.SIGTERM, 143, "stopped by SIGTERM")],
)
def test_the_first_signal_asks_for_the_end(capfd, number, code, reason):
    control, before = RunControl(), signal.getsignal(number)
    with stop_on_signals(control) as state:
        assert state.exit_code == 0
        os.kill(os.getpid(), number)
        assert (control.stop_reason, state.exit_code, state.received) == (reason, code, number)
    assert signal.getsignal(number) is before
    assert "finishing the step and saving; again to end at once" in capfd.readouterr().err


def test_handlers_are_put_back_after_an_error():
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(ZeroDivisionError), stop_on_signals(RunControl()):
        raise ZeroDivisionError
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_reader_of_standard_error_that_is_gone_does_not_matter():
    reading, writing = os.pipe()
    os.close(reading)
    kept = os.dup(2)
    control = RunControl()
    try:
        os.dup2(writing, 2)
        with stop_on_signals(control):
            os.kill(os.getpid(), signal.SIGTERM)
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(writing)
    assert control.stop_reason == "stopped by SIGTERM"


def test_another_thread_than_the_main_one_hears_no_signals():
    seen = []

    def run():
        before = signal.getsignal(signal.SIGINT)
        with stop_on_signals(RunControl()) as state:
            seen.append((signal.getsignal(signal.SIGINT) is before, state.exit_code))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert seen == [(True, 0)]
