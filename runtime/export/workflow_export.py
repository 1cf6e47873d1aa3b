"""From a workflow to a folder that runs it with torch alone."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Callable, Dict, List, Optional, Tuple, Union

from .. import __version__
from ..constant_node import ConstantNode
from ..exported import Wire
from ..graph import Graph, is_link, present_output, split_inputs
from ..registry import NodeRegistry
from ..validation import build_graph
from ..workflow import Workflow, format_workflow
from .carrying import Carrier
from .folder import MANIFEST_FILE, RUNNER_FILE, ExportFolder
from .names import instance_names
from .node_module import PACKAGE, node_module_text, package_text
from .readme import commands, readme_text
from .runner_module import runner_text
from .side_files import licence_text, model_texts, preset_texts, requirements_text, sbatch_text

Progress = Callable[[str], None]


@dataclass(frozen=True)
class ExportReport:
    """What an export wrote.

    Attributes:
        folder: The export.
        files: Paths in it.
        kept: Names under which files that were there before, and are not ours, were kept.
        commands: What to type in the folder, by what it does.
    """

    folder: Path
    files: Tuple[str, ...]
    kept: Tuple[str, ...]
    commands: Dict[str, str]

    @property
    def text(self) -> str:
        """For the terminal."""
        lines = [f"wrote {len(self.files)} files to {self.folder}"]
        lines += [f"kept a file that was there before as {name}" for name in self.kept]
        lines += ["", f"  cd {shlex.quote(str(self.folder))}"]
        return "\n".join(lines + [f"  {command:<66} # {name}" for name, command in self.commands.items()])


def export_workflow(
    workflow: Workflow,
    registry: NodeRegistry,
    folder: Union[str, PathLike[str]],
    force: bool = False,
    progress: Optional[Progress] = None,
) -> ExportReport:
    """Write a workflow as a Python folder.

    Args:
        workflow: The document; it is carried as it is given.
        registry: The node types.
        folder: Where to; a new or empty folder, or an earlier export in which nothing was edited.
        force: Write also into a folder that holds something else; nothing that is not of an earlier export is removed.
        progress: Called with each step in words.

    Raises:
        InvalidWorkflow: The workflow cannot run; lists every problem.
        ExportError: A node type cannot be carried, or the folder must not be written over.
        StorageError: The folder cannot be written; it is as it was.
    """
    tell = progress or (lambda step: None)
    tell("checking the workflow")
    graph = build_graph(workflow, registry)
    target = ExportFolder(Path(folder))
    tell("collecting the modules that it needs")
    files = export_files(workflow, graph)
    target.check(files, force)
    tell(f"writing {len(files)} files")
    kept = target.write(files, {"name": workflow.name, "dnne_version": __version__})
    return ExportReport(target.path, tuple(sorted([*files, MANIFEST_FILE])), tuple(kept), commands())


def export_files(workflow: Workflow, graph: Graph) -> Dict[str, bytes]:
    """Every file of an export but its list, by path.

    Raises:
        ExportError: A node type cannot be carried.
    """
    names = instance_names(graph.nodes)
    wires = all_wires(workflow, graph)
    carrier = Carrier()
    texts = {f"{PACKAGE}/__init__.py": package_text()}
    for node_id, node in graph.nodes.items():
        behaviour = carrier.add_node_type(type(node))
        named = [carrier.add_class(carried) for carried in node.carried_classes()]
        into = [wire for wire in wires if wire[2] == node_id]
        constants = {name: graph.nodes[source] for source, _, _, name in into if name in node.parameters}
        texts[f"{PACKAGE}/{names[node_id].module}.py"] = node_module_text(
            node, names[node_id], behaviour, constants, named
        )
    texts[RUNNER_FILE] = runner_text(workflow.name, graph.nodes, names, wires)
    texts["workflow.json"] = format_workflow(workflow)
    texts["requirements.txt"] = requirements_text(graph.nodes, carrier.libraries)
    texts["README.md"] = readme_text(workflow.name, graph.nodes, names, __version__)
    texts["slurm.sbatch"] = sbatch_text(workflow.name)
    texts.update(preset_texts())
    texts.update(model_texts(graph.nodes))
    licence = licence_text()
    if licence is not None:
        texts["framework/LICENSE"] = licence
    files = carrier.finish()
    files.update({name: text.encode("utf-8") for name, text in texts.items()})
    return files


def all_wires(workflow: Workflow, graph: Graph) -> List[Wire]:
    """The wires between ports, and those from constants to parameters, in the order of their targets."""
    wires: List[Wire] = []
    for node_id, node in graph.nodes.items():
        wires += [(*link,) for link in graph.links if link.target == node_id]
        _, values = split_inputs(workflow.nodes[node_id], type(node))
        for name, value in values.items():
            if is_link(value) and _is_constant(value[0], graph):
                output = present_output(type(graph.nodes[value[0]]), value[1])
                wires.append((value[0], output, node_id, name))
    return wires


def _is_constant(node_id: str, graph: Graph) -> bool:
    return isinstance(graph.nodes.get(node_id), ConstantNode)
