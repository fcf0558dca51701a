"""Faults of the new version, of the port it needs and of what it is to go back to: 15 to 21, 24 to
27."""

import os
import signal
import subprocess

from deploy.fault import expect, fault
from deploy.site import STAND_IN, Site
from support.waiting import await_true

QUICK_GATE = {"every": "100ms", "timeout": "1s", "times": 5, "for": "500ms", "within": "3s"}


def refuse(number: int, manner: str, what: str) -> None:
    """An image of MANNER is taken back, and v1 never stops serving."""
    def run(site: Site):
        site.describe(healthy=QUICK_GATE)
        tag = "b-" + manner.replace("_", "-")
        site.publish(tag, manner)
        outcome = site.deploy(tag)
        expect(outcome.report["running"]["digest"] == site.releases["v1"], outcome)
        if manner == "exits":
            expect("status 42" in outcome.report["message"]
                   and "I exit at once" in outcome.report["message"], outcome)
        return outcome
    fault(number, what, 4)(run)


refuse(15, "hangs", "health hangs")
refuse(15, "drips", "health drips a byte every half second")
refuse(15, "gigabyte", "health answers a gigabyte")
refuse(16, "lies", "health shows another version's releaseId")
refuse(16, "never_ready", "healthy, never ready")
refuse(16, "probe_fails", "healthy, a real request is not served")
refuse(17, "flaps", "health flaps, one in three fails")
refuse(18, "redirects", "health redirects")


def baked(manner: str, what: str, status: int, serves: str) -> None:
    def run(site: Site):
        tag = "k-" + manner
        site.publish(tag, manner)
        site.describe(bake={**STAND_IN["bake"], "window": "700ms", "longest": "2s", "requests": 100})
        return site.deploy(tag)
    fault(19, what, status, serves)(run)


baked("rejects", "healthy, answers half of them badly under load (bake)", 4, "v1")
baked("idle", "healthy, no request comes (bake inconclusive)", 4, "v1")
baked("good", "the same bake, a good version", 0, "k")

refuse(20, "exits", "container exits at once, status 42")
refuse(20, "crashes_later", "container exits after 300 ms of health")
refuse(20, "dies_when_promoted", "container exits when promoted")


@fault(21, "port 8080 taken, HAProxy not there: nothing serves", 5, interrupts=True)
def taken_port(site):
    colour = site.running_colour()
    serving = site.host.docker("inspect", "-f", "{{.Id}}", f"slipway-{colour}").stdout
    site.host.docker("rm", "-f", "slipway-haproxy")
    with subprocess.Popen(site.host.inside("python3", "-m", "http.server", "8080"),
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as squatter:
        await_true(lambda: subprocess.run(site.host.inside("curl", "-s", "127.0.0.1:8080"),
                                          capture_output=True, check=False).returncode == 0,
                   "the squatter")
        refused = site.deploy("v2")
        with open(f"/proc/{squatter.pid}/task/{squatter.pid}/children", encoding="ascii") as child:
            os.kill(int(child.read()), signal.SIGTERM)
    expect("port 8080 is taken by python" in refused.report["message"], refused)
    expect(site.host.docker("inspect", "-f", "{{.Id}}", f"slipway-{colour}").stdout == serving,
           "the serving container must be the same")
    expect(site.deploy("v2").status == 0 and site.rollback("v1").status == 0, "after it left")
    return refused


def environment_of(site: Site, colour: str) -> str:
    return site.host.docker("inspect", "-f", "{{.Config.Env}}", f"slipway-{colour}").stdout


def change_configuration(site: Site) -> None:
    """v2 runs with another environment than v1 did, and v1's container is gone."""
    site.deploy("v2")
    with open(site.folder / "service.env", "a", encoding="utf-8") as env:
        env.write("ADDED=later\n")
    # A rollback to v1 brings v1's snapshot, without ADDED.
    site.make_cold()


@fault(24, "environment file changed since: rollback brings the old one back", 0)
def snapshot_restored(site):
    change_configuration(site)
    back = site.rollback("v1")
    expect("ADDED" not in environment_of(site, site.running_colour()), "v1's own environment")
    return back


@fault(24, "the same with --image-only: today's environment", 0)
def image_only(site):
    change_configuration(site)
    back = site.rollback("v1", "--image-only")
    expect("ADDED=later" in environment_of(site, site.running_colour()), "today's environment")
    return back


@fault(25, "an orphan <hex>_slipway-green, and a stranger's container", 0, "v2")
def orphans(site):
    site.make_cold()
    spare = site.spare_colour()
    image = f"{site.reference()}@{site.releases['v2']}"
    for name, labels in ((f"4f2a_slipway-{spare}", ("com.docker.compose.project=slipway",
                                                   f"com.docker.compose.service={spare}")),
                         ("stranger", ())):
        flags = [part for label in labels for part in ("--label", label)]
        site.host.docker("run", "-d", "--network", "none", "--name", name, *flags, image)
    outcome = site.deploy("v2")
    left = site.containers()
    expect("stranger" in left and f"4f2a_slipway-{spare}" not in left, left)
    site.host.docker("rm", "-f", "stranger")
    return outcome


@fault(26, "the version to go back to does not get ready either", 5, "v2")
def sick_target(site):
    site.deploy("v2")
    site.configure(stepTimeout="3s")
    site.asked_directly(site.spare_colour(), "/sicken")
    outcome = site.rollback("v1")
    site.make_cold()  # a well one next time
    return outcome


@fault(27, "a migration that cannot go back: rollback", 3, "v9")
def one_way(site):
    site.publish("v9", labels={"io.slipway.oldest-return": "5"})
    site.deploy("v9")
    return site.rollback("v1")


@fault(27, "the same with --force", 0)
def one_way_forced(site):
    site.deploy("v9")
    return site.rollback("v1", "--force")
