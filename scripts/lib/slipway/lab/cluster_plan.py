"""What follows from a cluster's name alone: its addresses, and where its executables are.

A cluster has a network of 16 addresses, chosen by its name: the first is the API server's, the last
this machine's, those in between are the nodes'. Pods and Services have the same networks in every
cluster, since they exist inside its namespaces only.
"""

import hashlib
import os
import re
import shutil
from pathlib import Path

from .. import paths
from .capsule import LabError

MOST_NODES = 12
PODS = "10.244.0.0/16"
SERVICES = "10.96.0.0/16"
FIRST_SERVICE, DNS_SERVICE = "10.96.0.1", "10.96.0.10"
PORT = 6443
CNI_PLUGINS = "/usr/lib/cni"
# Of the distribution; the rest is built by `scripts/setup cluster`.
PROGRAMS = ("containerd", "ctr", "runc", "iptables", "ip", "openssl")


class Plan:
    def __init__(self, cluster: str):
        # The lab's other networks are 10.231 (hosts) and 10.232 (registries).
        block = int(hashlib.sha256(cluster.encode()).hexdigest()[:8], 16) % (1 << 12) * 16
        self.prefix = f"10.233.{block >> 8}"
        self.first = block & 255
        self.network = f"{self.prefix}.{self.first}/28"
        self.api_server = self._address(1)
        self.machine = self._address(14)

    @property
    def url(self) -> str:
        return f"https://{self.api_server}:{PORT}"

    def node(self, number: int) -> str:
        return self._address(1 + number)

    def hardware(self, number: int) -> str:
        """An Ethernet address that a restart keeps, as its neighbours remember it: a node's; 0: the API server's."""
        return f"02:00:00:00:00:{number:02x}"

    def pods(self, number: int) -> str:
        return f"10.244.{number}.0/24"

    def _address(self, last: int) -> str:
        return f"{self.prefix}.{self.first + last}"


def sources() -> Path:
    """The module that pins Kubernetes and etcd, with the source of the pause container."""
    return paths.PACKAGES / "cluster"


def executables() -> Path:
    """The folder that `scripts/setup cluster` builds into, whether or not it has."""
    key = hashlib.sha256(b"".join((sources() / name).read_bytes() for name in ("go.mod", "pause.c")))
    return paths.cache() / "tools" / f"kubernetes-{key.hexdigest()[:12]}"


def kubectl_environment(kubeconfig: Path) -> dict[str, str]:
    """What makes kubectl, also of the programs that call it, talk to the cluster of KUBECONFIG."""
    return {**os.environ, "KUBECONFIG": str(kubeconfig), "PATH": f"{executables()}:{os.environ['PATH']}",
            # What it remembers of a cluster goes with the cluster; another may have the same address.
            "KUBECACHEDIR": str(kubeconfig.parent / "run" / "kubectl")}


def version() -> str:
    found = re.search(r"^\s*k8s\.io/kubernetes (v\S+)", (sources() / "go.mod").read_text(), re.MULTILINE)
    return found.group(1)


def missing() -> list[str]:
    """What this machine lacks to run a cluster."""
    absent = [name for name in PROGRAMS if shutil.which(name, path="/usr/sbin:/usr/bin:/sbin:/bin") is None]
    absent += [] if Path(CNI_PLUGINS, "ptp").exists() else [CNI_PLUGINS]
    return absent + ([] if executables().is_dir() else [f"Kubernetes {version()}"])


def require() -> None:
    if absent := missing():
        raise LabError(f"cluster: not installed: {', '.join(absent)}; scripts/setup cluster brings it "
                       "(Kubernetes is built from its Go modules: about 15 minutes of one processor, once)")
