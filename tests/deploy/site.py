"""A site for deploy to be tested on: a host of the lab with its configuration, a registry, and images of
the stand-in for the service that behave well or badly."""

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections import Counter
from pathlib import Path

from slipway.ci.oci import SERVICE
from slipway.lab import Host, Registry, images
from support import needs
from support.engines import CONNECTOR_CHANGES, connector_files, connector_revision, discard, import_image, sweep
from support.waiting import Watcher, await_true

NEEDS = needs.hosts("docker-registry")

# The stand-in as its slipway.yml describes it, which is the host's: its images bring none.
STAND_IN = {
    "service": "stand-in", "tcp": [4000], "ready": "/health/ready", "roles": "signals",
    "env": {"STAND_IN_ROLE": "standby"}, "config": {"main": "/etc/main"}, "volumes": {"state": "/var/lib/stand-in"},
    "probe": ["/stand_in", "probe"], "drain": "5s",
    "healthy": {"every": "100ms", "timeout": "1s", "times": 3, "for": "300ms", "within": "8s"},
    "bake": {"window": "0s", "good": 'jobs_total{result="good"}', "bad": 'jobs_total{result="bad"}'}}
# The same without what is optional.
PLAIN = {"service": "stand-in", "drain": "2s", "healthy": STAND_IN["healthy"]}

# Somebody wants to look around afterwards: host and registry stay until this suite runs again (scripts/lab list).
KEEP = bool(os.environ.get("KEEP_HOST"))


class Site:
    """One host with its configuration, and a registry; a context manager.

    Its names end in this process's number, so that runs do not meet; nothing of it stays, unless KEEP_HOST
    is set.
    """

    def __init__(self, name: str, binaries: Path, registry: Registry | None = None, service: dict | None = None,
                 daemon: dict | None = None, **settings):
        sweep(name)
        name = f"{name}-{os.getpid()}"
        self.host = Host(name)
        self.host.daemon = daemon or {}
        self.registry = registry or Registry(name)
        self.shares_registry = registry is not None
        self.binaries = binaries.resolve()
        self.service = STAND_IN if service is None else service
        self.settings = settings
        self.releases: dict[str, str] = {}

    def __enter__(self):
        if not self.shares_registry:
            self.registry.start(detach=KEEP)
        try:
            self.host.start(detach=KEEP)
            self._configure()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_exc):
        if KEEP:
            return
        discard(self.host)
        if not self.shares_registry:
            discard(self.registry)

    @property
    def folder(self) -> Path:
        """/etc/slipway of the host, as seen from here and from inside alike."""
        return self.host.home / "etc-slipway"

    @property
    def state(self) -> Path:
        return self.host.home / "s"

    def _configure(self) -> None:
        self.settings["haproxyImage"] = images.local_haproxy(self.host)
        for folder in (self.folder, self.state):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
        (self.folder / "config" / "main").mkdir(parents=True)
        (self.folder / "config" / "main" / "main.json").write_text("{}")
        self.write_configuration()

    def write_configuration(self) -> None:
        """As it is at first: what tests changed of it is gone."""
        (self.folder / "service.env").write_text("ALICE_TOKEN=marker-5f2a\nBOB_TOKEN=tok-b\nPROBE_TOKEN=tok-p\n")
        (self.folder / "service.env").chmod(0o600)
        self.describe()
        (self.folder / "deploy.json").unlink(missing_ok=True)
        self.configure(**self.settings)

    def keep_alive(self) -> None:
        """A daemon that is restarted leaves the containers alone, as the operators' guide asks."""
        (self.host.home / "daemon.json").write_text('{"live-restore": true}')
        self.host.kill_service("dockerd", signal.SIGHUP)

    def configure(self, **changes) -> None:
        file = self.folder / "deploy.json"
        config = json.loads(file.read_text()) if file.exists() else {
            "stateDir": str(self.state), "envFile": "service.env", "dockerSocket": str(self.host.socket),
            "image": self.reference(), "stepTimeout": "30s"}
        config.update(changes)
        file.write_text(json.dumps(config, indent=2))

    def describe(self, **changes) -> None:
        """The host's slipway.yml: that of the site's service, with further keys or others."""
        (self.folder / "slipway.yml").write_text(json.dumps(self.service | changes, indent=2))

    def reference(self, tag: str = "") -> str:
        return self.registry.reference(SERVICE, tag)

    def publish(self, tag: str, manner: str = "good", labels: dict | None = None, ballast_mb: int = 0,
                kind: str = "", says_revision: bool = True) -> str:
        """Pushes an image of the stand-in; its digest. The host keeps nothing of it."""
        revision = f"{tag}-{'0' * 36}"[:40]
        files = {"stand_in": self.binaries / "deploy_stand_in"}
        if ballast_mb:
            files["ballast"] = self.host.home / "ballast"
            files["ballast"].write_bytes(os.urandom(ballast_mb << 20))
        return self._push(tag, files, revision, [
            f"ENV STAND_IN_MANNER={manner} STAND_IN_REVISION={revision} STAND_IN_KIND={kind}",
            'ENTRYPOINT ["/stand_in"]'], labels, says_revision)

    def publish_connector(self, tag: str) -> str:
        """The real connector of this build, with the libraries that it needs and nothing else."""
        program = self.binaries / "connector"
        return self._push(tag, connector_files(program), connector_revision(program), CONNECTOR_CHANGES, {})

    def _push(self, tag: str, files: dict, revision: str, changes: list, labels: dict | None,
              says_revision: bool = True) -> str:
        changes = [*changes, f"LABEL org.opencontainers.image.version={tag.lstrip('v')}"]
        if says_revision:
            changes.append(f"LABEL org.opencontainers.image.revision={revision}")
        changes += [f"LABEL {name}={value}" for name, value in (labels or {}).items()]
        reference = self.reference(tag)
        import_image(self.host, reference, files, changes)
        self.host.docker("push", reference)
        self.host.docker("rmi", reference)
        self.releases[tag] = self.registry.digest(SERVICE, tag)
        return self.releases[tag]

    def command(self, program: str, *arguments: str) -> list[str]:
        return self.host.inside(str(self.binaries / program), "--config",
                                str(self.folder / "deploy.json"), *arguments)

    def begin(self, program: str, *arguments: str, env: dict | None = None, umask: int = -1) -> "Running":
        """Starts deploy or rollback with --json, as a session without a terminal would."""
        return Running(subprocess.Popen(
            self.command(program, "--json", *arguments), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True, umask=umask,
            env={**os.environ, **(env or {})}))

    def run(self, program: str, *arguments: str, env: dict | None = None, timeout: float = 120):
        """Runs deploy or rollback with --json; exit status, report and errors."""
        return self.begin(program, *arguments, env=env).outcome(timeout)

    def deploy(self, tag: str, *arguments: str, **options):
        return self.run("deploy", self.reference(tag), *arguments, **options)

    def rollback(self, *arguments: str, **options):
        return self.run("rollback", *arguments, **options)

    def get(self, path: str, port: int = 8080) -> str:
        """The answer through HAProxy, as the host itself gets it; empty if there is none."""
        return subprocess.run(self.host.inside("curl", "-sS", "-m", "3", f"http://127.0.0.1:{port}{path}"),
                              capture_output=True, text=True, check=False).stdout

    def served(self) -> str | None:
        """The tag whose releaseId /health shows through HAProxy; None if nothing answers."""
        try:
            return json.loads(self.get("/health"))["releaseId"].split("-")[0]
        except (ValueError, KeyError):
            return None

    def running_colour(self) -> str:
        return self.rollback("--status").report["running"]["colour"]

    def spare_colour(self) -> str:
        return "green" if self.running_colour() == "blue" else "blue"

    def make_cold(self) -> None:
        """Nothing waits on the idle colour; the image of what waited is held."""
        self.host.docker("rm", "-f", f"slipway-{self.spare_colour()}")

    def slow_proof(self, deadline: str = "15s", minimum: str = "2s") -> None:
        """Time enough to do something to a deploy while it proves its candidate."""
        self.describe(healthy={"every": "100ms", "timeout": "1s", "times": 3, "for": minimum, "within": deadline})

    def failpoints_of(self, run) -> list[str]:
        """The failpoints that RUN(environment) passes, in order."""
        log = self.state / "points"
        log.unlink(missing_ok=True)
        run({"SLIPWAY_FAILPOINT_LOG": str(log)})
        return [line.split(" ", 1)[1] for line in log.read_text().splitlines()]

    def set_map(self, value: str) -> None:
        """What HAProxy gives the traffic to, behind deploy's back."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(self.state / "proxy" / "run" / "haproxy.sock"))
            connection.sendall(f"set map /var/lib/slipway-proxy/active.map active {value}\n".encode())
            connection.recv(65536)

    def damage_journal(self) -> None:
        journal = self.state / "journal"
        content = bytearray(journal.read_bytes())
        content[40] ^= 1
        journal.write_bytes(content)

    def back_to_v1(self) -> None:
        """v1 serves, nothing is open, and the configuration is that of the beginning."""
        self.write_configuration()
        self.rollback("--resume", "--wait")
        if self.served() != "v1":
            self.rollback("v1")

    @property
    def state_seen(self) -> Path:
        """The state folder as the host has it, also where something is mounted on it there."""
        return Path(f"/proc/{self.host.pid}/root{self.state}")

    def await_step(self, *steps: str) -> None:
        """Until the operation that goes on is at one of STEPS."""
        await_true(lambda: self.lock_holder().get("step") in steps, f"at {' or '.join(steps)}")

    def lock_holder(self) -> dict:
        """What the lock file says of its last holder."""
        try:
            return json.loads((self.state_seen / "lock").read_text())
        except (OSError, ValueError):
            return {}

    def asked_directly(self, colour: str, path: str = "/health") -> str:
        """What a colour answers on its bridge address; empty if nothing does."""
        address = f"http://172.31.231.{10 if colour == 'blue' else 11}:8080{path}"
        return subprocess.run(self.host.inside("curl", "-s", "-m", "3", address),
                              capture_output=True, text=True, check=False).stdout

    def containers(self) -> dict[str, str]:
        """name -> state of every container on the host."""
        listed = self.host.docker("ps", "-a", "--format", "{{.Names}}\t{{.State}}").stdout
        return dict(line.split("\t") for line in listed.splitlines())


class Asker(Watcher):
    """Asks /health through HAProxy all the time; every answer is a version or a failure."""

    def __init__(self, site: Site):
        super().__init__()
        self.address = site.host.ip
        self.answers = Counter()
        self.longest_gap_s = 0.0
        self.failures = 0
        self.rounds_begun = 0  # by restart(): what was asked before does not count

    def ask(self) -> tuple[bool, str]:
        """Whether a version answered, and which one or how it failed."""
        connection = http.client.HTTPConnection(self.address, 8080, timeout=2)
        try:
            connection.request("GET", "/health")
            response = connection.getresponse()
            body = response.read()
            if response.status != 200:
                return False, f"HTTP {response.status}"
            return True, json.loads(body)["releaseId"].split("-")[0]
        except (OSError, ValueError, KeyError, http.client.HTTPException) as error:
            return False, type(error).__name__
        finally:
            connection.close()

    def run(self):
        last_good, failing = time.monotonic(), False
        rounds = 0
        while not self.ended.wait(0.02):
            good, answer = self.ask()
            if rounds != self.rounds_begun:
                rounds, last_good, failing = self.rounds_begun, time.monotonic(), False
                continue
            self.answers[answer] += 1
            if failing or not good:
                self.longest_gap_s = max(self.longest_gap_s, time.monotonic() - last_good)
            self.failures += not good
            failing = not good
            if good:
                last_good = time.monotonic()

    def restart(self) -> None:
        """Counts from here on."""
        self.answers, self.failures, self.longest_gap_s = Counter(), 0, 0.0
        self.rounds_begun += 1

    def summary(self) -> str:
        return f"/health through HAProxy: {dict(self.answers)}, longest gap {self.longest_gap_s:.2f} s"


class Running:
    """A deploy or rollback that goes on."""

    def __init__(self, process: subprocess.Popen):
        self.process = process
        self.began = time.monotonic()

    def inner_pid(self) -> int:
        """The command itself, which nsenter runs."""
        pid = self.process.pid
        return int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])

    def outcome(self, timeout: float = 120) -> "Outcome":
        try:
            out, err = self.process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            raise
        lines = out.strip().splitlines()
        report = json.loads(lines[-1]) if lines and lines[-1].startswith("{") else {}
        return Outcome(self.process.returncode, report, out, err, time.monotonic() - self.began)


class Outcome:
    def __init__(self, status: int, report: dict, out: str, err: str, seconds: float):
        self.status, self.report, self.out, self.err = status, report, out, err
        self.seconds = seconds

    def __repr__(self):
        return f"exit {self.status}: {json.dumps(self.report)[:1500]}\n{self.err[-3000:]}"
