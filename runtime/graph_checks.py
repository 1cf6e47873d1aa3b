"""Checks of a graph as a whole: sizes, savers, and whether it can move at all."""

from __future__ import annotations

from typing import Dict, Iterable, List, Mapping, Sequence, Set

from .errors import DeadlockError
from .graph import Graph
from .node import ANY_INPUT, Finding, Node
from .ports import TRIGGER, TRIGGERED, Port
from .problems import WARNING, Problem
from .scheduler.deadlock import Wait
from .scheduler.machine import DEFAULT_QUEUE_SIZE
from .scheduler.static_schedule import NotStatic, derive

AMPLE_QUEUE_SIZE = 1_000_000


def check_graph(graph: Graph, earlier: Sequence[Problem] = ()) -> List[Problem]:
    """Problems of a wired graph: sizes, savers, rings without a way in.

    Args:
        graph: The graph, as far as it could be built.
        earlier: What is wrong already; its consequences further down the wires are not reported again.
    """
    graph.wire()
    problems = [*_check_cycles(graph), *_check_savers(graph), *_check_loaders(graph), *_check_single(graph)]
    findings = {node_id: _findings(graph, node) for node_id, node in graph.nodes.items()}
    causes = {problem.node_id for problem in earlier} | {node_id for node_id, found in findings.items() if found}
    consequences = _below(graph, causes)
    known = {(problem.node_id, problem.port) for problem in earlier}
    for node_id, found in findings.items():
        for port, message, remedy in found if node_id not in consequences else ():
            if (node_id, port) not in known:
                problems.append(Problem(node_id, port, message, remedy))
    if not problems and not earlier:
        problems += [*_check_schedule(graph), *_check_triggers(graph)]
    return problems


def _findings(graph: Graph, node: Node) -> List[Finding]:
    """What a node finds wrong with its sizes; a check that fails (it may be a user's) is a finding, too."""
    error = graph.infer_errors.get(node.id)
    if error is None:
        try:
            return list(node.check(graph.input_specs(node.id)))
        except Exception as caught:  # noqa: BLE001
            error = caught
    return [("", f"its sizes cannot be checked: {type(error).__name__}: {error}", "mend the node type")]


def _below(graph: Graph, causes: Set[str]) -> Set[str]:
    """Nodes that know nothing of an input because a node above them is not in order."""
    below: Set[str] = set()
    grown = True
    while grown:
        grown = False
        for link in graph.links:
            unknown = (link.source, link.source_port) not in graph.specs
            if unknown and link.source in causes | below and link.target not in below:
                below.add(link.target)
                grown = True
    return below


# Rings


def _check_cycles(graph: Graph) -> Iterable[Problem]:
    """A ring of gating inputs can only start where an OR node lets the first value in."""
    for ring in _rings(graph):
        names = " → ".join(f"{node_id} ({graph.nodes[node_id].label})" for node_id in ring + ring[:1])
        message = f"a cycle without an OR node can never start: {names}"
        yield Problem(ring[0], "", message, "let an ORNode take the first value and the one that comes round")


def _rings(graph: Graph) -> List[List[str]]:
    waits: Dict[str, List[str]] = {node_id: [] for node_id in graph.nodes}
    for link in graph.links:
        gates = graph.nodes[link.target].inputs[link.target_port].kind != TRIGGERED
        free = graph.nodes[link.target].fires_on == ANY_INPUT
        starts = graph.nodes[link.source].outputs[link.source_port].initially
        if gates and not free and not starts:
            waits[link.target].append(link.source)
    rings: List[List[str]] = []
    done: Set[str] = set()
    for start in waits:
        ring = _find_ring(start, waits, done)
        if ring:
            rings.append(ring)
    return rings


def _find_ring(start: str, waits: Dict[str, List[str]], done: Set[str]) -> List[str]:
    if start in done:
        return []
    path = [start]
    stack = [iter(waits[start])]
    while stack:
        following = next(stack[-1], None)
        if following is None:
            stack.pop()
            done.add(path.pop())
        elif following in path:
            ring = path[path.index(following) :]
            done.update(path)
            return ring[::-1]
        elif following not in done:
            path.append(following)
            stack.append(iter(waits[following]))
    return []


def _check_single(graph: Graph) -> Iterable[Problem]:
    first: Dict[str, str] = {}
    for node_id, node in graph.nodes.items():
        earlier = first.setdefault(node.type_name, node_id)
        if node.single and earlier != node_id:
            message = f"{_label(graph, earlier)} is a {node.type_name} too"
            yield Problem(node_id, "", message, "a workflow has one: it counts the run's steps or iterations")


# Checkpoints


def _check_savers(graph: Graph) -> Iterable[Problem]:
    savers: Dict[str, str] = {}
    for node_id, node in graph.nodes.items():
        saved = node.saves_state_of(graph.owners_of(node_id))
        if saved is None:
            continue
        yield from _check_state(graph, node_id, saved, "save")
        if saved in savers:
            first, second = _label(graph, savers[saved]), _label(graph, saved)
            who = "that node saves itself" if savers[saved] == saved else f"{first} saves, too"
            message = f"it saves the state of {second}, which {who}"
            yield Problem(node_id, "checkpoint_enabled", message, "switch one of them off: they would write one folder")
        savers[saved] = node_id


def _check_loaders(graph: Graph) -> Iterable[Problem]:
    from .checkpointed_node import (
        CheckpointReader,
    )  # here, since it imports torch, and the editor's window does not wait

    loaders: Dict[str, str] = {}
    for node_id, node in graph.nodes.items():
        owner = graph.owners_of(node_id).get("model") if isinstance(node, CheckpointReader) else None
        if owner is None:
            continue
        yield from _check_state(graph, node_id, owner, "load")
        if owner in loaders:
            message = f"it loads {_label(graph, owner)}, which {_label(graph, loaders[owner])} loads, too"
            yield Problem(node_id, "model", message, "remove one of them")
        loaders[owner] = node_id


def _check_state(graph: Graph, node_id: str, owner: str, verb: str) -> Iterable[Problem]:
    from .checkpointed_node import CheckpointedNode

    if not isinstance(graph.nodes[owner], CheckpointedNode):
        message = f"it cannot {verb} {_label(graph, owner)}: that node has no trained state"
        yield Problem(node_id, "model", message, "link the model of an agent")


def _label(graph: Graph, node_id: str) -> str:
    return f"node {node_id} ({graph.nodes[node_id].label})"


# Firing


def _check_schedule(graph: Graph) -> List[Problem]:
    """Run the firing rules with tokens: what locks or never fires, whatever the values are, shows before the run."""
    nodes = list(graph.nodes.values())
    try:
        schedule = derive(nodes, graph.links, DEFAULT_QUEUE_SIZE)
    except DeadlockError as error:
        return [_deadlock(graph, nodes, error)]
    except NotStatic:
        return []
    ring = _ring_of_waits(schedule.starving)
    if ring:
        names = " → ".join(wait.unit.name for wait in ring[::-1] + ring[-1:])
        message = f"no value ever enters this ring, so that it never starts: {names}"
        return [Problem(ring[0].unit.node.id, ring[0].port, message, "link a first value to one of its OR nodes")]
    return [
        Problem(
            wait.unit.node.id, wait.port, f"the node never fires: {wait.text}, which sends nothing there", "", WARNING
        )
        for wait in schedule.starving
    ]


def _check_triggers(graph: Graph) -> Iterable[Problem]:
    """A node that could wait for another's trigger, but is not linked to it, may come before or after it."""
    senders = [node for node in graph.nodes.values() for port in _unlinked_triggers(node, node.outputs)]
    for node in graph.nodes.values():
        for port in _unlinked_triggers(node, node.inputs):
            for sender in senders:
                message = (
                    f"it does not wait for {_label(graph, sender.id)}: the policy may act on weights that are about to "
                    "change, and which comes first depends on the order of firing"
                )
                yield Problem(node.id, port, message, f"link the trigger of {_label(graph, sender.id)}", WARNING)


def _unlinked_triggers(node: Node, ports: Mapping[str, Port]) -> List[str]:
    return [name for name, port in ports.items() if port.type == TRIGGER and name not in node.connected]


def _deadlock(graph: Graph, nodes: List[Node], error: DeadlockError) -> Problem:
    """A warning where larger queues would do: their size belongs to the run, which refuses one that is too small."""
    try:
        derive(nodes, graph.links, AMPLE_QUEUE_SIZE)
    except (DeadlockError, NotStatic):
        return Problem("", "", str(error), "give the ring a way in, or another order of waiting")
    return Problem("", "", str(error), "run it with a larger queue size", WARNING)


def _ring_of_waits(waits: Sequence[Wait]) -> List[Wait]:
    by_unit = {wait.unit.index: wait for wait in waits}
    for start in waits:
        path: List[Wait] = []
        following = by_unit.get(start.unit.index)
        while following is not None and following not in path:
            path.append(following)
            following = by_unit.get(following.awaited.index)
        if following is not None:
            return path[path.index(following) :]
    return []
