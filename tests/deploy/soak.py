"""Longer trials of deploy and rollback on a real engine, registry and HAProxy.

usage: soak.py BINARIES kill-matrix         SIGKILL at every failpoint, then resume (killed once too)
       soak.py BINARIES random-kills [N]    N rounds, killed at a random moment (default 200)
       soak.py BINARIES packets [N]         N swaps of the real connector under 10,000 packets/s
       soak.py BINARIES speed [N]           rollback warm and cold beside docker compose up -d
While they run, /health is asked through HAProxy every 20 ms. Exits 77 where Docker cannot run.
"""

import http.client
import json
import os
import random
import re
import signal
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

# pylint: disable=wrong-import-position
from lab import Site, await_true, unable

GOOD = ("v1", "v2")


class Asker(threading.Thread):
    """Asks /health through HAProxy all the time; every answer is a version or a failure."""

    def __init__(self, site: Site):
        super().__init__(daemon=True)
        self.address = site.host.ip
        self.answers = Counter()
        self.longest_gap_s = 0.0
        self.ended = threading.Event()

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
        last_good = time.monotonic()
        while not self.ended.wait(0.02):
            good, answer = self.ask()
            self.answers[answer] += 1
            if good:
                last_good = time.monotonic()
            else:
                self.longest_gap_s = max(self.longest_gap_s, time.monotonic() - last_good)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_exc):
        self.ended.set()
        self.join()

    def summary(self) -> str:
        return f"/health through HAProxy: {dict(self.answers)}, longest gap {self.longest_gap_s:.2f} s"


def points_of(site: Site, run) -> list[str]:
    """The failpoints that RUN passes, in order."""
    log = site.state / "points"
    log.unlink(missing_ok=True)
    run({"SLIPWAY_FAILPOINT_LOG": str(log)})
    return [line.split(" ", 1)[1] for line in log.read_text().splitlines()]


def settle(site: Site) -> str:
    """Resumes, then checks that one version serves and that a further resume writes nothing."""
    resumed = site.rollback("--resume", "--wait")
    served = site.served()
    assert served in GOOD, (served, resumed)
    status = site.rollback("--status").report
    assert status["healthy"] and status["open"] is None, status
    assert status["running"]["tag"] == served, status
    before = (site.state / "journal").read_bytes()
    assert site.rollback("--resume").status == 0
    assert (site.state / "journal").read_bytes() == before, "a further resume wrote"
    return served


def kill_matrix(site: Site, _rounds: int) -> None:
    def deploy(env):
        return site.deploy("v2", env=env)

    def rollback(env):
        return site.rollback("v1", env=env)

    def cold():
        """v1 serves and nothing else is there."""
        site.rollback("v1")
        assert site.served() == "v1"
        spare = "green" if site.rollback("--status").report["running"]["colour"] == "blue" else "blue"
        site.host.docker("rm", "-f", f"slipway-{spare}")

    def warm():
        site.deploy("v2")
        assert site.served() == "v2"

    for name, prepare, run in (("deploy", cold, deploy), ("rollback", warm, rollback)):
        prepare()
        names = points_of(site, run)
        outcomes = Counter()
        began = time.monotonic()
        for number, point in enumerate(names, 1):
            prepare()
            killed = run({"SLIPWAY_FAILPOINT": str(number)})
            assert killed.status == 5, (point, killed)
            # The resume is killed as well, at a point that moves from round to round.
            again = site.rollback("--resume", env={"SLIPWAY_FAILPOINT": str(number % 12 + 1)})
            served = settle(site)
            outcomes[served] += 1
            print(f"{name:9} {number:3} {point:24} resume "
                  f"{'killed' if again.status == 5 else again.status}  serves {served}", flush=True)
        print(f"{name}: {len(names)} points, {time.monotonic() - began:.0f} s: {dict(outcomes)}")


def random_kills(site: Site, rounds: int) -> None:
    seed = int(os.environ.get("SEED", time.time_ns() % 1_000_000))
    print(f"seed {seed}")
    chance = random.Random(seed)
    outcomes, victims = Counter(), Counter()
    for number in range(rounds):
        back = chance.random() < 0.5
        command = (site.command("rollback", chance.choice(GOOD)) if back
                   else site.command("deploy", site.reference(chance.choice(GOOD))))
        if chance.random() < 0.3:  # cold
            running = site.rollback("--status").report["running"]["colour"]
            site.host.docker("rm", "-f", f"slipway-{'green' if running == 'blue' else 'blue'}")
        victim = chance.choice(("worker", "worker", "caller", "dockerd"))
        victims[victim] += 1
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, start_new_session=True) as caller:
            time.sleep(chance.random() * (0.4 if back else 1.5))
            if victim == "caller":
                os.killpg(caller.pid, signal.SIGKILL)
            elif victim == "worker":
                inner = site.lock_holder().get("pid")
                if inner:  # a number inside the host's process namespace
                    site.host.run_inside("sh", "-c", f"kill -9 {inner} 2>/dev/null || true")
            else:
                site.host.kill_engine()
                site.host.start_engine()
        await_true(lambda: site.rollback("--status").report.get("lock") is None, "unlocked", 60)
        served = settle(site)
        outcomes[served] += 1
        if number % 20 == 19:
            print(f"{number + 1} rounds: {dict(outcomes)} killed: {dict(victims)}", flush=True)
    print(f"{rounds} rounds, every one ended with a healthy version: {dict(outcomes)}, "
          f"killed: {dict(victims)}, seed {seed}")


def speed(site: Site, rounds: int) -> None:
    warm, cold, flips, compose = [], [], [], []
    for _ in range(rounds):
        site.deploy("v2")
        back = site.rollback("v1")
        assert back.status == 0 and back.report["warm"], back
        warm.append(back.report["secondsToSwitched"])
        flips.append(back.report["secondsOfFlip"])
        site.deploy("v2")
        spare = site.rollback("--status").report["standby"]["colour"]
        site.host.docker("rm", "-f", f"slipway-{spare}")
        back = site.rollback("v1")
        assert back.status == 0 and not back.report["warm"], back
        cold.append(back.report["secondsToSwitched"])
        compose.append(plain_compose(site))
    for name, values in (("rollback, warm", warm), ("rollback, cold local image", cold),
                         ("flip", flips), ("docker compose up -d, command alone", compose)):
        print(f"{name:36} median {statistics.median(values) * 1e3:8.1f} ms  "
              f"max {max(values) * 1e3:8.1f} ms  n {len(values)}")


def plain_compose(site: Site) -> float:
    """What `docker compose up -d` takes to replace one container by another image's."""
    file = site.folder / "plain.yml"
    for tag in ("v2", "v1"):
        image = f"{site.reference()}@{site.releases[tag]}"
        file.write_text(f"services:\n  plain:\n    image: {image}\n    network_mode: none\n")
        began = time.monotonic()
        subprocess.run(["docker", "compose", "-p", "plain", "-f", str(file), "up", "-d"],
                       env=site.host.env, check=True, capture_output=True)
    return time.monotonic() - began


def other(colour: str) -> str:
    return "green" if colour == "blue" else "blue"


def metric(site: Site, colour: str, name: str) -> float:
    """The sum over all label sets of a metric of the connector on COLOUR."""
    address = f"http://172.31.231.{10 if colour == 'blue' else 11}:8080/metrics"
    text = site.host.run_inside("curl", "-sSf", "-m", "3", address).stdout
    return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines()
               if re.match(name + r"[{ ]", line))


def packets(site: Site, swaps: int) -> None:
    """Half deploys, half rollbacks, between two images of the real connector, under load."""
    tags = ("c1", "c2")
    site.configure(packetCommand=["connector", "probe", "--account", "probe"])
    for tag in tags:
        site.publish_connector(tag)
        first = site.deploy(tag)
        assert first.status == 0, first
    seconds = 6 + swaps * 1.5
    results = site.folder / "packets.json"
    address = f"{site.host.ip}:4000"
    flips, outcomes = [], Counter()
    with subprocess.Popen(
            [str(site.binaries / "packet_bench"), "run", "--target",
             f"btp+ws://:marker-5f2a@{address}/", "--receiver", f"btp+ws://:tok-b@{address}/",
             "--destination", "test.slipway.bob", "--rate", os.environ.get("RATE", "10000"),
             "--duration", f"{seconds:.0f}s", "--warmup", "1s", "--threads", "1",
             "--output", str(results)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True) as bench:
        began = time.monotonic()
        time.sleep(3)
        for number in range(swaps):
            swap = (site.rollback("c1") if number % 2 == 0
                    else site.run("deploy", f"{site.reference()}@{site.releases['c2']}"))
            assert swap.status == 0, swap
            left = metric(site, other(swap.report["running"]["colour"]), "ilp_packets_in_flight")
            assert left == 0, f"swap {number}: {left} packets were accepted and not answered"
            flips.append(swap.report["secondsOfFlip"])
            outcomes[swap.report["operation"]] += 1
            time.sleep(max(0.0, began + 3 + (number + 1) * 1.4 - time.monotonic()))
        print(bench.communicate(timeout=seconds + 60)[0])
    in_flight = sum(metric(site, colour, "ilp_packets_in_flight") for colour in ("blue", "green"))
    logs = "".join(site.host.docker("logs", f"slipway-{colour}", stderr=subprocess.STDOUT,
                                    stdout=subprocess.PIPE, capture_output=False).stdout
                   for colour in ("blue", "green"))
    print(f"accepted and not answered: {in_flight:.0f} in flight now, "
          f"{logs.count('drain_timeout')} drains cut short")
    print(f"{dict(outcomes)}, flip median {statistics.median(flips) * 1e3:.1f} ms, "
          f"max {max(flips) * 1e3:.1f} ms")
    details = json.loads(results.read_text())
    print(json.dumps({name: value for name, value in details.get("details", {}).items()
                      if name in ("packets", "gaps", "latency", "connections")}, indent=1)[:3000])


TRIALS = {"packets": (packets, 100), "kill-matrix": (kill_matrix, 1), "random-kills": (random_kills, 200),
          "speed": (speed, 10)}


def main() -> int:
    if len(sys.argv) < 3 or sys.argv[2] not in TRIALS:
        print(__doc__)
        return 2
    if reason := unable():
        print(f"soak: cannot run here: {reason}")
        return 77
    trial, rounds = TRIALS[sys.argv[2]]
    with Site("deploy-soak", Path(sys.argv[1])) as site:
        # A daemon that is restarted leaves the containers alone, as the operators' guide asks.
        (site.host.home / "daemon.json").write_text('{"live-restore": true}')
        site.host.kill_service("dockerd", signal.SIGHUP)
        for tag in GOOD:
            site.publish(tag)
            assert site.deploy(tag).status == 0
        site.rollback("v1")
        with Asker(site) as asker:
            trial(site, int(sys.argv[3]) if len(sys.argv) > 3 else rounds)
        print(asker.summary())
    return 0


if __name__ == "__main__":
    sys.exit(main())
