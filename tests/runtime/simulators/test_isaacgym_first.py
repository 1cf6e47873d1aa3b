"""Isaac Gym before torch: in the command, in the runner, and the messages where it is too late or cannot be."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from .isaacgym_double import DOUBLES

ROOT = Path(__file__).resolve().parents[3]
REASON = "from runtime.simulators.isaacgym_first import *; import_isaacgym_first(); print(unavailable_reason())"


def python(*arguments, doubles=DOUBLES, cwd=ROOT, **environment):
    paths = os.pathsep.join(str(path) for path in (ROOT, doubles) if path)
    variables = {**os.environ, "PYTHONPATH": paths, "ISAACGYM_DOUBLE_ANY_NUMPY": "1", "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, *arguments], cwd=str(cwd), env={**variables, **environment}, capture_output=True, text=True,
        timeout=120, check=False,
    )  # fmt: skip


def workflow(tmp_path, simulator, **parameters):
    document = json.loads((ROOT / "examples" / "cartpole_ppo.json").read_text(encoding="utf-8"))
    document["nodes"]["1"]["inputs"].update(simulator=simulator, num_envs=8, **parameters)
    path = tmp_path / "workflow.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return str(path)


def test_the_module_imports_no_torch():
    result = python("-c", f"{REASON}; import sys; assert 'torch' not in sys.modules", doubles=None)
    assert result.returncode == 0, result.stderr
    assert "Isaac Gym is not installed" in result.stdout


def test_installed_it_imports_quietly_and_torch_may_follow():
    result = python("-c", f"{REASON}; import torch, isaacgym.gymtorch")
    assert (result.returncode, result.stdout) == (0, "\n"), result.stderr
    assert "gym_38" in result.stderr


def test_torch_first_is_explained():
    result = python("-c", f"import torch; {REASON}")
    assert "torch was imported before Isaac Gym" in result.stdout
    assert "start with the dnne command" in result.stdout


def test_a_numpy_that_is_too_new_is_explained():
    numpy = python("-c", "import numpy; print(tuple(map(int, numpy.__version__.split('.')[:2])) >= (1, 24))")
    if numpy.stdout.strip() != "True":
        pytest.skip("this numpy is old enough for Isaac Gym")
    result = python("-c", REASON, ISAACGYM_DOUBLE_ANY_NUMPY="")
    assert "has no attribute 'float'" in result.stdout
    wanted = "it needs Python 3.6 to 3.8" if sys.version_info >= (3, 9) else "pip install 'numpy<1.24'"
    assert wanted in result.stdout
    assert "another simulator is taken" in result.stderr


def test_dnne_train_simulates_in_isaac_gym_and_destroys_it(tmp_path):
    """The double raises where torch comes first, and says at the end what is left."""
    result = python(
        "-m", "app.cli", "train", workflow(tmp_path, "isaacgym"), "--iterations", "1",
        "--log-dir", str(tmp_path / "runs"),
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert "left undestroyed" not in result.stderr
    assert "gym_38" in result.stderr


def test_an_exported_runner_simulates_in_isaac_gym(tmp_path):
    target = tmp_path / "export"
    exported = python("-m", "app.cli", "export", workflow(tmp_path, "isaacgym"), "-o", str(target))
    assert exported.returncode == 0, exported.stderr
    result = python("runner.py", "--iterations", "1", cwd=target)
    assert result.returncode == 0, result.stderr
    assert "left undestroyed" not in result.stderr


def test_not_installed_is_bad_input(tmp_path):
    result = python("-m", "app.cli", "train", workflow(tmp_path, "isaacgym"), doubles=None)
    assert result.returncode == 2
    assert "Isaac Gym is not installed" in result.stderr
    assert "docs/isaacgym.md" in result.stderr
