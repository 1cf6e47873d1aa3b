"""Parameters in the inspector: edits, defaults, problems, links."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtCore import Qt

from app.document import Document, edits
from app.panels.inspector_pages import WorkflowPage
from runtime.validation import WARNING, Problem
from runtime.workflow import workflow_to_dict
from tests.app.panels.inspecting import AGENT, ENV, TRAINER, add, field, inputs


def test_typing_is_one_undo_step_and_undo_updates_the_field(inspector, session, select, type_into):
    select(ENV)
    before = workflow_to_dict(session.workflow)
    type_into(field(inspector, "num_envs"), "4096", Qt.Key.Key_Return)
    assert inputs(session, ENV)["num_envs"] == 4096
    assert session.document.undo_label == "Set Num envs of Env"
    session.undo()
    assert workflow_to_dict(session.workflow) == before
    assert field(inspector, "num_envs").text() == "64"
    assert not session.document.can_undo
    session.redo()
    assert field(inspector, "num_envs").text() == "4096"


def test_enter_ends_the_step(inspector, session, select, type_into):
    select(ENV)
    type_into(field(inspector, "num_envs"), "12", Qt.Key.Key_Return)
    type_into(field(inspector, "num_envs"), "34", Qt.Key.Key_Return)
    session.undo()
    assert inputs(session, ENV)["num_envs"] == 12


def test_scientific_notation_reaches_the_document(inspector, session, select, type_into):
    select(TRAINER)
    type_into(field(inspector, "learning_rate"), "3e-4", Qt.Key.Key_Return)
    assert inputs(session, TRAINER)["learning_rate"] == 0.0003
    assert field(inspector, "learning_rate").text() == "3e-4"


def test_live_typing_waits_and_can_be_committed_before_saving(inspector, session, select, type_into):
    select(TRAINER)
    type_into(field(inspector, "learning_rate"), "0.5")
    assert inputs(session, TRAINER)["learning_rate"] == 0.001
    inspector.commit_pending()
    assert inputs(session, TRAINER)["learning_rate"] == 0.5


def test_another_selection_takes_pending_typing_along(inspector, session, select, type_into):
    select(TRAINER)
    type_into(field(inspector, "learning_rate"), "0.5")
    select(AGENT)
    assert inputs(session, TRAINER)["learning_rate"] == 0.5


def test_pending_typing_does_not_reach_another_document(inspector, session, select, type_into, qtbot):
    select(TRAINER)
    type_into(field(inspector, "learning_rate"), "0.5")
    other = Document.open(session.document.path)
    session.set_document(other)
    qtbot.waitUntil(lambda: isinstance(inspector.page, WorkflowPage))
    assert other.workflow.nodes[TRAINER].inputs["learning_rate"] == 0.001
    assert not other.is_modified


def test_invalid_text_stays_with_its_reason_and_changes_nothing(inspector, session, select, type_into):
    page = select(AGENT)
    before = workflow_to_dict(session.workflow)
    type_into(field(inspector, "hidden_sizes"), "x", Qt.Key.Key_Return)
    row = page.rows["hidden_sizes"]
    assert field(inspector, "hidden_sizes").text() == "x"
    assert (row.hint.isVisible(), row.hint.property("role")) == (True, "error")
    assert "'x' is not a whole number" in row.hint.text()
    assert workflow_to_dict(session.workflow) == before
    session.edit("Elsewhere", edits.set_parameter([AGENT], "activation", "tanh"))
    assert field(inspector, "hidden_sizes").text() == "x"
    type_into(field(inspector, "hidden_sizes"), "16", Qt.Key.Key_Return)
    assert not row.hint.isVisible()
    assert inputs(session, AGENT)["hidden_sizes"] == [16]


def test_a_choice_and_a_switch_are_edited(inspector, session, select, qtbot):
    select(AGENT)
    combo = field(inspector, "activation")
    combo.setFocus()
    qtbot.keyClick(combo, Qt.Key.Key_Down)
    assert inputs(session, AGENT)["activation"] == combo.currentText() != "elu"
    qtbot.keyClick(field(inspector, "shared_trunk"), Qt.Key.Key_Space)
    assert inputs(session, AGENT)["shared_trunk"] is True
    session.undo()
    assert not field(inspector, "shared_trunk").isChecked()


def test_a_title_is_edited_and_undone(inspector, session, select, type_into):
    page = select(AGENT)
    type_into(page.header.field, "Brain", Qt.Key.Key_Return)
    assert session.workflow.nodes[AGENT].title == "Brain"
    session.undo()
    assert page.header.field.text() == "Agent"


def test_a_dictionary_is_edited_with_names_of_the_task(inspector, session, select, qtbot):
    page = select(ENV)
    editor = page.rows["task_parameters"].editor
    qtbot.mouseClick(editor.add_button, Qt.MouseButton.LeftButton)
    (name,) = inputs(session, ENV)["task_parameters"]
    box = editor.rows[0].name_box
    known = [box.itemText(row) for row in range(box.count())]
    assert name == known[0]
    assert known == list(session.graph.specs[(ENV, "observations")].task.task_parameters)


def test_reward_weights_are_named_after_reward_components(inspector, session, select):
    shaper = add(session, "RewardShaperNode")
    page = select(shaper)
    page.rows["weights"].editor.add_row()
    (name,) = inputs(session, shaper)["weights"]
    assert name in session.graph.specs[(ENV, "observations")].task.reward_components


def test_the_inspector_does_not_answer_itself(inspector, session, select, type_into):
    select(AGENT)
    counted = []
    session.document_changed.connect(counted.append)
    type_into(field(inspector, "initial_log_std"), "5")
    assert len(counted) == 1


def test_a_changed_value_is_marked_and_reset(inspector, session, select, qtbot):
    row = select(TRAINER).rows["learning_rate"]
    assert (row.dot.text(), row.label.property("role"), row.reset.isVisible()) == ("•", "changed", True)
    qtbot.mouseClick(row.reset, Qt.MouseButton.LeftButton)
    assert "learning_rate" not in inputs(session, TRAINER)
    assert (row.dot.text(), row.label.property("role"), row.reset.isVisible()) == ("", "", False)
    assert field(inspector, "learning_rate").text() == "3e-4"
    session.undo()
    assert field(inspector, "learning_rate").text() == "0.001"
    assert row.dot.text() == "•"


def test_a_default_is_not_marked(inspector, select):
    row = select(TRAINER).rows["gamma"]
    assert (row.dot.text(), row.reset.isVisible()) == ("", False)


def test_a_reset_drops_invalid_text(inspector, select, type_into, qtbot):
    row = select(TRAINER).rows["learning_rate"]
    type_into(row.editor.input, "x")
    qtbot.mouseClick(row.reset, Qt.MouseButton.LeftButton)
    assert (row.editor.line.text(), row.hint.isVisible()) == ("3e-4", False)


def test_sections_count_what_is_changed_in_them(inspector, session, select):
    page = select(AGENT)
    assert page.sections["Advanced"].button.text() == "Advanced"
    session.edit("Set", edits.set_parameter([AGENT], "observation_clip", 5.0))
    assert page.sections["Advanced"].button.text() == "Advanced  ·  1 changed"


def test_sections_fold_and_stay_as_they_were_left(inspector, select, qtbot):
    page = select(TRAINER)
    section = page.sections["Checkpoints"]
    assert not field(inspector, "checkpoint_keep_last").isVisible()
    qtbot.mouseClick(section.button, Qt.MouseButton.LeftButton)
    assert field(inspector, "checkpoint_keep_last").isVisible()
    select(AGENT)
    assert field(inspector, "checkpoint_keep_last").isVisible()


def test_live_parameters_have_a_badge(inspector, select):
    rows = select(TRAINER).rows
    assert rows["learning_rate"].live.isVisible()
    assert not rows["horizon_length"].live.isVisible()


def test_tooltips_say_what_is_allowed_and_the_default(inspector, select):
    rows = select(TRAINER).rows
    assert "Steps of each environment per iteration, T" in rows["horizon_length"].toolTip()
    assert "1 to 1000000 steps" in rows["horizon_length"].toolTip()
    assert "Default: 16 steps" in rows["horizon_length"].toolTip()
    assert "Default: 3e-4" in rows["learning_rate"].toolTip()
    assert "Default: auto" in rows["minibatch_size"].toolTip()


def test_a_problem_stands_under_its_field_and_opens_its_section(inspector, session, select):
    page = select(TRAINER)
    session.edit("Set", edits.set_parameter([TRAINER], "num_minibatches", 7))
    session.edit("Set", edits.set_parameter([TRAINER], "checkpoint_trigger_value", "soon"))
    session.validate_now()
    assert "minibatches" in page.rows["num_minibatches"].hint.text()
    assert page.rows["checkpoint_trigger_value"].hint.isVisible()
    assert page.sections["Checkpoints"].button.isChecked()
    session.undo()
    session.undo()
    session.validate_now()
    assert not page.rows["num_minibatches"].hint.isVisible()


def test_a_warning_looks_different_from_an_error(inspector, session, select):
    page = select(TRAINER)
    session.problems = [Problem(TRAINER, "gamma", "it is low", "", WARNING, "Trainer")]
    session.problems_changed.emit(session.problems)
    assert (page.rows["gamma"].hint.text(), page.rows["gamma"].hint.property("role")) == ("It is low.", "warning")


def test_problems_of_ports_stand_in_the_header(inspector, session, select):
    page = select(TRAINER)
    assert not page.header.problems.isVisible()
    session.edit("Unlink", edits.disconnect([(TRAINER, "rewards")]))
    session.validate_now()
    assert page.header.problems.text() == "rewards: The input is not connected; link an output of type Rewards."


def test_a_wrong_value_in_the_file_is_shown_with_its_problem(inspector, session, select):
    session.edit("Set", edits.set_parameter([AGENT], "hidden_sizes", "wide"))
    session.validate_now()
    page = select(AGENT)
    assert field(inspector, "hidden_sizes").text() == "wide"
    assert "'wide' is not a list" in page.rows["hidden_sizes"].hint.text()


def test_a_linked_parameter_names_its_constant(inspector, session, select, qtbot):
    constant = add(session, "FloatConstantNode", value=0.97)
    session.edit("Link", edits.connect((constant, "output"), (TRAINER, "gamma")))
    session.validate_now()
    row = select(TRAINER).rows["gamma"]
    assert not row.editor.isVisible()
    assert row.link.source.accessibleName() == "gamma is linked to Float Constant"
    assert row.link.source.text().startswith("0.97")
    session.edit("Set", edits.set_parameter([constant], "value", 0.5))
    session.validate_now()
    assert row.link.source.text().startswith("0.5")
    with qtbot.waitSignal(session.reveal_requested) as blocker:
        qtbot.mouseClick(row.link.source, Qt.MouseButton.LeftButton)
    assert blocker.args == [constant, ""]


def test_unlinking_keeps_the_value(inspector, session, select, qtbot):
    constant = add(session, "FloatConstantNode", value=0.97)
    session.edit("Link", edits.connect((constant, "output"), (TRAINER, "gamma")))
    session.validate_now()
    row = select(TRAINER).rows["gamma"]
    qtbot.mouseClick(row.link.unlink, Qt.MouseButton.LeftButton)
    assert inputs(session, TRAINER)["gamma"] == 0.97
    assert row.editor.isVisible()
    assert not row.link.isVisible()
    session.undo()
    assert inputs(session, TRAINER)["gamma"] == [constant, "output"]
    assert row.link.isVisible()


EDITS = st.one_of(
    st.tuples(st.just("num_envs"), st.sampled_from(["1", "4096", "x", "0", ""])),
    st.tuples(st.just("task"), st.sampled_from(["Cartpole", "Nope", ""])),
    st.tuples(st.just("undo"), st.just("")),
    st.tuples(st.just("redo"), st.just("")),
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(EDITS, max_size=12))
def test_undo_of_all_gives_the_first_document_and_the_fields_follow(inspector, session, select, type_into, steps):
    select(ENV)
    while session.document.can_undo:
        session.undo()
    first = workflow_to_dict(session.workflow)
    for name, text in steps:
        if name in ("undo", "redo"):
            getattr(session, name)()
        else:
            type_into(field(inspector, name), text, Qt.Key.Key_Return)
    inspector.page.revert()
    assert field(inspector, "num_envs").text() == str(inputs(session, ENV)["num_envs"])
    assert field(inspector, "task").text() == inputs(session, ENV)["task"]
    while session.document.can_undo:
        session.undo()
    assert workflow_to_dict(session.workflow) == first
    assert field(inspector, "num_envs").text() == str(inputs(session, ENV)["num_envs"])
