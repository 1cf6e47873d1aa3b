"""``requirements.txt``, ``slurm.sbatch`` and the licence."""

from __future__ import annotations

import re
from importlib import metadata
from pathlib import Path
from typing import Dict, List, Mapping, Optional, Sequence

from ..configuration.presets import FOLDER
from ..node import Node
from ..simulators.tasks.physics_task import MODELS_FOLDER
from .carrying import Library, libraries_by_name
from .runner_module import ISAACGYM, needs_isaacgym
from .source_text import join_lines


def requirements_text(nodes: Mapping[str, Node], libraries: Sequence[Library]) -> str:
    """``requirements.txt``: torch, the simulators that nodes name, and what their files import."""
    lines = ["torch>=2.4", *_simulator_lines(nodes)]
    for library in libraries_by_name(libraries).values():
        name = distribution_of(library.name)
        needed, optional = f"{name}  # {library.needed_by}", f"# {name}  (optional, for {library.needed_by})"
        lines.append(optional if library.lazy else needed)
    lines.append("# omegaconf  (optional: --config and --preset)")
    return join_lines([*lines, "# tensorboard  (optional: runs/*/tensorboard)"])


def _simulator_lines(nodes: Mapping[str, Node]) -> List[str]:
    named = {node.parameter_values()["simulator"] for node in nodes.values() if "simulator" in node.parameters}
    lines = sorted({distribution_of(name) for node in nodes.values() for name in node.requirements()})
    if any(needs_isaacgym(node) for node in nodes.values()):
        use = "needed" if ISAACGYM in named else "optional: it is taken where it is installed"
        lines.append(f"# isaacgym  ({use}; NVIDIA's Isaac Gym Preview 4, not on PyPI; Python 3.8, numpy<1.24)")
    return lines


def distribution_of(module: str) -> str:
    """The name under which a library is installed, where that is known; else the name of its module."""
    carriers = []
    for distribution in metadata.distributions():
        names = (distribution.read_text("top_level.txt") or "").split()
        if module in names and distribution.metadata["Name"]:
            carriers.append(str(distribution.metadata["Name"]))
    return module if module in carriers or not carriers else carriers[0]


def sbatch_text(title: str) -> str:
    """``slurm.sbatch``: one or more nodes, and a run that goes on after a time limit or a requeue."""
    name = re.sub(r"[^A-Za-z0-9]+", "-", title).strip("-").lower() or "dnne"
    return join_lines([*_sbatch_resources(name), "", *_sbatch_start(), "", *_sbatch_end()])


def _sbatch_resources(name: str) -> List[str]:
    options = {
        "job-name": name,
        "nodes": "1",
        "ntasks-per-node": "1",
        "cpus-per-task": "2",
        "mem": "8G",
        "time": "04:00:00",
        "signal": "TERM@120",
        "open-mode": "append",
        "output": "%x-%j.out",
    }
    lines = [
        "#!/bin/bash",
        "# From this folder: sbatch slurm.sbatch --total-timesteps 1000000  (or any option of runner.py)",
    ]
    lines += [f"#SBATCH --{option}={value}" for option, value in options.items()]
    lines += ["#SBATCH --requeue"]
    lines += ["# For a GPU remove one # below, and add --device cuda to the arguments.", "##SBATCH --gres=gpu:1", ""]
    return [
        *lines,
        "# Several nodes: sbatch --nodes 4 slurm.sbatch. Several processes on each (one per GPU): NPROC=8 sbatch ...",
        'processes="${NPROC:-1}"',
    ]


def _sbatch_start() -> List[str]:
    return [
        'cd "${SLURM_SUBMIT_DIR:-.}" || exit 2',
        'run="runs/${SLURM_JOB_NAME}-${SLURM_JOB_ID}"  # the id stays the same when the job is requeued',
        'if [ -n "$(ls -A "$run/resume" 2>/dev/null)" ]; then',
        '  start=(--resume "$run")',
        "else",
        "  # Ended before its first state was saved: begin anew, and keep what is there.",
        '  if [ -e "$run" ]; then mv "$run" "$run-unfinished-$(date +%s)"; fi',
        '  start=(--log-dir runs --run-name "$(basename "$run")")',
        "fi",
        "launch=()",
        'if [ "${SLURM_NNODES:-1}" -gt 1 ] || [ "$processes" -gt 1 ]; then',
        '  first="$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)"',
        '  launch=(-m torch.distributed.run --nnodes "${SLURM_NNODES:-1}" --nproc_per_node "$processes"',
        '    --rdzv_backend c10d --rdzv_endpoint "$first:${MASTER_PORT:-29500}" --rdzv_id "$SLURM_JOB_ID")',
        "fi",
        'srun "${PYTHON:-python}" "${launch[@]}" runner.py "${start[@]}" --save-checkpoint-dir "$run/checkpoints" "$@"',
        "code=$?",
    ]


def _sbatch_end() -> List[str]:
    return [
        "# 143, or a run of several processes that was interrupted: Slurm sent TERM 120 s before the time limit, and",
        "# the state has been saved.",
        'ended="$(grep -s \'"result": "interrupted"\' "$run/run.json")"',
        'if [ "$code" -eq 143 ] || { [ "$code" -ne 0 ] && [ -n "$ended" ]; }; then',
        '  scontrol requeue "$SLURM_JOB_ID"',
        "fi",
        'exit "$code"',
    ]


def preset_texts() -> Dict[str, str]:
    """The presets of ``--preset``, by their place in the export."""
    files = sorted(FOLDER.glob("*.yaml"))
    return {f"resources/presets/{path.name}": path.read_text(encoding="utf-8") for path in files}


def model_texts(nodes: Mapping[str, Node]) -> Dict[str, str]:
    """The robots of the built-in tasks, by their place in the export, where a node simulates."""
    if not any("simulator" in node.parameters for node in nodes.values()):
        return {}
    files = sorted(MODELS_FOLDER.glob("*.xml"))
    return {f"resources/models/{path.name}": path.read_text(encoding="utf-8") for path in files}


def licence_text() -> Optional[str]:
    """The licence of what is carried, from the source tree or from the installed distribution."""
    root = Path(__file__).resolve().parents[2]
    if (root / "pyproject.toml").is_file():
        return (root / "LICENSE").read_text(encoding="utf-8")
    try:
        files = metadata.files("dnne") or []
    except metadata.PackageNotFoundError:
        return None
    found = [file for file in files if file.name == "LICENSE"]
    return found[0].read_text(encoding="utf-8") if found else None
