"""The page on the runner: every example is run as it stands."""

import re
from pathlib import Path

import pytest

from runtime.runner.callbacks import EVENTS
from runtime.workflow import load_workflow

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "python_runner.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)


@pytest.mark.parametrize("code", EXAMPLES, ids=range(len(EXAMPLES)))
def test_an_example_runs(code, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    names = {"__name__": "example"}
    exec(compile(code, "docs/python_runner.md", "exec"), names)
    assert names["runner"].total_timesteps >= 16
    if "final_model.pt" in code:
        assert Path("final_model.pt").exists() and list(Path("logs").glob("*/metrics.csv"))
        assert "±" in capsys.readouterr().out
    if "to_workflow" in code:
        assert load_workflow("cartpole.json").nodes["6"].inputs["learning_rate"] == 3e-4


def test_the_page_names_every_event_and_has_all_examples():
    assert len(EXAMPLES) == 5
    assert all(f"`{event}`" in PAGE for event in EVENTS)
