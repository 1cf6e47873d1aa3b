"""Says which node an exception belongs to."""

from __future__ import annotations

import contextlib
from typing import Iterator

from ..errors import NodeFailure
from ..node import Node


@contextlib.contextmanager
def blame(node: Node) -> Iterator[None]:
    """What is raised while a method of a node runs is this node's failure.

    Raises:
        NodeFailure: With the exception as its cause.
    """
    try:
        yield
    except Exception as error:
        raise NodeFailure(node.id, node.label, error) from error


def innermost(error: BaseException) -> BaseException:
    """The failure of the node that raised, where other nodes were in the middle of calling it."""
    while isinstance(error, NodeFailure) and isinstance(error.__cause__, NodeFailure):
        error = error.__cause__
    return error
