"""The palette's search finds what a person means, the best first."""

import pytest

from app.panels.node_search import find_node_types


@pytest.fixture
def find(registry):
    return lambda query: [node_class.__name__ for node_class in find_node_types(query, registry.types.values())]


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("ppo agent", "PPOAgentNode"),  # title
        ("IsaacGymStep", "IsaacGymStepNode"),  # class name
        ("trainer", "PPOTrainerNode"),  # second word of the title
        ("FloatConstant", "FloatConstantNode"),  # also an earlier name
        ("PrintValue", "PrintNode"),  # only an earlier name
        ("obnorm", "ObservationNormalizerNode"),  # letters in order
        ("or", "ORNode"),  # the whole title before a part of others
        ("joins last", "FrameStackNode"),  # nothing but the documentation
    ],
)
def test_the_best_match_stands_first(find, query, first):
    assert find(query)[0] == first


def test_every_word_must_match(find):
    assert find("ppo") == ["PPOAgentNode", "PPOTrainerNode"]
    assert find("ppo trainer") == ["PPOTrainerNode"]
    assert find("ppo constant") == []


def test_case_does_not_matter(find):
    assert find("PPO TRAINER") == find("ppo trainer")


def test_an_empty_query_finds_everything_in_title_order(find, registry):
    found = find("")
    assert sorted(found) == sorted(registry.types)
    titles = [registry.types[name].title for name in found]
    assert titles == sorted(titles)


def test_nonsense_finds_nothing(find):
    assert find("xyzzy") == []
