"""A service's place in a cluster, as deploy and rollback work on it: a namespace, a slipway.yml, images of the
stand-in for the service that behave well or badly."""

import json
import shutil
import subprocess
import tempfile
import urllib.request
from collections import Counter
from pathlib import Path

from deploy.site import Running
from support.engines import version_labels
from support.waiting import Watcher

STAND_IN = {
    "service": "stand-in", "platform": "kubernetes", "tcp": [4000], "ready": "/health/ready", "roles": "signals",
    "kubernetes": {"signal": ["/stand_in", "role"]}, "env": {"STAND_IN_ROLE": "standby"},
    "probe": ["/stand_in", "probe"], "drain": "5s", "limits": {"cpus": 0.5, "memory": "64m"},
    "healthy": {"every": "200ms", "timeout": "1s", "times": 3, "for": "300ms", "within": "40s"}}
# The same without what is optional, three times.
PLAIN = {"service": "stand-in", "platform": "kubernetes", "drain": "2s", "limits": STAND_IN["limits"],
         "kubernetes": {"replicas": 3}, "healthy": STAND_IN["healthy"]}
PATCH = {"Service": {"spec": {"type": "NodePort"}}}


class Place:
    """A context manager; `ground` is a ground.Ground, `namespace` is there already."""

    def __init__(self, ground, namespace: str, service: dict | None = None, patch: dict | None = None):
        self.ground, self.namespace = ground, namespace
        self.service = STAND_IN if service is None else service
        self.name = self.service["service"]
        self.patch = PATCH if patch is None else patch
        self.digests: dict[str, str] = {}
        self.node = ground.node_addresses()[0]  # the one by which it is asked

    def __enter__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="slipway-place-"))
        # What CI has: an account that `slipway setup` made, so that whatever is tested needs no more.
        self.account = self.folder / "kubeconfig"
        subprocess.run([self.ground.binaries / "slipway", "setup", "--kubernetes", "--namespace", self.namespace,
                        "--apply", "--write", self.account], env=self.ground.env, check=True, capture_output=True)
        self.env = self.machine("here")
        self.describe()
        return self

    def __exit__(self, *_exc):
        shutil.rmtree(self.folder, ignore_errors=True)

    def machine(self, name: str) -> dict[str, str]:
        """The environment of a command on a machine that has nothing but the cluster's credentials."""
        home = self.folder / name
        # skopeo, like containerd, is told that the lab's registry has no certificate.
        registries = home / ".config" / "containers" / "registries.conf"
        registries.parent.mkdir(parents=True)
        registries.write_text(f'[[registry]]\nlocation = "{self.ground.registry}"\ninsecure = true\n')
        return {**self.ground.env, "HOME": str(home), "KUBECONFIG": str(self.account)}

    def describe(self, **changes) -> None:
        (self.folder / "slipway.yml").write_text(json.dumps(self.service | changes, indent=2))
        (self.folder / "patch.yml").write_text(json.dumps(self.patch))
        self.configure()

    def configure(self, **changes) -> None:
        (self.folder / "deploy.json").write_text(json.dumps({
            "platform": "kubernetes", "project": self.name, "image": f"{self.ground.registry}/{self.name}",
            "service": "slipway.yml", "patch": "patch.yml"} | changes, indent=2))

    def publish(self, tag: str, manner: str = "good", kind: str = "") -> str:
        """Pushes an image of the stand-in; its digest."""
        revision = f"{tag}-{'0' * 36}"[:40]
        return self._note(tag, self.ground.publish(
            self.name, tag, {"stand_in": self.ground.binaries / "deploy_stand_in"},
            [f"ENV STAND_IN_MANNER={manner} STAND_IN_REVISION={revision} STAND_IN_KIND={kind}",
             'ENTRYPOINT ["/stand_in"]', *version_labels(tag, revision)]))

    def publish_connector(self, tag: str) -> str:
        return self._note(tag, self.ground.publish_connector(tag, self.name))

    def _note(self, tag: str, by_digest: str) -> str:
        self.digests[tag] = by_digest.partition("@")[2]
        return self.digests[tag]

    def reference(self, tag: str) -> str:
        return f"{self.ground.registry}/{self.name}@{self.digests[tag]}"

    def begin(self, program: str, *arguments: str, env: dict | None = None) -> Running:
        return Running(subprocess.Popen(
            [str(self.ground.binaries / program), "--config", str(self.folder / "deploy.json"), "--json", *arguments],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            start_new_session=True, env={**self.env, **(env or {})}))

    def run(self, program: str, *arguments: str, env: dict | None = None, timeout: float = 180):
        return self.begin(program, *arguments, env=env).outcome(timeout)

    def deploy(self, tag: str, *arguments: str, **options):
        return self.run("deploy", self.reference(tag), *arguments, **options)

    def rollback(self, *arguments: str, **options):
        return self.run("rollback", *arguments, **options)

    # What the cluster has.

    def get(self, *what: str) -> dict:
        return self.ground.get(*what, "--namespace", self.namespace)

    def kubectl(self, *arguments: str, **options):
        return self.ground.kubectl("--namespace", self.namespace, *arguments, **options)

    def active(self) -> str:
        """The colour that the Service leads to."""
        return self.get("service", self.name)["spec"]["selector"]["slipway.io/colour"]

    def spare(self) -> str:
        return "green" if self.active() == "blue" else "blue"

    def pods(self, colour: str) -> list[dict]:
        return [pod for pod in self.get("pods", "--selector", f"slipway.io/colour={colour}")["items"]
                if "deletionTimestamp" not in pod["metadata"]]

    def port(self, inside: int = 8080) -> int:
        """Where every node has it."""
        ports = self.get("service", self.name)["spec"]["ports"]
        return next(port["nodePort"] for port in ports if port["targetPort"] == inside)

    def served(self) -> str | None:
        """The tag whose releaseId /health shows through the Service; None if nothing answers."""
        address = f"http://{self.node}:{self.port()}/health"
        try:
            with urllib.request.urlopen(address, timeout=3) as answer:
                return json.load(answer)["releaseId"].split("-")[0]
        except (OSError, ValueError, KeyError):
            return None

    def failpoints_of(self, run) -> list[str]:
        """The failpoints that RUN(environment) passes, in order."""
        log = self.folder / "points"
        log.unlink(missing_ok=True)
        run({"SLIPWAY_FAILPOINT_LOG": str(log)})
        return [line.split(" ", 1)[1] for line in log.read_text().splitlines()]

    def agrees(self) -> str:
        """Empty, or in what Service, journal and pods differ: one colour serves, and the journal is closed."""
        status = self.rollback("--status").report
        active = self.active()
        if status["open"]:
            return f"a transaction is open: {status}"
        if status["running"]["colour"] != active:
            return f"the journal says {status['running']['colour']}, the Service {active}"
        if not status["healthy"]:
            return f"what serves is not healthy: {status}"
        return ""


class Asker(Watcher):
    """Asks /health through the Service all the time, by a new connection; every answer is a version or a failure."""

    def __init__(self, place: Place):
        super().__init__()
        self.address = f"http://{place.node}:{place.port()}/health"
        self.answers: Counter = Counter()
        self.lost = 0

    def run(self):
        while not self.ended.wait(0.02):
            try:
                with urllib.request.urlopen(self.address, timeout=3) as answer:
                    self.answers[json.load(answer)["releaseId"].split("-")[0]] += 1
            except (OSError, ValueError, KeyError) as error:
                self.answers[type(error).__name__] += 1
                self.lost += 1
