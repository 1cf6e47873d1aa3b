"""What a physics engine measures, and how states of nested named tuples are handled. Environments, N, come first."""

from typing import Any, Callable, List, NamedTuple

from torch import Tensor


class PhysicsState(NamedTuple):
    """Positions, velocities and forces of N environments, float32, on the simulator's device.

    Joints stand in the order of `PhysicsModel.joints`, sensors in that of `PhysicsModel.sensor_bodies`. The root is the
    body that carries all others; in a model with a fixed base it stays where it was put. Lengths are metres from the
    environment's own origin, z points up, angles are radians, forces newtons, torques newton metres.

    Attributes:
        joint_positions: Shape: (N, D).
        joint_velocities: Shape: (N, D).
        root_positions: Shape: (N, 3).
        root_rotations: Unit quaternions x, y, z, w, from the root's frame to the world's. Shape: (N, 4).
        root_linear_velocities: Of the root's origin, in the world's frame. Shape: (N, 3).
        root_angular_velocities: In the world's frame, or in the root's own where the task's model says so (see
            `PhysicsModel.local_angular_velocities`). Shape: (N, 3).
        sensor_wrenches: Force, then torque, that the body that carries a body exerts on it, in the latter's frame, in
            the last substep of the step; zero at the start of an episode. Shape: (N, S, 6).
        joint_forces: Force or torque of motor and limit stop at a joint, likewise. Shape: (N, D).
    """

    joint_positions: Tensor
    joint_velocities: Tensor
    root_positions: Tensor
    root_rotations: Tensor
    root_linear_velocities: Tensor
    root_angular_velocities: Tensor
    sensor_wrenches: Tensor
    joint_forces: Tensor


def map_tensors(function: Callable[..., Tensor], *states: Any) -> Any:
    """Apply a function to corresponding tensors of states of the same type; the result is such a state."""
    first = states[0]
    if isinstance(first, Tensor):
        return function(*states)
    return type(first)(*(map_tensors(function, *parts) for parts in zip(*states)))


def tensors_of(state: Any) -> List[Tensor]:
    """The tensors of a state, in order."""
    if isinstance(state, Tensor):
        return [state]
    return [tensor for part in state for tensor in tensors_of(part)]


def select_rows(state: Any, env_ids: Tensor) -> Any:
    """The state of some environments. Shape of the ids: (K,) int64."""
    return map_tensors(lambda tensor: tensor.index_select(0, env_ids), state)


def replace_rows(state: Any, env_ids: Tensor, rows: Any) -> Any:
    """A copy of a state in which some environments have the states of ``rows``. Shape of the ids: (K,) int64."""
    return map_tensors(lambda old, new: old.index_copy(0, env_ids, new), state, rows)
