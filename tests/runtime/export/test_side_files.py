"""requirements.txt, slurm.sbatch, the README and the licence."""

import argparse
import os
import subprocess

import pytest

from nodes.envs.gymnasium_env import GymnasiumEnvNode
from runtime.command.options import add_run_options
from runtime.configuration.presets import FOLDER
from runtime.export.carrying import Library
from runtime.export.names import instance_names
from runtime.export.readme import readme_text
from runtime.export.side_files import licence_text, requirements_text, sbatch_text
from runtime.export.workflow_export import export_files


def test_requirements_name_torch_and_what_node_files_import(graph):
    libraries = [
        Library("numpy", "framework/nodes/user/a.py", True),
        Library("numpy", "framework/nodes/user/b.py", False),
        Library("no_such_library", "framework/nodes/user/a.py", True),
    ]
    lines = requirements_text(graph.nodes, libraries).splitlines()
    assert lines[0] == "torch>=2.4"
    assert "numpy  # framework/nodes/user/b.py" in lines
    assert "# no_such_library  (optional, for framework/nodes/user/a.py)" in lines
    assert [line for line in lines if not line.startswith("#")] == ["torch>=2.4", "numpy  # framework/nodes/user/b.py"]


@pytest.mark.parametrize(
    ("simulator", "expected"),
    [("auto", "# isaacgym  (optional"), ("isaacgym", "# isaacgym  (needed"), ("mujoco", "mujoco\n"), ("torch", None)],
)
def test_requirements_name_the_simulator(graph, simulator, expected):
    graph.nodes["1"].simulator = simulator
    text = requirements_text(graph.nodes, [])
    assert expected in text if expected else text.count("\n") == 3


@pytest.mark.parametrize(
    ("env_id", "expected"),
    [
        ("CartPole-v1", ["gymnasium"]),
        ("HalfCheetah-v5", ["gymnasium[mujoco]"]),
        ("LunarLander-v3", ["gymnasium[box2d]"]),
        ("no-such-id-v0", ["gymnasium"]),
    ],
)
def test_requirements_name_what_an_environment_of_gymnasium_needs(env_id, expected):
    pytest.importorskip("gymnasium")
    text = requirements_text({"1": GymnasiumEnvNode("1", {"env_id": env_id})}, [])
    assert [line for line in text.splitlines() if "gymnasium" in line] == expected


def test_requirements_name_the_library_that_registers_an_environment(monkeypatch):
    gymnasium = pytest.importorskip("gymnasium")
    spec = gymnasium.envs.registration.EnvSpec("Own-v0", entry_point="some_library.envs:Own")
    monkeypatch.setitem(gymnasium.registry, "Own-v0", spec)
    text = requirements_text({"1": GymnasiumEnvNode("1", {"env_id": "some_library:Own-v0"})}, [])
    assert {"gymnasium", "some_library"} <= set(text.splitlines())


def test_the_readme_knows_every_option_and_every_node(graph):
    text = readme_text("Cart | pole", graph.nodes, instance_names(graph.nodes), "1.2.3")
    parser = argparse.ArgumentParser(add_help=False)
    add_run_options(parser)
    options = [option for action in parser._actions for option in action.option_strings]
    assert [option for option in [*options, "--inference"] if option not in text] == []
    assert "| 6 | Trainer | `generated_nodes/ppotrainernode_6.py` |" in text
    assert "- node 6 (Trainer): on" in text
    assert "DNNE 1.2.3" in text


def test_the_licence_is_found():
    assert "MIT License" in licence_text()


class TestSlurm:
    """The job script, with srun and scontrol replaced by scripts that write down how they were called."""

    @pytest.fixture
    def job(self, tmp_path):
        (tmp_path / "bin").mkdir()
        (tmp_path / "slurm.sbatch").write_text(sbatch_text("Cartpole PPO!"), encoding="utf-8")
        self.script(tmp_path / "bin" / "srun", 'printf "%s\\n" "$@" > called; exit "${CODE:-0}"')
        self.script(tmp_path / "bin" / "scontrol", '[ "$1" = show ] && printf "n1\\nn2\\n" || echo "$@" > requeued')
        return tmp_path

    def script(self, path, body):
        path.write_text(f"#!/bin/bash\n{body}\n", encoding="utf-8")
        path.chmod(0o755)

    def start(self, job, *arguments, code=0, **variables):
        environment = {
            "PATH": f"{job / 'bin'}:{os.environ['PATH']}",
            "SLURM_SUBMIT_DIR": str(job),
            "SLURM_JOB_NAME": "cartpole-ppo",
            "SLURM_JOB_ID": "42",
            "CODE": str(code),
            **variables,
        }
        run = subprocess.run(["bash", str(job / "slurm.sbatch"), *arguments], env=environment, check=False)
        return run.returncode, (job / "called").read_text(encoding="utf-8").splitlines()

    def test_the_job_has_a_plain_name_and_asks_to_be_warned(self):
        lines = sbatch_text("Cartpole PPO!").splitlines()
        assert lines[0] == "#!/bin/bash"
        assert {"#SBATCH --job-name=cartpole-ppo", "#SBATCH --signal=TERM@120", "#SBATCH --nodes=1"} <= set(lines)

    def test_the_first_start_names_the_run(self, job):
        code, called = self.start(job, "--timeout", "1h", "--set", "Env.task=a b")
        assert code == 0
        assert called == [
            "python", "runner.py", "--log-dir", "runs", "--run-name", "cartpole-ppo-42",
            "--save-checkpoint-dir", "runs/cartpole-ppo-42/checkpoints", "--timeout", "1h", "--set", "Env.task=a b",
        ]  # fmt: skip
        assert not (job / "requeued").exists()

    def test_several_nodes_meet_at_the_first_one(self, job):
        _, called = self.start(job, "--timeout", "1h", SLURM_NNODES="2", SLURM_JOB_NODELIST="n[1-2]", NPROC="4")
        launch = called[called.index("torch.distributed.run") + 1 : called.index("runner.py")]
        assert launch == [
            "--nnodes", "2", "--nproc_per_node", "4", "--rdzv_backend", "c10d", "--rdzv_endpoint", "n1:29500",
            "--rdzv_id", "42",
        ]  # fmt: skip
        assert called[-2:] == ["--timeout", "1h"]

    def test_several_processes_that_were_interrupted_are_requeued_and_failed_ones_are_not(self, job):
        info = job / "runs" / "cartpole-ppo-42" / "run.json"
        (info.parent / "resume" / "iteration_1_step_1").mkdir(parents=True)
        for result, requeued in (("failed", False), ("interrupted", True)):
            info.write_text(f'{{\n  "result": "{result}"\n}}', encoding="utf-8")
            self.start(job, code=1, NPROC="2", SLURM_JOB_NODELIST="n1")
            assert (job / "requeued").exists() is requeued

    def test_a_job_that_was_ended_by_its_time_limit_is_requeued_and_goes_on(self, job):
        code, _ = self.start(job, code=143)
        assert (code, (job / "requeued").read_text(encoding="utf-8")) == (143, "requeue 42\n")
        (job / "runs" / "cartpole-ppo-42" / "resume" / "iteration_1_step_1").mkdir(parents=True)
        _, called = self.start(job)
        assert called[2:4] == ["--resume", "runs/cartpole-ppo-42"]

    def test_a_run_without_a_state_is_begun_anew_and_kept(self, job):
        (job / "runs" / "cartpole-ppo-42" / "resume").mkdir(parents=True)
        _, called = self.start(job)
        assert called[2:6] == ["--log-dir", "runs", "--run-name", "cartpole-ppo-42"]
        assert [path.name.split("-unfinished-")[0] for path in (job / "runs").iterdir()] == ["cartpole-ppo-42"]

    def test_a_failed_job_is_not_requeued(self, job):
        code, _ = self.start(job, code=1)
        assert code == 1
        assert not (job / "requeued").exists()


def test_presets_are_carried_to_where_the_runner_looks_for_them(cartpole, graph):
    files = export_files(cartpole, graph)
    assert files["resources/presets/cpu.yaml"].decode() == (FOLDER / "cpu.yaml").read_text()
    assert "framework/configuration/presets.py" in files  # two folders below the export, as in the source tree
