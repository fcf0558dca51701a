"""Does the cluster under the suites do what any cluster does? A pod of an image by digest serves this machine through
every node."""

from cluster.connector import deployment
from cluster.ground import NEEDS

pytestmark = NEEDS


def test_a_pod_by_digest_answers_this_machine_through_a_port_of_every_node(cluster, namespace, tell):
    image = cluster.publish_connector("v1")
    assert "@sha256:" in image
    addresses, _ = cluster.roll_out(namespace, image)  # which asks each of them
    (pod,) = cluster.get("pods", "--namespace", namespace)["items"]
    assert pod["status"]["containerStatuses"][0]["imageID"].endswith(image.partition("@")[2])
    tell(f"{len(addresses)} nodes")


def test_an_image_that_is_not_there_is_told_by_an_event_within_seconds(cluster, namespace):
    cluster.apply(deployment(namespace, f"{cluster.registry}/nowhere@sha256:{'0' * 64}"))
    cluster.kubectl("wait", "pods", "--all", "--namespace", namespace, "--timeout", "30s",
                    "--for", "jsonpath={.status.containerStatuses[0].state.waiting.reason}=ErrImagePull")
