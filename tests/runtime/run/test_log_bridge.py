import logging
import threading

import pytest

from runtime.context import RunContext
from runtime.events import EventBus
from runtime.run.log_bridge import forward_logging

LOGGER = logging.getLogger("runtime.somewhere")


@pytest.fixture
def forward():
    def run(work, verbose=False):
        heard = []
        with forward_logging(RunContext(verbose=verbose, emit=EventBus([heard.append]))):
            work()
        return [(event.level, event.message) for event in heard]

    return run


def _log_all():
    for level in (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR):
        LOGGER.log(level, "level %d", level)


def test_records_become_messages_with_their_level(forward):
    assert forward(_log_all) == [("info", "level 20"), ("warning", "level 30"), ("error", "level 40")]
    assert forward(_log_all, verbose=True)[0] == ("debug", "level 10")


def test_other_loggers_and_other_threads_are_left_alone(forward):
    def work():
        logging.getLogger("somebody.else").warning("not ours")
        thread = threading.Thread(target=LOGGER.warning, args=("another run's",))
        thread.start()
        thread.join()

    assert forward(work) == []


def test_the_logger_is_as_it_was_before_also_after_an_error(forward):
    package = logging.getLogger("runtime")
    before = (package.level, package.propagate, list(package.handlers))
    with pytest.raises(ZeroDivisionError):
        forward(lambda: 1 / 0)
    assert (package.level, package.propagate, list(package.handlers)) == before


def test_runs_that_overlap_leave_the_logger_as_it_was_before():
    package = logging.getLogger("runtime")
    before = (package.level, package.propagate, list(package.handlers))
    first, second = (forward_logging(RunContext(verbose=verbose, emit=EventBus([]))) for verbose in (False, True))
    first.__enter__()
    second.__enter__()
    assert package.level == logging.DEBUG
    first.__exit__(None, None, None)
    second.__exit__(None, None, None)
    assert (package.level, package.propagate, list(package.handlers)) == before


def test_a_quiet_run_beside_a_verbose_one_stays_quiet(forward):
    with forward_logging(RunContext(verbose=True, emit=EventBus([]))):
        assert ("debug", "level 10") not in forward(_log_all)
