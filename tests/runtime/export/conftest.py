"""The reference workflow and the built-in node types."""

from pathlib import Path

import pytest

import nodes
from runtime.registry import discover
from runtime.validation import build_graph
from runtime.workflow import load_workflow

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="session")
def registry():
    return discover([nodes])


@pytest.fixture
def cartpole():
    return load_workflow(ROOT / "examples" / "cartpole_ppo.json")


@pytest.fixture
def graph(cartpole, registry):
    return build_graph(cartpole, registry)
