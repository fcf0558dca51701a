"""A host for deploy to be tested on: engine, HAProxy and registry of the lab, and images of the
stand-in that behave well or badly.

Needs what scripts/lib/slipway_lab needs. `unable()` says why it cannot run here.
"""

import io
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "scripts" / "lib"))

# pylint: disable=wrong-import-position
from slipway_lab import Host, Registry, images

REPOSITORY_NAME = "m2m-connector"


def unable() -> str | None:
    """Why Docker cannot be used on this machine, or nothing."""
    if os.geteuid() != 0:
        return "namespaces and an engine need root"
    for program in ("dockerd", "docker", "docker-registry", "nsenter", "iptables"):
        if shutil.which(program) is None:
            return f"{program} is not installed"
    done = subprocess.run(["docker", "compose", "version"], capture_output=True, check=False)
    return None if done.returncode == 0 else "docker compose is not installed"


class Site:
    """One host with its configuration, and a registry; a context manager."""

    def __init__(self, name: str, binaries: Path, **settings):
        self.host = Host(name)
        self.registry = Registry(name)
        self.binaries = binaries.resolve()
        self.settings = settings
        self.releases: dict[str, str] = {}

    def __enter__(self):
        self.registry.start()
        try:
            self.host.start()
            self._configure()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_exc):
        self.host.stop()
        self.registry.stop()

    @property
    def folder(self) -> Path:
        """/etc/slipway of the host, as seen from here and from inside alike."""
        return self.host.home / "etc-slipway"

    @property
    def state(self) -> Path:
        return self.host.home / "s"

    def _configure(self) -> None:
        haproxy = images.local_haproxy(self.host)
        for folder in (self.folder, self.state):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
        for name in ("compose.yml", "haproxy.cfg"):
            shutil.copy(REPOSITORY / "host" / name, self.folder / name)
        shutil.copytree(REPOSITORY / "host" / "connector", self.folder / "connector")
        (self.folder / "connector.env").write_text("ALICE_TOKEN=marker-5f2a\nBOB_TOKEN=tok-b\nPROBE_TOKEN=tok-p\n")
        (self.folder / "connector.env").chmod(0o600)
        self.configure(haproxyImage=haproxy, **self.settings)

    def configure(self, **changes) -> None:
        file = self.folder / "deploy.json"
        config = json.loads(file.read_text()) if file.exists() else {
            "stateDir": str(self.state), "envFile": "connector.env",
            "dockerSocket": str(self.host.socket), "image": self.reference(),
            "packetCommand": ["/stand_in", "probe"], "stepTimeout": "30s",
            "health": {"interval": "100ms", "timeout": "1s", "healthyInARow": 3,
                       "minimumHealthy": "300ms", "deadline": "8s"},
            "drainTimeout": "5s"}
        config.update(changes)
        file.write_text(json.dumps(config, indent=2))

    def reference(self, tag: str = "") -> str:
        return self.registry.reference(REPOSITORY_NAME, tag)

    def publish(self, tag: str, manner: str = "good", labels: dict | None = None) -> str:
        """Pushes an image of the stand-in; its digest. The host keeps nothing of it."""
        revision = f"{tag}-{'0' * 36}"[:40]
        return self._push(tag, {"stand_in": self.binaries / "deploy_stand_in"}, revision, [
            f"ENV STAND_IN_MANNER={manner} STAND_IN_REVISION={revision}",
            'ENTRYPOINT ["/stand_in"]'], labels)

    def publish_connector(self, tag: str) -> str:
        """The real connector of this build, with the libraries that it needs and nothing else."""
        program = self.binaries / "connector"
        listed = subprocess.run(["ldd", program], capture_output=True, text=True, check=True)
        libraries = re.findall(r"(/\S+)", listed.stdout)
        version = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
        revision = re.search(r"\((.*)\)", version.stdout).group(1)
        files = {"usr/local/bin/connector": program, **{name[1:]: name for name in libraries}}
        return self._push(tag, files, revision, [
            'ENTRYPOINT ["/usr/local/bin/connector"]', "ENV PATH=/usr/local/bin"], {})

    def _push(self, tag: str, files: dict, revision: str, changes: list, labels: dict | None) -> str:
        stream = io.BytesIO()
        with tarfile.open(fileobj=stream, mode="w", dereference=True) as tar:
            for name, source in files.items():
                tar.add(source, name)
        changes = [*changes, "USER 10001",
                   f"LABEL org.opencontainers.image.revision={revision}",
                   f"LABEL org.opencontainers.image.version={tag.lstrip('v')}"]
        changes += [f"LABEL {name}={value}" for name, value in (labels or {}).items()]
        flags = [part for change in changes for part in ("--change", change)]
        reference = self.reference(tag)
        subprocess.run(["docker", "import", *flags, "-", reference], input=stream.getvalue(),
                       env=self.host.env, check=True, capture_output=True)
        self.host.docker("push", reference)
        self.host.docker("rmi", reference)
        self.releases[tag] = self.registry.digest(REPOSITORY_NAME, tag)
        return self.releases[tag]

    def command(self, program: str, *arguments: str) -> list[str]:
        return self.host.inside(str(self.binaries / program), "--config",
                                str(self.folder / "deploy.json"), *arguments)

    def run(self, program: str, *arguments: str, env: dict | None = None, timeout: float = 120):
        """Runs deploy or rollback with --json; exit status, report and errors."""
        done = subprocess.run(self.command(program, "--json", *arguments), capture_output=True,
                              text=True, env={**os.environ, **(env or {})}, timeout=timeout,
                              stdin=subprocess.DEVNULL, check=False)
        lines = done.stdout.strip().splitlines()
        report = json.loads(lines[-1]) if lines and lines[-1].startswith("{") else {}
        return Outcome(done.returncode, report, done.stdout, done.stderr)

    def deploy(self, tag: str, *arguments: str, **options):
        return self.run("deploy", self.reference(tag), *arguments, **options)

    def rollback(self, *arguments: str, **options):
        return self.run("rollback", *arguments, **options)

    def served(self) -> str | None:
        """The tag whose releaseId /health shows through HAProxy; None if nothing answers."""
        done = subprocess.run(
            self.host.inside("curl", "-sS", "-m", "3", "http://127.0.0.1:8080/health"),
            capture_output=True, text=True, check=False)
        try:
            return json.loads(done.stdout)["releaseId"].split("-")[0]
        except (ValueError, KeyError):
            return None

    def lock_holder(self) -> dict:
        """What the lock file says of its last holder."""
        try:
            return json.loads((self.state / "lock").read_text())
        except (OSError, ValueError):
            return {}

    def containers(self) -> dict[str, str]:
        """name -> state of every container on the host."""
        listed = self.host.docker("ps", "-a", "--format", "{{.Names}}\t{{.State}}").stdout
        return dict(line.split("\t") for line in listed.splitlines())


class Outcome:
    def __init__(self, status: int, report: dict, out: str, err: str):
        self.status, self.report, self.out, self.err = status, report, out, err

    def __repr__(self):
        return f"exit {self.status}: {json.dumps(self.report)[:1500]}\n{self.err[-3000:]}"


def await_true(condition, what: str, timeout_s: float = 30):
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {timeout_s} s")
        time.sleep(0.05)
