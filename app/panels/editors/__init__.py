"""Editors of parameter values, one for each kind of declaration."""

from .base import ValueEditor
from .factory import make_editor

__all__ = ["ValueEditor", "make_editor"]
