"""The whole state of a run: nodes, random generators, queues and counters, saved and put back."""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Sequence

from ..checkpointed_node import CheckpointedNode
from ..context import RunContext
from ..errors import CheckpointError
from ..graph import Graph
from ..node import Node
from ..scheduler.engine import Engine
from ..scheduler.machine import HeldSlot, Link, Machine
from .blame import blame
from .values import decode, encode

STATE_VERSION = 1


def capture(engine: Engine, graph: Graph, context: RunContext) -> Dict[str, Any]:
    """Everything that the run needs to go on as if it had never stopped.

    Raises:
        CheckpointError: A value that waits in a queue cannot be saved; names the wire.
    """
    progress = context.progress
    return {
        "version": STATE_VERSION,
        "progress": {"environment_steps": progress.environment_steps, "iterations": progress.iterations},
        "nodes": {node_id: _capture_node(node) for node_id, node in graph.nodes.items()},
        "wires": [_name(link) for link in engine.links],
        "machine": _capture_machine(engine.machine, graph),
        "ready": engine.ready_order,
    }


def _capture_node(node: Node) -> Dict[str, Any]:
    with blame(node):
        return {
            "state": node.state_dict(),
            "random": node.random_state,
            "type": node.type_name,
            "edited": dict(node.edited),
        }


def _capture_machine(machine: Machine, graph: Graph) -> Dict[str, Any]:
    queues = {
        _name(queue.link): [encode(value, _where(queue.link)) for value in queue.items] for queue in machine.queues
    }
    held = {_name(slot.link): _capture_held(slot, graph) for slot in machine.slots if slot.written}
    units = {}
    for unit in machine.units:
        outbox = [[_name(queue.link), encode(value, _where(queue.link))] for queue, value in unit.outbox]
        units[unit.node.id] = {
            "triggers": unit.triggers,
            "firings": unit.firings,
            "releases": unit.releases,
            "due": unit.due,
            "outbox": outbox,
        }
    return {"queues": queues, "held": held, "units": units}


def _capture_held(slot: HeldSlot, graph: Graph) -> Any:
    """The value on a held wire; ``None`` where its owner gives the object again (simulator, model)."""
    owner, port = graph.origin(slot.link.source, slot.link.source_port)
    if port in graph.nodes[owner].held_outputs():
        return {"from_owner": True}
    return {"value": encode(slot.value, _where(slot.link))}


def restore_nodes(state: Dict[str, Any], graph: Graph, context: RunContext) -> None:
    """Put counters, nodes and random generators back. Called after the nodes are set up.

    Raises:
        CheckpointError: The state is of another version, of a workflow with other nodes, or of other sizes.
    """
    _restore_counters(state, graph, context)
    for node_id, node in graph.nodes.items():
        saved = state["nodes"][node_id]
        _restore_node(node, saved["state"], saved["random"], saved["edited"], context)


def restore_shared(state: Dict[str, Any], graph: Graph, context: RunContext, with_random_numbers: bool = False) -> None:
    """Put counters back, and the part of the nodes' states that all processes of the run had in common.

    For a run whose episodes start anew: it goes on with another number of processes, so that random numbers start anew
    as well, or in environments that cannot be saved.

    Raises:
        CheckpointError: As `restore_nodes`.
    """
    _restore_counters(state, graph, context)
    for node_id, node in graph.nodes.items():
        saved = state["nodes"][node_id]
        shared = node.shared_state(saved["state"]) if isinstance(node, CheckpointedNode) else None
        random = saved["random"] if with_random_numbers else None
        _restore_node(node, shared, random, saved["edited"], context)


def _restore_counters(state: Dict[str, Any], graph: Graph, context: RunContext) -> None:
    if state.get("version") != STATE_VERSION:
        raise CheckpointError(f"the resume state has version {state.get('version')!r}; this DNNE reads {STATE_VERSION}")
    saved = {node_id: entry["type"] for node_id, entry in state["nodes"].items()}
    present = {node_id: node.type_name for node_id, node in graph.nodes.items()}
    if saved != present:
        raise CheckpointError(
            f"the resume state is of a workflow with the nodes {_list(saved)}, but this one has {_list(present)}; "
            "resume with the workflow of the run"
        )
    context.progress.environment_steps = state["progress"]["environment_steps"]
    context.progress.iterations = state["progress"]["iterations"]


def _restore_node(
    node: Node, state: Optional[Dict[str, Any]], random: Any, edited: Dict[str, Any], context: RunContext
) -> None:
    try:
        if state is not None:
            node.load_state_dict(decode(state, context.device))
        node.random_state = random
        for name, value in edited.items():
            node.set_parameter(name, value)
            node.edited[name] = value
            context.log(f"{node.label}.{name} is {value!r}, as it was edited during the run", node_id=node.id)
        node.parameters_changed(frozenset(edited))
    except Exception as error:
        raise CheckpointError(
            f"the resume state does not fit node {node.id} ({node.label}): {error}; resume with the run's parameters"
        ) from error


def restore_machine(state: Dict[str, Any], engine: Engine, graph: Graph, context: RunContext) -> None:
    """Put waiting values, held values and firing counters back.

    Raises:
        CheckpointError: The workflow has other wires than the saved one.
    """
    _check_wires(state["wires"], [_name(link) for link in engine.links])
    machine, saved = engine.machine, state["machine"]
    queues = {_name(queue.link): queue for queue in machine.queues}
    slots = {_name(slot.link): slot for slot in machine.slots}
    for name, values in saved["queues"].items():
        queues[name].items.extend(decode(value, context.device) for value in values)
    for name, held in saved["held"].items():
        slot = slots[name]
        slot.value, slot.written = _restore_held(slot.link, held, graph, context), True
    for unit in machine.units:
        entry = saved["units"][unit.node.id]
        unit.triggers, unit.firings, unit.releases = entry["triggers"], entry["firings"], entry["releases"]
        unit.due = entry["due"]
        unit.outbox = [(queues[name], decode(value, context.device)) for name, value in entry["outbox"]]
    machine.restore_ready([machine.by_id[node_id].index for node_id in state["ready"]])


def carry_over(former: Engine, engine: Engine, graph: Graph) -> None:
    """Give an engine over the same nodes what waits in a former one, which has stopped at a safe point.

    Raises:
        CheckpointError: A value that waits in a queue cannot be saved; names the wire.
    """
    state = {
        "wires": [_name(link) for link in former.links],
        "machine": _capture_machine(former.machine, graph),
        "ready": former.ready_order,
    }
    restore_machine(state, engine, graph, engine.context)


def _check_wires(saved: Sequence[str], present: Sequence[str]) -> None:
    lacking, new = sorted(set(saved) - set(present)), sorted(set(present) - set(saved))
    if lacking or new:
        parts = [f"it lacks {', '.join(lacking)}"] if lacking else []
        parts += [f"it has {', '.join(new)} in addition"] if new else []
        raise CheckpointError(
            f"the workflow has other wires than that of the run: {' and '.join(parts)}; resume with that of the run"
        )


def _restore_held(link: Link, held: Dict[str, Any], graph: Graph, context: RunContext) -> Any:
    if "value" in held:
        return decode(held["value"], context.device)
    owner, port = graph.origin(link.source, link.source_port)
    return graph.nodes[owner].held_outputs()[port]


def _name(link: Link) -> str:
    return f"{link.source}.{link.source_port}>{link.target}.{link.target_port}"


def _where(link: Link) -> str:
    return f"on the wire {_name(link)}"


def _list(types: Dict[str, str]) -> str:
    names: List[str] = [f"{node_id} {name}" for node_id, name in types.items()]
    return ", ".join(names)
