"""What an engine does for a simulator of N environments: put robots somewhere, drive them, and measure."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Dict, Sequence

from torch import Tensor

from .tasks.physics_state import PhysicsState
from .tasks.physics_task import BodyProperties


class PhysicsBackend(ABC):
    """N copies of a task's model on one engine.

    Attributes:
        viewer_kind: How a viewer draws it (see `ViewerState`); empty where it cannot be drawn.
    """

    viewer_kind: ClassVar[str] = ""

    @abstractmethod
    def place(self, env_ids: Tensor, physics: PhysicsState) -> None:
        """Put the robots of some environments somewhere, without a step.

        Args:
            env_ids: Shape: (K,) int64.
            physics: Positions and velocities, one row per id; sensors and forces are not used.
        """

    @abstractmethod
    def advance(self, efforts: Tensor) -> PhysicsState:
        """Apply forces and torques for one control step, and measure. The result is never written to again.

        Args:
            efforts: Of the actuated joints. Unit: N or N·m. Shape: (N, A).
        """

    def set_bodies(self, env_ids: Tensor, bodies: Dict[str, BodyProperties]) -> None:  # noqa: B027
        """Change masses of bodies in some environments; an engine that cannot refuses the task parameters before.

        Args:
            env_ids: Shape: (K,) int64.
            bodies: Properties by the body's name, one row per id.
        """

    def restore_bodies(self, env_ids: Tensor, names: Sequence[str]) -> None:  # noqa: B027
        """Give these bodies the masses of the model again, in some environments. Shape of the ids: (K,) int64."""

    def state_dict(self) -> Dict[str, Any]:
        """All that the next step depends on besides positions and velocities, bit by bit. Tensors are copies."""
        return {}

    def load_state_dict(self, state: Dict[str, Any]) -> None:  # noqa: B027
        """Go on from a saved state, after the robots were placed.

        Raises:
            CheckpointError: It belongs to another model.
        """

    def viewer_values(self, env_ids: Tensor) -> Dict[str, Tensor]:
        """What a viewer needs to draw some environments, on the CPU, one row per environment."""
        return {}

    def viewer_description(self) -> Dict[str, str]:
        """What a viewer needs besides, and stays the same."""
        return {}

    def close(self) -> None:  # noqa: B027 - engines without handles have nothing to release
        """Release the engine's resources. May be called twice."""
