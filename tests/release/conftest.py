"""A world of the real semantic-release, empty and with a first release."""

import pytest

from release.world import World


@pytest.fixture
def world():
    with World() as world:
        yield world


@pytest.fixture
def released(world):
    """v0.1.0 is out."""
    commit = world.push("feat: pay by packet")
    assert world.release(commit).tag == "v0.1.0"
    return world
