"""What several suites of adopters' repositories have."""

import pytest

from release.registry import Registry


@pytest.fixture(scope="module")
def registry(tmp_path_factory):
    """A registry of the module's own."""
    made = Registry(tmp_path_factory.mktemp("registry") / "data")
    yield made
    made.close()
