"""The graph of an exported runner, whose files a person may have edited."""

import pytest

from runtime.constant_node import ConstantNode
from runtime.errors import NodeDefinitionError, ParameterError, WorkflowError
from runtime.exported import assemble, check_edits
from runtime.node import Node
from runtime.parameters import param
from runtime.ports import FLOAT, TENSOR, In, Out
from runtime.validation import InvalidWorkflow


class ValueNode(ConstantNode):
    """A constant."""

    title = "Value"
    output = Out(FLOAT, "The value")
    value: float = param(1.0, doc="The value")

    def compute(self):
        return {"output": self.value}


class GainNode(Node):
    """Multiplies."""

    title = "Gain"
    replaces = ("OldGain",)
    values = In(TENSOR, "A tensor")
    output = Out(TENSOR, "Times the gain")
    gain: float = param(1.0, low=0.0, high=2.0, doc="The gain")

    def compute(self, values):
        return {"output": values * self.gain}


class SourceNode(Node):
    """Gives a tensor."""

    title = "Source"
    output = Out(TENSOR, "A tensor")

    def compute(self):
        return {}


def edited(**values):
    """A generated class after a person's edits."""
    return type("GainNode_2", (GainNode,), {"type_name": "GainNode", "__module__": __name__, **values})


class TestAssemble:
    links = [("1", "output", "2", "values"), ("2", "output", "3", "values")]

    def nodes(self, **values):
        return [SourceNode("1"), edited(**values)("2", label="First"), GainNode("3")]

    def test_nodes_and_wires(self):
        graph = assemble(self.nodes(gain=0.5), self.links)
        assert {node_id: node.type_name for node_id, node in graph.nodes.items()} == {
            "1": "SourceNode",
            "2": "GainNode",
            "3": "GainNode",
        }
        assert [tuple(link) for link in graph.links] == self.links
        assert (graph.nodes["2"].gain, graph.nodes["2"].label, graph.nodes["3"].gain) == (0.5, "First", 1.0)

    def test_a_constant_sets_a_parameter(self):
        nodes = [*self.nodes(), ValueNode("7", {"value": 1.5})]
        graph = assemble(nodes, [*self.links, ("7", "output", "3", "gain")])
        assert graph.nodes["3"].gain == 1.5
        assert len(graph.links) == 2

    def test_each_call_makes_other_nodes(self):
        nodes = self.nodes()
        assert assemble(nodes, self.links).nodes["3"] is not assemble(nodes, self.links).nodes["3"]

    @pytest.mark.parametrize(
        ("link", "message"),
        [
            (("1", "outptu", "3", "values"), r"node 3 \(Gain\), values: .* no output 'outptu'; did you mean 'output'"),
            (
                ("1", "output", "3", "value"),
                r"node 3 \(Gain\), value: unknown input port 'value'; did you mean 'values'",
            ),
            (("9", "output", "3", "values"), r"node '9', which does not exist"),
            (("1", "output", "9", "values"), r"leads to node '9', which does not exist; there are 1, 2, 3"),
            (("1", "output", "2", "values"), r"node 2 \(First\), values: it has 2 writers"),
            (("1", "output", "2"), r"the link .* is wrong; expected \(node id, its output, node id, its input\)"),
        ],
    )
    def test_wrong_wires_are_named(self, link, message):
        with pytest.raises(WorkflowError, match=message):
            assemble(self.nodes(), [self.links[0], link])

    def test_a_missing_wire_is_named(self):
        with pytest.raises(InvalidWorkflow, match=r"node 3 \(Gain\), values: the input is not connected"):
            assemble(self.nodes(), self.links[:1])

    def test_two_nodes_of_one_id_are_refused(self):
        with pytest.raises(WorkflowError, match="two nodes have the id '1': SourceNode and GainNode"):
            assemble([SourceNode("1"), GainNode("1")], [])


class TestEdits:
    def test_values_and_own_methods_are_welcome(self):
        def compute(self, values):
            return {"output": values}

        check_edits(edited(gain=0.5, compute=compute, helper=staticmethod(len), _private=3, title="Mine"))

    def test_a_misspelt_parameter_is_refused(self):
        with pytest.raises(
            ParameterError, match=r"GainNode_2 has no parameter 'gian'; did you mean 'gain'\?.*test_exported"
        ):
            check_edits(edited(gian=0.5))

    def test_a_colon_in_place_of_an_equals_sign_is_noticed(self):
        with pytest.raises(ParameterError, match=r"GainNode_2.gain has an annotation, but no value; write gain = "):
            check_edits(edited(__annotations__={"gain": 0.5}))

    def test_a_value_out_of_range_is_refused_when_the_class_is_made(self):
        with pytest.raises(NodeDefinitionError, match=r"GainNode_2.gain: 3.0 is out of range; allowed: 0 to 2"):
            edited(gain=3.0)
