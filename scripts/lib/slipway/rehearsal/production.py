"""The host of the rehearsal: what an operator installs on it, says to it, and sees of it."""

import json
import secrets
import subprocess
import tarfile
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from ..ci.oci import SERVICE
from ..lab import Engine, Host, Registry, images
from ..lab.capsule import run
from . import description
from .stages import StageFailed, expect
from .traffic import Packets, http_get
from .versions import Version

COLOURS = ("blue", "green")


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


class Production:
    """A host with HAProxy and two colours, driven over ssh as an operator would."""

    def __init__(self, host: Host, registry: Registry):
        self.host = host
        self.registry = registry
        self.tokens = {name: secrets.token_urlsafe(24) for name in
                       ("ALICE_TOKEN", "BOB_TOKEN", "PROBE_TOKEN")}

    def install(self, checkout: Path, executables: Path, engine: Engine, haproxy: str) -> None:
        """Copies host/, the two executables and the service's configuration to the host and writes its own
        settings there."""
        if haproxy:
            images.give(haproxy, engine, self.host)
        settings = json.loads((checkout / "host/deploy.json").read_text())
        settings["image"] = self.registry.reference(SERVICE)
        settings["haproxyImage"] = haproxy or settings["haproxyImage"]
        environment = "".join(f"{name}={value}\n" for name, value in self.tokens.items())
        with tempfile.TemporaryDirectory() as folder:
            archive = Path(folder) / "host.tar"
            with tarfile.open(archive, "w") as tar:
                tar.add(checkout / "host", "etc/slipway")
                tar.add(checkout / "src/connector/host", "etc/slipway/config/connector")
                for tool in ("deploy", "rollback"):
                    tar.add(executables / tool, f"usr/local/bin/{tool}")
            with open(archive, "rb") as stream:
                run(*self.host.ssh("tar -x --no-same-owner -C /"), stdin=stream)
        self._write("/etc/slipway/deploy.json", json.dumps(settings, indent=2))
        # For images that do not bring their description. The load, both colours and the proxy share this
        # machine's few processors: only a latency that is beyond such noise may take a release back here.
        # A sick one is given up sooner than on a real host, so that a rehearsal of it takes no minutes.
        self._write("/etc/slipway/slipway.yml", description.read(executables / "slipway", checkout).label(
            bake={"window": "3s", "longest": "15s", "worse": {"allowance": "100ms"}}, healthy={"within": "10s"}))
        self._write("/etc/slipway/service.env", environment)

    def _write(self, path: str, content: str) -> None:
        subprocess.run(self.host.ssh(f"umask 077 && cat > {path}"), input=content, text=True,
                       check=True, capture_output=True)

    def reference(self, version: Version) -> str:
        return self.registry.reference(SERVICE, version.digest)

    def operate(self, *command: str) -> Swap:
        """deploy or rollback on the host, over ssh, with its report."""
        before = self.serving_digest()
        done = subprocess.run(self.host.ssh(*command, "--json"), stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=300, check=False)
        swap = Swap(" ".join(command[:1]), done.returncode, from_digest=before)
        lines = done.stdout.strip().splitlines()
        if not lines:
            raise StageFailed(f"{command[0]}: exit {done.returncode}, nothing on stdout: "
                              + done.stderr.strip()[-1500:])
        swap.last_line = lines[-1]
        swap.report = json.loads(lines[0])
        swap.seconds_to_healthy = swap.report["secondsToHealthy"]
        swap.flip_seconds = swap.report["secondsOfFlip"]
        swap.serving_digest = self.serving_digest()
        return swap

    # What really is there, asked of HAProxy and the engine, not of the tools under rehearsal.

    def serving_colour(self) -> str | None:
        try:
            answer = self.host.run_inside(
                "python3", "-c",
                "import socket,sys\n"
                "s = socket.socket(socket.AF_UNIX)\n"
                "s.connect('/var/lib/slipway/proxy/run/haproxy.sock')\n"
                "s.sendall(b'show map /var/lib/slipway-proxy/active.map\\n')\n"
                "sys.stdout.write(s.makefile().read())").stdout
        except Exception:  # pylint: disable=broad-except
            return None
        words = answer.split()
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
            status, body = http_get(self.host.ip, "/health")
            expect(status == 200, f"/health through HAProxy answers {status}: {body[:200]}")
            releases.add(json.loads(body)["releaseId"])
        expect(releases == {version.sha},
               f"/health through HAProxy says releaseId {releases}, expected {version.sha}")
        return f"{colour} serves {version.short}"
