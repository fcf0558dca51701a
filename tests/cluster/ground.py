"""A cluster for a suite: one of the lab, made from nothing, or the one that KUBECONFIG names.

Of the latter's kind anything will do whose nodes' addresses are reached from here; its registry is
SLIPWAY_CLUSTER_REGISTRY, host:port, one name for this machine, which pushes, and for the nodes.
"""

import contextlib
import json
import os
import subprocess
import urllib.request
from pathlib import Path

from cluster import plain
from slipway.lab import Cluster, Engine, Registry
from slipway.lab.capsule import run
from support import needs
from support.engines import (
    CONNECTOR_CHANGES,
    connector_files,
    connector_revision,
    discard,
    import_image,
    sweep,
    version_labels,
)
from support.waiting import await_true

NAME = "cluster-suite"
GIVEN = os.environ.get("KUBECONFIG")
NEEDS = needs.all_of(needs.root("namespaces and an engine"), needs.programs("docker", "dockerd", "docker"),
                     needs.programs("cluster", "kubectl") if GIVEN else needs.cluster())


class Ground(contextlib.ExitStack):
    """A cluster, a registry that its nodes pull from and an engine that pushes there; a context manager."""

    lab: Cluster | None = None  # whose parts a test may kill; None where the cluster is somebody else's
    env: dict[str, str]
    registry: str

    def __init__(self, binaries: Path, nodes: int = 2):
        super().__init__()
        self.binaries, self.nodes = binaries, nodes

    def __enter__(self):
        sweep(NAME)
        own = f"{NAME}-{os.getpid()}"
        try:
            self.engine = self._own(Engine(own, keep_data=False))
            if GIVEN:
                self.env = dict(os.environ)
                self.registry = os.environ.get("SLIPWAY_CLUSTER_REGISTRY", "")
                if not self.registry:
                    raise AssertionError("KUBECONFIG is set, and SLIPWAY_CLUSTER_REGISTRY is not: name the registry "
                                         "(host:port) that this machine pushes to and the cluster's nodes pull from")
            else:
                self.registry = self._own(Registry(own)).address
                self.lab = self._own(Cluster(own, self.nodes))
                self.env = self.lab.env
        except BaseException:
            self.close()
            raise
        return self

    def _own(self, capsule):
        self.callback(discard, capsule)
        return capsule.start()

    @property
    def kubeconfig(self) -> Path:
        return Path(self.env["KUBECONFIG"])

    def kubectl(self, *arguments: str, **options) -> subprocess.CompletedProcess:
        return run("kubectl", *arguments, **{"env": self.env, **options})

    def get(self, *what: str) -> dict:
        return json.loads(self.kubectl("get", *what, "--output", "json").stdout)

    def apply(self, *objects: dict) -> None:
        listed = {"apiVersion": "v1", "kind": "List", "items": objects}
        self.kubectl("apply", "-f", "-", input=json.dumps(listed), stdin=None)

    def node_addresses(self) -> list[str]:
        return [address["address"] for node in self.get("nodes")["items"]
                for address in node["status"]["addresses"] if address["type"] == "InternalIP"]

    def publish(self, repository: str, tag: str, files: dict, changes: list) -> str:
        """Pushes an image of FILES, as import_image has them; its reference by digest."""
        reference = f"{self.registry}/{repository}:{tag}"
        import_image(self.engine, reference, files, changes)
        self.engine.docker("push", reference)
        listed = self.engine.docker("inspect", "--format", "{{json .RepoDigests}}", reference).stdout
        return json.loads(listed)[0]

    def publish_connector(self, tag: str, repository: str = "connector") -> str:
        """The connector of this build; its reference by digest."""
        program = self.binaries / "connector"
        return self.publish(repository, tag, connector_files(program), [
            *CONNECTOR_CHANGES, *version_labels(tag, connector_revision(program))])

    def roll_out(self, namespace: str, container: dict, replicas: int = 1) -> tuple[list[str], dict[str, int]]:
        """A plain Deployment of it, once every node's port answers: nodes' addresses, ports by name."""
        name = container["name"]
        self.apply(plain.deployment(namespace, container, replicas), plain.service(namespace, container))
        self.await_rolled_out(namespace, name)
        ports = self.get("service", name, "--namespace", namespace)["spec"]["ports"]
        ports = {port["name"]: port["nodePort"] for port in ports}
        addresses = self.node_addresses()
        for address in addresses:  # a node's kube-proxy hears of it a moment later
            await_true(lambda address=address: answers(address, ports["http"]), f"{address}: the port of {name}")
        return addresses, ports

    def await_rolled_out(self, namespace: str, name: str) -> None:
        self.kubectl("rollout", "status", f"deployment/{name}", "--namespace", namespace, "--timeout", "120s")


def answers(address: str, port: int) -> bool:
    """Whether a service there is well."""
    try:
        return health(address, port)["status"] == "pass"
    except OSError:
        return False


def health(address: str, port: int) -> dict:
    """What the service there says of itself; OSError where nothing answers."""
    with urllib.request.urlopen(f"http://{address}:{port}/health", timeout=5) as answer:
        return json.load(answer)
