"""Does the cluster under the suites do what any cluster does? A pod of an image by digest serves this machine through
every node."""

import json
import subprocess

from cluster.connector import container
from cluster.ground import NEEDS
from cluster.plain import deployment

pytestmark = NEEDS


def test_a_pod_by_digest_answers_this_machine_through_a_port_of_every_node(cluster, namespace, tell):
    image = cluster.publish_connector("v1")
    assert "@sha256:" in image
    addresses, _ = cluster.roll_out(namespace, container(image))  # which asks each of them
    (pod,) = cluster.get("pods", "--namespace", namespace)["items"]
    assert pod["status"]["containerStatuses"][0]["imageID"].endswith(image.partition("@")[2])
    tell(f"{len(addresses)} nodes")


def test_the_api_server_reaches_into_a_pod_and_holds_others_to_their_role(cluster, namespace):
    cluster.roll_out(namespace, container(cluster.publish_connector("v1")))
    (pod,) = cluster.get("pods", "--namespace", namespace)["items"]
    name = pod["metadata"]["name"]
    said = cluster.kubectl("get", "--raw", f"/api/v1/namespaces/{namespace}/pods/{name}:8080/proxy/health").stdout
    assert json.loads(said)["status"] == "pass"
    cluster.kubectl("exec", name, "--namespace", namespace, "--", "connector", "healthcheck")
    assert '"event":"listening"' in cluster.kubectl("logs", name, "--namespace", namespace).stdout
    cluster.kubectl("create", "role", "reader", "--namespace", namespace, "--verb=get", "--resource=pods")
    cluster.kubectl("create", "rolebinding", "reader", "--namespace", namespace, "--role=reader",
                    f"--serviceaccount={namespace}:default")
    granted = [subprocess.run(["kubectl", "auth", "can-i", verb, "pods", "--namespace", namespace,
                               f"--as=system:serviceaccount:{namespace}:default"], env=cluster.env, capture_output=True,
                              text=True, check=False).stdout.strip() for verb in ("get", "delete")]
    assert granted == ["yes", "no"]


def test_an_image_that_is_not_there_is_told_by_an_event_within_seconds(cluster, namespace):
    cluster.apply(deployment(namespace, container(f"{cluster.registry}/nowhere@sha256:{'0' * 64}")))
    cluster.kubectl("wait", "pods", "--all", "--namespace", namespace, "--timeout", "30s",
                    "--for", "jsonpath={.status.containerStatuses[0].state.waiting.reason}=ErrImagePull")
