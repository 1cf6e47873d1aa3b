"""What `learn` shows on standard error."""

import logging

import pytest

from runtime.errors import DnneError
from tests.runtime.runner.test_on_policy_runner import BATCH, runner


def test_every_learn_shows_its_progress_and_where_the_run_lies(tmp_path, capsys):
    with runner(log_dir=tmp_path / "logs", save_dir=tmp_path / "ck", verbose=1) as made:
        for end in (BATCH, 3 * BATCH):
            made.learn(end - made.total_timesteps)
            shown = capsys.readouterr().err
            assert f"100 %  step {end:,}/{end:,}" in shown
            places = [line.split() for line in shown.splitlines()[-2:]]
            assert places == [["run", made.run_dir], ["checkpoints", str(tmp_path / "ck")]]


def test_nothing_is_shown_where_it_is_not_wanted(capsys):
    with runner(verbose=0) as made:
        made.learn(BATCH)
    assert capsys.readouterr() == ("", "")


def test_an_error_ends_the_line_and_is_raised_only(capsys):
    def fail(made):
        raise DnneError("enough")

    with runner(verbose=1) as made:
        made.add_callback("pre_update", fail)
        with pytest.raises(DnneError, match="enough"):
            made.learn(BATCH)
    shown = capsys.readouterr().err
    assert "enough" not in shown
    assert "Finished" not in shown


@pytest.mark.parametrize("handles", [False, True])
def test_a_message_is_shown_once(handles, capsys, monkeypatch):
    logger, records = logging.getLogger("dnne"), []
    handler = logging.Handler()
    handler.emit = records.append
    monkeypatch.setattr(logger, "propagate", False)
    monkeypatch.setattr(logger, "handlers", [handler] if handles else [])
    with runner(verbose=1) as made:
        made.add_callback("pre_update", lambda made: made._run.context.log("careful", "warning"))
        made.learn(BATCH)
    assert capsys.readouterr().err.count("careful") == (not handles)
    assert [record.getMessage() for record in records].count("careful") == handles
