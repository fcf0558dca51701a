"""The host of the rehearsal: what an operator installs on it, says to it, and sees of it."""

import csv
import json
import secrets
import subprocess
import tarfile
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from .. import paths
from ..lab import Engine, Host, LabError, Registry, images
from ..lab.capsule import run
from . import traffic
from .description import Description
from .stages import StageFailed, expect
from .traffic import Load, Packets, http_get
from .versions import Version

COLOURS = ("blue", "green")
METRICS = Path("/var/lib/slipway/metrics")  # on the host
# Shorter than on a real host, so that a rehearsal of a sick release does not take minutes. The load, both colours
# and the proxy share this machine's few processors: only a latency that is beyond such noise may take a release
# back here.
HERE = {"healthy": {"within": "10s"},
        "bake": {"window": "3s", "longest": "15s", "worse": {"allowance": "100ms"}}}


@dataclass
class Swap:
    """One deploy or rollback, as the report shows it."""
    operation: str
    exit_code: int = -1
    from_digest: str = ""
    to_digest: str = ""
    serving_digest: str = ""
    seconds_to_healthy: float | None = None
    flip_seconds: float | None = None
    packets: Packets = field(default_factory=Packets)
    last_line: str = ""
    report: dict = field(default_factory=dict)

    def as_json(self) -> dict:
        return {"operation": self.operation, "exitCode": self.exit_code,
                "from": self.from_digest, "to": self.to_digest, "serving": self.serving_digest,
                "secondsToHealthy": self.seconds_to_healthy, "flipSeconds": self.flip_seconds,
                "packets": vars(self.packets), "report": self.report}


def reported(tool: str, done: subprocess.CompletedProcess, before: str, serving: str) -> Swap:
    """What TOOL said with --json, and the digests that served BEFORE it and serve now."""
    lines = done.stdout.strip().splitlines()
    if not lines:
        raise StageFailed(f"{tool}: exit {done.returncode}, nothing on stdout: {done.stderr.strip()[-1500:]}")
    report = json.loads(lines[0])
    return Swap(tool, done.returncode, from_digest=before, serving_digest=serving,
                seconds_to_healthy=report["secondsToHealthy"], flip_seconds=report["secondsOfFlip"],
                last_line=lines[-1], report=report)


class Production:
    """A host with HAProxy and two colours of a service, driven over ssh as an operator would."""

    def __init__(self, host: Host, registry: Registry, description: Description):
        self.host = host
        self.registry = registry
        self.description = description
        self.secrets = {name: secrets.token_urlsafe(24) for name in description.secrets}

    def install(self, repository: Path, executables: Path, engine: Engine, haproxy: str,
                config: dict[str, Path] | None = None, watched: bool = False) -> None:
        """Copies what a host needs to it: the executables, the service's configuration, and settings and secrets
        of its own. HAPROXY: the image of the proxy; empty: deploy's own choice. CONFIG: folders by the names that
        slipway.yml gives them; those in REPOSITORY's host/config, if nothing is said. WATCHED: with the settings that
        host/observability wants."""
        if config is None:
            config = {folder.name: folder for folder in (repository / "host/config").glob("*/")}
        settings: dict[str, str | int] = {"image": self.registry.reference(self.description.name)}
        if watched:
            self.host.run_inside("mkdir", "-p", str(METRICS))
            settings |= {"metricsDir": str(METRICS), "haproxyMetricsPort": 8404}
        if haproxy:
            images.give(haproxy, engine, self.host)
            settings["haproxyImage"] = haproxy
        with tempfile.TemporaryDirectory() as folder:
            archive = Path(folder) / "host.tar"
            with tarfile.open(archive, "w") as tar:
                tar.add(paths.REPOSITORY / "host", "etc/slipway")
                for tool in ("deploy", "rollback"):
                    tar.add(executables / tool, f"usr/local/bin/{tool}")
                for name, source in config.items():
                    tar.add(source, f"etc/slipway/config/{name}")
            with open(archive, "rb") as stream:
                run(*self.host.ssh("tar -x --no-same-owner -C /"), stdin=stream)
        self._write("/etc/slipway/deploy.json", json.dumps(settings, indent=2))
        if self.description.is_built_elsewhere:
            # Its image carries no label of ours.
            self._write("/etc/slipway/slipway.yml", self.description.label(**HERE))
        if self.secrets:
            self._write("/etc/slipway/service.env", "".join(f"{k}={v}\n" for k, v in self.secrets.items()))

    def load(self, folder: Path, rate: float | None = None) -> Load:
        """What slipway.yml's gate says is sent, through this host's proxy."""
        gate = self.description.gate if rate is None else {**self.description.gate, "rate": rate}
        if "target" in gate:
            return traffic.target_load(self.host.ip, gate, self.secrets)
        return traffic.http_load(self.host.ip, self.description.port, gate, folder)

    def served_count(self) -> float:
        """How many requests the colour that serves, or else the proxy, has answered well; 0 while nobody tells."""
        if "good" in self.description.bake:
            return traffic.counter(self.host.ip, self.description.port, self.description.bake)
        rows = csv.DictReader(self._ask_haproxy("show stat").lstrip("# ").splitlines())
        classes = {status // 100 for status in self.description.gate.get("served", {}).get("status", [200])}
        return sum(float(row[f"hrsp_{first}xx"] or 0) for row in rows if row["svname"] == "FRONTEND"
                   for first in classes)

    def _write(self, path: str, content: str) -> None:
        subprocess.run(self.host.ssh(f"umask 077 && cat > {path}"), input=content, text=True,
                       check=True, capture_output=True)

    def reference(self, version: Version) -> str:
        return self.registry.reference(self.description.name, version.digest)

    def operate(self, *command: str) -> Swap:
        """deploy or rollback on the host, over ssh, with its report."""
        before = self.serving_digest()
        done = subprocess.run(self.host.ssh(*command, "--json"), stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=300, check=False)
        return reported(command[0], done, before, self.serving_digest())

    # What really is there, asked of HAProxy and the engine, not of the tools under rehearsal.

    def _ask_haproxy(self, command: str) -> str:
        try:
            return self.host.run_inside(
                "python3", "-c",
                "import socket,sys\n"
                "s = socket.socket(socket.AF_UNIX)\n"
                "s.connect('/var/lib/slipway/proxy/run/haproxy.sock')\n"
                "s.sendall(sys.argv[1].encode() + b'\\n')\n"
                "sys.stdout.write(s.makefile().read())", command).stdout
        except LabError:
            return ""

    def serving_colour(self) -> str | None:
        words = self._ask_haproxy("show map /var/lib/slipway-proxy/active.map").split()
        return words[-1] if words and words[-1] in COLOURS else None

    def digest_of(self, colour: str) -> str:
        """The registry digest of the image that a colour's container was made from."""
        image = json.loads(self.host.docker("inspect", f"slipway-{colour}").stdout)[0]["Image"]
        names = json.loads(self.host.docker("image", "inspect", image).stdout)[0]["RepoDigests"]
        return names[0].split("@")[1] if names else image

    def serving_digest(self) -> str:
        colour = self.serving_colour()
        return self.digest_of(colour) if colour else ""

    def expect_serving(self, version: Version) -> str:
        """Exactly one colour serves, it runs VERSION's digest, and its health says so."""
        colour = self.serving_colour()
        expect(colour is not None, "HAProxy's map names no colour")
        digest = self.digest_of(colour)
        expect(digest == version.digest,
               f"{colour} serves and runs {digest}, expected {version.digest}")
        releases = set()
        for _ in range(10):
            status, body = http_get(self.host.ip, self.description.health, self.description.port)
            expect(status == 200, f"health through HAProxy answers {status}: {body[:200]}")
            if self.description.says_its_version:
                releases.add(json.loads(body)["releaseId"])
        expect(releases <= {version.sha},
               f"health through HAProxy says releaseId {releases}, expected {version.sha}")
        return f"{colour} serves {version.short}"
