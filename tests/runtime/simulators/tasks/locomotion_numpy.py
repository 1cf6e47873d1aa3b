"""The walking tasks once more, in numpy float64, one environment at a time, from the published rules alone."""

import math

import numpy as np

DT = 0.0166
EFFORTS = np.array([67.5] * 3 + [45, 45, 135, 90, 22.5, 22.5] * 2 + [67.5, 67.5, 45] * 2)


def rotation(quaternion):
    x, y, z, w = quaternion
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )


def distance(position):
    return math.hypot(1000.0 - position[0], position[1])


def observe(physics, actions, limits, scales, wraps):
    """One environment's observation; ``scales``: angular velocity, joint velocity, joint force or None, wrench.

    ``physics["angular"]`` is in the robot's frame, as the tasks ask for it.
    """
    turned = rotation(physics["rotation"])
    position = physics["position"]
    yaw, roll = math.atan2(turned[1, 0], turned[0, 0]), math.atan2(turned[2, 1], turned[2, 2])
    angle = math.atan2(-position[1], 1000.0 - position[0]) - yaw
    if wraps:
        angle = math.atan2(math.sin(angle), math.cos(angle))
    heading = (turned[0, 0] * (1000.0 - position[0]) - turned[1, 0] * position[1]) / distance(position)
    lower, upper = np.array(limits).T
    parts = [[position[2]], turned.T @ physics["linear"], scales[0] * physics["angular"]]
    parts += [[yaw, roll, angle, turned[2, 2], heading]]
    parts += [(2 * physics["joints"] - upper - lower) / (upper - lower), scales[1] * physics["speeds"]]
    if scales[2] is not None:
        parts.append(scales[2] * physics["forces"])
    return np.concatenate([*parts, scales[3] * physics["wrenches"].reshape(-1), actions])


def shared_reward(seen, before, after):
    progress = (distance(before) - distance(after)) / DT
    return progress + 0.1 * (seen[10] > 0.93) + 0.5 * min(seen[11] / 0.8, 1.0)


def ant(seen, actions, before, after):
    """Reward, and whether it fell."""
    if after[2] < 0.31:
        return -2.0, True
    reward = shared_reward(seen, before, after) + 0.5 - 0.005 * (actions**2).sum()
    return reward - 0.05 * np.abs(actions * seen[20:28]).sum() - 0.1 * (seen[12:20] > 0.99).sum(), False


def humanoid(seen, actions, before, after):
    """Reward, and whether it fell."""
    if after[2] < 0.8:
        return -1.0, True
    ratio = EFFORTS / 135.0
    positions = np.abs(seen[12:33])
    limits = np.where(positions > 0.98, 0.25 * (positions - 0.98) / 0.02 * ratio, 0.0).sum()
    reward = shared_reward(seen, before, after) + 2.0 - 0.01 * (actions**2).sum()
    return reward - 0.05 * (np.abs(actions * seen[33:54]) * ratio).sum() - limits, False
