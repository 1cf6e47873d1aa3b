"""An earlier workflow as it was read, before any name is translated; both file forms lead here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Dict, List, Optional, Tuple

from .mapping import NodeMapping, mapping_of
from .notes import ImportNote


@dataclass(frozen=True)
class SourceLink:
    """A wire, as seen from its target.

    Attributes:
        source: Id of the node that it comes from.
        slot: Number of the output, where the file gives one.
        port: Name of the output, where the file gives one; it counts more than the slot.
        text: The wire as the file writes it, for messages.
    """

    source: str
    slot: Optional[int] = None
    port: str = ""
    text: str = ""

    @property
    def output(self) -> str:
        """Name for the output of a node whose type is unknown."""
        return self.port or f"slot_{self.slot or 0}"


@dataclass
class SourceNode:
    """One node of the file, with the file's own names.

    Attributes:
        values: Widget values by name; in ComfyUI's form an input may have a value and a wire.
        unnamed: Widget values that the file gives without names, for a type that is unknown.
    """

    id: str
    type: str
    title: str = ""
    position: Optional[Tuple[float, float]] = None
    values: Dict[str, Any] = field(default_factory=dict)
    links: Dict[str, SourceLink] = field(default_factory=dict)
    unnamed: List[Any] = field(default_factory=list)

    @property
    def mapping(self) -> Optional[NodeMapping]:
        """How this type is translated; ``None`` if it is unknown."""
        return mapping_of(self.type)


@dataclass
class SourceWorkflow:
    """All nodes by id, the groups, and the notes so far."""

    nodes: Dict[str, SourceNode] = field(default_factory=dict)
    groups: List[Any] = field(default_factory=list)
    notes: List[ImportNote] = field(default_factory=list)

    def note(self, node: Optional[SourceNode], name: str, message: str, remedy: str = "") -> None:
        """Tell the user something about a node, or about the file."""
        node_id, label = (node.id, node.title or node.type) if node else ("", "")
        self.notes.append(ImportNote(node_id, name, message, remedy, label))

    def origin(self, link: SourceLink) -> Tuple[Optional[SourceNode], SourceLink]:
        """The node and wire that a value really comes from, behind reroutes; no node where these only form a ring."""
        passed = set()
        node = self.nodes.get(link.source)
        while node is not None and node.mapping is not None and node.mapping.passes_through:
            if node.id in passed or not node.links:
                return None, link
            passed.add(node.id)
            link = next(iter(node.links.values()))
            node = self.nodes.get(link.source)
        return node, link
