"""The gallery of examples."""

from __future__ import annotations

from pathlib import Path
from typing import Callable, List, Optional

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QDialogButtonBox, QListWidget, QListWidgetItem, QWidget

from runtime.registry import NodeRegistry

from ..files.templates import Template, find_templates
from ..files.thumbnails import thumbnail
from ..panels.widgets import text_label
from .frame import EditorDialog

PICTURE = QSize(290, 140)


class TemplatesDialog(EditorDialog):
    """Pictures of the examples; Enter or a double click starts a workflow from one."""

    def __init__(
        self,
        parent: QWidget,
        chosen: Callable[[Path], None],
        registry: Optional[NodeRegistry] = None,
        folder: Optional[Path] = None,
    ):
        super().__init__(parent, "templatesDialog", "New from template")
        self._chosen = chosen
        self._templates: List[Template] = find_templates(folder)
        self.list = QListWidget(objectName="templatesList")
        self.list.setAccessibleName("Templates")
        self.list.setViewMode(QListWidget.ViewMode.IconMode)
        self.list.setIconSize(PICTURE)
        self.list.setGridSize(PICTURE + QSize(26, 58))
        self.list.setResizeMode(QListWidget.ResizeMode.Adjust)
        self.list.setMovement(QListWidget.Movement.Static)
        self.list.setWordWrap(True)
        for template in self._templates:
            self.list.addItem(self._item(template, registry))
        self.list.itemActivated.connect(self._use)
        self.list.currentItemChanged.connect(self._show_description)
        self.description = text_label("", "dim")
        self.description.setObjectName("templatesDescription")
        self.body.addWidget(self.list, 1)
        self.body.addWidget(self.description)
        self._button = self.buttons.addButton("&Use This", QDialogButtonBox.ButtonRole.ActionRole)
        self._button.setObjectName("templatesUse")
        self._button.setDefault(True)
        self._button.clicked.connect(lambda: self._use(self.list.currentItem()))
        self._button.setEnabled(bool(self._templates))
        self.list.setCurrentRow(0)
        self.fit(720, 520)

    def _item(self, template: Template, registry: Optional[NodeRegistry]) -> QListWidgetItem:
        picture = thumbnail(template.workflow, registry, PICTURE, self.devicePixelRatioF())
        count = len(template.workflow.nodes)
        shown = QIcon(picture)
        shown.addPixmap(picture, QIcon.Mode.Selected)
        item = QListWidgetItem(shown, f"{template.workflow.name}\n{count} nodes")
        item.setToolTip(f"{template.description}\n{template.path}")
        item.setData(Qt.ItemDataRole.AccessibleDescriptionRole, template.description)
        item.setTextAlignment(Qt.AlignmentFlag.AlignHCenter)
        return item

    def _show_description(self, item: Optional[QListWidgetItem]) -> None:
        template = self._templates[self.list.row(item)] if item is not None else None
        self.description.setText(template.description if template is not None else "")

    def _use(self, item: Optional[QListWidgetItem]) -> None:
        if item is not None:
            path = self._templates[self.list.row(item)].path
            self.accept()
            self._chosen(path)
