"""Imports NVIDIA Isaac Gym before torch, as it insists on. Imports nothing but the standard library itself.

Every program that may simulate calls `import_isaacgym_first` before anything that imports torch: the ``dnne`` command,
the editor, and an exported ``runner.py``.
"""

import atexit
import contextlib
import logging
import sys
from importlib import import_module
from importlib.util import find_spec
from typing import Callable, List

MODULE = "isaacgym"
LAST_PYTHON = (3, 8)
FIRST_NUMPY_WITHOUT_FLOAT = (1, 24)
INSTALL = (
    "download Isaac Gym Preview 4 from NVIDIA, then in a Python 3.8 environment: pip install -e isaacgym/python "
    "(docs/isaacgym.md has the steps)"
)

logger = logging.getLogger(__name__)

_failures: List[str] = []
_clean_ups: List[Callable[[], None]] = []


def import_isaacgym_first() -> None:
    """Import Isaac Gym where it is installed and torch was not imported yet. Why it failed is logged, and kept.

    What it prints while it is imported goes to standard error, so that a command's own output stays clean.
    """
    if MODULE in sys.modules or "torch" in sys.modules or not is_installed():
        return
    _failures.clear()
    try:
        with contextlib.redirect_stdout(sys.stderr):
            import_module(f"{MODULE}.gymapi")
    except (ImportError, AttributeError, OSError, RuntimeError) as error:
        reason = f"Isaac Gym cannot be imported ({type(error).__name__}: {error}){_advice()}"
        _failures.append(reason)
        logger.warning("%s; where a workflow leaves the choice, another simulator is taken", reason)


def is_installed() -> bool:
    """Whether Python finds the package; it may still fail to import."""
    return MODULE in sys.modules or find_spec(MODULE) is not None


def unavailable_reason() -> str:
    """Why Isaac Gym cannot be used in this process, and what to do; empty where it can."""
    if f"{MODULE}.gymapi" in sys.modules:
        return ""
    if not is_installed():
        python = "" if sys.version_info[:2] <= LAST_PYTHON else f" (it needs Python 3.6 to 3.8; this is {_python()})"
        return f"Isaac Gym is not installed{python}: {INSTALL}"
    if _failures:
        return _failures[0]
    return (
        "torch was imported before Isaac Gym, which refuses that; start with the dnne command or an exported "
        "runner.py, or write 'import isaacgym' above the first import of torch in your own program"
    )


def at_end(clean_up: Callable[[], None]) -> None:
    """Have something released when the process ends, or by `release_isaacgym`."""
    if not _clean_ups:
        atexit.register(release_isaacgym)
    _clean_ups.append(clean_up)


def release_isaacgym() -> None:
    """Destroy what is left of the simulation, for a program that ends without running its exit handlers."""
    while _clean_ups:
        _clean_ups.pop()()


def _advice() -> str:
    if sys.version_info[:2] > LAST_PYTHON:
        return f"; it needs Python 3.6 to 3.8, and this is {_python()}"
    numpy = _numpy_version()
    if tuple(int(part) for part in numpy.split(".")[:2]) >= FIRST_NUMPY_WITHOUT_FLOAT:
        return f"; it needs numpy below 1.24, and this is {numpy}: pip install 'numpy<1.24'"
    return "; it needs Linux and an NVIDIA driver: nvidia-smi shows whether there is one"


def _numpy_version() -> str:
    """Of the numpy that is loaded, as Isaac Gym loads it first of all; 0.0 without one."""
    return str(getattr(sys.modules.get("numpy"), "__version__", "0.0"))


def _python() -> str:
    return f"{sys.version_info[0]}.{sys.version_info[1]}"
