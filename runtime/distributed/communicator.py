"""What a process exchanges with the others of its run; one process alone exchanges nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, List, Optional

if TYPE_CHECKING:
    import torch
    from torch import Tensor


class Communicator:
    """A process alone. Every operation is collective: all processes of a run call it, in the same order.

    Attributes:
        rank: This process among all, from 0.
        world_size: Number of processes.
        local_rank: This process among those on its machine; None where it was not started as one of several.
    """

    rank = 0
    world_size = 1
    local_rank: Optional[int] = None

    @property
    def is_distributed(self) -> bool:
        """True where there are other processes."""
        return self.world_size > 1

    def use(self, device: torch.device) -> None:
        """Exchange tensors on a device from now on."""

    @property
    def is_orphaned(self) -> bool:
        """True where the launcher that started this process has been killed."""
        return False

    def all_reduce_mean(self, tensor: Tensor) -> None:
        """Replace a tensor by its mean over all processes: the same bits everywhere. Shape: any."""

    def all_gather(self, tensor: Tensor) -> Tensor:
        """The tensors of all processes by rank. Shape: S -> (world_size, *S)."""
        return tensor.unsqueeze(0)

    def all_gather_json(self, value: Any) -> List[Any]:
        """A JSON value of every process, by rank."""
        return [value]

    def gather_bytes(self, content: bytes) -> List[bytes]:
        """The bytes of every process by rank, on rank 0; nothing on the others."""
        return [content]

    def broadcast_bytes(self, content: bytes) -> bytes:
        """The bytes of rank 0."""
        return content

    def scatter_bytes(self, contents: List[bytes]) -> bytes:
        """The bytes that rank 0 has for this process; the others pass an empty list."""
        return contents[0]

    def barrier(self) -> None:
        """Wait until all processes are here."""

    def close(self) -> None:
        """Leave the group."""
