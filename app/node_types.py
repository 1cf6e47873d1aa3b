"""The node types that the editor offers: built-in ones, those of installed distributions, and the user's own."""

from __future__ import annotations

from runtime.registry import NodeRegistry, discover


def load_node_types() -> NodeRegistry:
    """Load them; takes as long as importing torch.

    Raises:
        NodeDefinitionError: One of our own node types is declared wrongly.
    """
    import nodes

    from .commands.common import user_nodes_folder

    folder = user_nodes_folder()
    return discover([nodes], [folder] if folder.is_dir() else [])
