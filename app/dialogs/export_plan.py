"""What an export will carry, found before anything is written."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Dict, List, Tuple

from runtime.registry import NodeRegistry
from runtime.validation import build_graph
from runtime.workflow import Workflow


@dataclass(frozen=True)
class ExportPlan:
    """Files of an export with their sizes.

    Attributes:
        files: Bytes by path.
    """

    files: Dict[str, int]

    @property
    def summary(self) -> str:
        """One line."""
        return f"{len(self.files)} files, {_size(sum(self.files.values()))}"

    def parts(self) -> List[Tuple[str, List[Tuple[str, str]]]]:
        """Files with their sizes in words, by the part of the export that they belong to."""
        from runtime.export.node_module import PACKAGE

        names = {PACKAGE: "Nodes with their parameters", "": "Runner, workflow and documentation"}
        found: Dict[str, List[Tuple[str, str]]] = {}
        for name, size in sorted(self.files.items()):
            parents = PurePosixPath(name).parts[:-1]
            top = parents[0] if parents else ""
            title = names.get(top, "Framework: what the nodes run on")
            found.setdefault(title, []).append((name, _size(size)))
        return sorted(found.items(), key=lambda part: len(part[1]))


def plan_export(workflow: Workflow, registry: NodeRegistry) -> ExportPlan:
    """Find out what an export would carry.

    Raises:
        InvalidWorkflow: The workflow cannot run.
        ExportError: A node type cannot be carried.
    """
    from runtime.export.workflow_export import export_files

    files = export_files(workflow, build_graph(workflow, registry))
    return ExportPlan({name: len(content) for name, content in files.items()})


def run_commands(commands: Dict[str, str]) -> List[Tuple[str, str]]:
    """What to type in the exported folder, by what it does: one process, several, a cluster."""
    from runtime.export.readme import SBATCH, TORCHRUN

    titles = {"install": "Install", "train": "Train", "infer": "Run the policy", "resume": "Resume"}
    known = [(titles.get(name, name.capitalize()), command) for name, command in commands.items()]
    return [*known, ("Several processes", TORCHRUN), ("Cluster (Slurm)", SBATCH)]


def _size(count: int) -> str:
    return f"{count} B" if count < 1000 else f"{count / 1000:.0f} kB" if count < 1_000_000 else f"{count / 1e6:.1f} MB"
