"""deploy and rollback against a real engine, registry and HAProxy, with the stand-in as service."""

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from deploy.site import NEEDS
from support.waiting import await_true

pytestmark = NEEDS

QUICK_MANNERS = ("exits", "never_ready", "lies", "probe_fails")
MORE_MANNERS = ("crashes_later", "hangs", "drips", "gigabyte", "redirects", "flaps", "dies_when_promoted")


@contextlib.contextmanager
def no_registry(site):
    site.registry.pause()
    try:
        yield
    finally:
        site.registry.resume()


def test_the_last_line_says_what_runs_by_digest(site):
    done = subprocess.run(site.command("deploy", site.reference("v1")), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done
    assert done.stdout.splitlines()[-1].startswith(f"running: {site.releases['v1']}")


def test_forward_and_back_ends_on_the_first_digest_through_haproxy(site, tell):
    first = site.deploy("v1")
    assert first.status == 0 and site.served() == "v1", first
    second = site.deploy("v2")
    assert second.status == 0 and site.served() == "v2", second
    assert second.report["from"]["digest"] == site.releases["v1"], second
    back = site.rollback()
    assert back.status == 0 and back.report["warm"], back
    assert back.report["running"]["digest"] == site.releases["v1"], back
    assert site.served() == "v1"
    roles = site.rollback("--status").report
    assert (roles["running"]["role"], roles["standby"]["role"]) == ("active", "drained"), roles
    tell(f"command to switched {back.report['secondsToSwitched'] * 1e3:.0f} ms, "
         f"flip {back.report['secondsOfFlip'] * 1e3:.1f} ms")


def test_a_missing_tag_is_7_and_touches_nothing(site):
    before = site.containers()
    missing = site.deploy("v404")
    assert missing.status == 7 and site.containers() == before, missing


def test_without_the_registry_what_is_local_is_deployed_and_a_tag_is_7(site):
    site.deploy("v2")
    with no_registry(site):
        back = site.rollback("v1")
        assert back.status == 0 and site.served() == "v1", back
        local = site.run("deploy", f"{site.reference()}@{site.releases['v2']}")
        assert local.status == 0 and site.served() == "v2", local
        gone = site.deploy("v1")
        assert gone.status == 7 and site.served() == "v2", gone


def test_a_version_whose_container_is_gone_is_held_and_started_anew(site, tell):
    site.deploy("v2")
    site.host.docker("rm", "-f", "slipway-" + site.spare_colour())
    site.host.docker("image", "prune", "-af")
    with no_registry(site):
        back = site.rollback("v1")
    assert back.status == 0 and site.served() == "v1", back
    tell(f"command to switched {back.report['secondsToSwitched']:.2f} s")


def test_when_what_serves_dies_after_a_rollback_the_next_goes_to_what_lives(site, tell):
    site.deploy("v2")
    colour = site.rollback("v1").report["running"]["colour"]
    site.host.docker("kill", f"slipway-{colour}")
    assert site.served() is None
    back = site.rollback()
    assert back.status == 0 and site.served() == "v2" and back.report["warm"], back
    assert "rolled back from" in back.report["warnings"][0], back
    assert site.rollback("v1").status == 0 and site.served() == "v1"
    tell(f"v2 serves {back.report['secondsToSwitched']:.2f} s after the command")


def test_a_missing_file_of_the_configuration_is_2_and_named(site):
    file = site.folder / "service.env"
    file.rename(site.folder / "service.env.gone")
    try:
        refused = site.deploy("v2")
    finally:
        (site.folder / "service.env.gone").rename(file)
    assert refused.status == 2 and "service.env" in refused.report["message"], refused
    assert site.served() == "v1" and refused.report["serves"], refused


def test_a_full_prune_after_a_failed_deploy_takes_neither_version(site):
    site.deploy("v2")
    site.publish("bad", "lies")
    assert site.deploy("bad").status == 4
    site.host.docker("system", "prune", "-af")
    with no_registry(site):
        back = site.rollback()
    assert back.status == 0 and back.report["warm"] and site.served() == "v1", back


def test_a_damaged_journal_is_set_aside_and_one_that_cannot_be_rebuilt_is_8(site):
    site.deploy("v2")
    site.damage_journal()
    back = site.rollback("v1")
    assert back.status == 0 and site.served() == "v1", back
    assert (site.state / "journal.damaged-1").exists()
    site.damage_journal()
    site.set_map("purple")
    before = site.containers()
    ambiguous = site.rollback("v2")
    assert ambiguous.status == 8 and site.containers() == before, ambiguous
    for colour in ("blue", "green"):
        site.set_map(colour)
        if site.served() == "v1":
            break
    assert site.rollback("--resume").status == 0 and site.served() == "v1"


def test_a_taken_port_is_found_before_haproxy_starts_with_its_owner(site):
    site.host.docker("rm", "-f", "slipway-haproxy")
    site.publish("v8")
    with subprocess.Popen(site.host.inside("python3", "-m", "http.server", "8080"),
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as squatter:
        await_true(lambda: subprocess.run(site.host.inside("curl", "-s", "127.0.0.1:8080"),
                                          capture_output=True, check=False).returncode == 0, "the squatter")
        refused = site.deploy("v8")
        child = Path(f"/proc/{squatter.pid}/task/{squatter.pid}/children").read_text()
        os.kill(int(child), signal.SIGTERM)
    # Without HAProxy no version reaches users, and 3 would say that one does.
    assert refused.status == 5 and "port 8080 is taken by python" in refused.report["message"], refused
    assert site.deploy("v8").status == 0 and site.served() == "v8"
    assert site.rollback("v1").status == 0


def test_too_little_disk_is_3_before_anything_is_touched(site):
    site.configure(minimumFreeMb=999_000)
    refused = site.deploy("v2")
    assert refused.status == 3 and "free" in refused.report["message"], refused


@pytest.mark.parametrize("manner", [
    *QUICK_MANNERS, *(pytest.param(manner, marks=pytest.mark.thorough) for manner in MORE_MANNERS)])
def test_a_bad_image_is_4_and_v1_serves(site, manner, tell):
    site.describe(healthy={"every": "100ms", "timeout": "1s", "times": 5, "for": "500ms", "within": "3s"})
    tag = f"b-{manner}".replace("_", "-")
    site.publish(tag, manner)
    began = time.monotonic()
    bad = site.deploy(tag)
    assert bad.status == 4 and site.served() == "v1", bad
    if manner == "probe_fails":  # what the probe said, and the token in it hidden
        assert "stand_in: *** was rejected" in bad.report["message"], bad
    assert bad.report["running"]["digest"] == site.releases["v1"], bad
    tell(f"taken back after {time.monotonic() - began:.1f} s")


# Last, so that it sees what all the others left.
def test_secrets_are_in_snapshots_alone_and_those_are_0600(site, tell):
    marker = "marker-5f2a"
    found = subprocess.run(["grep", "-rl", marker, str(site.state)], capture_output=True, text=True,
                           check=False).stdout.split()
    assert [name for name in found if "/snapshots/" not in name] == []
    assert {oct(Path(name).stat().st_mode & 0o777) for name in found} == {"0o600"}
    for arguments in (("--status",), ("--history",)):
        assert marker not in site.rollback(*arguments).out
    tell(f"only in {len(found)} snapshots")
