"""Run folders as runs leave them."""

import json

import pytest

from runtime.recording import RunFolder, describe_run


@pytest.fixture
def make_run(tmp_path):
    """Writes the folder of a run below ``tmp_path/runs``."""

    def make(name, result="finished", started="2026-03-01T10:00:00+00:00", seed=0, learning_rate=1e-3, reward=10.0,
             rows=3, workflow="Cartpole PPO", save_dir=None, resume=False, mode="train", **info):  # fmt: skip
        with RunFolder.create(tmp_path / "runs", workflow, name) as folder:
            parameters = {"1": {"num_envs": 64}, "6": {"learning_rate": learning_rate}}
            settings = {"seed": seed, "mode": mode, "timeout": None, "save_checkpoint_dir": save_dir}
            described = describe_run(workflow, mode, seed, "cpu", 1, settings, parameters, command=["dnne"])
            folder.write_info({**described, "started": started, "folder": str(tmp_path), **info})
            nodes = {"6": {"class_type": "PPOTrainerNode", "title": "Trainer", "inputs": {}}}
            folder.write_workflow(json.dumps({"dnne_workflow": 1, "name": workflow, "nodes": nodes}))
            lines = ["step,iteration,episode/mean_reward,time/elapsed_seconds"]
            lines += [f"{64 * index},{index},{reward * index / rows},{0.5 * index}" for index in range(1, rows + 1)]
            folder.metrics_file.write_text("\n".join(lines) + "\n", encoding="utf-8")
            if resume:
                (folder.resume_folder / "iteration_000000003_step_000000000192").mkdir(parents=True)
            if result is not None:
                summary = {"steps": 64 * rows, "seconds": 1.5, "mean_reward": reward, "best_mean_reward": reward + 1,
                           "error": "boom" if result == "failed" else None}  # fmt: skip
                folder.finish(result, summary)
        return folder.path

    return make
