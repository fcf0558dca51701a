"""A web service of three instances that knows nothing of Slipway: what becomes of its requests while kubectl and
Slipway release it and take it back, by turns.

REQUESTS (2000 a second) and ROUNDS (3) are of the environment.
"""

import os
import subprocess
from types import SimpleNamespace

import pytest

from cluster.ground import NEEDS
from cluster.measured_test import Plain, Requests, of_packets, table
from cluster.place import STAND_IN, Place
from slipway.paths import REPOSITORY
from support import needs
from support.engines import version_labels

pytestmark = [NEEDS, needs.all_of(needs.programs("go", "go"))]
ROUNDS = int(os.environ.get("ROUNDS", "3"))
SOURCE = REPOSITORY / "tests/adopt/go_api"
SERVICE = {"service": "price-api", "platform": "kubernetes", "drain": "2s", "kubernetes": {"replicas": 3},
           "limits": {"cpus": 1, "memory": "64m"}, "healthy": STAND_IN["healthy"]}
BAD = ("never_ready", "exits", "forbids")


def publish(place: Place, program, tag: str) -> str:
    """Pushes the service as a release of its own; by digest."""
    revision = f"{tag}-{'0' * 36}"[:40]
    reference = place.ground.publish(place.name, tag, {"price-api": program}, [
        f"ENV REVISION={revision}", 'ENTRYPOINT ["/price-api"]', *version_labels(tag, revision)])
    place.digests[tag] = reference.partition("@")[2]
    return reference


@pytest.fixture
def program(tmp_path):
    subprocess.run(["go", "build", "-trimpath", "-o", tmp_path / "price-api", "."], cwd=SOURCE, check=True,
                   env={**os.environ, "CGO_ENABLED": "0"})
    return tmp_path / "price-api"


def test_a_web_service_of_three_under_load_beside_kubectl(cluster, namespace, program, tmp_path, tell):
    with Place(cluster, namespace, SERVICE) as place:
        images = [publish(place, program, tag) for tag in ("v1", "v2")]
        plain = Plain(cluster, namespace, {
            "name": "plain", "image": images[0], "ports": [{"name": "http", "containerPort": 8080}],
            "readinessProbe": {"httpGet": {"path": "/health", "port": "http"}, "periodSeconds": 1}}, images[1], 3)
        for manner in BAD:
            place.publish(manner, manner, kind="plain")
        assert place.deploy("v1").status == 0
        ours = SimpleNamespace(cluster=cluster, address=place.node, ports={"http": place.port()})
        switched = []

        def expect(status: int, outcome) -> None:
            assert outcome.status == status, outcome
            if status == 0:
                switched.append(round(outcome.report["secondsToSwitched"], 2))

        by_turns = [("kubectl: rolling update", plain, plain.roll_out),
                    ("slipway: deploy", ours, lambda: expect(0, place.deploy("v2"))),
                    ("kubectl: rollout undo", plain, plain.roll_back),
                    ("slipway: rollback", ours, lambda: expect(0, place.rollback()))]
        bad = [(f"slipway: bad, {manner}", ours, lambda manner=manner: expect(4, place.deploy(manner)))
               for manner in BAD]
        rows = [of_packets(name, operation, Requests(who, tmp_path, "/price?pair=XRP-USD"))
                for name, who, operation in by_turns * ROUNDS + bad]
        tell(f"\n{table(rows)}\nseconds to slipway's flip: {switched}")
        mine = [row for row in rows if row.operation.startswith("slipway")]
        assert sum(row.unanswered + row.rejected for row in mine) == 0, table(mine)
