"""The cluster of the rehearsal: a namespace that an operator prepares, deploys to from here, and sees."""

import json
import os
import secrets
import subprocess
from pathlib import Path

from ..lab import Cluster, LabError, Registry
from . import traffic
from .description import Description
from .production import HERE, Swap, reported
from .stages import expect
from .traffic import Load, http_get
from .versions import Version

NAMESPACE = "slipway-rehearsal"


def changes(description: Description) -> dict:
    """What images say here in place of slipway.yml: as on a host, but that nothing counts answers for a bake."""
    return HERE if "good" in description.bake else {key: value for key, value in HERE.items() if key != "bake"}


class Namespace:
    """A service in a cluster, with an account that can deploy it and nothing else; as production.Production."""

    def __init__(self, cluster: Cluster, registry: Registry, description: Description, executables: Path, folder: Path):
        """FOLDER: for the settings of what is deployed from here."""
        self.cluster = cluster
        self.registry = registry
        self.description = description
        self.executables = executables
        self.folder = folder
        self.secrets = {name: secrets.token_urlsafe(24) for name in description.secrets}
        self.ip = cluster.nodes[0].ip
        self.ports: dict[int, int] = {}

    def install(self, repository: Path) -> None:
        """The account, what slipway.yml asks of a cluster, and settings; configuration is that of REPOSITORY's
        host/config, as for a host."""
        name, home = self.description.name, self.folder / "home"
        registries = home / ".config" / "containers" / "registries.conf"
        registries.parent.mkdir(parents=True, exist_ok=True)
        registries.write_text(f'[[registry]]\nlocation = "{self.registry.address}"\ninsecure = true\n')
        account = self.folder / "kubeconfig"
        self._run([self.executables / "slipway", "setup", "--kubernetes", "--namespace", NAMESPACE, "--apply",
                   "--write", account], self.cluster.env)
        self.env = {**os.environ, "HOME": str(home), "KUBECONFIG": str(account)}
        # Nothing here is the machine's own kubectl's: the lab's comes first.
        self.env["PATH"] = self.cluster.env.get("PATH", os.environ["PATH"])
        if self.secrets:
            self.kubectl("create", "secret", "generic", f"{name}-env",
                         *(f"--from-literal={key}={value}" for key, value in self.secrets.items()))
        for folder in self.description.document.get("config", {}):
            self.kubectl("create", "configmap", f"{name}-config-{folder}",
                         f"--from-file={repository / 'host' / 'config' / folder}")
        (self.folder / "patch.json").write_text(json.dumps({"Service": {"spec": {"type": "NodePort"}}}))
        settings = {"platform": "kubernetes", "project": name, "image": self.registry.reference(name),
                    "patch": "patch.json"}
        if self.description.is_built_elsewhere:
            (self.folder / "slipway.yml").write_text(self.description.label())
            settings["service"] = "slipway.yml"
        (self.folder / "deploy.json").write_text(json.dumps(settings, indent=2))

    def kubectl(self, *arguments: str) -> str:
        return self.cluster.kubectl("--namespace", NAMESPACE, *arguments).stdout

    def reference(self, version: Version) -> str:
        return self.registry.reference(self.description.name, version.digest)

    def operate(self, *command: str) -> Swap:
        """deploy or rollback from here, with its report."""
        before = self.serving_digest()
        done = subprocess.run([self.executables / command[0], "--config", self.folder / "deploy.json", "--json",
                               *command[1:]], env=self.env, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=300, check=False)
        return reported(command[0], done, before, self.serving_digest())

    def load(self, folder: Path) -> Load:
        """What slipway.yml's gate says is sent, through the Service's port of a node."""
        gate = self.description.gate
        if "target" not in gate:
            return traffic.http_load(self.ip, self._port(self.description.port), gate, folder)
        # Its ports are those inside.
        said = json.dumps(gate)
        for inside, outside in self._node_ports().items():
            said = said.replace(f":{inside}/", f":{outside}/")
        return traffic.target_load(self.ip, json.loads(said), self.secrets)

    def served_count(self) -> float | None:
        """How many requests the colour that serves has answered well; nothing where it does not tell."""
        bake = self.description.bake
        return traffic.counter(self.ip, self._port(self.description.port), bake) if "good" in bake else None

    # What really is there, asked of the cluster, not of the tools under rehearsal.

    def serving_digest(self) -> str:
        try:
            service = json.loads(self.kubectl("get", "service", self.description.name, "--output", "json"))
        except LabError:
            return ""
        colour = service["spec"]["selector"]["slipway.io/colour"]
        pods = json.loads(self.kubectl("get", "pods", "--selector", f"slipway.io/colour={colour}", "--output", "json"))
        digests = {status["imageID"].partition("@")[2] for pod in pods["items"]
                   if "deletionTimestamp" not in pod["metadata"]
                   for status in pod["status"].get("containerStatuses", [])}
        return digests.pop() if len(digests) == 1 else ""

    def expect_serving(self, version: Version) -> str:
        """The pods behind the Service run VERSION's digest, and their health says so through it."""
        digest = self.serving_digest()
        expect(digest == version.digest, f"the Service leads to {digest or 'no digest'}, expected {version.digest}")
        releases = set()
        for _ in range(10):
            status, body = http_get(self.ip, self.description.health, self._port(self.description.port))
            expect(status == 200, f"health through the Service answers {status}: {body[:200]}")
            if self.description.says_its_version:
                releases.add(json.loads(body)["releaseId"])
        expect(releases <= {version.sha}, f"health says releaseId {releases}, expected {version.sha}")
        return f"{version.short} serves"

    def _node_ports(self) -> dict[int, int]:
        service = json.loads(self.kubectl("get", "service", self.description.name, "--output", "json"))
        return {port["targetPort"]: port["nodePort"] for port in service["spec"]["ports"]}

    def _port(self, inside: int) -> int:
        self.ports = self.ports or self._node_ports()
        return self.ports[inside]

    def _run(self, command: list, env: dict[str, str]) -> None:
        done = subprocess.run(command, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        expect(done.returncode == 0, f"{command[0].name}: exit {done.returncode}: {done.stderr.strip()[-1500:]}")
