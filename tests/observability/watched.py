"""A host of the lab that ships the connector and is watched by host/observability."""

import json
import os
import shutil
import signal
import subprocess
from pathlib import Path

import yaml

from deploy.site import Site
from slipway.paths import REPOSITORY
from slipway.watch.profile import PROGRAMS, Profile
from support import needs
from support.waiting import Watcher

NEEDS = [needs.hosts("docker-registry"), needs.all_of(needs.programs("metrics", "promtool", *PROGRAMS.values()))]
# carol is connected only where a test has her so.
TOKENS = {"alice": "marker-5f2a", "bob": "tok-b", "carol": "tok-c"}


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
    """packet_bench from alice to PAYEE, while it is entered; RECEIVES: how it plays the payee, too, if it does."""

    def __init__(self, site: Site, rate: int, payee: str = "bob", receives: str = "fulfill"):
        self.site, self.log = site, site.host.home / f"load-{payee}.log"
        address = f"{site.host.ip}:4000"
        # bob is paid over HTTP: alice's one socket is for the other load.
        scheme, connections = ("ilp+http", "8") if payee == "bob" else ("btp+ws", "1")
        path = "/ilp" if payee == "bob" else "/"
        self.argv = [str(site.binaries / "packet_bench"), "run", "--destination", f"test.slipway.{payee}",
                     "--rate", str(rate), "--connections", connections, "--duration", "60m", "--warmup", "0s",
                     "--threads", "1", "--output", str(site.host.home / f"load-{payee}.json")]
        self.environment = {"PACKET_BENCH_TARGET": f"{scheme}://:{TOKENS['alice']}@{address}{path}"}
        if receives:
            self.argv += ["--receiver-behaviour", receives]
            self.environment["PACKET_BENCH_RECEIVER"] = f"btp+ws://:{TOKENS[payee]}@{address}/"

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


class Watched(Profile):
    """A site with the connector as c1 and c2, and the profile that watches it; a context manager."""

    def __init__(self, name: str, executables: Path):
        service = yaml.safe_load((REPOSITORY / "slipway.yml").read_text())
        self.site = Site(name, executables, service=service | {"bake": {"window": "0s"}}, haproxyMetricsPort=8404)
        super().__init__(self.site.host, self.site.state / "metrics")

    def __enter__(self):
        self.site.__enter__()
        try:
            self._ship()
            self._mount()
            return super().__enter__()
        except BaseException:
            self.site.__exit__()
            raise

    def __exit__(self, *_exc):
        super().__exit__()
        self.site.__exit__()

    @property
    def disk(self) -> Path:
        """A small file system of its own on the host."""
        return self.host.home / "disk"

    def _mount(self) -> None:
        image = self.host.home / "disk.img"
        self.disk.mkdir()
        with open(image, "wb") as file:
            file.truncate(64 << 20)
        subprocess.run(["mkfs.ext4", "-q", "-m", "0", image], check=True)
        self.host.run_inside("mount", "-o", "loop", str(image), str(self.disk))

    def _ship(self) -> None:
        site = self.site
        shutil.copytree(REPOSITORY / "src" / "connector" / "host", site.folder / "config" / "connector",
                        ignore=shutil.ignore_patterns("*.example"))
        file = site.folder / "config" / "connector" / "connector.json"
        settings = json.loads(file.read_text())
        settings["accounts"].append({"id": "carol", "relation": "child", "asset": {"code": "USD", "scale": 9},
                                     "tokenEnv": "CAROL_TOKEN"})
        settings["routes"].append({"prefix": "test.slipway.carol", "account": "carol"})
        file.write_text(json.dumps(settings))
        with open(site.folder / "service.env", "a", encoding="utf-8") as secrets:
            secrets.write(f"CAROL_TOKEN={TOKENS['carol']}\n")
        self.metrics.mkdir()
        site.configure(metricsDir=str(self.metrics))
        for tag in ("c1", "c2"):
            site.publish_connector(tag)
            done = site.deploy(tag)
            assert done.status == 0, done
