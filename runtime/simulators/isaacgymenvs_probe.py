"""Makes two environments of a task of IsaacGymEnvs and writes their sizes, as a program: ``… TASK``."""

import json
import sys

from .isaacgym_first import import_isaacgym_first


def main(task: str) -> None:
    """Print the sizes as the last line of standard output."""
    import_isaacgym_first()
    import torch

    from .isaacgymenvs_engine import make_env

    device = torch.device("cuda:0" if torch.cuda.is_available() else "cpu")
    env = make_env(task, 2, device, seed=0, visual=False)
    sizes = {
        "observations": list(env.observation_space.shape),
        "actions": list(env.action_space.shape),
        "max_episode_length": int(env.max_episode_length),
    }
    sys.stdout.write(f"\n{json.dumps(sizes)}\n")


if __name__ == "__main__":
    main(sys.argv[1])
