"""The examples that come with DNNE, as templates for new workflows."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import List, Optional

import resources
from runtime.errors import WorkflowError
from runtime.workflow import Workflow, load_workflow

logger = logging.getLogger(__name__)

ROOT = Path(resources.__file__).resolve().parent
FOLDERS = (ROOT.parent / "examples", ROOT / "examples")  # in the source tree; in an installed wheel


@dataclass(frozen=True)
class Template:
    """An example.

    Attributes:
        path: Its file.
        workflow: What it holds.
    """

    path: Path
    workflow: Workflow

    @property
    def description(self) -> str:
        """What it shows, as far as the file says."""
        return str(self.workflow.extra.get("description", "")) or self._nodes_in_words()

    def _nodes_in_words(self) -> str:
        titles = dict.fromkeys(entry.title or entry.class_type for entry in self.workflow.nodes.values())
        return ", ".join(titles)


def find_templates(folder: Optional[Path] = None) -> List[Template]:
    """The workflows of a folder, by default of the examples, by name. Damaged files are logged and left out."""
    source = folder or next((path for path in FOLDERS if path.is_dir()), FOLDERS[0])
    found = []
    for path in sorted(source.glob("*.json")):
        try:
            found.append(Template(path, load_workflow(path)))
        except WorkflowError as error:
            logger.warning("not shown as a template: %s", error)
    return sorted(found, key=lambda template: template.workflow.name.casefold())
