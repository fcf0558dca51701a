"""What the lab's cluster can do to itself on purpose: its API server and its nodes go and come back."""

import json
import subprocess
from pathlib import Path

import pytest

from cluster.connector import container
from cluster.ground import NEEDS, answers
from support.processes import all_that_have
from support.waiting import await_true

pytestmark = NEEDS


@pytest.fixture
def served(cluster, lab, namespace):
    """(address, port) of a connector, by a node that it does not run on."""
    addresses, ports = cluster.roll_out(namespace, container(cluster.publish_connector("v1")))
    (pod,) = cluster.get("pods", "--namespace", namespace)["items"]
    return next(address for address in addresses if address != pod["status"]["hostIP"]), ports["http"]


def hardware_addresses(lab, node) -> list[str]:
    shown = [where.run_inside("ip", "-json", "link", "show", "dev", link).stdout
             for where, link in ((lab, "br0"), (node, "eth0"))]
    return [json.loads(link)[0]["address"] for link in shown]


def test_without_the_api_server_the_service_goes_on_and_with_it_again_it_is_the_same_cluster(cluster, lab, served,
                                                                                             namespace):
    (pod,) = cluster.get("pods", "--namespace", namespace)["items"]
    lab.kill_api_server()
    refused = subprocess.run(["kubectl", "get", "--raw=/readyz"], env=cluster.env, capture_output=True, text=True,
                             check=False)
    assert refused.returncode != 0 and "refused" in refused.stderr, refused
    assert answers(*served)
    lab.start_api_server()
    (same,) = cluster.get("pods", "--namespace", namespace)["items"]
    assert same["metadata"]["uid"] == pod["metadata"]["uid"] and answers(*served)
    # Its controllers work again: another pod is made and serves.
    cluster.kubectl("delete", "pod", pod["metadata"]["name"], "--namespace", namespace)
    cluster.await_rolled_out(namespace, "connector")
    await_true(lambda: answers(*served), "an answer of the new pod")


def test_a_killed_node_is_gone_with_its_pods_and_serves_again_once_it_is_started(cluster, lab, served, namespace):
    (pod,) = cluster.get("pods", "--namespace", namespace)["items"]
    node = next(node for node in lab.nodes if node.ip == pod["status"]["hostIP"])
    processes = {pid for pid, command in all_that_have("cmdline") if str(node.home).encode() in command}
    assert processes and answers(*served)
    hardware = hardware_addresses(lab, node)
    node.kill()
    assert not any(Path(f"/proc/{process}").exists() for process in processes)
    assert not answers(*served)
    node.start()
    lab.await_nodes()
    await_true(lambda: answers(*served), "an answer after the node's restart", 90)
    assert hardware_addresses(lab, node) == hardware, "its neighbours would go on to send to the old one"
