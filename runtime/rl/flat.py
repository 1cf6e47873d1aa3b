"""A module's parameters and gradients as two contiguous vectors."""

from __future__ import annotations

from typing import Dict, List, Tuple

import torch
from torch import Tensor, nn

ALIGNMENT = 16  # elements; 64 bytes of float32, a cache line


class FlatParameters:
    """Moves a module's trainable parameters into one vector, of which they become views; likewise their gradients.

    One norm, one zero and one optimiser step then serve all parameters. Values are kept, and the module goes on working
    as before: state_dict, load_state_dict and deepcopy see ordinary parameters. Between two parameters lie unused elements,
    so that each begins on a cache line; their gradients are zero, and so they stay zero.

    Attributes:
        names: Names of the parameters, in order.
        vector: All values, with `.grad` holding all gradients. Shape: (total,).
    """

    def __init__(self, module: nn.Module):
        named = [(name, parameter) for name, parameter in module.named_parameters() if parameter.requires_grad]
        self.names: List[str] = [name for name, _ in named]
        self.parameters: List[nn.Parameter] = [parameter for _, parameter in named]
        self._spans: List[Tuple[int, int]] = []
        total = 0
        for parameter in self.parameters:
            self._spans.append((total, total + parameter.numel()))
            total += -(-parameter.numel() // ALIGNMENT) * ALIGNMENT
        like = self.parameters[0]
        self.vector = nn.Parameter(torch.zeros(total, dtype=like.dtype, device=like.device))
        self.vector.grad = torch.zeros_like(self.vector)
        self.attach()

    @property
    def gradient(self) -> Tensor:
        """All gradients. Shape: (total,)."""
        return self.vector.grad

    @torch.no_grad()
    def attach(self) -> bool:
        """Make every parameter and its gradient a view again where something (zero_grad, an assignment) replaced it.

        Returns:
            True if anything had to be replaced.
        """
        changed = False
        views, gradients = self.views(self.vector.data), self.views(self.gradient)
        for name, parameter in zip(self.names, self.parameters):
            view, gradient = views[name], gradients[name]
            if parameter.data_ptr() != view.data_ptr():
                view.copy_(parameter)
                parameter.data = view
                changed = True
            if parameter.grad is None or parameter.grad.data_ptr() != gradient.data_ptr():
                parameter.grad = gradient
                changed = True
        return changed

    def views(self, vector: Tensor) -> Dict[str, Tensor]:
        """Pieces of a vector of the same layout by parameter name, in the parameters' shapes."""
        pieces = zip(self.names, self.parameters, self._spans)
        return {name: vector[start:end].view(parameter.shape) for name, parameter, (start, end) in pieces}
