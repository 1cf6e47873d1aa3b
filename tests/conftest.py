"""Settings of every test: one thread, as a run has by default, so that results can be compared bit for bit."""

import os
import signal
import sys

import pytest
import torch
from hypothesis import HealthCheck, settings

# Times are the benchmarks' matter; on a busy machine any example may take long.
settings.register_profile("dnne", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("dnne")


def pytest_configure() -> None:
    """Let Ctrl+C end what the tests start, also where a shell runs the suite in its background."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


if sys.version_info < (3, 9):

    def pytest_sessionfinish(session, exitstatus):
        session.config.exit_code = int(exitstatus)

    @pytest.hookimpl(trylast=True)
    def pytest_unconfigure(config):
        """Leave at once where Qt was used: PySide6 6.6 crashes when the interpreter of Python 3.8 ends."""
        if "PySide6" in sys.modules and hasattr(config, "exit_code"):
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(config.exit_code)
