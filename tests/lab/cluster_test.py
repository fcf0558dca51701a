"""A cluster leaves nothing behind, however its owner ends, and two do not meet."""

import os
import shutil

import pytest

from lab.ending import ENDS, owner_ends
from lab.traces import traces
from slipway.lab import Cluster, LabError
from support import needs

pytestmark = needs.all_of(needs.root("namespaces"), needs.cluster())
NAME = f"cluster-test-{os.getpid()}"


@pytest.mark.parametrize("number", ENDS, ids=lambda number: number.name)
def test_the_end_of_the_owner_leaves_nothing(number):
    owner_ends(number, f"{NAME}-{int(number)}", "cluster")


@pytest.fixture
def clusters():
    """clusters(NAME, NODES, KIND) starts one that goes with the test."""
    made = []

    def make(name: str, nodes: int, kind=Cluster) -> Cluster:
        made.append(kind(name, nodes))
        return made[-1].start()

    yield make
    for cluster in made:
        cluster.stop()
        shutil.rmtree(cluster.home, ignore_errors=True)


def test_two_clusters_do_not_meet_and_what_a_crash_left_is_cleared_by_the_next_start(clusters):
    first, second = clusters(NAME, 1), clusters(f"{NAME}-1", 1)
    for cluster in (first, second):
        cluster.kubectl("create", "namespace", f"of-{cluster.name}")
    assert f"of-{first.name}" not in second.kubectl("get", "namespaces").stdout.split()
    first.kill_service("kube-apiserver")
    assert second.kubectl("get", "--raw=/readyz").stdout == "ok"
    # As if its owner had never lived: process 1 of the control plane alone dies.
    first._signal(first.pid, 9)
    again = clusters(NAME, 1)
    assert f"of-{first.name}" not in again.kubectl("get", "namespaces").stdout.split()
    assert second.kubectl("get", "nodes", "--no-headers").stdout.split()[1] == "Ready"
    with pytest.raises(LabError, match="already running"):
        Cluster(NAME).start(wait_s=0)
    assert again.kubectl("get", "--raw=/readyz").stdout == "ok"
    for cluster in (again, second):
        cluster.stop()
        assert traces(cluster) == []


class Late(Cluster):
    """Its API server begins as late as on a machine that has much else to do."""

    def services(self) -> dict[str, dict]:
        services = super().services()
        server = services["kube-apiserver"]
        server["argv"] = ["sh", "-c", 'sleep 15; exec "$@"', "sh", *server["argv"]]
        return services


def test_the_controllers_are_there_however_late_the_api_server_answers(clusters):
    late = clusters(f"{NAME}-late", 1, Late)
    assert late.service_running("kube-controller-manager")
    assert late.kubectl("get", "serviceaccount", "default", "--output", "name").stdout.strip()
