"""Cartpole PPO: train it, run it, resume it.

All options: python runner.py --help
"""

import sys
from importlib.util import find_spec
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER))  # from any working folder

if sys.version_info < (3, 8) or find_spec("torch") is None:
    needs = "{} cannot run this: it needs Python 3.8 or newer and PyTorch: PYTHON -m pip install -r {}"
    sys.stderr.write(needs.format(sys.executable, FOLDER / "requirements.txt") + "\n")
    sys.exit(2)

from framework.command.launch import main_runner
from framework.exported import assemble

# (from node, its output, to node, its input)
LINKS = [
    ("1", "observations", "2", "input_a"),  # Env → OR
    ("5", "observations", "2", "input_b"),  # Step → OR
    ("2", "output", "3", "observations"),  # OR → Agent
    ("3", "policy_output", "4", "policy_output"),  # Agent → Action
    ("1", "sim", "5", "sim"),  # Env → Step
    ("4", "actions", "5", "actions"),  # Action → Step
    ("6", "trigger", "5", "trigger"),  # Trainer → Step
    ("2", "output", "6", "states"),  # OR → Trainer
    ("3", "policy_output", "6", "policy_outputs"),  # Agent → Trainer
    ("5", "rewards", "6", "rewards"),  # Step → Trainer
    ("5", "dones", "6", "dones"),  # Step → Trainer
    ("3", "model", "6", "model"),  # Agent → Trainer
]


def build_graph():
    """New nodes, wired; imported here, so that a wrong value is reported in one line."""
    from generated_nodes.isaacgymenvnode_1 import IsaacGymEnvNode_1
    from generated_nodes.ornode_2 import ORNode_2
    from generated_nodes.ppoagentnode_3 import PPOAgentNode_3
    from generated_nodes.cartpoleactionnode_4 import CartpoleActionNode_4
    from generated_nodes.isaacgymstepnode_5 import IsaacGymStepNode_5
    from generated_nodes.ppotrainernode_6 import PPOTrainerNode_6

    nodes = [
        IsaacGymEnvNode_1("1", label="Env"),
        ORNode_2("2", label="OR"),
        PPOAgentNode_3("3", label="Agent"),
        CartpoleActionNode_4("4", label="Action"),
        IsaacGymStepNode_5("5", label="Step"),
        PPOTrainerNode_6("6", label="Trainer"),
    ]
    return assemble(nodes, LINKS)


if __name__ == "__main__":
    sys.exit(main_runner(build_graph, FOLDER))
