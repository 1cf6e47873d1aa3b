"""Gives the nodes of an earlier workflow their present types, ports and parameters."""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Tuple

from ..suggest import did_you_mean
from ..workflow import NodeEntry
from .mapping import COMMENT_TYPES, CONSTANT_CLASSES, SUPERVISED_TYPES, NodeMapping, Port, Setting
from .notes import shown
from .source import SourceLink, SourceNode, SourceWorkflow

BY_HAND = "wire it by hand"
UNSET = object()


class Translator:
    """Translates all nodes of one file."""

    def __init__(self, source: SourceWorkflow):
        self.source = source
        self.entries: Dict[str, NodeEntry] = {}
        self.handed_over: List[Tuple[SourceNode, Setting, Any]] = []

    def translate(self) -> Dict[str, NodeEntry]:
        """The new nodes by id, in the order of the file; notes go to the source."""
        for node in self.source.nodes.values():
            if node.type in COMMENT_TYPES:
                self._note_comment(node)
                continue
            self.entries[node.id] = self._new_entry(node)
            mapping = node.mapping
            if mapping is None or mapping.kept:
                self._keep(node, mapping)
            else:
                self._translate(node, mapping)
        for handed in self.handed_over:
            self._hand_over(*handed)
        self._settle_constants()
        return self.entries

    def _new_entry(self, node: SourceNode) -> NodeEntry:
        class_type = node.mapping.class_type if node.mapping else node.type
        title = "" if node.title == node.type else node.title
        return NodeEntry(node.id, class_type, title=title, position=node.position or (0.0, 0.0))

    def _note_comment(self, node: SourceNode) -> None:
        texts = [str(value) for value in [*node.values.values(), *node.unnamed]]
        self.source.note(node, "", f"comments have no counterpart; this one said: {' / '.join(texts)}")
        for name, link in node.links.items():
            self.source.note(node, name, f"{link.text} into a comment was left out")

    # Types without a counterpart

    def _keep(self, node: SourceNode, mapping: Optional[NodeMapping]) -> None:
        entry = self.entries[node.id]
        self.source.note(node, "", *_why_kept(node, mapping))
        for name, link in node.links.items():
            self._keep_link(entry, node, name, link)
        for name, value in node.values.items():
            if name not in node.links:
                entry.inputs[name] = value
                self._check_kept_value(node, name, value)
        if node.unnamed:
            entry.extra["widgets_values"] = node.unnamed
            message = f"its widget values have no names and were kept as a list: {shown(node.unnamed)}"
            self.source.note(node, "widgets_values", message)

    def _check_kept_value(self, node: SourceNode, name: str, value: Any) -> None:
        if not _is_wire(value):
            return
        reading = (
            "reads as a wire" if value[0] in self.source.nodes else "comes from no node of the file if it was a wire"
        )
        self.source.note(node, name, f"{shown(value)} was kept as it is, but {reading}", "check it")

    def _keep_link(self, entry: NodeEntry, node: SourceNode, name: str, link: SourceLink) -> None:
        origin, value = self._constant(link)
        if origin is not None and not origin.mapping.class_type and value is not UNSET:  # type: ignore[union-attr]
            entry.inputs[name] = value
            self.source.note(node, name, f"{link.text} gave {shown(value)}, which is written here now")
            return
        target = self._output(node, name, link)
        if target is not None:
            entry.inputs[name] = target
            self._note_changed(node, name, link)

    # Types with a counterpart

    def _translate(self, node: SourceNode, mapping: NodeMapping) -> None:
        for name, link in node.links.items():
            port = mapping.input(name)
            if port is not None:
                self._link(node, port, name, link)
            elif mapping.setting(name) is None:
                self._note_unknown(node, mapping, name, link.text, BY_HAND)
        for name, value in self._settled_values(node, mapping).items():
            setting = mapping.setting(name)
            if setting is not None:
                self._set(node, setting, name, value)
            elif mapping.input(name) is not None:
                remedy = "" if value is None else BY_HAND
                self.source.note(node, name, f"{shown(value)} is no usable link; the port is not connected", remedy)
            else:
                self._note_unknown(node, mapping, name, shown(value), "set it by hand, if it still exists")
        self._sort_inputs(node)

    def _sort_inputs(self, node: SourceNode) -> None:
        """Ports first, then parameters, both in declared order."""
        entry, mapping = self.entries[node.id], node.mapping
        assert mapping is not None
        names = [port.name for port in mapping.inputs] + [setting.parameter for setting in mapping.settings]
        entry.inputs = {name: entry.inputs[name] for name in names if name in entry.inputs}

    def _note_unknown(self, node: SourceNode, mapping: NodeMapping, name: str, what: str, remedy: str) -> None:
        known = [port.name for port in mapping.inputs] + [item.parameter for item in mapping.settings if item.parameter]
        message = f"{what} was left out: {mapping.class_type or node.type} has no input or parameter of this name"
        self.source.note(node, name, message + did_you_mean(name, known), remedy)

    def _link(self, node: SourceNode, port: Port, name: str, link: SourceLink) -> None:
        inputs = self.entries[node.id].inputs
        target = self._output(node, name, link)
        if target is None:
            return
        changed = self._changed(link)
        if changed and not port.takes_any:
            self.source.note(node, name, f"{link.text} was left out: its source gives {changed}", BY_HAND)
        elif port.name in inputs:
            message = f"{link.text} was left out: {port.name} is wired to {shown(inputs[port.name])} already"
            self.source.note(node, name, message, "join both with an ORNode")
        elif node.mapping is not None and node.mapping.distinct_inputs and target in inputs.values():
            message = f"{link.text} was left out: it would bring every value of {shown(target)} a second time"
            self.source.note(node, name, message)
        else:
            inputs[port.name] = target
            self._note_changed(node, name, link)

    def _output(self, node: SourceNode, name: str, link: SourceLink) -> Optional[List[str]]:
        """The present form of a wire; ``None``, and a note, where its source does not exist."""
        feeder = self.source.nodes.get(link.source)
        if feeder is None or feeder.type in COMMENT_TYPES:
            message = f"{link.text} was left out: there is no node {link.source!r} to come from"
            self.source.note(node, name, message, BY_HAND)
            return None
        if feeder.mapping is None:
            return [feeder.id, link.output]
        port = feeder.mapping.output(link.port, link.slot)
        if port is not None:
            return [feeder.id, port.name]
        outputs = ", ".join(dict.fromkeys(output.name for output in feeder.mapping.outputs)) or "none"
        message = f"node {feeder.id} ({feeder.type}) has no output {link.output!r}; its outputs are {outputs}"
        if node.mapping is None or node.mapping.kept:
            self.source.note(node, name, f"{link.text} was kept, but {message}", BY_HAND)
            return [feeder.id, link.output]
        self.source.note(node, name, f"{link.text} was left out: {message}", BY_HAND)
        return None

    def _changed(self, link: SourceLink) -> str:
        """What the output behind reroutes gives now, where that is another type than before."""
        origin, link = self.source.origin(link)
        port = origin.mapping.output(link.port, link.slot) if origin is not None and origin.mapping else None
        return port.changed if port is not None else ""

    def _note_changed(self, node: SourceNode, name: str, link: SourceLink) -> None:
        changed = self._changed(link)
        if changed:
            self.source.note(node, name, f"{link.text} brings {changed}", "check that this is what the node needs")

    # Parameters

    def _settled_values(self, node: SourceNode, mapping: NodeMapping) -> Dict[str, Any]:
        """The node's values, with those that came by wire from a constant."""
        values = dict(node.values)
        for name, link in node.links.items():
            setting = mapping.setting(name)
            if setting is None or mapping.input(name) is not None:
                continue
            origin, constant = self._constant(link)
            if constant is not UNSET and origin is not None:
                values[name] = constant
                message = f"{link.text} from node {origin.id} gave {shown(constant)}; parameters take no wires now, so "
                self.source.note(node, name, message + "the value is written here")
            else:
                own = f", so the widget's own value {shown(values[name])} is used" if name in values else ""
                message = f"{link.text} comes from node {link.source}, but parameters take no wires now{own}"
                self.source.note(node, name, message, f"set {setting.parameter or name} by hand")
        return values

    def _constant(self, link: SourceLink) -> Tuple[Optional[SourceNode], Any]:
        """The constant node behind a wire and its value, where it is one."""
        origin, _ = self.source.origin(link)
        if origin is None or origin.mapping is None or not origin.mapping.constant:
            return None, UNSET
        return origin, origin.values.get("value", UNSET)

    def _set(self, node: SourceNode, setting: Setting, name: str, value: Any) -> None:
        inputs = self.entries[node.id].inputs
        if not setting.parameter:
            plain = value if isinstance(value, str) else shown(value)
            remedy = "" if value in setting.harmless else setting.remedy.format(value=plain)
            self.source.note(node, name, f"{shown(value)} was left out: {setting.message}", remedy)
            return
        try:
            converted = setting.convert(value)
        except ValueError as error:
            message = f"{shown(value)} was left out: {error}"
            self.source.note(node, name, message, f"set {setting.parameter} by hand")
            return
        if setting.belongs_to_user_of:
            self.handed_over.append((node, setting, converted))
        elif setting.parameter in inputs:
            message = f"{shown(value)} was left out: {setting.parameter} is {shown(inputs[setting.parameter])} already"
            self.source.note(node, name, message, "check which one is right")
        else:
            inputs[setting.parameter] = converted
            remark = setting.remark(converted) if setting.remark else ""
            if remark:
                self.source.note(node, name, remark, setting.remedy)

    # What is settled when all nodes are there

    def _hand_over(self, node: SourceNode, setting: Setting, value: Any) -> None:
        """Give a parameter to the nodes that the node's output feeds."""
        name, output = setting.parameter, setting.belongs_to_user_of
        users = [user for user in self.source.nodes.values() if self._uses(user, node, output, name)]
        if not users:
            message = f"{shown(value)} was left out: it belongs to the node that {output} feeds, and there is none"
            self.source.note(node, name, message, "set it there")
        for user in users:
            theirs = self.entries[user.id].inputs.setdefault(name, value)
            self._sort_inputs(user)
            where = f"a parameter of node {user.id} ({user.type})"
            if theirs == value:
                self.source.note(node, name, f"{shown(value)} is {where} now")
            else:
                message = f"{shown(value)} was left out: it is {where} now, which has {shown(theirs)}"
                self.source.note(node, name, message, f"set it there if {shown(value)} is right")

    def _uses(self, user: SourceNode, node: SourceNode, output: str, parameter: str) -> bool:
        mapping = user.mapping
        if mapping is None or mapping.kept or user is node or mapping.setting(parameter) is None:
            return False
        for name, link in user.links.items():
            origin, wire = self.source.origin(link)
            port = node.mapping.output(wire.port, wire.slot) if node.mapping is not None else None
            if origin is node and port is not None and port.name == output and mapping.input(name) is not None:
                return True
        return False

    def _settle_constants(self) -> None:
        """A constant of ComfyUI's has no type of its own: the value tells it; one that feeds no port is not needed."""
        fed = {value[0] for entry in self.entries.values() for value in entry.inputs.values() if _is_wire(value)}
        for node in self.source.nodes.values():
            entry = self.entries.get(node.id)
            if entry is None or entry.class_type:
                continue
            value = entry.inputs.get("value")
            if node.id not in fed:
                del self.entries[node.id]
                message = f"it feeds no port any more and was left out; its value is {shown(value)}"
                self.source.note(node, "value", message)
                continue
            entry.class_type = CONSTANT_CLASSES.get(type(value), node.type)
            if entry.class_type == node.type:
                message = f"there is no constant for {shown(value)}; it was kept as a placeholder"
                self.source.note(node, "value", message, "replace it")


def _is_wire(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and isinstance(value[0], str)


def _why_kept(node: SourceNode, mapping: Optional[NodeMapping]) -> Tuple[str, str]:
    kept = f"{node.type} was kept as a placeholder"
    if mapping is not None:
        return f"{kept}: {mapping.kept}", "delete it when nothing is wired to it any more"
    if node.type in SUPERVISED_TYPES:
        return f"{kept}: supervised learning has no nodes yet", "open the file again with a later DNNE"
    return f"{kept}: this type is unknown here", "replace it, or add its node file with --nodes-dir"
