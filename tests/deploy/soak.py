"""Longer trials of deploy and rollback on a real engine, registry and HAProxy.

usage: soak.py BINARIES kill-matrix         SIGKILL at every failpoint, then resume (killed once too)
       soak.py BINARIES random-kills [N]    N rounds, killed at a random moment (default 200)
       soak.py BINARIES speed [N]           rollback warm and cold beside docker compose up -d
While they run, /health is asked through HAProxy every 20 ms. Exits 77 where Docker cannot run.
"""

import json
import os
import random
import signal
import statistics
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

# pylint: disable=wrong-import-position
from lab import Asker, Outcome, Site, await_true, unable

GOOD = ("v1", "v2")


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


def seen_from_outside(site: Site, asker: Asker, tag: str) -> tuple[float, Outcome]:
    """Seconds from starting `rollback TAG` until /health through HAProxy shows TAG."""
    running = site.begin("rollback", tag)
    while asker.ask() != (True, tag):
        if time.monotonic() - running.began > 60:
            break
        time.sleep(0.001)
    seconds = time.monotonic() - running.began
    return seconds, running.outcome()


def speed(site: Site, rounds: int) -> bool:
    warm, cold, flips, compose, reported = [], [], [], [], []
    asker = Asker(site)
    for _ in range(rounds):
        site.deploy("v2")
        seconds, back = seen_from_outside(site, asker, "v1")
        assert back.status == 0 and back.report["warm"], back
        warm.append(seconds)
        reported.append(back.report["secondsToSwitched"])
        flips.append(back.report["secondsOfFlip"])
        site.deploy("v2")
        spare = site.rollback("--status").report["standby"]["colour"]
        site.host.docker("rm", "-f", f"slipway-{spare}")
        seconds, back = seen_from_outside(site, asker, "v1")
        assert back.status == 0 and not back.report["warm"], back
        cold.append(seconds)
        compose.append(plain_compose(site))
    held = True
    for name, values, limit in (
            ("rollback, warm: command to traffic", warm, 1.0), ("  by its own report", reported, 1.0),
            ("flip", flips, 0.02), ("rollback, cold: command to traffic", cold, 5.0),
            ("docker compose up -d, command alone", compose, None)):
        median = statistics.median(values)
        held = held and (limit is None or median <= limit)
        print(f"{name:36} median {median * 1e3:8.1f} ms  max {max(values) * 1e3:8.1f} ms  "
              f"n {len(values)}" + (f"  limit {limit * 1e3:.0f} ms" if limit else ""))
    return held


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


TRIALS = {"kill-matrix": (kill_matrix, 1), "random-kills": (random_kills, 200),
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
        site.keep_alive()
        for tag in GOOD:
            site.publish(tag)
            assert site.deploy(tag).status == 0
        site.rollback("v1")
        with Asker(site) as asker:
            held = trial(site, int(sys.argv[3]) if len(sys.argv) > 3 else rounds)
        print(asker.summary())
    return 1 if held is False else 0


if __name__ == "__main__":
    sys.exit(main())
