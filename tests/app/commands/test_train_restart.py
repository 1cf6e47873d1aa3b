"""What a launcher's restart does with a run that was over already when a process failed."""

import json


def test_a_restart_of_a_run_that_is_over_finds_nothing_left_to_do(dnne, folder, small, monkeypatch):
    options = ("train", small, "--iterations", "2", "--run-name", "a")
    assert dnne(*options).code == 0
    info = folder / "runs" / "a" / "run.json"
    before = json.loads(info.read_text(encoding="utf-8"))
    del before["ended"], before["result"], before["summary"]
    info.write_text(json.dumps(before), encoding="utf-8")
    monkeypatch.setenv("TORCHELASTIC_RESTART_COUNT", "1")
    result = dnne(*options)
    assert (result.code, "the run was over already (--iterations: 2 of 2 are done)" in result.err) == (0, True)
    after = json.loads(info.read_text(encoding="utf-8"))
    assert (after["result"], after["summary"]["iterations"]) == ("finished", 2)
    monkeypatch.delenv("TORCHELASTIC_RESTART_COUNT")
    assert "give a larger number" in dnne("train", small, "--iterations", "2", "--resume", "runs/a").err
