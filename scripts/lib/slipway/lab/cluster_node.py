"""A node of a cluster: a capsule with an address, a containerd, a kubelet and a kube-proxy of its own.

It is the far end of a veth pair whose near end is in the switch of its cluster's capsule
(cluster.py), so nodes reach one another, the API server, this machine and the lab's registries.
All that it runs, containers included, are processes of its process namespace: kill() ends them in
the same moment, as a power cut does.
"""

import json
import os
import re
import signal
import socket
import uuid
from pathlib import Path

from . import cluster_files
from .capsule import Capsule, LabError, pid_of, run
from .cluster_plan import CNI_PLUGINS, DNS_SERVICE, MOST_NODES, PODS, Plan, executables, require
from .host import private_folders
from .registry import plain_http_folder

PRIVATE = ("/etc", "/var/lib", "/var/log")

CONTAINERD = """\
version = 2
root = "{data}/containerd"
state = "{run}/containerd"
[grpc]
  address = "{socket}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{pause}"
  # The root of some machines may not lower a score.
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{plugins}"
    conf_dir = "{home}/cni"
  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = "{registries}"
"""

BOOT_ID = "kernel/random/boot_id"
# What a kubelet would set on the machine, for all of it, if it did not find it so.
KERNEL = {"vm/overcommit_memory": 1, "vm/panic_on_oom": 0, "kernel/panic": 10, "kernel/panic_on_oops": 1,
          "kernel/keys/root_maxkeys": 1000000, "kernel/keys/root_maxbytes": 25000000}


class Node(Capsule):
    kind = "node"
    own_network = True

    def __init__(self, name: str):
        """NAME: its cluster's, a hyphen, and its number from 1."""
        super().__init__(name)
        self.cluster, _, number = name.rpartition("-")
        if not self.cluster or not re.fullmatch(r"[1-9]\d?", number) or int(number) > MOST_NODES:
            raise LabError(f"node {name!r}: use CLUSTER-N, N from 1 to {MOST_NODES}")
        self.number = int(number)
        self.plan = Plan(self.cluster)
        self.ip = self.plan.node(self.number)
        self.socket = self.run_dir / "containerd.sock"

    @property
    def env(self) -> dict[str, str]:
        """What makes ctr talk to this node."""
        return {**os.environ, "CONTAINERD_ADDRESS": str(self.socket), "CONTAINERD_NAMESPACE": "k8s.io"}

    @property
    def node_name(self) -> str:
        """What Kubernetes calls it."""
        return f"n{self.number}"

    @property
    def boot_id(self) -> str:
        """Of its last start; the kubelet tells it, too."""
        return self._shown(BOOT_ID).read_text().strip()

    def kill(self) -> None:
        """All of its processes at once; start() brings it back with what it had on disk."""
        if pid := self.pid:
            self._signal(pid, signal.SIGKILL)
        self.stop()

    def load(self, archive: Path) -> None:
        """Gives it the images of ARCHIVE, an OCI archive or one of `docker save`."""
        run("ctr", "images", "import", str(archive), env=self.env)

    # Parts.

    def services(self) -> dict[str, dict]:
        kubeconfig = f"--kubeconfig={self._of_cluster / 'admin.conf'}"
        environment = {"PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"}
        proxy = {"hostname-override": self.node_name, "proxy-mode": "iptables", "cluster-cidr": PODS,
                 # Settings of the whole machine, which stay as they are.
                 "conntrack-max-per-core": 0, "conntrack-tcp-timeout-established": 0,
                 "conntrack-tcp-timeout-close-wait": 0}
        services = {
            "containerd": ["containerd", "--config", str(self.home / "containerd.toml")],
            "kubelet": [str(executables() / "kubelet"), kubeconfig, f"--config={self.home / 'kubelet.json'}",
                        f"--hostname-override={self.node_name}", f"--node-ip={self.ip}",
                        f"--root-dir={self.data_dir / 'kubelet'}", f"--cert-dir={self.data_dir / 'pki'}"],
            "kube-proxy": [str(executables() / "kube-proxy"), kubeconfig,
                           *(f"--{flag}={value}" for flag, value in proxy.items())]}
        return {name: {"argv": argv, "env": environment, "stale": [str(self.socket)] * (name == "containerd")}
                for name, argv in services.items()}

    def leftovers(self) -> list[list[str]]:
        """Its end of the pair in the switch may outlast it by a moment."""
        switch = self._switch_pid()
        return [["nsenter", "-t", str(switch), "-n", "ip", "link", "del", self.node_name]] if switch else []

    @property
    def _of_cluster(self) -> Path:
        return self.home.with_name(f"cluster-{self.cluster}")

    def _switch_pid(self) -> int | None:
        return pid_of(self._of_cluster / "run")

    def prepare(self) -> None:
        require()
        if self._switch_pid() is None:
            raise LabError(f"node {self.name}: cluster {self.cluster} is not running; start it first")
        (self.home / "cni").mkdir(exist_ok=True)
        (self.home / "containerd.toml").write_text(CONTAINERD.format(
            data=self.data_dir, run=self.run_dir, socket=self.socket, home=self.home, plugins=CNI_PLUGINS,
            pause=cluster_files.PAUSE_IMAGE, registries=plain_http_folder()))
        (self.home / "cni" / "pods.conflist").write_text(json.dumps(self._pod_network()))
        (self.home / "kubelet.json").write_text(json.dumps(self._kubelet(), indent=1))
        self._make_cgroups()

    def _pod_network(self) -> dict:
        addresses = {"type": "host-local", "dataDir": str(self.run_dir / "addresses"),
                     "ranges": [[{"subnet": self.plan.pods(self.number)}]], "routes": [{"dst": "0.0.0.0/0"}]}
        # Point to point: what a pod sends is always routed, so it meets kube-proxy's rules without br_netfilter.
        return {"cniVersion": "0.4.0", "name": "pods", "plugins": [
            {"type": "ptp", "ipMasq": False, "ipam": addresses},
            {"type": "portmap", "capabilities": {"portMappings": True}}]}

    def _kubelet(self) -> dict:
        return {
            "apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration",
            "authentication": {"anonymous": {"enabled": False}, "webhook": {"enabled": False},
                               "x509": {"clientCAFile": str(self._of_cluster / "pki" / "ca.crt")}},
            "authorization": {"mode": "AlwaysAllow"},
            "address": self.ip, "containerRuntimeEndpoint": f"unix://{self.socket}",
            "cgroupDriver": "cgroupfs", "cgroupRoot": f"/{self.cgroup}", "failCgroupV1": False,
            "enforceNodeAllocatable": [], "failSwapOn": False,
            "volumePluginDir": str(self.data_dir / "volume-plugins"), "resolvConf": "", "clusterDNS": [DNS_SERVICE],
            # The disk is the machine's: how full it is, is no reason to evict what is tested.
            "evictionHard": {"memory.available": "100Mi"}, "imageGCHighThresholdPercent": 100}

    def _make_cgroups(self) -> None:
        """The group that the kubelet's own are made in, under each controller."""
        root = Path("/sys/fs/cgroup")
        unified = (root / "cgroup.controllers").exists()
        for controller in [root] if unified else filter(Path.is_dir, root.iterdir()):
            (controller / self.cgroup).mkdir(exist_ok=True)
            for setting in ("cpuset.cpus", "cpuset.mems"):  # empty in a new group, which then takes no process
                if not unified and (controller / setting).exists():
                    (controller / self.cgroup / setting).write_text((controller / setting).read_text())

    def connect(self) -> None:
        run("ip", "link", "add", "name", self.node_name, "netns", str(self._switch_pid()), "type", "veth",
            "peer", "name", "eth0", "address", self.plan.hardware(self.number), "netns", str(self.pid))
        run("nsenter", "-t", str(self._switch_pid()), "-n", "ip", "link", "set", self.node_name, "master", "br0", "up")
        others = filter(lambda number: number != self.number, range(1, MOST_NODES + 1))
        self.run_inside("sh", "-c", "\n".join((
            "set -e",
            f"hostname {self.node_name}",
            "ip link set lo up",
            f"ip address add {self.ip}/28 dev eth0",
            "ip link set eth0 up",
            f"ip route add default via {self.plan.machine}",
            *(f"ip route add {self.plan.pods(number)} via {self.plan.node(number)}" for number in others),
            "sysctl -qw net.ipv4.ip_forward=1",
            # Nobody outside knows the way to a pod.
            f"iptables -t nat -A POSTROUTING -s {PODS} ! -d {PODS} -o eth0 -j MASQUERADE",
            *private_folders(PRIVATE, self.home / "tree"),
            "mount -t tmpfs -o mode=755 tmpfs /run",
            "mkdir /run/lock",
            *self._kernel(),
            # The kubelet's mounts must be seen by the containers' runtime.
            "mount --make-rshared /")))

    def _kernel(self) -> list[str]:
        """The kubelet finds the settings as it wants them, so it leaves the machine's alone; each start is a boot."""
        shown = {**KERNEL, BOOT_ID: uuid.uuid4()}
        for setting, value in shown.items():
            self._shown(setting).parent.mkdir(exist_ok=True)
            self._shown(setting).write_text(f"{value}\n")
        return [f"mount --bind {self._shown(setting)} /proc/sys/{setting}" for setting in shown]

    def _shown(self, setting: str) -> Path:
        """The file that is seen in its place."""
        return self.run_dir / "kernel" / setting.replace("/", ".")

    def start_service(self, service: str) -> None:
        super().start_service(service)
        if service == "containerd":  # a kubelet that does not find it ends
            self.await_service("containerd", self._containerd_answers, 30)
            self.load(self._of_cluster / "pause.tar")

    def _containerd_answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as connection:
            return connection.connect_ex(str(self.socket)) == 0
