"""Settings of every test: one thread, as a run has by default, so that results can be compared bit for bit."""

import signal

import pytest
import torch


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
