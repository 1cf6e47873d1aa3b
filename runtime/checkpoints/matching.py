"""Whether a checkpoint fits the network that it is to be loaded into."""

from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple, Union

import torch

from ..atomic import PathLike
from ..errors import CheckpointError
from .state_codec import named_tensors

Shape = Tuple[int, ...]

LISTED = 6
"""Tensors that an error names."""


def state_shapes(state: Any) -> Dict[str, Shape]:
    """Return the shape of every tensor in a (nested) state by name."""
    return {name: tuple(tensor.shape) for name, tensor in named_tensors(state)}


def check_state_fits(
    expected_shapes: Mapping[str, Union[Sequence[int], torch.Tensor]],
    checkpoint_state: Any,
    node_id: Optional[str] = None,
    path: Optional[PathLike] = None,
) -> None:
    """Check that a checkpoint has exactly the expected tensors.

    Args:
        expected_shapes: Shapes (or tensors, as in ``module.state_dict()``) by name; a nested state's names as
            :func:`state_shapes` gives them.
        checkpoint_state: The (nested) state of the checkpoint.
        node_id: The node, for the message.
        path: The checkpoint's file, for the message.

    Raises:
        CheckpointError: tensors are missing, unexpected or of another shape; names the first, with expected and found.
    """
    expected = {name: _shape(value) for name, value in expected_shapes.items()}
    found = state_shapes(checkpoint_state)
    problems = _problems(expected, found)
    if problems:
        source = "the checkpoint" if path is None else str(path)
        node = "" if node_id is None else f"node {node_id}: "
        more = len(problems) - LISTED
        listed = [*problems[:LISTED], *([f"and {more} more"] if more > 0 else [])]
        raise CheckpointError(
            f"{node}{source} does not fit; it is of another workflow, or of other sizes:\n"
            + "\n".join(f"  {problem}" for problem in listed)
        )


class Fit(NamedTuple):
    """What of a checkpoint fits a network by name and shape.

    Attributes:
        loaded: The tensors that fit, by name.
        left_out: Names of the network's tensors that keep their values, with the reason.
        elements: Number of elements that fit, and of all elements of the network.
    """

    loaded: Dict[str, torch.Tensor]
    left_out: Dict[str, str]
    elements: Tuple[int, int]

    @property
    def left_out_text(self) -> str:
        """Every tensor that keeps its values, and why."""
        return ", ".join(f"{name} ({reason})" for name, reason in self.left_out.items())

    @property
    def text(self) -> str:
        """The share in words."""
        loaded, total = self.elements
        share = f"{loaded:,} of {total:,} weights fitted ({100.0 * loaded / max(1, total):.1f} %)"
        return f"{share}; not {self.left_out_text}" if self.left_out else share


def fitting(own: Mapping[str, torch.Tensor], state: Mapping[str, Any]) -> Fit:
    """The part of a checkpoint that fits a network.

    Args:
        own: The network's tensors by name.
        state: The checkpoint's.
    """
    found = {name: value for name, value in state.items() if isinstance(value, torch.Tensor)}
    loaded = {name: found[name] for name, tensor in own.items() if name in found and found[name].shape == tensor.shape}
    left_out = {
        name: f"{_shape(found[name])} is there, not {_shape(tensor)}" if name in found else "missing"
        for name, tensor in own.items()
        if name not in loaded
    }
    sizes = {name: tensor.numel() for name, tensor in own.items()}
    return Fit(loaded, left_out, (sum(sizes[name] for name in loaded), sum(sizes.values())))


def _shape(value: Union[Sequence[int], torch.Tensor]) -> Shape:
    return tuple(value.shape) if isinstance(value, torch.Tensor) else tuple(value)


def _problems(expected: Mapping[str, Shape], found: Mapping[str, Shape]) -> List[str]:
    missing = [
        f"{name}: expected shape {shape}, found nothing" for name, shape in expected.items() if name not in found
    ]
    other = [
        f"{name}: expected shape {shape}, found {found[name]}"
        for name, shape in expected.items()
        if name in found and found[name] != shape
    ]
    unexpected = [
        f"{name}: expected nothing, found shape {shape}" for name, shape in found.items() if name not in expected
    ]
    return other + missing + unexpected
