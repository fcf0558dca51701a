"""The strategy `recreate` on a real engine: one container, no HAProxy; pulls before it stops, puts the old
one back when the new one does not prove itself, and says how long nothing served."""

import pytest

from deploy.site import NEEDS, STAND_IN, Asker, Site

pytestmark = NEEDS


@pytest.fixture(scope="module")
def shared(executables):
    with Site("recreate", executables) as site:
        for tag in ("v1", "v2", "v3"):
            site.publish(tag)
        site.configure(strategy="recreate")
        site.describe(healthy={**STAND_IN["healthy"], "within": "4s"})
        first = site.deploy("v1")
        assert first.status == 0 and site.served() == "v1", first
        with Asker(site) as asker:
            yield site, asker


@pytest.fixture
def site(shared):
    """v1 serves, and again afterwards."""
    yield shared[0]
    shared[0].rollback("--resume", "--wait")
    if shared[0].served() != "v1":
        shared[0].rollback("v1")


@pytest.fixture
def asker(site, shared):
    shared[1].restart()
    return shared[1]


def running(site: Site) -> list[str]:
    return [name for name, state in site.containers().items() if state == "running"]


def test_one_container_runs(site):
    assert running(site) == ["slipway-blue"]


def test_a_deploy_and_a_rollback_say_how_long_nothing_served(site, asker, tell):
    second = site.deploy("v2")
    assert second.status == 0 and site.served() == "v2", second
    assert 0 < second.report["secondsWithoutService"] < 20, second
    tell(f"deploy: {second.report['secondsWithoutService']:.2f} s without service by its report, "
         f"{asker.longest_gap_s:.2f} s for one who asks every 20 ms")
    back = site.rollback()
    assert back.status == 0 and site.served() == "v1", back
    assert len(running(site)) == 1
    tell(f"rollback: {back.report['secondsWithoutService']:.2f} s without service")


def test_without_the_registry_nothing_is_stopped(site, asker):
    site.registry.pause()
    unavailable = site.deploy("v3")
    site.registry.resume()
    assert unavailable.status == 7 and asker.failures == 0, (unavailable, asker.summary())


def archives(site: Site) -> set[str]:
    return {f"sha256:{file.stem}" for file in (site.state / "images").glob("*.tar")}


def test_after_a_prune_of_all_that_does_not_run_the_way_back_needs_no_registry(site, tell):
    assert site.deploy("v2").status == 0
    site.registry.pause()
    try:
        for tag in ("v1", "v2"):
            site.host.docker("system", "prune", "-af", "--volumes")
            assert running(site) == list(site.containers()), "nothing else is left"
            assert not site.host.has_image(f"{site.reference()}@{site.releases[tag]}")
            status = site.rollback("--status").report
            assert all(release["here"] for release in status["proven"]), status
            back = site.rollback(tag)
            assert back.status == 0 and site.served() == tag, back
            tell(f"back to {tag}, from its file: {back.report['seconds']:.1f} s")
    finally:
        site.registry.resume()


def test_what_is_not_kept_any_more_has_no_file_either(site):
    site.configure(keepReleases=1)
    for tag in ("v2", "v3"):
        assert site.deploy(tag).status == 0
    assert archives(site) == {site.releases["v2"], site.releases["v3"]}
    site.configure(keepReleases=5)


def test_without_room_for_the_file_nothing_is_begun_and_a_way_back_is_not_barred(site):
    assert site.deploy("v2").status == 0
    folder = site.state / "images"
    (folder / f"{site.releases['v1'][7:]}.tar").unlink()
    site.host.run_inside("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder))
    try:
        refused = site.deploy("v3")
        assert refused.status == 3 and "no space left" in refused.report["message"], refused
        assert site.served() == "v2"
        back = site.rollback()
        assert back.status == 0 and site.served() == "v1", back
    finally:
        site.host.run_inside("umount", str(folder))


@pytest.mark.parametrize(("tag", "manner"), [
    ("b1", "lies"), ("b2", "exits"), ("b3", "never_ready"), ("b4", "crashes_later"), ("b5", "hangs"), ("b6", "tells")])
def test_a_bad_image_is_4_and_the_old_one_comes_back(site, tag, manner, tell):
    site.publish(tag, manner)
    bad = site.deploy(tag)
    assert bad.status == 4 and site.served() == "v1", bad
    assert bad.report["running"]["digest"] == site.releases["v1"], bad
    tell(f"v1 serves again after {bad.report['secondsWithoutService']:.2f} s")


def test_killed_at_each_point_and_resumed_one_version_serves(site, tell):
    for number in range(1, 60):
        killed = site.deploy("v2", env={"SLIPWAY_FAILPOINT": str(number)})
        if killed.status != 5:
            break
        resumed = site.rollback("--resume", "--wait")
        served = site.served()
        assert served in ("v1", "v2") and len(running(site)) == 1, (number, resumed)
        journal = (site.state / "journal").read_bytes()
        assert site.rollback("--resume").status == 0
        assert (site.state / "journal").read_bytes() == journal, "a further resume wrote"
        if served == "v2":
            site.rollback("v1")
    assert number > 20 and site.served() == "v2", (number, killed)
    tell(f"SIGKILL at each of {number - 1} points")
