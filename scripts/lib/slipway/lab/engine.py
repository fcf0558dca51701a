"""A Docker engine of our own: its files, socket and processes apart from any other engine's.

The plain engine builds and pushes images. It works in the machine's network, has no bridge and
writes no firewall rule, so that containers get `--network host` or `none`; an engine that runs
services, with networks and published ports, is a Host (host.py).

Images survive in the data root between runs, which makes the second build a cached one.
"""

import http.client
import json
import os
import shutil
import socket
import subprocess
from pathlib import Path

from .capsule import Capsule, LabError, run

# Where the lab's registries and hosts are (host.py, registry.py): plain HTTP is expected there.
LAB_NETWORKS = ("10.231.0.0/16", "10.232.0.0/16")


class Engine(Capsule):
    kind = "engine"

    def __init__(self, name: str, keep_data: bool = True):
        """keep_data=False: images and containers go when the engine stops."""
        super().__init__(name)
        self.keep_data = keep_data
        self.daemon: dict = {}  # what daemon.json says

    @property
    def socket(self) -> Path:
        return self.run_dir / "docker.sock"

    @property
    def env(self) -> dict[str, str]:
        """What makes the Docker client talk to this engine, and leave its user's settings alone."""
        return {**os.environ, "DOCKER_HOST": f"unix://{self.socket}",
                "DOCKER_CONFIG": str(self.home / "client"), "DOCKER_BUILDKIT": "1"}

    def docker(self, *arguments: str, **options) -> subprocess.CompletedProcess:
        """docker ARGUMENTS on this engine; output captured as text unless OPTIONS say otherwise."""
        return run("docker", *arguments, **{"env": self.env, **options})

    def services(self) -> dict[str, dict]:
        return {"dockerd": {
            "argv": ["dockerd", *self._flags(), *self._network_flags()], "grace_s": 5,
            # After a kill it names a process that is gone, or by now another one.
            "stale": [str(self.run_dir / "docker.pid")]}}

    def _flags(self) -> list[str]:
        flags = {
            "config-file": self.home / "daemon.json", "data-root": self.data_dir / "docker",
            "exec-root": self.run_dir / "exec", "host": f"unix://{self.socket}",
            "pidfile": self.run_dir / "docker.pid", "cgroup-parent": f"/{self.cgroup}",
            "shutdown-timeout": 3}
        registries = [f"--insecure-registry={network}" for network in LAB_NETWORKS]
        return [f"--{flag}={value}" for flag, value in flags.items()] + registries

    def _network_flags(self) -> list[str]:
        return ["--bridge=none", "--iptables=false", "--ip6tables=false", "--ip-masq=false",
                "--ip-forward=false"]

    def prepare(self) -> None:
        if shutil.which("dockerd") is None:
            raise LabError("dockerd: not installed; run scripts/setup docker")
        (self.home / "client").mkdir(exist_ok=True)
        # A file of its own, or the engine would read the machine's.
        (self.home / "daemon.json").write_text(json.dumps(self.daemon) + "\n")

    def connect(self) -> None:
        # containerd's shims put their sockets here whatever the engine's own folders are.
        self.run_inside("sh", "-c", "mkdir -p /run/containerd && "
                        "mount -t tmpfs tmpfs /run/containerd")

    def await_ready(self) -> None:
        self.await_service("dockerd", self.answers, 60)

    def stop(self) -> None:
        super().stop()
        if not self.keep_data:
            self._wipe()

    def _wipe(self) -> None:
        shutil.rmtree(self.data_dir, ignore_errors=True)

    def answers(self) -> bool:
        try:
            return self.api("/_ping") == b"OK"
        except OSError:
            return False

    def api(self, path: str) -> bytes:
        """GET from the engine's API; OSError when it does not answer or refuses."""
        connection = http.client.HTTPConnection("localhost", timeout=5)
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.settimeout(5)
        try:
            connection.sock.connect(str(self.socket))
            connection.request("GET", path)
            response = connection.getresponse()
            body = response.read()
        except http.client.HTTPException as error:
            raise OSError(str(error)) from error
        finally:
            connection.close()
        if response.status != 200:
            raise OSError(f"GET {path}: {response.status}: {body[:200]!r}")
        return body

    def has_image(self, reference: str) -> bool:
        try:
            self.api(f"/images/{reference}/json")
            return True
        except OSError:
            return False

    def image_id(self, reference: str) -> str:
        return json.loads(self.api(f"/images/{reference}/json"))["Id"]
