"""host/observability on a host of the lab, run by the distribution's own programs with the flags of its compose
file, since no public image can be had where this runs. Needs scripts/setup docker metrics."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import time
import urllib.parse
import urllib.request
from functools import reduce
from pathlib import Path

from .. import paths
from ..lab import Host, LabError
from ..lab.capsule import wait_until

PROFILE = paths.REPOSITORY / "host" / "observability"
PROGRAMS = {"prometheus": "prometheus", "alertmanager": "prometheus-alertmanager",
            "node-exporter": "prometheus-node-exporter", "blackbox-exporter": "prometheus-blackbox-exporter"}
# compose asks for each; none is pulled.
IMAGES = {f"{name}_IMAGE": f"example.test/{name.lower()}@sha256:{'0' * 64}"
          for name in ("PROMETHEUS", "ALERTMANAGER", "NODE_EXPORTER", "BLACKBOX_EXPORTER", "GRAFANA", "JAEGER")}
FILES_OF_COMPOSE = ["-f", PROFILE / "compose.yml", "-f", PROFILE / "traces.yml"]
PROMETHEUS, ALERTMANAGER = 9090, 9093


def compose() -> dict:
    """The profile as compose reads it."""
    done = subprocess.run(["docker", "compose", *FILES_OF_COMPOSE, "config", "--format", "json"],
                          env={**os.environ, **IMAGES}, check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


class Profile:
    """What watches HOST, whose deploy.json has METRICS as its metricsDir; a context manager. A copy of the profile
    is in `folder`, to be changed at will."""

    def __init__(self, host: Host, metrics: Path):
        self.host, self.metrics = host, metrics
        self.folder = host.home / "observability"
        self.running = contextlib.ExitStack()

    def __enter__(self):
        try:
            self.began = time.time()
            shutil.rmtree(self.folder, ignore_errors=True)
            shutil.copytree(PROFILE, self.folder)
            services = compose()["services"]
            for service, program in PROGRAMS.items():
                self.run(service, program, *self._flags(service, services[service]["command"]))
            wait_until(lambda: self._is_ready(PROMETHEUS) and self._is_ready(ALERTMANAGER),
                       "Prometheus and Alertmanager", 30)
        except BaseException:
            self.running.close()
            raise
        return self

    def __exit__(self, *_exc):
        self.running.close()

    def _flags(self, service: str, flags: list[str]) -> list[str]:
        """Those of compose, but for what it mounts where, and 0.0.0.0, so that who is outside is answered, too."""
        data = self.host.home / f"data-{service}"
        shutil.rmtree(data, ignore_errors=True)
        data.mkdir()
        here = [("=/etc/prometheus/", f"={self.folder}/prometheus/"), ("=/prometheus", f"={data}"),
                ("=/etc/alertmanager/", f"={self.folder}/alertmanager/"), ("=/alertmanager", f"={data}"),
                ("=/etc/blackbox/", f"={self.folder}/blackbox/"), ("=/metrics", f"={self.metrics}"),
                ("=/host", "=/"), ("=127.0.0.1:", "=0.0.0.0:")]
        return [reduce(lambda text, place: text.replace(*place), here, flag) for flag in flags]

    def run(self, name: str, *argv: str) -> subprocess.Popen:
        """A program on the host, until the profile is left; what it says is in NAME.log of the host's folder."""
        with open(self.host.home / f"{name}.log", "w", encoding="utf-8") as log:
            process = subprocess.Popen(self.host.inside(*argv), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                       start_new_session=True)
        self.running.callback(end, process)
        return process

    def _is_ready(self, port: int) -> bool:
        try:
            urllib.request.urlopen(f"http://{self.host.ip}:{port}/-/ready", timeout=5).close()
            return True
        except OSError:
            return False

    def _ask(self, port: int, path: str):
        with urllib.request.urlopen(f"http://{self.host.ip}:{port}{path}", timeout=10) as answer:
            return json.load(answer)

    def query(self, expression: str, kind: str = "query", **more) -> list:
        """The series of an expression, as Prometheus' API has them."""
        words = urllib.parse.urlencode({"query": expression, **more})
        answer = self._ask(PROMETHEUS, f"/api/v1/{kind}?{words}")
        if answer["status"] != "success":
            raise LabError(f"Prometheus: {expression}: {answer}")
        return answer["data"]["result"]

    def history(self, expression: str, step_s: int = 5) -> list:
        """The same since the profile began, with `values`."""
        return self.query(expression, "query_range", start=self.began, end=time.time(), step=step_s)

    def alerts(self) -> set[str]:
        """The alerts that Alertmanager has, sent or held back."""
        return {alert["labels"]["alertname"] for alert in self._ask(ALERTMANAGER, "/api/v2/alerts")}


def end(process: subprocess.Popen) -> None:
    """Of a process that leads a session."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
