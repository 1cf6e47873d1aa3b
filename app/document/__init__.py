"""The editor's document: a workflow, its edits and their history. Knows no widget and no Qt."""

from .changes import ABSENT, Change
from .document import Document

__all__ = ["ABSENT", "Change", "Document"]
