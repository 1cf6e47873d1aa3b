"""A module's parameters and gradients as two contiguous vectors."""

from __future__ import annotations

from typing import Dict, List, Tuple

import torch
from torch import Tensor, nn

from ..errors import CheckpointError

ALIGNMENT = 16  # elements; 64 bytes of float32, a cache line


class FlatParameters:
    """Moves a module's trainable parameters into one vector, of which they become views; likewise their gradients.

    One norm, one zero and one optimiser step then serve all parameters. Values are kept, and the module goes on working
    as before: state_dict, load_state_dict and deepcopy see ordinary parameters. Unused elements between two parameters
    let each begin on a cache line; their gradients are zero, and so they stay zero.

    Attributes:
        parameters: The module's trainable parameters by name, in order.
        vector: All values, with `.grad` set to `gradient`. Shape: (total,).
        gradient: All gradients. Shape: (total,).
    """

    def __init__(self, module: nn.Module):
        named = module.named_parameters()
        self.parameters: Dict[str, nn.Parameter] = {name: value for name, value in named if value.requires_grad}
        self._spans: List[Tuple[int, int]] = []
        total = 0
        for parameter in self.parameters.values():
            self._spans.append((total, total + parameter.numel()))
            total += -(-parameter.numel() // ALIGNMENT) * ALIGNMENT
        like = next(iter(self.parameters.values()))
        self.vector = nn.Parameter(torch.zeros(total, dtype=like.dtype, device=like.device))
        self.gradient = torch.zeros_like(self.vector.data)
        self.vector.grad = self.gradient
        views, gradients = self.views(self.vector.data), self.views(self.gradient)
        self._places = list(zip(self.parameters.values(), views.values(), gradients.values()))
        self.attach()

    @torch.no_grad()
    def attach(self) -> bool:
        """Make every parameter and its gradient a view again where something (zero_grad, an assignment) replaced it.

        Returns:
            True if anything had to be replaced.
        """
        changed = False
        for parameter, view, gradient in self._places:
            if parameter.data_ptr() != view.data_ptr():
                view.copy_(parameter)
                parameter.data = view
                changed = True
            if parameter.grad is not gradient:
                parameter.grad = gradient
                changed = True
        return changed

    def views(self, vector: Tensor) -> Dict[str, Tensor]:
        """Pieces of a vector of the same layout by parameter name, in the parameters' shapes."""
        pieces = zip(self.parameters.items(), self._spans)
        return {name: vector[start:end].view(parameter.shape) for (name, parameter), (start, end) in pieces}

    def fill(self, vector: Tensor, saved: Dict[str, Tensor], what: str) -> None:
        """Write saved pieces into a vector of the same layout. ``what`` stands in front of messages.

        Raises:
            CheckpointError: if they are not those of this module's parameters.
        """
        views = self.views(vector)
        if list(saved) != list(views):
            different = sorted(set(saved) ^ set(views))
            raise CheckpointError(f"{what}: is of another model, the parameters {different} differ")
        for name, view in views.items():
            if saved[name].shape != view.shape:
                raise CheckpointError(
                    f"{what} of {name}: expected the shape {tuple(view.shape)}, found {tuple(saved[name].shape)}"
                )
        for name, view in views.items():
            view.copy_(saved[name])
