"""The DNNE runtime: everything that a workflow needs to run. Imports only the standard library and torch."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .runner import OnPolicyRunner as OnPolicyRunner

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """`OnPolicyRunner`, imported where it is asked for: importing this package stays light."""
    if name == "OnPolicyRunner":
        return importlib.import_module(".runner", __name__).OnPolicyRunner
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
