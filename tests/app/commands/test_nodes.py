import nodes
from runtime.registry import discover
from tests.commands import USER_NODES

TYPES = discover([nodes]).types


def test_the_list_has_a_line_for_every_type(dnne):
    lines = dnne("nodes").out.splitlines()
    for name, node in TYPES.items():
        (line,) = [line for line in lines if f" {name} " in line]
        assert line.startswith(node.category)
        assert line.rstrip() != line[: line.index(name) + len(name)], "a description follows"


def test_the_reference_of_one_type_has_its_ports_parameters_and_ranges(dnne):
    text = dnne("nodes", "PPOTrainerNode").out
    node = TYPES["PPOTrainerNode"]
    for name in [*node.inputs, *node.outputs, *node.parameters]:
        assert f"`{name}`" in text
    assert node.parameters["gamma"].range_text in text
    assert node.parameters["gamma"].doc in text


def test_an_unknown_type_is_answered_with_the_close_one(dnne):
    outcome = dnne("nodes", "PPOTrainrNode")
    assert outcome.code == 2
    assert outcome.err == "error: unknown node type 'PPOTrainrNode'; did you mean 'PPOTrainerNode'?\n"


def test_the_markdown_reference_covers_every_type_and_is_checked_for_staleness(dnne, folder):
    text = dnne("nodes", "--markdown").out
    assert all(name in text for name in TYPES)
    page = folder / "nodes.md"
    page.write_text(text, encoding="utf-8")
    assert dnne("nodes", "--markdown", "--check", page).code == 0
    page.write_text(text.replace("0.99", "0.98"), encoding="utf-8")
    stale = dnne("nodes", "--markdown", "--check", page)
    assert stale.code == 1
    assert f"error: {page} is stale; write it anew with: dnne nodes --markdown > {page}" in stale.err
    assert dnne("nodes", "--markdown", "--check", "nowhere.md").code == 1
    assert dnne("nodes", "--check", page).code == 2


def test_nodes_of_a_user_are_listed(dnne):
    assert " SlowNode " in dnne("nodes", "--nodes-dir", USER_NODES).out
    assert "setup_seconds" in dnne("nodes", "SlowNode", "--nodes-dir", USER_NODES).out
