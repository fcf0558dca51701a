"""Whatever is killed, the cluster is not left between two versions: deploy and kubectl at every point, the API server,
a node, a pod; and another machine goes on."""

import json
import os
import random
import signal
import time

import pytest

from cluster.ground import NEEDS
from cluster.place import STAND_IN, Asker
from support.processes import all_that_have
from support.waiting import await_true

pytestmark = NEEDS
SEED = int(os.environ.get("SEED", "20261128"))
KILLS = int(os.environ.get("KILLS", "12"))


def back_to_v1(place) -> None:
    outcome = place.rollback("--resume", "--wait")
    assert outcome.status == 0, outcome
    if place.served() != "v1":
        assert place.rollback("1", "--wait").status == 0
    assert place.served() == "v1"


def forget_what_waits(place) -> None:
    """The next deploy starts its version anew, and so passes all points: fewer if it is warm."""
    place.kubectl("delete", "deployment", f"{place.name}-{place.spare()}", "--ignore-not-found")


def some_of(points: list[str]) -> list[int]:
    """Which of them a process is killed at, by number."""
    return sorted(random.Random(SEED).sample(range(1, len(points) + 1), min(KILLS, len(points))))


def kubectls(place) -> list[int]:
    """Those of this place's own commands, by a home that nobody else has."""
    home = f"HOME={place.env['HOME']}".encode()
    ours = {pid for pid, variables in all_that_have("environ") if home in variables.split(b"\0")}
    return [pid for pid, command in all_that_have("cmdline")
            if pid in ours and command.split(b"\0")[0].endswith(b"kubectl")]


def is_ready(pod: dict) -> bool:
    return any(one["type"] == "Ready" and one["status"] == "True" for one in pod["status"].get("conditions", []))


def test_killed_at_any_point_of_a_deploy_another_machine_goes_on_and_no_connection_is_lost(place, tell):
    points = place.failpoints_of(lambda env: place.deploy("v2", env=env))
    assert len(points) > 30, points
    back_to_v1(place)
    elsewhere = place.machine("elsewhere")
    chosen = some_of(points)
    seconds, ends = [], {"v1": 0, "v2": 0}
    with Asker(place) as asker:
        for number in chosen:
            forget_what_waits(place)
            killed = place.deploy("v2", env={"SLIPWAY_FAILPOINT": str(number)})
            assert killed.status == 5 and "ended by signal 9" in killed.err, (points[number - 1], killed)
            began = time.monotonic()
            resumed = place.rollback("--resume", "--wait", env=elsewhere)
            seconds.append(time.monotonic() - began)
            served = place.served()
            assert resumed.status in (0, 3, 4) and served in ends, (points[number - 1], resumed)
            assert place.agrees() == "", (points[number - 1], place.agrees())
            ends[served] += 1
            if served != "v1":
                assert place.rollback("1").status == 0
    assert asker.lost == 0, asker.answers
    tell(f"{len(seconds)} of {len(points)} points, ended at {ends}, resumed in {min(seconds):.1f} to "
         f"{max(seconds):.1f} s, {sum(asker.answers.values())} new connections, 0 lost")


def test_killed_at_any_point_of_a_rollback_it_is_finished(place, tell):
    assert place.deploy("v2").status == 0
    points = place.failpoints_of(lambda env: place.rollback("1", env=env))
    chosen = some_of(points)
    with Asker(place) as asker:
        for number in chosen:
            if place.served() != "v2":
                assert place.rollback("2").status == 0
            killed = place.rollback("1", env={"SLIPWAY_FAILPOINT": str(number)})
            assert killed.status == 5, (points[number - 1], killed)
            resumed = place.rollback("--resume", "--wait")
            assert resumed.status in (0, 3, 4) and place.served() in ("v1", "v2"), (points[number - 1], resumed)
            assert place.agrees() == "", points[number - 1]
    assert asker.lost == 0, asker.answers
    tell(f"{len(chosen)} of {len(points)} points, {sum(asker.answers.values())} new connections, 0 lost")


def test_kubectl_killed_again_and_again_changes_nothing_of_the_outcome(place, tell):
    deploy = place.begin("deploy", place.reference("v2"))
    kills = 0
    while deploy.process.poll() is None:
        for pid in kubectls(place):
            try:
                os.kill(pid, signal.SIGKILL)
                kills += 1
            except OSError:
                pass
        time.sleep(0.4)
    outcome = deploy.outcome()
    if outcome.status != 0:
        # One that was told nothing is taken back; what serves is never in doubt.
        assert outcome.status in (3, 4), outcome
        assert place.served() == "v1"
    assert kills > 3 and place.agrees() == "", (kills, outcome)
    tell(f"{kills} kubectl killed, exit {outcome.status}")


def test_without_the_api_server_midway_it_waits_and_traffic_goes_on(place, lab, tell):
    with Asker(place) as asker:
        place.describe(healthy={**STAND_IN["healthy"], "for": "3s"})
        deploy = place.begin("deploy", place.reference("v2"))
        await_true(lambda: (place.rollback("--status").report["lock"] or {}).get("step") == "prove", "the proof")
        lab.kill_api_server()
        time.sleep(5)
        assert deploy.process.poll() is None
        lab.start_api_server()
        outcome = deploy.outcome()
    assert outcome.status == 0 and "waiting up to" in outcome.err, outcome
    assert place.served() == "v2" and place.agrees() == "" and asker.lost == 0, asker.answers
    tell(f"5 s without it, {outcome.seconds:.1f} s in all, {sum(asker.answers.values())} new connections, 0 lost")


def test_while_the_controllers_do_not_know_a_pod_nobody_is_led_to_it(place, lab, tell):
    """As after an absence of the API server, when kubelets have told it of a pod and the controllers have not heard:
    the first thing that they hear may be the flip, and then the Service leads to nobody."""
    before = place.active()
    with Asker(place) as asker:
        deploy = place.begin("deploy", place.reference("v2"))
        await_true(lambda: place.pods(place.spare()), "a candidate")
        lab.kill_service("kube-controller-manager", signal.SIGSTOP)
        try:
            await_true(lambda: all(is_ready(pod) for pod in place.pods(place.spare())), "a candidate that is ready")
            time.sleep(3)  # ten times as long as it has to be well
            assert place.active() == before and deploy.process.poll() is None
        finally:
            lab.kill_service("kube-controller-manager", signal.SIGCONT)
        outcome = deploy.outcome()
    assert outcome.status == 0 and place.served() == "v2" and place.agrees() == "" and asker.lost == 0, asker.answers
    tell(f"{outcome.seconds:.1f} s in all, {sum(asker.answers.values())} new connections, 0 lost")


def test_an_eviction_during_the_proof_costs_time_and_nothing_else(place, tell):
    place.describe(healthy={**STAND_IN["healthy"], "for": "3s"})
    deploy = place.begin("deploy", place.reference("v2"))
    await_true(lambda: [pod for pod in place.pods(place.spare()) if pod["status"]["phase"] == "Running"], "a candidate")
    (candidate,) = place.pods(place.spare())
    name = candidate["metadata"]["name"]
    place.kubectl("create", "--raw", f"/api/v1/namespaces/{place.namespace}/pods/{name}/eviction", "-f", "-",
                  input=json.dumps({"apiVersion": "policy/v1", "kind": "Eviction",
                                    "metadata": {"name": name, "namespace": place.namespace}}), stdin=None)
    outcome = deploy.outcome()
    assert outcome.status == 0 and place.served() == "v2" and place.agrees() == "", outcome
    tell(f"{outcome.seconds:.1f} s")


@pytest.mark.parametrize("colour", ["what waits", "what serves"])
def test_a_node_that_dies_under_a_colour(place, lab, colour, tell):
    assert place.deploy("v2").status == 0
    chosen = place.active() if colour == "what serves" else place.spare()
    (pod,) = place.pods(chosen)
    node = next(node for node in lab.nodes if node.ip == pod["status"]["hostIP"])
    other = next(one for one in lab.nodes if one is not node)
    assert all(one["status"]["hostIP"] == other.ip for one in place.pods("green" if chosen == "blue" else "blue")), (
        "both colours are on one node")
    place.node = other.ip
    try:
        node.kill()
        if colour == "what serves":
            back = place.rollback()
            assert back.status == 0 and place.served() == "v1", back
            words = f"rollback, {back.report['secondsToSwitched']:.1f} s to the flip, {back.seconds:.1f} s in all"
        else:
            # The cluster itself takes 40 s to see it; who asks before is told that nothing answers there.
            early = place.deploy("v1")
            assert early.status in (0, 4) and place.served() == ("v2" if early.status else "v1"), early
            words = f"exit {early.status} after {early.seconds:.0f} s"
            later = place.deploy("v1")
            assert later.status == 0 and place.served() == "v1", later
            words += f", then 0 after {later.seconds:.0f} s"
        tell(f"{colour}: {words}")
    finally:
        node.start()
        lab.await_nodes()
        place.node = node.ip
        await_true(lambda: place.served() == "v1", "an answer by the node that is back", 60)
    assert place.agrees() == ""
