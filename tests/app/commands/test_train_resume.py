"""What `--resume` says of a run that cannot be used."""

import json
from pathlib import Path


def test_a_damaged_description_is_told_before_the_run_starts(dnne, folder, small):
    assert dnne("train", small, "--iterations", "1", "--run-name", "a").code == 0
    path = folder / "runs" / "a" / "run.json"
    text = json.dumps({**json.loads(path.read_text(encoding="utf-8")), "earlier": 5})
    path.write_text(text, encoding="utf-8")
    result = dnne("train", small, "--iterations", "2", "--resume", "runs/a")
    assert (result.code, f"{Path('runs/a/run.json')} is damaged: its 'earlier' is 5" in result.err) == (2, True)
    assert path.read_text(encoding="utf-8") == text
