"""Longer trials of deploy and rollback on a real engine, registry and HAProxy, one a ctest: deploy_speed,
deploy_kill-matrix, deploy_random-kills. ROUNDS and SEED in the environment change how many, and which.
While they run, /health is asked through HAProxy every 20 ms."""

import os
import random
import signal
import statistics
import subprocess
import time
from collections import Counter

import pytest

from deploy.site import NEEDS, Asker, Outcome, Site
from support.waiting import await_true

pytestmark = NEEDS
GOOD = ("v1", "v2")


def rounds(otherwise: int) -> int:
    return int(os.environ.get("ROUNDS", otherwise))


@pytest.fixture(scope="module")
def site(executables):
    with Site("deploy-soak", executables) as site:
        # A daemon that is restarted leaves the containers alone, as the operators' guide asks.
        site.keep_alive()
        for tag in GOOD:
            site.publish(tag)
            assert site.deploy(tag).status == 0
        site.rollback("v1")
        yield site


@pytest.fixture
def asker(site, tell):
    with Asker(site) as asker:
        yield asker
    tell(asker.summary())


def settle(site: Site) -> str:
    """Resumes, then checks that one version serves and that a further resume writes nothing."""
    resumed = site.rollback("--resume", "--wait")
    served = site.served()
    assert served in GOOD, resumed
    status = site.rollback("--status").report
    assert status["healthy"] and status["open"] is None, status
    assert status["running"]["tag"] == served, status
    before = (site.state / "journal").read_bytes()
    assert site.rollback("--resume").status == 0
    assert (site.state / "journal").read_bytes() == before, "a further resume wrote"
    return served


def cold_v1(site: Site) -> None:
    """v1 serves and nothing else is there."""
    site.rollback("v1")
    assert site.served() == "v1"
    site.make_cold()


def warm_v2(site: Site) -> None:
    site.deploy("v2")
    assert site.served() == "v2"


@pytest.mark.usefixtures("asker")
@pytest.mark.parametrize(("prepare", "run"), [
    pytest.param(cold_v1, lambda site, env: site.deploy("v2", env=env), id="deploy"),
    pytest.param(warm_v2, lambda site, env: site.rollback("v1", env=env), id="rollback")])
def test_kill_matrix_one_version_serves_after_a_kill_at_every_point(site, prepare, run, tell):
    prepare(site)
    names = site.failpoints_of(lambda env: run(site, env))
    outcomes = Counter()
    for number, point in enumerate(names, 1):
        prepare(site)
        killed = run(site, {"SLIPWAY_FAILPOINT": str(number)})
        assert killed.status == 5, (point, killed)
        # The resume is killed as well, at a point that moves from round to round.
        again = site.rollback("--resume", env={"SLIPWAY_FAILPOINT": str(number % 12 + 1)})
        served = settle(site)
        outcomes[served] += 1
        print(f"{number:3} {point:24} resume {'killed' if again.status == 5 else again.status}  serves {served}")
    tell(f"{len(names)} points: {dict(outcomes)}")


def strike(site: Site, victim: str, caller: subprocess.Popen) -> None:
    if victim == "caller":
        os.killpg(caller.pid, signal.SIGKILL)
    elif victim == "worker":
        inner = site.lock_holder().get("pid")
        if inner:  # a number inside the host's process namespace
            site.host.run_inside("sh", "-c", f"kill -9 {inner} 2>/dev/null || true")
    else:
        site.host.kill_engine()
        site.host.start_engine()


@pytest.mark.usefixtures("asker")
def test_random_kills_every_round_ends_with_a_healthy_version(site, tell):
    seed = int(os.environ.get("SEED", time.time_ns() % 1_000_000))
    print(f"seed {seed}")
    chance = random.Random(seed)
    outcomes, victims = Counter(), Counter()
    for _ in range(rounds(200)):
        back = chance.random() < 0.5
        command = (site.command("rollback", chance.choice(GOOD)) if back
                   else site.command("deploy", site.reference(chance.choice(GOOD))))
        if chance.random() < 0.3:
            site.make_cold()
        victim = chance.choice(("worker", "worker", "caller", "dockerd"))
        victims[victim] += 1
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, start_new_session=True) as caller:
            time.sleep(chance.random() * (0.4 if back else 1.5))
            strike(site, victim, caller)
        await_true(lambda: site.rollback("--status").report.get("lock") is None, "unlocked", 60)
        outcomes[settle(site)] += 1
    tell(f"{dict(outcomes)}, killed: {dict(victims)}, seed {seed}")


def seen_from_outside(site: Site, asker: Asker, tag: str) -> tuple[float, Outcome]:
    """Seconds from starting `rollback TAG` until /health through HAProxy shows TAG."""
    running = site.begin("rollback", tag)
    while asker.ask() != (True, tag):
        if time.monotonic() - running.began > 60:
            break
        time.sleep(0.001)
    seconds = time.monotonic() - running.began
    return seconds, running.outcome()


def test_speed_is_that_of_the_promise(site, tell):
    warm, cold, flips, compose, reported = [], [], [], [], []
    asker = Asker(site)
    for _ in range(rounds(10)):
        site.deploy("v2")
        seconds, back = seen_from_outside(site, asker, "v1")
        assert back.status == 0 and back.report["warm"], back
        warm.append(seconds)
        reported.append(back.report["secondsToSwitched"])
        flips.append(back.report["secondsOfFlip"])
        site.deploy("v2")
        site.make_cold()
        seconds, back = seen_from_outside(site, asker, "v1")
        assert back.status == 0 and not back.report["warm"], back
        cold.append(seconds)
        compose.append(plain_compose(site))
    table = (("rollback, warm: command to traffic", warm, 1.0), ("  by its own report", reported, 1.0),
             ("flip", flips, 0.02), ("rollback, cold: command to traffic", cold, 5.0),
             ("docker compose up -d, command alone", compose, None))
    for what, values, limit in table:
        tell(f"{what:36} median {statistics.median(values) * 1e3:8.1f} ms  max {max(values) * 1e3:8.1f} ms  "
             f"n {len(values)}" + (f"  limit {limit * 1e3:.0f} ms" if limit else ""))
    assert [what for what, values, limit in table if limit and statistics.median(values) > limit] == []


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
