"""Every benchmark in a tiny configuration, so that none of them rots."""

import json
import re
import warnings

import pytest

from tests.benchmarks import (
    against_peers,
    curves,
    empty_cycle,
    learning,
    learning_examples,
    loop,
    metrics_cost,
    queues,
    simulators,
)
from tests.benchmarks.__main__ import BENCHMARKS, main
from tests.benchmarks.hand_loop import HandLoop
from tests.benchmarks.memory import Sample, _slope
from tests.benchmarks.metrics_cost import PPOWithoutMetrics
from tests.benchmarks.peers import PEERS, peer_contender, silenced
from tests.benchmarks.reference_graph import SAME_FOR_PEERS, reference_graph
from tests.benchmarks.report import Report, Target
from tests.benchmarks.turns import Contender, Enough, Lap, speed_ratio, started, take_turns

SHORT = "Trainer.num_epochs=1"


def test_loop():
    report = loop.run(quick=False, num_envs=[4], seconds=0.0)
    assert [row.cells["environments"] for row in report.rows] == [4]
    assert report.rows[0].value > 0.0


def test_simulators():
    pytest.importorskip("mujoco")
    report = simulators.run(quick=False, num_envs=[4], tasks=["Cartpole", "Humanoid"], seconds=0.0, all_cores=[])
    assert [row.cells["task"] for row in report.rows] == ["Cartpole", "Humanoid"]
    assert all(row.value > 0.0 for row in report.rows)


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_simulators_on_all_cores():
    pytest.importorskip("mujoco")
    pytest.importorskip("gymnasium")
    report = simulators.run(quick=False, tasks=[], seconds=0.0, all_cores=[2])
    (row,) = report.rows
    assert row.cells["environments"] == 2 and row.value > 0.0 and row.target.text == "≥ 10"
    assert re.search(r"Ant, 2 environments on \d+ cores: .*: sync \d+\.\d+, async \d+\.\d+", report.notes[0])


def test_peers_that_are_missing_are_named(monkeypatch):
    monkeypatch.setattr(against_peers, "PEERS", ["absent"])
    monkeypatch.setitem(PEERS, "absent", "no_such_module")
    report = against_peers.run(quick=False, num_envs=[4], seconds=0.0)
    assert report.notes[0].startswith("absent NOT MEASURED: not installed")
    assert [row.cells["library"] for row in report.rows] == ["graph", "hand-written loop"]


@pytest.mark.parametrize(
    ("name", "package"),
    [("Stable-Baselines3", "stable_baselines3"), ("rsl_rl", "rsl_rl"), ("skrl", "skrl"), ("rl_games", "rl_games")],
)
def test_peer(name, package):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pytest.importorskip(package, exc_type=ImportError)
        settings = reference_graph(4, SAME_FOR_PEERS).find("Trainer").settings()
        with silenced(), started([peer_contender(name, 4, settings)]) as contenders:
            take_turns(contenders, 0.0)
    assert len(contenders[0].laps) >= 5


def test_metrics():
    report = metrics_cost.run(quick=False, num_envs=[4], seconds=0.0)
    assert report.rows[0].cells["computed"] > 0.0


def test_the_update_without_metrics_is_the_same_update():
    loops = [HandLoop(reference_graph(4)), HandLoop(reference_graph(4), ppo_type=PPOWithoutMetrics)]
    assert loops[0].iterate()
    loops[1].iterate()
    first, second = (loop.model.state_dict() for loop in loops)
    assert all(first[name].equal(second[name]) for name in first)


def test_scheduler():
    assert queues.run(quick=False, num_envs=[4], seconds=0.0).rows[0].cells["rounds"] >= 5


def test_cycle():
    report = empty_cycle.run(quick=True, cycles=50)
    assert [row.cells["schedule"] for row in report.rows] == ["static", "queues"]


def test_learning():
    report = learning.run(quick=True, steps=8192, assignments=[SHORT])
    returns = [row.cells["mean return"] for row in report.rows]
    assert all(-500.0 < value <= 500.0 for value in returns)
    assert report.rows[0].cells["steps to 475"] == "never"


@pytest.mark.parametrize("name", ["cartpole_mujoco", "pendulum"])
def test_learning_of_examples(name):
    pytest.importorskip("mujoco" if name == "cartpole_mujoco" else "gymnasium")
    report = learning_examples.run(name, quick=True, steps=40_960, assignments=(SHORT, "Env.num_envs=64"))
    (row,) = report.rows
    assert -2000.0 < row.value < 475.0 and row.met is False
    assert row.cells["steps to target"] == "never"


def test_a_curve_is_drawn(tmp_path):
    metrics = tmp_path / "metrics.csv"
    metrics.write_text("step,episode/mean_reward\n1000,\n2000,1.5\n3000,2.5\n", encoding="utf-8")
    assert curves.read_curve(metrics) == ([2.0, 3.0], [1.5, 2.5])
    curves.draw(tmp_path / "curve.png", "Two points", [metrics])
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")


def test_memory_slope():
    assert _slope([Sample(0.0, 100.0), Sample(60.0, 103.0), Sample(120.0, 106.0)]) == pytest.approx(0.05)


def test_turns_end_and_report_what_fails():
    def breaks(_):
        raise ZeroDivisionError("at once")

    def counts(done):
        while done():
            pass
        raise Enough

    failures = []
    with started([Contender("good", counts), Contender("bad", breaks)], failures) as contenders:
        take_turns(contenders, 0.0)
    assert [contender.name for contender in contenders] == ["good"]
    assert failures == ["bad FAILED: ZeroDivisionError: at once"]


def test_speed_ratio_is_the_median_of_those_within_rounds():
    fast, slow = Contender("fast", lambda done: None), Contender("slow", lambda done: None)
    fast.laps = [Lap(wall, 1.0) for wall in (1.0, 2.0, 90.0)]
    slow.laps = [Lap(wall, 3.0) for wall in (4.0, 5.0, 180.0)]
    fast.close()
    slow.close()
    ratio = speed_ratio(fast, slow)
    assert (ratio.value, ratio.cpu) == (2.5, 3.0)
    assert (ratio.low, ratio.high) == (2.0, 4.0)


def test_report_says_what_was_missed():
    report = Report("name", "title")
    report.add(0.5, Target(0.97), environments=16, ratio=0.5)
    report.add(3.0, Target(5.0, at_least=False), environments=64, ratio=3.0)
    report.add(environments=512, ratio=1.0)
    assert [row.met for row in report.rows] == [False, True, None]
    assert "≥ 0.97  MISSED" in report.text
    assert "≤ 5     MET" in report.text
    assert report.missed == [report.rows[0]]


def test_command_writes_figures_and_names_failures(tmp_path, monkeypatch, capsys):
    def fails(_):
        raise RuntimeError("no")

    monkeypatch.setitem(BENCHMARKS, "cycle", lambda quick: empty_cycle.run(quick, cycles=20))
    monkeypatch.setitem(BENCHMARKS, "memory", fails)
    assert main(["--quick", "--json", str(tmp_path / "f.json"), "cycle"]) == 0
    figures = json.loads((tmp_path / "f.json").read_text(encoding="utf-8"))
    assert figures["benchmarks"]["cycle"]["rows"][0]["target"] == "≤ 20"
    assert main(["memory"]) == 1
    assert "*** FAILED: memory ***" in capsys.readouterr().out


def test_command_refuses_unknown_names(capsys):
    with pytest.raises(SystemExit):
        main(["cycles"])
    assert "there is no benchmark 'cycles'; there are loop, peers" in capsys.readouterr().err
