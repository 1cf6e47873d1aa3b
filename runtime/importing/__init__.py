"""Reads workflows of the earlier DNNE and of ComfyUI's editor, and lists what has no counterpart."""

from .notes import ImportNote, ImportResult
from .workflows import import_workflow

__all__ = ["ImportNote", "ImportResult", "import_workflow"]
