"""Versions and licence."""

from __future__ import annotations

import platform
import sys

import PySide6
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from runtime import __version__

from ..panels.widgets import text_label
from .frame import EditorDialog


def versions() -> str:
    """DNNE and what it runs on, one per line."""
    torch = sys.modules.get("torch")
    torch_version = getattr(torch, "__version__", "still loading")
    return "\n".join(
        (
            f"DNNE {__version__}",
            f"Python {platform.python_version()}",
            f"PyTorch {torch_version}",
            f"PySide6 {PySide6.__version__}",
            platform.platform(),
        )
    )


def show_about(parent: QWidget) -> EditorDialog:
    """The About dialog."""
    dialog = EditorDialog(parent, "aboutDialog", "About DNNE")
    dialog.body.addWidget(text_label("DNNE", "title"))
    dialog.body.addWidget(text_label("Drag-and-drop Neural Network Environment: wire a workflow, train it, export it."))
    details = text_label(versions(), "dim")
    details.setObjectName("aboutVersions")
    details.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    dialog.body.addWidget(details)
    dialog.body.addWidget(text_label("MIT licence", "dim"))
    dialog.body.addStretch(1)
    dialog.fit(460, 300)
    dialog.open()
    return dialog
