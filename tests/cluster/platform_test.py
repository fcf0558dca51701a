"""deploy and rollback on a cluster, as an account that may do nothing else: forward, back, what is bad, and what a
cluster refuses."""

import json
import time

import pytest

from cluster.ground import NEEDS
from cluster.place import PLAIN, STAND_IN, Asker, Place
from support.load import Generator
from support.waiting import await_true

pytestmark = NEEDS
QUICK = {**STAND_IN["healthy"], "within": "8s"}


@pytest.fixture
def several(cluster, namespace):
    """Three pods of a service without roles."""
    with Place(cluster, namespace, PLAIN) as place:
        for tag in ("v1", "v2"):
            place.publish(tag, kind="plain")
        first = place.deploy("v1")
        assert first.status == 0 and place.served() == "v1", first
        yield place


def step(outcome, name: str) -> dict:
    (found,) = (step for step in outcome.report["steps"] if step["name"] == name)
    return found


def test_forward_and_back_every_new_connection_is_answered(place, tell):
    with Asker(place) as asker:
        there = place.deploy("v2")
        assert there.status == 0 and place.served() == "v2", there
        back = place.rollback()
        assert back.status == 0 and back.report["warm"] and place.served() == "v1", back
    assert asker.lost == 0 and set(asker.answers) == {"v1", "v2"}, asker.answers
    assert place.agrees() == ""
    tell(f"deploy {there.report['seconds']:.1f} s, rollback {back.report['secondsToSwitched']:.2f} s to the flip, "
         f"{sum(asker.answers.values())} new connections, 0 lost")


def test_three_pods_under_load_lose_no_request_forward_back_and_when_it_is_bad(several, tell):
    several.publish("bad", "never_ready", kind="plain")
    several.publish("ends", "exits", kind="plain")
    several.describe(healthy=QUICK)
    target = f"http://{several.node}:{several.port()}/work"
    with Generator(several.ground.binaries, several.folder, "--target", target, "--rate", "500",
                   "--connections", "16") as load:
        assert several.deploy("v2").status == 0 and several.served() == "v2"
        assert len(several.pods(several.active())) == 3
        assert several.rollback().status == 0 and several.served() == "v1"
        for tag in ("bad", "ends"):
            taken_back = several.deploy(tag)
            assert taken_back.status == 4 and several.served() == "v1", taken_back
    packets = load.document()["details"]["packets"]
    lost = packets["sent"] - packets["fulfilled"] - packets["late"]
    assert packets["sent"] > 1000 and lost == 0, packets
    assert several.agrees() == ""
    tell(f"{packets['sent']} requests, {lost} lost")


@pytest.mark.parametrize("manner, words", [
    ("exits", "I exit at once"), ("eats", "more memory than its limit of 64Mi"), ("probe_fails", "real request"),
    ("never_ready", "/health/ready does not answer 200")])
def test_a_bad_release_is_taken_back_with_its_cause_while_the_old_one_serves(place, manner, words, tell):
    place.publish("bad", manner)
    place.describe(healthy=QUICK)
    with Asker(place) as asker:
        taken_back = place.deploy("bad")
    assert taken_back.status == 4 and words in taken_back.report["message"], taken_back
    assert asker.lost == 0 and set(asker.answers) == {"v1"}, asker.answers
    assert place.agrees() == "" and place.rollback("--status").status == 0
    tell(f"{manner}: {taken_back.seconds:.1f} s")


def test_an_image_that_no_node_can_pull_is_named_within_seconds(place, tell):
    place.patch = {**place.patch, "Deployment": {"spec": {"template": {"spec": {
        "initContainers": [{"name": "first", "image": f"{place.ground.registry}/nowhere@sha256:{'0' * 64}"}]}}}}}
    place.describe()
    began = time.monotonic()
    refused = place.deploy("v2")
    assert refused.status == 4 and "nowhere" in refused.report["message"], refused
    assert place.served() == "v1" and place.agrees() == ""
    tell(f"{time.monotonic() - began:.1f} s")


def test_a_quota_that_refuses_the_second_colour_is_told_at_once(place, tell):
    place.kubectl("create", "quota", "few", "--hard=pods=1")
    began = time.monotonic()
    refused = place.deploy("v2")
    assert refused.status == 4 and "exceeded quota" in refused.report["message"], refused
    assert place.served() == "v1" and place.agrees() == ""
    tell(f"{time.monotonic() - began:.1f} s")


def test_what_no_node_takes_is_told_with_the_cause_when_its_time_is_over(place):
    place.describe(limits={"cpus": 400, "memory": "64m"}, healthy=QUICK)
    refused = place.deploy("v2")
    assert refused.status == 4 and "no node takes it: 0/" in refused.report["message"], refused
    assert place.served() == "v1" and place.agrees() == ""


def test_what_the_cluster_would_refuse_is_refused_before_anything_changes(place):
    place.patch = {**place.patch, "Deployment": {"spec": {"template": {"spec": {"restartPolicy": "Never"}}}}}
    place.describe()
    before = place.get("deployments")["items"]
    refused = place.deploy("v2")
    assert refused.status == 2 and "restartPolicy" in refused.report["message"], refused
    assert [one["metadata"]["uid"] for one in place.get("deployments")["items"]] == [
        one["metadata"]["uid"] for one in before]


def test_a_bake_without_counters_is_refused(place):
    place.describe(platform="docker", bake={"window": "2s"})
    refused = place.deploy("v2")
    assert refused.status == 2 and "bake.good" in refused.report["nextStep"], refused
    assert place.served() == "v1"


def test_a_bake_by_the_services_own_counters_sums_its_pods(cluster, namespace):
    counters = {"good": 'jobs_total{result="good"}', "bad": 'jobs_total{result="bad"}'}
    with Place(cluster, namespace, {**STAND_IN, "bake": {"window": "1s", "longest": "8s", "requests": 50, **counters}}
               ) as place:
        for tag, manner in (("v1", "good"), ("v2", "good"), ("worse", "rejects")):
            place.publish(tag, manner)
        assert place.deploy("v1").status == 0
        baked = place.deploy("v2")
        assert baked.status == 0 and step(baked, "bake")["outcome"] == "done", baked
        worse = place.deploy("worse")
        assert worse.status == 4 and place.served() == "v2" and place.agrees() == "", worse


def test_what_it_was_told_goes_back_with_it_and_is_shown_to_nobody(place):
    place.kubectl("create", "secret", "generic", "stand-in-env", "--from-literal=PROBE_TOKEN=marker-7c1d")
    place.kubectl("create", "configmap", "stand-in-config-main", "--from-literal=main.json={}")
    place.describe(secrets=["PROBE_TOKEN"], config={"main": "/etc/main"})
    assert place.deploy("v2").status == 0
    told = place.pods(place.active())[0]["spec"]["containers"][0]
    assert any(variable["name"] == "PROBE_TOKEN" and "valueFrom" in variable for variable in told["env"])
    # A bad one tells it, and what it says is not passed on.
    place.publish("leak", "probe_fails")
    leak = place.deploy("leak")
    assert leak.status == 4 and "was rejected" in leak.out and "marker-7c1d" not in leak.out + leak.err, leak
    # Without it, the service is not started.
    place.kubectl("delete", "secret", "stand-in-env")
    refused = place.deploy("v1")
    assert refused.status == 2 and "stand-in-env" in refused.report["message"], refused
    assert "create secret generic stand-in-env" in refused.report["nextStep"], refused
    # The way back has its own.
    assert place.rollback().status == 0 and place.served() == "v1"
    assert place.rollback("2").status == 0 and place.served() == "v2"
    assert place.agrees() == ""


def test_two_operators_at_once_and_the_second_is_told_of_the_first(place):
    place.describe(healthy={**STAND_IN["healthy"], "for": "4s"})
    first = place.begin("deploy", place.reference("v2"))
    await_true(lambda: (place.rollback("--status").report["lock"] or {}).get("step") == "prove", "the proof")
    second = place.rollback(env=place.machine("elsewhere"))
    assert second.status == 6 and "deploy" in second.err and "prove" in second.err, second
    queued = place.rollback("--wait")
    assert first.outcome().status == 0
    assert queued.status == 0 and place.served() == "v1" and place.agrees() == "", queued


def test_an_account_that_may_too_little_is_told_what_is_missing(place, cluster):
    role = cluster.get("role", "slipway", "--namespace", place.namespace)
    role["rules"] = [rule for rule in role["rules"] if "pods/exec" not in rule["resources"]]
    cluster.apply(role)
    refused = place.deploy("v2")
    assert refused.status == 2 and "create pods/exec" in refused.report["message"], refused
    assert "slipway setup --kubernetes" in refused.report["nextStep"], refused


def test_a_service_of_that_name_that_is_not_ours_stays_as_it_is(cluster, namespace):
    with Place(cluster, namespace) as place:
        place.publish("v1")
        place.kubectl("create", "service", "clusterip", "stand-in", "--tcp=80:80")
        refused = place.deploy("v1")
        assert refused.status == 3 and "that is not ours" in refused.report["message"], refused
        assert "slipway.io/colour" not in json.dumps(place.get("service", "stand-in"))


def test_a_lost_journal_is_made_anew_from_what_runs(place):
    assert place.deploy("v2").status == 0
    place.kubectl("delete", "configmap", "stand-in-journal")
    assert place.rollback().status == 0 and place.served() == "v1" and place.agrees() == ""


def test_what_is_too_much_is_forgotten(place):
    for number, tag in enumerate(("v2", "v1", "v2")):
        place.describe(env={"STAND_IN_ROLE": "standby", "NUMBER": str(number)})
        place.configure(keepReleases=1)
        assert place.deploy(tag).status == 0
    kept = place.get("secrets", "--selector", "slipway.io/part=snapshot")["items"]
    assert len(kept) == 2, [one["metadata"]["name"] for one in kept]
    assert place.rollback().status == 0 and place.agrees() == ""
