"""Isaac Gym's double for the tests that ask for it."""

import pytest

from runtime.simulators import isaacgym_scene

from .isaacgym_double import loaded_double


@pytest.fixture
def isaacgym():
    """The gym of the double, in this process; what a test leaves is destroyed."""
    with loaded_double() as gym:
        yield gym
        isaacgym_scene.destroy_scene()
