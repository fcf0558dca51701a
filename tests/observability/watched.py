"""A host of the lab that ships the connector and is watched: host/observability as it is, run by the distribution's
own programs with the flags of its compose file, since no public image can be had where this runs."""

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

import yaml

from deploy.site import Site
from slipway.paths import REPOSITORY
from support import needs
from support.waiting import Watcher, await_true

PROFILE = REPOSITORY / "host" / "observability"
PROGRAMS = {"prometheus": "prometheus", "alertmanager": "prometheus-alertmanager",
            "node-exporter": "prometheus-node-exporter", "blackbox-exporter": "prometheus-blackbox-exporter"}
IMAGES = {f"{name}_IMAGE": f"example.test/{name.lower()}@sha256:{'0' * 64}"
          for name in ("PROMETHEUS", "ALERTMANAGER", "NODE_EXPORTER", "BLACKBOX_EXPORTER", "GRAFANA")}
NEEDS = [needs.hosts("docker-registry"), needs.all_of(needs.programs("metrics", "promtool", *PROGRAMS.values()))]
TOKENS = {"alice": "marker-5f2a", "bob": "tok-b"}


def compose() -> dict:
    """The profile as compose reads it."""
    done = subprocess.run(["docker", "compose", "-f", PROFILE / "compose.yml", "config", "--format", "json"],
                          env={**os.environ, **IMAGES}, check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def ask(url: str) -> dict | list:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.load(answer)


class Resumer(Watcher):
    """`rollback --resume` again and again, as slipway-resume.timer does once a minute."""

    def __init__(self, site: Site, every_s: float = 15):
        super().__init__()
        self.site, self.every_s, self.paused = site, every_s, False

    def run(self):
        while not self.ended.wait(self.every_s):
            if not self.paused:
                self.site.rollback("--resume", "--wait")


class Load:
    """packet_bench from alice, while it is entered: to DESTINATION, which PAYEE, if it says so, receives."""

    def __init__(self, site: Site, rate: int, payee: bool = True, destination: str = "test.slipway.bob"):
        self.site, self.log = site, site.host.home / f"load-{rate}.log"
        address = f"{site.host.ip}:4000"
        self.argv = [str(site.binaries / "packet_bench"), "run", "--destination", destination, "--rate", str(rate),
                     "--connections", "8", "--duration", "60m", "--warmup", "0s", "--threads", "1", "--output",
                     str(site.host.home / f"load-{rate}.json")]
        # By HTTP: the account's one socket is another load's.
        self.environment = {"PACKET_BENCH_TARGET": f"ilp+http://:{TOKENS['alice']}@{address}/ilp"}
        if payee:
            self.environment["PACKET_BENCH_RECEIVER"] = f"btp+ws://:{TOKENS['bob']}@{address}/"

    def __enter__(self):
        with open(self.log, "w", encoding="utf-8") as log:
            self.process = subprocess.Popen(self.argv, env={**os.environ, **self.environment},
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        return self

    def __exit__(self, *_exc):
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Watched:
    """A site with the connector as c1 and c2, and everything that watches it; a context manager."""

    def __init__(self, name: str, executables: Path):
        service = yaml.safe_load((REPOSITORY / "slipway.yml").read_text())
        self.site = Site(name, executables, service=service | {"bake": {"window": "0s"}}, haproxyMetricsPort=8404)
        self.running = contextlib.ExitStack()

    def __enter__(self):
        self.site.__enter__()
        try:
            self.began = time.time()
            self._ship()
            self._watch()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_exc):
        self.running.close()
        self.site.__exit__()

    @property
    def folder(self) -> Path:
        return self.site.host.home / "observability"

    @property
    def disk(self) -> Path:
        """A small file system of its own on the host."""
        return self.site.host.home / "disk"

    def _ship(self) -> None:
        site = self.site
        shutil.copytree(REPOSITORY / "src" / "connector" / "host", site.folder / "config" / "connector",
                        ignore=shutil.ignore_patterns("*.example"))
        (site.state / "metrics").mkdir()
        site.configure(metricsDir=str(site.state / "metrics"))
        for tag in ("c1", "c2"):
            site.publish_connector(tag)
            done = site.deploy(tag)
            assert done.status == 0, done

    def _watch(self) -> None:
        shutil.copytree(PROFILE, self.folder)
        image = self.site.host.home / "disk.img"
        self.disk.mkdir()
        with open(image, "wb") as file:
            file.truncate(64 << 20)
        subprocess.run(["mkfs.ext4", "-q", "-m", "0", image], check=True)
        self.site.host.run_inside("mount", "-o", "loop", str(image), str(self.disk))
        for service, program in PROGRAMS.items():
            self._start(service, program)
        await_true(lambda: self.answers(9090, "/-/ready") and self.answers(9093, "/-/ready"),
                   "Prometheus and Alertmanager")

    def _start(self, service: str, program: str) -> None:
        data = self.site.host.home / f"data-{service}"
        data.mkdir()
        # What compose mounts where, and 0.0.0.0, so that the test is answered, too.
        here = [("=/etc/prometheus/", f"={self.folder}/prometheus/"), ("=/prometheus", f"={data}"),
                ("=/etc/alertmanager/", f"={self.folder}/alertmanager/"), ("=/alertmanager", f"={data}"),
                ("=/etc/blackbox/", f"={self.folder}/blackbox/"), ("=/metrics", f"={self.site.state}/metrics"),
                ("=/host", "=/"), ("=127.0.0.1:", "=0.0.0.0:")]
        flags = [reduce(lambda text, place: text.replace(*place), here, flag)
                 for flag in compose()["services"][service]["command"]]
        with open(self.site.host.home / f"{service}.log", "w", encoding="utf-8") as log:
            process = subprocess.Popen(self.site.host.inside(program, *flags), stdin=subprocess.DEVNULL, stdout=log,
                                       stderr=log, start_new_session=True)
        self.running.callback(end, process)

    def answers(self, port: int, path: str) -> bool:
        try:
            urllib.request.urlopen(f"http://{self.site.host.ip}:{port}{path}", timeout=5).close()
            return True
        except OSError:
            return False

    def query(self, expression: str, kind: str = "query", **more) -> list:
        words = urllib.parse.urlencode({"query": expression, **more})
        return ask(f"http://{self.site.host.ip}:9090/api/v1/{kind}?{words}")["data"]["result"]

    def history(self, expression: str, step_s: int = 5) -> list:
        """The series of an expression since the host shipped."""
        return self.query(expression, "query_range", start=self.began, end=time.time(), step=step_s)

    def alerts(self) -> set[str]:
        """The alerts that Alertmanager has, sent or held back."""
        return {alert["labels"]["alertname"] for alert in ask(f"http://{self.site.host.ip}:9093/api/v2/alerts")}


def end(process: subprocess.Popen) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
