import pytest


def test_a_checkpoint_folder_is_shown_with_nodes_and_tensors(dnne, small):
    dnne("train", small, "--iterations", 3, "--save-checkpoint-dir", "ck", "--run-name", "a")
    outcome = dnne("inspect-checkpoint", "ck")
    assert outcome.code == 0
    assert "PPOAgentNode" in outcome.out
    assert "PPOTrainerNode" in outcome.out
    assert "3 of 3 iterations" in outcome.out
    assert "policy_head.weight" in outcome.out
    assert "(1, 8)" in outcome.out
    for part in ("ck/node_3", "ck/node_3/model.pt", "runs/a"):
        assert dnne("inspect-checkpoint", part).code == 0


@pytest.mark.parametrize("name", ["nothing", "small.json"])
def test_what_is_no_checkpoint_is_refused(dnne, small, name):
    outcome = dnne("inspect-checkpoint", name)
    assert outcome.code == 2
    assert "error: " in outcome.err
    assert name in outcome.err
