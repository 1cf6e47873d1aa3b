"""Cartpole learns in Isaac Gym's double, started as a user starts it."""

import re

import pytest

from .test_isaacgym_first import ROOT, python


@pytest.mark.slow
def test_cartpole_reaches_475(tmp_path):
    result = python(
        "-m", "app.cli", "train", str(ROOT / "examples" / "cartpole_ppo.json"), "--set", "1.simulator=isaacgym",
        "--total-timesteps", "300000", "--stop-reward", "475", "--log-dir", str(tmp_path), "--run-name", "run",
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    reward = re.search(r"mean episode reward\s+([\d.]+)", result.stderr)
    assert reward is not None
    assert float(reward.group(1)) >= 475.0
