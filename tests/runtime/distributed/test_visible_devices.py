"""``CUDA_VISIBLE_DEVICES`` is CUDA's own: nothing of ours sets it, and what it hides is not there."""

import os
import subprocess
import sys

from tests.commands import ROOT, dnne, folder, small

__all__ = ["dnne", "folder", "small"]


def test_hidden_gpus_are_not_there(small, folder):
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": "", "PYTHONPATH": str(ROOT)}
    words = ["train", str(small), "--iterations", "1", "--run-name", "a", "--device"]
    for device, code, said in (("cuda", 2, "sees 0 CUDA devices"), ("auto", 0, "train, device cpu")):
        command = [sys.executable, "-m", "app.cli", *words, device]
        finished = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        assert finished.returncode == code, finished.stderr
        assert said in finished.stderr
