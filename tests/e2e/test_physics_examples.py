"""The examples of Ant and Humanoid, trained for two iterations on MuJoCo with the command."""

import csv
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("mujoco")

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("name", ["ant", "humanoid"])
def test_the_example_trains(name, tmp_path):
    command = [sys.executable, "-m", "app.cli", "train", f"examples/{name}_ppo.json", "--iterations", "2"]
    options = ["--num-envs", "8", "--set", "Env.simulator=mujoco", "--set", "Env.on_bad_physics=reset"]
    place = ["--log-dir", str(tmp_path), "--run-name", "run"]
    finished = subprocess.run(
        [*command, *options, *place], cwd=ROOT, capture_output=True, text=True, timeout=240, check=False
    )
    assert finished.returncode == 0, finished.stderr
    with (tmp_path / "run" / "metrics.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["iteration"] for row in rows] == ["1", "2"]
    assert rows[1]["simulation/bad_physics_resets"] == "0.0"
