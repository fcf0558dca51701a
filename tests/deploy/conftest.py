"""A site that a suite works on, which goes with it."""

import pytest

from deploy.site import Site


@pytest.fixture(scope="session")
def shared_site(executables):
    """v1 serves, v2 is in the registry."""
    with Site("deploy-suite", executables) as site:
        for tag in ("v1", "v2"):
            site.publish(tag)
        first = site.deploy("v1")
        assert first.status == 0, first
        yield site


@pytest.fixture
def site(shared_site):
    """As shared_site, and so again afterwards, whatever the test did to it."""
    yield shared_site
    shared_site.back_to_v1()
