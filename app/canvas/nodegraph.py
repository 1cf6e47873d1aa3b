"""The one place where NodeGraphQt is imported.

Version 0.6.44 imports distutils, which Python 3.10 and 3.11 call deprecated and 3.12 takes from setuptools.
"""

from __future__ import annotations

import os
import warnings

os.environ.setdefault("QT_PREFERRED_BINDING", "PySide6")

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from NodeGraphQt import NodeGraph, NodeObject
    from NodeGraphQt.qgraphics.node_abstract import AbstractNodeItem
    from NodeGraphQt.qgraphics.pipe import PipeItem
    from NodeGraphQt.widgets.viewer import NodeViewer

__all__ = ["AbstractNodeItem", "NodeGraph", "NodeObject", "NodeViewer", "PipeItem"]
