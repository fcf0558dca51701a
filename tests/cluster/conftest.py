"""What the suites on a cluster share: the cluster, a namespace for each test, and what may be killed."""

import itertools

import pytest

from cluster.ground import Ground
from cluster.place import Place

NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def cluster(executables):
    """See ground.py: kubectl(), get(), apply(), node_addresses(), registry, publish(), env, kubeconfig."""
    with Ground(executables) as ground:
        yield ground


@pytest.fixture
def lab(cluster):
    """The same cluster as one whose parts may be killed (slipway.lab.Cluster)."""
    if cluster.lab is None:
        pytest.skip("KUBECONFIG names a cluster whose parts are not ours to kill; unset it, and the lab makes one")
    return cluster.lab


@pytest.fixture
def namespace(cluster, request):
    """A namespace that goes with the test."""
    name = f"test-{next(NUMBERS)}"
    cluster.kubectl("delete", "namespace", name, "--ignore-not-found")
    cluster.kubectl("create", "namespace", name)
    yield name
    cluster.kubectl("delete", "namespace", name, "--wait=false")


@pytest.fixture
def place(cluster, namespace):
    """The stand-in: v1 serves, v2 is in the registry."""
    with Place(cluster, namespace) as place:
        for tag in ("v1", "v2"):
            place.publish(tag)
        first = place.deploy("v1")
        assert first.status == 0 and place.served() == "v1", first
        yield place
