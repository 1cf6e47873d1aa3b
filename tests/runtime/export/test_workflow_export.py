"""A workflow as a folder: what is refused, and that the folder's graph is the workflow's."""

import importlib
import sys

import pytest

from runtime.export import ExportError, export_workflow
from runtime.validation import InvalidWorkflow, build_graph
from runtime.workflow import NodeEntry, load_workflow, workflow_to_dict


def test_the_report_says_what_was_written_and_what_to_type(cartpole, registry, tmp_path):
    steps = []
    report = export_workflow(cartpole, registry, tmp_path / "cart pole", progress=steps.append)
    assert report.folder == tmp_path / "cart pole"
    found = {path.relative_to(report.folder).as_posix() for path in report.folder.rglob("*") if path.is_file()}
    assert set(report.files) == found
    assert {"runner.py", "README.md", "slurm.sbatch", "requirements.txt", "workflow.json", "framework/LICENSE"} <= found
    assert f"cd '{tmp_path}/cart pole'" in report.text
    assert "python runner.py --save-checkpoint-dir" in report.text
    assert len(steps) == 3


def test_the_workflow_is_carried_as_it_was(cartpole, registry, tmp_path):
    export_workflow(cartpole, registry, tmp_path / "out")
    assert workflow_to_dict(load_workflow(tmp_path / "out" / "workflow.json")) == workflow_to_dict(cartpole)


def test_an_invalid_workflow_is_refused_with_all_problems_and_nothing_is_written(cartpole, registry, tmp_path):
    cartpole.nodes["6"].inputs["gamma"] = 7
    cartpole.nodes["9"] = NodeEntry("9", "NoSuchNode")
    with pytest.raises(InvalidWorkflow) as caught:
        export_workflow(cartpole, registry, tmp_path / "out")
    assert {problem.node_id for problem in caught.value.problems} == {"6", "9"}
    assert not (tmp_path / "out").exists()


def test_exporting_again_replaces_the_modules_of_removed_nodes(cartpole, registry, tmp_path):
    cartpole.nodes["8"] = NodeEntry("8", "PrintNode", {"value": ["6", "metrics"]})
    export_workflow(cartpole, registry, tmp_path)
    assert (tmp_path / "framework" / "nodes" / "utility" / "print.py").exists()
    del cartpole.nodes["8"]
    export_workflow(cartpole, registry, tmp_path)
    assert not (tmp_path / "framework" / "nodes" / "utility").exists()
    assert not list((tmp_path / "generated_nodes").glob("print*"))


def test_something_else_in_the_folder_asks_for_force(cartpole, registry, tmp_path):
    (tmp_path / "thesis.tex").write_bytes(b"years of work")
    with pytest.raises(ExportError, match="--force"):
        export_workflow(cartpole, registry, tmp_path)
    export_workflow(cartpole, registry, tmp_path, force=True)
    assert (tmp_path / "thesis.tex").read_bytes() == b"years of work"


@pytest.fixture
def imported(tmp_path, monkeypatch):
    """Import an export into this process, and forget it afterwards."""

    def load():
        monkeypatch.syspath_prepend(tmp_path)
        return importlib.import_module("runner")

    yield load
    for name in [name for name in sys.modules if name.split(".")[0] in ("runner", "framework", "generated_nodes")]:
        del sys.modules[name]


def test_the_graph_of_the_folder_is_the_graph_of_the_workflow(cartpole, registry, tmp_path, imported):
    cartpole.nodes["7 x"] = NodeEntry("7 x", "FloatConstantNode", {"value": 5e-4}, 'Rate "x"\n')
    cartpole.nodes["ä-1"] = NodeEntry("ä-1", "PrintNode", {"value": ["6", "metrics"], "prefix": '"""\\'})
    cartpole.nodes["6"].inputs["learning_rate"] = ["7 x", "output"]
    export_workflow(cartpole, registry, tmp_path)
    expected, actual = build_graph(cartpole, registry), imported().build_graph()
    assert list(actual.nodes) == list(expected.nodes)
    assert [tuple(link) for link in actual.links] == [tuple(link) for link in expected.links]
    for node_id, node in expected.nodes.items():
        other = actual.nodes[node_id]
        assert (other.type_name, other.label) == (node.type_name, node.label)
        assert other.parameter_values() == node.parameter_values()
    assert actual.nodes["6"].learning_rate == 5e-4
    assert type(actual.nodes["ä-1"]).__name__ == "PrintNode___1"
