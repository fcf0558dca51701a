"""A service that has next to nothing of what deploy may make use of, on a real engine and HAProxy: no roles,
no probe, no ready page, no metrics, health that is no JSON; and what its description may get wrong."""

import json
import re
import socket

import pytest

from deploy.site import NEEDS, PLAIN, Site
from deploy.traffic import Load, LongPoll, Socket

pytestmark = NEEDS


@pytest.fixture(scope="module")
def shared(executables):
    with Site("any-service", executables, service=PLAIN) as site:
        for tag in ("v1", "v2"):
            site.publish(tag, kind="plain")
        first = site.deploy("v1")
        assert first.status == 0, first
        yield site


@pytest.fixture
def site(shared):
    """v1 serves, and again afterwards."""
    yield shared
    shared.back_to_v1()


def step(outcome, name: str) -> dict:
    (found,) = (step for step in outcome.report["steps"] if step["name"] == name)
    return found


def test_forward_back_and_a_bad_one_under_load_lose_no_request_and_send_no_signal(site, tell):
    site.publish("bad", "never_ready", kind="plain")
    site.publish("ends", "exits", kind="plain")
    with Load(site) as load:
        # A signal would end it.
        assert site.deploy("v2").status == 0 and site.served() == "v2"
        assert site.rollback().status == 0 and site.served() == "v1"
        for tag in ("bad", "ends"):
            site.describe(healthy={**PLAIN["healthy"], "within": "2s"})
            taken_back = site.deploy(tag)
            assert taken_back.status == 4 and site.served() == "v1", taken_back
    assert load.packets["sent"] > 1000 and load.lost() == 0, load.packets
    tell(f"{load.packets['sent']} requests, {load.lost()} lost")


def test_what_answers_with_a_page_is_proven_by_the_image_that_the_engine_runs(site, tell):
    site.publish("page", kind="html", says_revision=False)
    refused = site.deploy("page")
    assert refused.status == 3 and "version: digest" in refused.report["nextStep"], refused
    site.describe(version="digest")
    with Load(site) as load:
        page = site.deploy("page")
        assert page.status == 0, page
        image = json.loads(site.host.docker("inspect", f"slipway-{site.running_colour()}").stdout)[0]["Image"]
        assert f"the engine runs the digest's image {image}" in step(page, "prove")["detail"], page
        status = site.rollback("--status").report
        assert status["healthy"] and status["running"]["role"] == "", status
        assert "up" in site.get("/health")
        # One that has the label, and does not say it.
        site.publish("mute", kind="html")
        assert site.deploy("mute").status == 0
        assert site.rollback("v1").status == 0 and site.served() == "v1"
    assert load.lost() == 0, load.packets
    tell(f"{load.packets['sent']} requests, {load.lost()} lost")


def test_a_port_that_haproxy_was_not_made_for_is_3_and_comes_with_a_haproxy_made_anew(site):
    site.describe(tcp=[4000])
    before = site.containers()
    refused = site.deploy("v2")
    assert refused.status == 3 and site.containers() == before and site.served() == "v1", refused
    assert re.search(r"has no server 172.31.231.1[01]:4000 for port 4000", refused.report["message"]), refused
    assert "docker rm -f slipway-haproxy" in refused.report["nextStep"], refused
    site.host.docker("rm", "-f", "slipway-haproxy")
    assert site.deploy("v2").status == 0 and site.served() == "v2"
    with socket.create_connection((site.host.ip, 4000), timeout=5) as connection:
        connection.sendall(b"hi")
        assert connection.recv(2) == b"hi"


def test_a_published_port_that_nobody_has_is_told_and_one_of_no_service_too(site):
    site.configure(ports={"8080": 80})
    unheard = site.deploy("v2")
    assert unheard.status == 3 and "published on 80" in unheard.report["message"], unheard
    site.configure(ports={"9000": 90})
    wrong = site.deploy("v2")
    assert wrong.status == 2 and "no port 9000" in wrong.report["message"], wrong
    assert site.served() == "v1"


def test_the_image_s_own_description_counts_and_one_that_cannot_be_read_is_2(site):
    site.publish("own", kind="plain", labels={
        "io.slipway.service": "'" + json.dumps({**PLAIN, "env": {"SAID": "by the label"}}) + "'"})
    assert site.deploy("own").status == 0
    environment = site.host.docker("inspect", "-f", "{{.Config.Env}}", f"slipway-{site.running_colour()}").stdout
    assert "SAID=by the label" in environment
    site.publish("odd", kind="plain", labels={"io.slipway.service": "'{\"prt\": 80}'"})
    before = site.containers()
    refused = site.deploy("odd")
    assert refused.status == 2 and "'port'" in refused.report["message"], refused
    assert site.containers() == before and site.served() == "own"


def test_haproxy_s_counters_take_a_version_back_that_answers_badly(site):
    site.describe(bake={"window": "1s", "longest": "5s", "requests": 100})
    site.publish("errs", "errors", kind="plain")
    with Load(site):
        bad = site.deploy("errs")
        assert bad.status == 4 and "answered badly" in bad.report["message"] and site.served() == "v1", bad
        good = site.deploy("v2")
        assert good.status == 0 and "0.00 % answered badly" in step(good, "bake")["detail"], good


def test_a_long_poll_is_answered_by_the_old_version_and_the_drain_waits_for_it(site):
    poll = LongPoll(site, 2)
    swapped = site.deploy("v2")
    assert swapped.status == 0 and site.served() == "v2", swapped
    poll.join()
    assert poll.answer.startswith("v1"), poll.answer
    assert step(swapped, "drain")["detail"].endswith("answered what it had accepted"), swapped


def test_what_is_connected_for_longer_than_the_drain_stays_until_its_colour_makes_room(site):
    client, poll = Socket(site), LongPoll(site, 6)
    swapped = site.deploy("v2")
    assert swapped.status == 0 and site.served() == "v2", swapped
    assert "2 connections left after 2s" in step(swapped, "drain")["detail"], swapped
    assert client.is_alive()
    poll.join()
    assert poll.answer.startswith("v1") and client.is_alive()
    # The next version takes the colour that it is connected to.
    site.publish("v3", kind="plain")
    assert site.deploy("v3").status == 0
    assert not client.is_alive()
    site.rollback("v1")


def test_one_container_without_haproxy_or_roles_is_replaced_and_comes_back(executables, tell):
    with Site("plain-recreate", executables, service=PLAIN, strategy="recreate") as site:
        for tag, manner in (("v1", "good"), ("v2", "good"), ("bad", "never_ready")):
            site.publish(tag, manner, kind="plain")
        for tag in ("v1", "v2"):
            outcome = site.deploy(tag)
            assert outcome.status == 0 and site.served() == tag, outcome
        assert "slipway-haproxy" not in site.containers()
        assert site.deploy("bad").status == 4 and site.served() == "v2"
        back = site.rollback()
        assert back.status == 0 and site.served() == "v1", back
        tell(f"{outcome.report['secondsWithoutService']:.2f} s without service")
