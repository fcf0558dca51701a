"""Three hosts, each with an engine, an sshd and deploy of its own, and a roll-out over all of them by scripts/deploy.sh
and scripts/rollback.sh from outside."""

import contextlib
import json
import os
import random
import signal
import subprocess
import time

import pytest

from deploy.site import NEEDS, PLAIN, Asker, Site
from slipway.lab import Registry
from slipway.paths import REPOSITORY
from support.engines import discard, sweep
from support.ssh import agent_with
from support.waiting import await_true

pytestmark = NEEDS

# On a host that asks this no version proves itself.
UNWELL = {"ready": "/absent", "healthy": {**PLAIN["healthy"], "within": "3s"}}


class FleetOfSites:
    def __init__(self, sites: list[Site], folder):
        self.sites = sites
        self.known = folder / "known_hosts"
        self.known.write_text("".join(site.host.known_hosts.read_text() for site in sites))
        for site in sites:
            site.host.run_inside("sh", "-ec", f"""
                cp {site.binaries}/deploy {site.binaries}/rollback /usr/local/bin/
                mkdir -p /etc/slipway && ln -sf {site.folder}/* /etc/slipway/""")
            (site.host.keys / "authorized_keys").write_text((folder / "key.pub").read_text())
        self.key = folder / "key"

    def begin(self, script: str, *words: str) -> subprocess.Popen:
        hosts = ",".join(site.host.ip for site in self.sites)
        return subprocess.Popen(
            [REPOSITORY / "scripts" / script, "--host", hosts, "--user", "root", "--known-hosts", self.known, "--",
             *words, "--json"], env=self.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, start_new_session=True)

    @staticmethod
    def end(process: subprocess.Popen) -> tuple[int, dict, str]:
        out, err = process.communicate(timeout=180)
        return process.returncode, json.loads(out) if out.strip() else {}, err

    def deploy(self, digest: str) -> tuple[int, dict, str]:
        return self.end(self.begin("deploy.sh", self.image(digest)))

    def kill_after_the_canary(self, digest: str) -> None:
        process = self.begin("deploy.sh", self.image(digest))
        await_true(lambda: self.running()[0] == digest, "the canary", 60)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()

    def rollback(self) -> tuple[int, dict, str]:
        return self.end(self.begin("rollback.sh"))

    def image(self, digest: str) -> str:
        return self.sites[0].registry.reference("m2m-connector", digest)

    def running(self) -> list[str]:
        """By asking each host itself."""
        found = []
        for site in self.sites:
            said = site.rollback("--status")
            found.append((said.report.get("running") or {}).get("digest", ""))
        return found


@pytest.fixture(scope="module")
def fleet(executables, tmp_path_factory):
    folder = tmp_path_factory.mktemp("fleet")
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / "key"], check=True)
    sweep("fleet")
    registry = Registry(f"fleet-{os.getpid()}")
    with registry:
        sites = [Site(f"fleet-{letter}", executables, registry, service=PLAIN) for letter in "abc"]
        begun = []
        try:
            for site in sites:
                site.__enter__()
                begun.append(site)
            fleet = FleetOfSites(sites, folder)
            with agent_with(folder / "key") as env:
                fleet.env = env
                yield fleet
        finally:
            for site in begun:
                site.__exit__()
    discard(registry)


@pytest.fixture(scope="module")
def versions(fleet) -> list[str]:
    return [fleet.sites[0].publish(f"v{number}") for number in (1, 2, 3)]


@pytest.fixture
def on_first(fleet, versions):
    """All hosts run the first version, and take any."""
    for site in fleet.sites:
        site.describe()
    status, report, said = fleet.deploy(versions[0])
    assert status == 0, (report, said)
    return versions


def test_all_hosts_one_after_the_other_and_back_at_once(fleet, on_first):
    first, second, _ = on_first
    status, report, said = fleet.deploy(second)
    assert status == 0, said
    assert fleet.running() == [second] * 3
    assert [host["before"] for host in report["hosts"].values()] == [first] * 3
    assert report["message"] == f"all 3 hosts run {second}"
    again = fleet.deploy(second)
    assert again[0] == 0 and "deploy" not in again[2], "there was nothing to do"
    status, report, said = fleet.rollback()
    assert status == 0, said
    assert fleet.running() == [first] * 3


def test_the_first_bad_host_stops_it_and_what_was_done_is_taken_back(fleet, on_first):
    first, second, _ = on_first
    fleet.sites[1].describe(**UNWELL)
    status, report, said = fleet.deploy(second)
    a, b, c = (site.host.ip for site in fleet.sites)
    assert status == 4, (report, said)
    assert fleet.running() == [first] * 3
    assert report["problems"][0].startswith(f"{b}: ")
    assert report["hosts"][a]["what"] == "taken back" and report["hosts"][b]["what"] == "did not take it"
    assert f"{c}: deploy" not in said


@pytest.mark.thorough
def test_one_host_that_cannot_be_deployed_to_keeps_all_as_they_are(fleet, on_first):
    first, second, _ = on_first
    fleet.sites[2].host.cut_link()
    try:
        status, report, said = fleet.deploy(second)
    finally:
        fleet.sites[2].host.mend_link()
    assert status == 3 and "not every host can be deployed to" in report["message"], (report, said)
    assert fleet.running() == [first] * 3


def test_a_tag_is_refused_since_all_must_get_the_same_bytes(fleet):
    status, report, _ = fleet.end(fleet.begin("deploy.sh", fleet.image("v1")))
    assert status == 2 and "names no digest" in report["message"]


@pytest.mark.thorough
def test_killed_after_the_canary_the_same_command_goes_on(fleet, on_first):
    _, second, _ = on_first
    fleet.kill_after_the_canary(second)
    status, report, said = fleet.deploy(second)
    assert status == 0, (report, said)
    assert fleet.running() == [second] * 3


@pytest.mark.thorough
def test_killed_and_then_a_bad_host_the_canary_is_taken_back(fleet, on_first):
    first, second, _ = on_first
    fleet.sites[2].describe(**UNWELL)
    fleet.kill_after_the_canary(second)
    status, report, said = fleet.deploy(second)
    assert status == 4, (report, said)
    assert fleet.running() == [first] * 3


def test_the_state_of_all_is_one_document(fleet, on_first):
    status, report, _ = fleet.end(fleet.begin("rollback.sh", "--status"))
    assert status == 0 and len(report) == 3
    assert {state["running"]["digest"] for state in report.values()} == {on_first[0]}


@pytest.mark.thorough
def test_thirty_roll_outs_end_with_one_version_and_lose_nothing(fleet, on_first, tell):
    """Ten with a bad second host, ten killed at a random moment and finished by the same command."""
    random.seed(22)
    askers = [Asker(site) for site in fleet.sites]
    wrong, worst, statuses = [], 0.0, []
    with contextlib.ExitStack() as watching:
        for asker in askers:
            watching.enter_context(asker)
        for number in range(30):
            target = on_first[(number + 1) % 3]
            bad = number % 3 == 1
            fleet.sites[1].describe(**(UNWELL if bad else {}))
            if number % 3 == 2:
                process = fleet.begin("deploy.sh", fleet.image(target))
                time.sleep(random.uniform(0, 6))
                os.killpg(process.pid, signal.SIGKILL)
                process.communicate()
            status, report, said = fleet.deploy(target)
            statuses.append(status)
            worst = max(worst, report.get("seconds", 0))
            running = set(fleet.running())
            if len(running) != 1 or status != (4 if bad else 0):
                wrong.append((number, status, running, report, said[-500:]))
    tell(f"{statuses.count(0)} rolled out, {statuses.count(4)} taken back, slowest {worst:.0f} s; "
         + "; ".join(asker.summary() for asker in askers))
    assert not wrong, wrong
    assert sum(asker.failures for asker in askers) == 0
