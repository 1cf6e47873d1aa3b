"""`isaacgym.gymtorch`: tensors of torch that share memory with the simulation's."""

import weakref
from typing import Any

import torch

from .structs import Misuse


class TensorHandle:
    """A tensor handed over to the simulation; the simulation keeps its address, and does not keep it alive."""

    def __init__(self, tensor: torch.Tensor):
        self._tensor = weakref.ref(tensor)
        self.dtype = tensor.dtype
        self.shape = tuple(tensor.shape)

    def __repr__(self) -> str:
        return f"{str(self.dtype)[len('torch.') :]}{list(self.shape)}"

    @property
    def tensor(self) -> torch.Tensor:
        """The tensor, or an error where it is gone: the real package would read freed memory."""
        tensor = self._tensor()
        if tensor is None:
            raise Misuse(f"the tensor {self!r} was freed before simulate")
        return tensor


def wrap_tensor(tensor: Any) -> torch.Tensor:
    """The simulation's tensor, in place."""
    return torch.from_numpy(tensor)


def unwrap_tensor(tensor: torch.Tensor) -> TensorHandle:
    """Hand a tensor over."""
    if not isinstance(tensor, torch.Tensor):
        raise Misuse(f"unwrap_tensor takes a torch tensor, got {type(tensor).__name__}")
    if not tensor.is_contiguous():
        raise Misuse(f"unwrap_tensor: the tensor of shape {tuple(tensor.shape)} is not contiguous")
    return TensorHandle(tensor)
