import pytest

from runtime.suggest import close_match, did_you_mean

NAMES = ["PPOAgentNode", "PPOTrainerNode", "ORNode"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("PPOAgentNod", "PPOAgentNode"),
        ("ppoagentnode", "PPOAgentNode"),
        ("PPOTrainer", "PPOTrainerNode"),
        ("zzz", None),
    ],
)
def test_close_match(name, expected):
    assert close_match(name, NAMES) == expected


def test_did_you_mean_is_empty_without_a_close_match():
    assert did_you_mean("ORnod", NAMES) == "; did you mean 'ORNode'?"
    assert did_you_mean("zzz", NAMES) == ""
    assert did_you_mean("x", []) == ""
