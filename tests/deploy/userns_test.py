"""A host whose engine maps the users of containers to others (userns-remap): root in a container is nobody on
the host, and no folder of ours is root's alone that a container needs."""

import subprocess

import pytest

from deploy.site import NEEDS, Site

pytestmark = NEEDS


@pytest.fixture(scope="module")
def site(executables):
    with Site("deploy-userns", executables, daemon={"userns-remap": "default"}) as site:
        assert "name=userns" in site.host.docker("info", "-f", "{{.SecurityOptions}}").stdout
        for tag in ("v1", "v2"):
            site.publish(tag)
        yield site


def pid_of(site: Site, name: str) -> int:
    return int(site.host.docker("inspect", "-f", "{{.State.Pid}}", name).stdout)


def user_on_host(site: Site, name: str) -> int:
    told = subprocess.run(site.host.inside("stat", "-c", "%u", f"/proc/{pid_of(site, name)}"),
                          capture_output=True, text=True, check=True)
    return int(told.stdout)


def test_it_is_deployed_to_and_rolled_back_as_any_other(site):
    first = site.deploy("v1")
    assert first.status == 0 and site.served() == "v1", first
    second = site.deploy("v2")
    assert second.status == 0 and site.served() == "v2", second
    back = site.rollback()
    assert back.status == 0 and back.report["warm"] and site.served() == "v1", back
    assert user_on_host(site, f"slipway-{site.running_colour()}") >= 100000, "its root is not the host's"
    assert user_on_host(site, "slipway-haproxy") == 10001, "which has the host's network, and its users"


def test_what_a_version_is_given_it_can_read(site):
    site.deploy("v1")
    pid = pid_of(site, f"slipway-{site.running_colour()}")
    # As root of the container, that is, with what this one may open.
    read = subprocess.run(site.host.inside("nsenter", "-t", str(pid), "-U", "-S", "0", "-G", "0",
                                           "cat", f"/proc/{pid}/root/etc/main/main.json"),
                          capture_output=True, text=True, check=False)
    assert read.stdout == "{}", read


def test_a_bad_version_is_taken_back_and_the_reason_is_told(site):
    site.deploy("v1")
    site.publish("bad", "exits")
    bad = site.deploy("bad")
    assert bad.status == 4 and "status 42" in bad.report["message"] and site.served() == "v1", bad


def test_one_container_without_haproxy_goes_back_from_its_file_after_a_prune(executables):
    with Site("deploy-userns-solo", executables, daemon={"userns-remap": "default"}, strategy="recreate") as solo:
        for tag in ("v1", "v2"):
            solo.publish(tag)
            assert solo.deploy(tag).status == 0
        solo.host.docker("system", "prune", "-af")
        solo.registry.pause()
        back = solo.rollback()
        solo.registry.resume()
        assert back.status == 0 and solo.served() == "v1", back
