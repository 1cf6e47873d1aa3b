"""Commands as JSON lines steer a run in another process; what is no command is told."""

import json
import os
import subprocess
import sys

import pytest

from runtime.command.commands import CommandError, obey
from runtime.event_records import events_from
from runtime.events import Finished, LiveStatistics, ParameterChanged, Paused, ProbeSample, ViewerFrame
from runtime.scheduler.control import RunControl
from tests.commands import ROOT


def test_commands_act_on_the_control():
    control = RunControl()
    obey(control, '{"command": "pause"}')
    assert control.paused
    obey(control, '{"command": "step", "size": "firing"}')
    assert control.take_step() == "firing"
    obey(control, '{"command": "resume"}')
    assert not control.paused
    obey(control, '{"command": "edit", "node_id": "6", "name": "gamma", "value": 0.9}')
    assert control.take_edits() == [("6", "gamma", 0.9)]
    obey(control, '{"command": "watch_probes", "outputs": [["5", "rewards"]]}')
    obey(control, '{"command": "watch_viewer", "env_ids": [0, 1], "hz": 20}')
    assert (control.watch.outputs, control.watch.env_ids) == ((("5", "rewards"),), (0, 1))
    obey(control, '{"command": "stop", "reason": "enough"}')
    assert control.stop_reason == "enough"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("nonsense", "is no command; expected an object with 'command'"),
        ("[1]", "is no command"),
        ('{"no": 1}', "is no command"),
        ('{"command": "dance"}', "'dance' is no command; expected one of pause, resume, step"),
        ('{"command": ["pause"]}', "is no command"),
        ('{"command": "edit"}', "does not fit: .*node_id"),
        ('{"command": "step", "size": "huge"}', "does not fit: step size 'huge'"),
        ('{"command": "watch_probes", "outputs": [["5"]]}', "does not fit"),
    ],
)
def test_what_is_no_command_is_refused(line, message):
    with pytest.raises(CommandError, match=message):
        obey(RunControl(), line)


def test_a_process_obeys_sends_live_events_and_stops_where_commands_end(small, folder):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "app.cli", "train", str(small), "--events", "-", "--commands"]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    )
    assert process.stdin is not None and process.stdout is not None

    def say(**command):
        process.stdin.write(json.dumps(command) + "\n")
        process.stdin.flush()

    def wait_for(kind):
        for line in process.stdout:
            for event in events_from([json.loads(line)]):
                if isinstance(event, kind):
                    return event
        raise AssertionError(f"no {kind.__name__}:\n{process.stderr.read()}")

    say(command="watch_probes", outputs=[["5", "rewards"]])
    assert wait_for(ProbeSample).shape == (4,)
    assert wait_for(LiveStatistics).working
    say(command="watch_viewer", env_ids=[1], hz=50)
    assert wait_for(ViewerFrame).state.values["cart_position"].shape == (1,)
    say(command="dance")
    say(command="edit", node_id="6", name="learning_rate", value=1e-4)
    assert wait_for(ParameterChanged).new == 1e-4
    say(command="pause")
    assert wait_for(Paused)
    process.stdin.close()
    assert wait_for(Finished).reason == "the program that gave commands has ended"
    assert process.wait(20) == 0
    assert "is no command" in process.stderr.read()
    process.stdout.close()
    process.stderr.close()


def test_a_run_whose_host_dies_is_saved_and_can_go_on(small, folder):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    reading, writing = os.pipe()
    words = ["train", str(small), "--run-name", "orphan", "--events", f"/dev/fd/{writing}", "--commands"]
    process = subprocess.Popen(
        [sys.executable, "-m", "app.cli", *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, env=environment, pass_fds=(writing,), cwd=folder,
    )  # fmt: skip
    os.close(writing)
    assert process.stdin is not None and process.stdout is not None
    with os.fdopen(reading, "rb") as events:
        assert any(b'"metric"' in line for line in events)
    process.stdin.close()
    process.stdout.close()
    assert process.wait(20) != 1
    run = folder / "runs" / "orphan"
    info = json.loads((run / "run.json").read_text())
    assert info["result"] == "interrupted" and "has ended" in info["summary"]["reason"]
    assert list((run / "resume").iterdir())
