import keyword

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.export.names import identifier, instance_names, module_name
from runtime.node import Node


class PPOTrainerNode(Node):
    """A node."""

    title = "Trainer"

    def compute(self):
        return {}


def names_of(*ids):
    return instance_names({node_id: PPOTrainerNode(node_id) for node_id in ids})


def test_an_id_that_is_an_identifier_is_kept():
    assert names_of("6") == {"6": ("PPOTrainerNode_6", "ppotrainernode_6")}


@pytest.mark.parametrize(
    ("node_id", "class_name"),
    [("a-b", "PPOTrainerNode_a_b"), ("7 x", "PPOTrainerNode_7_x"), ("θ.1", "PPOTrainerNode___1")],
)
def test_other_characters_become_underscores(node_id, class_name):
    assert names_of(node_id)[node_id].class_name == class_name


def test_equal_names_are_told_apart_and_plain_ids_keep_theirs():
    names = names_of("a-b", "a b", "a_b", "a_b_2")
    assert list(names) == ["a-b", "a b", "a_b", "a_b_2"]
    assert names["a_b"].class_name == "PPOTrainerNode_a_b"
    assert names["a_b_2"].class_name == "PPOTrainerNode_a_b_2"
    assert names["a-b"].class_name == "PPOTrainerNode_a_b_3"
    assert names["a b"].class_name == "PPOTrainerNode_a_b_4"


def test_files_differ_where_letter_case_does_not_count():
    names = names_of("A", "a")
    assert names["A"].module != names["a"].module


@given(st.lists(st.text(min_size=1), unique=True, max_size=8))
def test_any_ids_give_unique_ascii_identifiers(ids):
    names = names_of(*ids)
    modules = [name.module for name in names.values()]
    assert list(names) == ids
    assert len(set(modules)) == len(ids)
    assert all(module.isidentifier() and module.isascii() and module == module.lower() for module in modules)
    assert all(name.class_name.isidentifier() for name in names.values())


@given(st.text(min_size=1))
def test_any_file_name_gives_a_module_name(stem):
    name = module_name(stem)
    assert name.isidentifier() and not keyword.iskeyword(name)


def test_an_identifier_is_unchanged():
    assert identifier("frame_Stack2") == "frame_Stack2"
    assert (module_name("class"), module_name("2nd"), module_name("fine")) == ("_class", "_2nd", "fine")
