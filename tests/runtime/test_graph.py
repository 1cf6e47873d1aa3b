"""A graph finds its nodes, knows where values come from, and infers what is known of them."""

from typing import Any, Dict

import pytest

import nodes
from runtime.errors import WorkflowError
from runtime.graph import Graph, given_twice, graph_to_workflow, is_link, present_output, split_inputs
from runtime.node import Node
from runtime.ports import ANY, INFO, OBSERVATIONS, In, Out
from runtime.registry import discover
from runtime.specs import Spec
from runtime.validation import build_graph
from runtime.workflow import NodeEntry, Workflow, format_workflow, load_workflow, parse_workflow, workflow_from_dict
from tests.runtime.scheduler.fakes import Join, Relay, links
from tests.runtime.test_validation import EXAMPLE, reference


class Gives(Node):
    """Gives observations."""

    title = "Gives"
    replaces = ("Gave",)
    observations = Out(OBSERVATIONS, "Observations", replaces=("obs",))
    info = Out(INFO, "Info")

    def infer(self, inputs: Dict[str, Spec]) -> Dict[str, Spec]:
        return {"observations": Spec((3, 4), "float32")}

    def compute(self) -> Dict[str, Any]:
        return {}


class Passes(Node):
    """Passes a value on."""

    title = "Passes"
    value = In(ANY, "A value", replaces=("old",))
    output = Out(ANY, "The same", same_as="value")

    def infer(self, inputs: Dict[str, Spec]) -> Dict[str, Spec]:
        return {"output": inputs["value"]} if "value" in inputs else {}

    def compute(self, value: Any) -> Dict[str, Any]:
        return {"output": value}


def graph(*wires: str) -> Graph:
    made = [Passes("p"), Passes("q"), Join("j"), Gives("g", label="Giver"), Relay("r")]
    return Graph({node.id: node for node in made}, links(*wires))


# Finding nodes


def test_nodes_are_found_by_id_title_and_type():
    found = graph()
    assert found.find("g").id == "g"
    assert found.find("giver").id == "g"
    assert found.find("GIVES").id == "g"
    assert found.find("relay").id == "r"


def test_an_id_goes_before_a_title():
    found = Graph({"r": Relay("r", label="x"), "x": Relay("x")})
    assert found.find("x").id == "x"


def test_a_reference_that_fits_several_or_none():
    with pytest.raises(WorkflowError, match="the nodes p, q all match 'passes'; give an id; there are p"):
        graph().find("passes")
    with pytest.raises(
        WorkflowError, match=r"there is no node 'gver'; did you mean 'Giver'\?; there are p \(Passes\), q"
    ):
        graph().find("gver")


# Where values come from


def test_the_origin_of_a_value_is_behind_nodes_that_pass_it_through():
    made = graph("g.observations > p.value", "p.output > q.value", "q.output > r.value")
    assert made.origin("q", "output") == ("g", "observations")
    assert made.origin("r", "output") == ("r", "output")
    assert made.owners_of("r") == {"value": "g"}
    assert made.link_into("q", "value").source == "p"
    assert made.link_into("g", "nothing") is None


def test_a_ring_of_reroutes_ends():
    made = graph("p.output > q.value", "q.output > p.value")
    assert made.origin("p", "output")[0] in ("p", "q")
    assert made.output_type("p", "output") == ANY
    made.wire()


def test_the_type_of_an_output_that_passes_through():
    made = graph("g.info > p.value", "p.output > j.input_b", "j.output > q.value")
    assert made.output_type("q", "output") == INFO
    assert graph().output_type("q", "output") == ANY
    assert made.output_type("g", "observations") == OBSERVATIONS


# Specs


def test_specs_travel_whatever_the_order_of_nodes_is():
    made = graph("g.observations > p.value", "p.output > q.value", "q.output > r.value")
    made.wire()
    assert made.nodes["r"].input_specs["value"] == Spec((3, 4), "float32")
    assert made.nodes["q"].connected == {"value", "output"}
    assert made.nodes["j"].connected == frozenset()
    assert made.input_specs("q")["no such port"] == Spec()


def test_an_infer_that_fails_is_kept_for_the_report():
    made = graph("g.observations > p.value")
    made.nodes["p"].infer = lambda inputs: 1 / 0
    made.wire()
    assert isinstance(made.infer_errors["p"], ZeroDivisionError)
    assert made.specs[("g", "observations")].shape == (3, 4)


def test_specs_that_would_grow_for_ever_come_to_an_end():
    class Grows(Passes):
        title = "Grows"

        def infer(self, inputs):
            shape = inputs["value"].shape or (1,)
            return {"output": Spec((*shape, 1))}

    made = Graph({"a": Grows("a"), "b": Grows("b")}, links("a.output > b.value", "b.output > a.value"))
    made.wire()
    assert made.specs[("a", "output")].shape is not None


# Documents


def test_earlier_names_in_entries():
    entry = NodeEntry("1", "Passes", {"old": ["2", "x"], "gain": 3})
    assert split_inputs(entry, Passes) == ({"value": ["2", "x"]}, {"gain": 3})
    assert present_output(Gives, "obs") == "observations"
    assert present_output(Gives, "nothing") == "nothing"
    assert given_twice(entry, Passes) == []
    for names in (("old", "value"), ("value", "old")):
        twice = NodeEntry("1", "Passes", {name: ["2", "x"] for name in names})
        assert given_twice(twice, Passes) == [("old", "value")]


@pytest.mark.parametrize(
    ("value", "expected"),
    [(["1", "a"], True), (["1"], False), (["1", 0], False), (("1", "a"), False), ("1a", False), ([["1", "a"]], False)],
)
def test_what_is_a_link(value, expected):
    assert is_link(value) is expected


def test_the_resolved_workflow_says_every_parameter_and_opens_as_the_same_graph():
    registry = discover([nodes])
    document = reference(
        n6={"num_epochs": None, "epochs": 3, "gamma": ["7", "output"]}, n7={"class_type": "FloatConstant", "value": 0.5}
    )
    document["nodes"]["3"]["colour"] = "red"
    workflow = workflow_from_dict(document)
    made = build_graph(workflow, registry)
    resolved = graph_to_workflow(made, workflow)
    inputs = resolved.nodes["6"].inputs
    assert (inputs["num_epochs"], inputs["gamma"], inputs["gae_lambda"]) == (3, 0.5, 0.95)
    assert inputs["states"] == ["2", "output"] and "epochs" not in inputs
    assert resolved.nodes["3"].extra == {"colour": "red"}
    assert resolved.nodes["3"].position == tuple(document["nodes"]["3"]["position"])
    again = build_graph(parse_workflow(format_workflow(resolved)), registry)
    assert [node.parameter_values() for node in again.nodes.values()] == [
        node.parameter_values() for node in made.nodes.values()
    ]
    assert set(again.links) == set(made.links)


def test_the_resolved_workflow_leaves_the_original_alone(tmp_path):
    workflow = workflow_from_dict(EXAMPLE)
    before = format_workflow(workflow)
    graph_to_workflow(build_graph(workflow, discover([nodes])), workflow)
    assert format_workflow(workflow) == before
    assert isinstance(workflow, Workflow) and load_workflow is not None
