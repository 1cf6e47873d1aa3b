import json

from tests.commands import EXAMPLE, USER_NODES, insert_node, small_workflow, write_json


def test_a_good_workflow(dnne):
    outcome = dnne("validate", EXAMPLE)
    assert (outcome.code, outcome.out) == (0, f"{EXAMPLE}: no problems\n")
    assert json.loads(dnne("validate", EXAMPLE, "--json").out) == []


def test_every_problem_is_listed_with_node_port_and_remedy(dnne, folder):
    workflow = small_workflow()
    workflow["nodes"]["3"]["inputs"]["activatoin"] = "elu"
    workflow["nodes"]["6"]["inputs"]["gamma"] = 1.5
    workflow["nodes"]["4"]["class_type"] = "CartpoleActoinNode"
    path = write_json(folder / "w.json", workflow)
    outcome = dnne("validate", path)
    assert outcome.code == 2
    assert (
        "error: node 3 (Agent), activatoin: unknown parameter 'activatoin'; did you mean 'activation'?" in outcome.out
    )
    assert "error: node 6 (Trainer), gamma: 1.5 is out of range; allowed: 0 to 1" in outcome.out
    assert "error: node 4 (Action): unknown node type 'CartpoleActoinNode'" in outcome.out
    problems = json.loads(dnne("validate", path, "--json").out)
    by_node = {(problem["node_id"], problem["port"]): problem for problem in problems}
    assert by_node[("6", "gamma")]["severity"] == "error"
    assert by_node[("6", "gamma")]["label"] == "Trainer"
    assert len(problems) == len(outcome.out.splitlines())


def test_json_stays_json_where_the_file_cannot_be_read(dnne):
    outcome = dnne("validate", "nothing.json", "--json")
    assert (outcome.code, outcome.err) == (2, "")
    (problem,) = json.loads(outcome.out)
    assert problem["message"] == "cannot read nothing.json: No such file or directory"


def test_nodes_of_a_user_are_known(dnne, folder):
    workflow = small_workflow()
    insert_node(workflow, "9", "SlowNode", "5.rewards", "6")
    path = write_json(folder / "w.json", workflow)
    assert dnne("validate", path).code == 2
    assert dnne("validate", path, "--nodes-dir", USER_NODES).code == 0
