"""The node types that the editor offers: built-in ones, those of installed distributions, and the user's own."""

from __future__ import annotations

from pathlib import Path
from typing import Sequence

from runtime.registry import NodeRegistry, discover


def load_node_types(folders: Sequence[Path] = ()) -> NodeRegistry:
    """Load them; takes as long as importing torch.

    Args:
        folders: Folders of node files besides the per-user one.

    Raises:
        NodeDefinitionError: One of our own node types is declared wrongly.
    """
    import nodes

    from .commands.common import user_nodes_folder

    own = user_nodes_folder()
    return discover([nodes], [*folders, *([own] if own.is_dir() else [])])
