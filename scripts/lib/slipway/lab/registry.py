"""A container registry of our own, on an address that hosts in their own networks reach too.

The address (10.232.x.y, one per name) sits on the loopback interface: nothing outside this machine
can reach it, every host and node of the lab can. Push and pull need no TLS, as the lab's engines
know; containerd is told so by a folder for each registry that runs.
"""

import http.client
import shutil
import socket
from pathlib import Path

from .. import paths
from .capsule import Capsule, LabError, run

MANIFEST_TYPES = ", ".join((
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json"))

CONFIG = """\
version: 0.1
log:
  level: warn
  accesslog:
    disabled: true
storage:
  filesystem:
    rootdirectory: {folder}
  delete:
    enabled: true
http:
  addr: {address}
"""

PLAIN_HTTP = """\
server = "http://{address}"
[host."http://{address}"]
  capabilities = ["pull", "resolve"]
"""


def plain_http_folder() -> Path:
    """What containerd calls certs.d: it looks there at each pull."""
    return paths.lab("registries")


class Registry(Capsule):
    kind = "registry"

    def __init__(self, name: str, port: int = 5000, keep_data: bool = False):
        """keep_data=True: what was pushed is there again in the next run."""
        super().__init__(name)
        number = int(self.short_id, 16)
        self.ip = f"10.232.{number >> 8 & 255}.{number % 254 + 1}"
        self.port = port
        self.keep_data = keep_data

    @property
    def address(self) -> str:
        """host:port, the first part of a reference."""
        return f"{self.ip}:{self.port}"

    def reference(self, repository: str, tag: str = "") -> str:
        """REPOSITORY here, with a tag or, if TAG begins with `sha256:`, by digest."""
        separator = "@" if tag.startswith("sha256:") else ":" if tag else ""
        return f"{self.address}/{repository}{separator}{tag}"

    def digest(self, repository: str, tag: str) -> str | None:
        """The digest that TAG names now, None if there is no such tag."""
        connection = http.client.HTTPConnection(self.ip, self.port, timeout=5)
        try:
            connection.request("HEAD", f"/v2/{repository}/manifests/{tag}",
                               headers={"Accept": MANIFEST_TYPES})
            response = connection.getresponse()
            response.read()
        finally:
            connection.close()
        if response.status == 404:
            return None
        if response.status != 200:
            raise LabError(f"{self.reference(repository, tag)}: the registry answered "
                           f"{response.status}")
        return response.headers["Docker-Content-Digest"]

    def pause(self) -> None:
        """The registry is gone, what it holds stays; resume() brings it back."""
        self.kill_service("registry")

    def resume(self) -> None:
        self.start_service("registry")
        self.await_ready()

    def services(self) -> dict[str, dict]:
        return {"registry": {
            "argv": ["docker-registry", "serve", str(self.home / "config.yml")], "grace_s": 3,
            "env": {"OTEL_TRACES_EXPORTER": "none"}}}

    def undo(self) -> list[list[str]]:
        return [["ip", "address", "del", f"{self.ip}/32", "dev", "lo"],
                ["rm", "-rf", str(plain_http_folder() / self.address)]]

    def prepare(self) -> None:
        if shutil.which("docker-registry") is None:
            raise LabError("docker-registry: not installed; run scripts/setup docker")
        if not self.keep_data:
            shutil.rmtree(self.data_dir, ignore_errors=True)
        self.data_dir.mkdir(exist_ok=True)
        (self.home / "config.yml").write_text(
            CONFIG.format(folder=self.data_dir, address=self.address))
        (plain_http_folder() / self.address).mkdir(parents=True, exist_ok=True)
        (plain_http_folder() / self.address / "hosts.toml").write_text(PLAIN_HTTP.format(address=self.address))
        run("ip", "address", "add", f"{self.ip}/32", "dev", "lo")
        # Found before the start: until ours has exited, a stranger's answers would pass for its own.
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((self.ip, self.port))
            except OSError as error:
                raise LabError(f"registry {self.name}: {self.address} is taken by somebody else; "
                               "end that, or use another port") from error

    def await_ready(self) -> None:
        self.await_service("registry", self._serves, 20)

    def _serves(self) -> bool:
        try:
            with socket.create_connection((self.ip, self.port), timeout=2) as connection:
                connection.sendall(b"GET /v2/ HTTP/1.0\r\n\r\n")
                return connection.recv(64).startswith(b"HTTP/1.0 200")
        except OSError:
            return False

    def stop(self) -> None:
        super().stop()
        if not self.keep_data:
            shutil.rmtree(self.data_dir, ignore_errors=True)
