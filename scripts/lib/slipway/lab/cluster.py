"""A Kubernetes cluster of our own: control plane and nodes, apart from any other on this machine.

The control plane (etcd, API server, controller manager, scheduler) is a capsule with a network of
its own, whose switch joins the nodes (cluster_node.py, a capsule each) and a leg to this machine.
When that capsule ends, switch and legs go with it. There is no DNS and no ingress; the rest is what
any cluster has. Every part uses the administrator's certificate, but others are held to RBAC.

Images come from the lab's registries, or by load(). The executables: `scripts/setup cluster`.
"""

import json
import re
import shutil
import subprocess
import time
from pathlib import Path

from . import cluster_files
from .capsule import Capsule, LabError, run, uninterrupted, wait_until
from .cluster_node import Node
from .cluster_plan import DNS_SERVICE, MOST_NODES, PORT, SERVICES, Plan, executables, kubectl_environment, require

# Names are looked up nowhere: a Service without pods behind it refuses at once what would else time out.
NO_DNS = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "kube-dns", "namespace": "kube-system"},
          "spec": {"clusterIP": DNS_SERVICE, "ports": [{"name": "dns", "port": 53, "protocol": "UDP"},
                                                       {"name": "dns-tcp", "port": 53, "protocol": "TCP"}]}}


class Cluster(Capsule):
    kind = "cluster"
    own_network = True

    def __init__(self, name: str, nodes: int = 2):
        super().__init__(name)
        if not 1 <= nodes <= MOST_NODES:
            raise LabError(f"cluster {name}: {nodes} nodes; use 1 to {MOST_NODES}")
        self.plan = Plan(name)
        self.nodes = [Node(f"{name}-{number}") for number in range(1, nodes + 1)]
        self.kubeconfig = self.home / "admin.conf"
        self.link = f"sc{self.short_id}"

    @property
    def env(self) -> dict[str, str]:
        return kubectl_environment(self.kubeconfig)

    def kubectl(self, *arguments: str, **options) -> subprocess.CompletedProcess:
        return run("kubectl", *arguments, **{"env": self.env, **options})

    def load(self, archive: Path) -> None:
        """Gives every node the images of ARCHIVE, an OCI archive or one of `docker save`."""
        for node in self.nodes:
            node.load(archive)

    # Faults.

    def kill_api_server(self) -> None:
        self.kill_service("kube-apiserver")

    def start_api_server(self) -> None:
        self.start_service("kube-apiserver")
        self._await_api_server()

    # A node is killed and started by its own methods.

    # Life.

    def start(self, detach: bool = False, wait_s: float = 30) -> "Cluster":
        super().start(detach, wait_s)
        try:
            for node in self.nodes:
                node.start(detach)
            self.await_nodes()
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        with uninterrupted():
            self._remove_nodes()
            super().stop()
            shutil.rmtree(self.data_dir, ignore_errors=True)

    def await_nodes(self, timeout_s: float = 90) -> None:
        """Returns when all nodes are ready and pods can be made."""
        deadline = time.monotonic() + timeout_s
        wait_until(lambda: self._ready_nodes() >= {node.node_name for node in self.nodes},
                   f"{self.identity}: its nodes (logs: {', '.join(str(node.log_dir) for node in self.nodes)})",
                   timeout_s)
        # Without it the first pods are refused.
        wait_until(lambda: self._knows("serviceaccount/default"), f"{self.identity}: its service account",
                   max(1, deadline - time.monotonic()))

    # Parts.

    def services(self) -> dict[str, dict]:
        pki, everybody = self.home / "pki", f"--kubeconfig={self.kubeconfig}"
        api_server = {
            "etcd-servers": "http://127.0.0.1:2379", "secure-port": PORT, "advertise-address": self.plan.api_server,
            "tls-cert-file": pki / "apiserver.crt", "tls-private-key-file": pki / "apiserver.key",
            "client-ca-file": pki / "ca.crt", "kubelet-client-certificate": pki / "admin.crt",
            "kubelet-client-key": pki / "admin.key", "kubelet-preferred-address-types": "InternalIP",
            "service-account-key-file": pki / "sa.pub", "service-account-signing-key-file": pki / "sa.key",
            "service-account-issuer": "https://kubernetes.default.svc", "service-cluster-ip-range": SERVICES,
            "authorization-mode": "RBAC", "allow-privileged": "true",
            # There is no kube-proxy here: a webhook's Service is reached at its pods.
            "enable-aggregator-routing": "true"}
        controllers = {"service-account-private-key-file": pki / "sa.key", "root-ca-file": pki / "ca.crt",
                       "leader-elect": "false",
                       # The nodes' networks are the plan's, and there is no cloud to ask.
                       "controllers": "*,-node-ipam-controller,-cloud-node-lifecycle-controller"}
        # A power cut of the whole machine would lose its data, and the cluster is gone by then anyway.
        etcd = {"data-dir": self.data_dir / "etcd", "log-level": "warn", "unsafe-no-fsync": "true"}
        return {
            "etcd": _service("etcd", etcd),
            "kube-apiserver": _service("kube-apiserver", api_server),
            "kube-controller-manager": _service("kube-controller-manager", controllers, everybody),
            "kube-scheduler": _service("kube-scheduler", {"leader-elect": "false"}, everybody)}

    def undo(self) -> list[list[str]]:
        return [["ip", "link", "del", self.link]]

    def prepare(self) -> None:
        require()
        self._remove_nodes()
        shutil.rmtree(self.data_dir, ignore_errors=True)
        self.data_dir.mkdir(mode=0o700)
        taken = run("ip", "-oneline", "route", "show", "exact", self.plan.network).stdout.strip()
        if taken:
            raise LabError(f"cluster {self.name}: its network {self.plan.network} is there already ({taken}); "
                           "end what has it, or use another name")
        cluster_files.make_certificates(self.home / "pki", self.plan)
        self.kubeconfig.touch(mode=0o600)
        self.kubeconfig.write_text(cluster_files.kubeconfig(self.home / "pki", self.plan))
        cluster_files.write_pause_image(self.home / "pause.tar")

    def connect(self) -> None:
        run("ip", "link", "add", self.link, "type", "veth", "peer", "name", "machine", "netns", str(self.pid))
        run("ip", "address", "add", f"{self.plan.machine}/28", "dev", self.link)
        run("ip", "link", "set", self.link, "up")
        self.run_inside("sh", "-c", "\n".join((
            "set -e",
            "ip link set lo up",
            # Of its own a bridge takes the lowest that its ports have, which changes as nodes come and go.
            f"ip link add br0 address {self.plan.hardware(0)} type bridge",
            f"ip address add {self.plan.api_server}/28 dev br0",
            "ip link set br0 up",
            "ip link set machine master br0 up",
            # For what the API server forwards to pods.
            *(f"ip route add {self.plan.pods(number)} via {self.plan.node(number)}"
              for number in range(1, MOST_NODES + 1)))))

    def start_services(self) -> None:
        for service in ("etcd", "kube-apiserver"):
            self.start_service(service)
        # The controller manager ends if the API server does not answer it within ten seconds.
        self._await_api_server()
        super().start_services()

    def await_ready(self) -> None:
        self.kubectl("create", "-f", "-", input=json.dumps(NO_DNS), stdin=None)

    def _await_api_server(self) -> None:
        self.await_service("kube-apiserver", lambda: self._knows("--raw=/readyz"), 60)

    def _knows(self, what: str) -> bool:
        return subprocess.run(["kubectl", "get", what, "--request-timeout=5s"], env=self.env, capture_output=True,
                              stdin=subprocess.DEVNULL, check=False).returncode == 0

    def _ready_nodes(self) -> set[str]:
        for node in self.nodes:
            for service in node.services():
                if not node.service_running(service):
                    raise LabError(f"{node.identity}: {service} exited:\n{node.log(service)[-1500:]}")
        # For a while a node that died counts as ready, so what is told must be of this boot.
        boots = {node.node_name: node.boot_id for node in self.nodes}
        told = json.loads(self.kubectl("get", "nodes", "-o", "json").stdout)["items"]
        return {name for node in told if (name := node["metadata"]["name"]) in boots
                and node["status"].get("nodeInfo", {}).get("bootID") == boots[name]
                and any(condition["type"] == "Ready" and condition["status"] == "True"
                        for condition in node["status"].get("conditions", []))}

    def _remove_nodes(self) -> None:
        """All that there are on the disk, so also those of a crash, or of a cluster that had more."""
        for home in self.home.parent.glob(f"node-{self.name}-*"):
            if re.fullmatch(rf"node-{self.name}-\d+", home.name):
                Node(home.name.removeprefix("node-")).kill()
                shutil.rmtree(home, ignore_errors=True)


def _service(program: str, flags: dict, *more: str) -> dict:
    # No grace: what it could save by an orderly end goes with it.
    return {"argv": [str(executables() / program), *(f"--{flag}={value}" for flag, value in flags.items()), *more],
            "grace_s": 0}
