"""The inspector with a real session: what a selection shows."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QApplication, QLineEdit

from app.document import Change, Document, edits
from app.panels.inspector import KEPT_PAGES, Inspector
from app.panels.inspector_pages import NodesPage, RawPage, WorkflowPage
from app.session import EditorSession
from runtime.workflow import NodeEntry
from tests.app.panels.inspecting import AGENT, ENV, TRAINER, add, field, inputs


def test_its_names_are_stable(inspector, select):
    select(TRAINER)
    assert inspector.objectName() == "inspector"
    assert field(inspector, "learning_rate").accessibleName() == "learning_rate"
    assert field(inspector, "learning_rate").accessibleDescription() == "Adam's step size at the start"


def test_a_node_shows_title_type_id_doc_and_every_parameter(inspector, select, session):
    page = select(TRAINER)
    assert page.header.field.text() == "Trainer"
    assert "PPO Trainer · PPOTrainerNode · id 6" in page.header.names.text()
    assert page.header.doc.text().startswith("Proximal policy optimisation")
    assert list(page.rows) and set(page.rows) == set(session.node_class("PPOTrainerNode").parameters)


def test_the_documentation_unfolds(inspector, select, qtbot):
    header = select(TRAINER).header
    assert "arXiv" not in header.doc.text()
    qtbot.mouseClick(header.more, Qt.MouseButton.LeftButton)
    assert "arXiv" in header.doc.text()
    qtbot.mouseClick(header.more, Qt.MouseButton.LeftButton)
    assert "arXiv" not in header.doc.text()


def test_the_selection_is_followed_when_control_returns(inspector, session, qtbot):
    session.select([TRAINER])
    session.select([AGENT])
    qtbot.waitUntil(lambda: isinstance(inspector.page, NodesPage))
    assert list(inspector.page.node_ids) == [AGENT]


def test_no_selection_shows_the_workflow(inspector, session, type_into, qtbot):
    page = inspector.page
    assert isinstance(page, WorkflowPage)
    assert (page.counts.text(), page.problems.text()) == ("6 nodes, 12 wires", "No problems")
    name = inspector.findChild(QLineEdit, "workflowName")
    type_into(name, "Mine", Qt.Key.Key_Return)
    assert session.workflow.name == "Mine"
    session.undo()
    assert (session.workflow.name, name.text()) == ("Cartpole PPO", "Cartpole PPO")
    session.edit("Delete", edits.delete_nodes(session.workflow, ["4"]))
    session.validate_now()
    assert page.counts.text() == "5 nodes, 10 wires"
    assert page.problems.text() == "1 error"


def test_a_missing_type_shows_what_the_file_says(inspector, session, select):
    session.edit("Add", [Change(("nodes", "9"), NodeEntry("9", "GoneNode", {"rate": 0.5, "x": ["1", "sim"]}, "Gone"))])
    session.validate_now()
    page = select("9")
    assert isinstance(page, RawPage)
    assert [field(inspector, name).text() for name in ("rate", "x")] == ["0.5", "← 1.sim"]
    assert field(inspector, "rate").isReadOnly()
    assert "Unknown node type 'GoneNode'" in page.problems.text()


def test_before_the_types_are_there_it_says_so_and_then_shows_the_parameters(qapp, registry, session, show, qtbot):
    waiting = EditorSession()
    waiting.set_document(session.document)
    inspector = show(Inspector(waiting))
    waiting.select([TRAINER])
    inspector.show_selection()
    assert inspector.page.problems.text() == "Node types are loading…"
    waiting.set_registry(registry)
    qtbot.waitUntil(lambda: isinstance(inspector.page, NodesPage))
    assert field(inspector, "learning_rate").text() == "0.001"
    waiting.document.listeners.remove(waiting._on_changes)


def test_another_node_of_the_type_reuses_the_page(inspector, session, select):
    other = add(session, "PPOAgentNode", hidden_sizes=[8])
    page = select(AGENT)
    select(TRAINER)
    assert select(other) is page
    assert field(inspector, "hidden_sizes").text() == "8"
    assert page.header.field.text() == "PPO Agent"


def test_only_some_pages_are_kept(inspector, session, select, registry, qtbot):
    for name in list(registry.types)[: KEPT_PAGES + 4]:
        select(add(session, name))
    assert inspector.stack.count() == KEPT_PAGES
    assert isinstance(inspector.page, NodesPage)


def test_another_document_replaces_what_is_shown(inspector, session, select, qtbot):
    select(TRAINER)
    session.set_document(Document())
    qtbot.waitUntil(lambda: isinstance(inspector.page, WorkflowPage))
    assert inspector.page.counts.text() == "0 nodes, 0 wires"


def test_deleting_the_selected_node_shows_the_workflow(inspector, session, select, qtbot):
    select(TRAINER)
    session.edit("Delete", edits.delete_nodes(session.workflow, [TRAINER]))
    qtbot.waitUntil(lambda: isinstance(inspector.page, WorkflowPage))
    session.undo()
    assert isinstance(select(TRAINER), NodesPage)


def test_several_nodes_are_edited_at_once(inspector, session, select, type_into):
    other = add(session, "PPOAgentNode", hidden_sizes=[8])
    page = select(AGENT, other)
    assert page.header.title.text() == "2 nodes"
    assert field(inspector, "hidden_sizes").text() == ""
    assert field(inspector, "hidden_sizes").placeholderText() == "mixed"
    assert field(inspector, "activation").currentText() == "elu"
    type_into(field(inspector, "hidden_sizes"), "16, 16", Qt.Key.Key_Return)
    assert inputs(session, AGENT)["hidden_sizes"] == inputs(session, other)["hidden_sizes"] == [16, 16]
    assert session.document.undo_label == "Set Hidden sizes of 2 nodes"
    session.undo()
    assert field(inspector, "hidden_sizes").placeholderText() == "mixed"
    assert inputs(session, other)["hidden_sizes"] == [8]


def test_several_nodes_of_different_types_show_what_they_share(inspector, select):
    page = select(AGENT, TRAINER)
    assert set(page.rows) == {
        "checkpoint_enabled", "checkpoint_trigger_type", "checkpoint_trigger_value", "checkpoint_keep_last",
    }  # fmt: skip


def test_a_value_must_suit_all_selected_nodes(inspector, session, select, type_into):
    first, second = add(session, "PrintNode"), add(session, "ConsoleLoggerNode")
    page = select(first, second)
    type_into(field(inspector, "every"), "2000000", Qt.Key.Key_Return)
    assert "out of range" in page.rows["every"].hint.text()
    assert "every" not in inputs(session, first)


def test_nodes_without_a_common_parameter_say_so(inspector, select):
    page = select(ENV, "2")
    assert not page.rows
    assert "These nodes share no parameters." in [label.text() for label in page.findChildren(type(page.header.title))]


def test_tab_goes_down_the_fields_in_order(inspector, select, qtbot):
    select(TRAINER)
    field(inspector, "horizon_length").setFocus()
    visited = []
    for _ in range(8):
        qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Tab)
        visited.append(QApplication.focusWidget().objectName())
    names = [name for name in visited if name.startswith("param_")]
    assert names[:4] == ["param_num_epochs", "param_num_minibatches", "param_gamma", "param_gae_lambda"]


def test_undo_belongs_to_the_document_unless_something_is_being_typed(inspector, session, select, type_into, qtbot):
    undo = QAction("Undo", inspector)
    undo.setShortcut(QKeySequence.StandardKey.Undo)
    undo.triggered.connect(session.undo)
    inspector.addAction(undo)
    select(ENV)
    num_envs = field(inspector, "num_envs")
    type_into(num_envs, "128")
    qtbot.keyClick(num_envs, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert (inputs(session, ENV)["num_envs"], num_envs.text()) == (64, "64")
    type_into(num_envs, "x")
    session.edit("Elsewhere", edits.set_title(ENV, "World"))
    qtbot.keyClick(num_envs, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert num_envs.text() == "64"
    assert session.workflow.nodes[ENV].title == "World"


def test_a_parameter_can_be_brought_into_view(inspector, session, select):
    session.select([TRAINER])
    assert inspector.focus_parameter("checkpoint_keep_last")
    assert field(inspector, "checkpoint_keep_last").hasFocus()
    assert not inspector.focus_parameter("no_such_parameter")


def test_the_help_button_asks_for_the_reference_page(inspector, select, qtbot):
    page = select(TRAINER)
    with qtbot.waitSignal(inspector.help_requested) as blocker:
        qtbot.mouseClick(page.header.help, Qt.MouseButton.LeftButton)
    assert blocker.args == ["PPOTrainerNode"]


def test_nothing_is_cut_off_in_a_narrow_inspector(inspector, session, select, registry):
    inspector.resize(300, 700)
    for name in registry.types:
        page = select(add(session, name))
        for section in getattr(page, "sections", {}).values():
            section.set_open(True)
        QApplication.processEvents()
        assert page.minimumSizeHint().width() <= inspector.stack.currentWidget().viewport().width(), name


def test_selecting_to_and_fro_is_quick(inspector, session, select):
    import time

    select(TRAINER), select(AGENT)
    start = time.process_time()
    for _ in range(5):
        select(TRAINER), select(AGENT)
    assert (time.process_time() - start) / 10 < 0.05
