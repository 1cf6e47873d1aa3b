"""Short words for what the inspector's tests do again and again."""

from PySide6.QtWidgets import QWidget

from app.document import edits

TRAINER, AGENT, ENV = "6", "3", "1"


def field(inspector, name):
    (found,) = inspector.page.findChildren(QWidget, f"param_{name}")
    return found


def inputs(session, node_id):
    return session.workflow.nodes[node_id].inputs


def add(session, class_name, **values):
    node_id, changes = edits.add_node(session.workflow, session.registry.types[class_name], (0.0, 0.0))
    session.edit("Add", changes)
    for name, value in values.items():
        session.edit("Set", edits.set_parameter([node_id], name, value))
    session.validate_now()
    return node_id
