"""The same packets and requests as in measured_test.py, while Slipway deploys, goes back and takes bad releases back.

RATE, REQUESTS and FRESH are of the environment, as there; ROUNDS (3) is how often it goes there and back.
"""

import json
import os

import pytest

from cluster.connector import CONFIG
from cluster.ground import NEEDS
from cluster.measured_test import FRESH, Packets, Requests, Row, of_packets, table, timed
from cluster.place import STAND_IN, Place
from support.load import NewConnections

pytestmark = NEEDS
ROUNDS = int(os.environ.get("ROUNDS", "3"))
ACCOUNTS = [*CONFIG["accounts"], {**CONFIG["accounts"][0], "id": "probe", "token": "tok-probe"}]
CONNECTOR = {
    "service": "connector", "platform": "kubernetes", "tcp": [4000], "ready": "/health/ready", "roles": "signals",
    "kubernetes": {"signal": ["connector", "signal"]}, "limits": {"cpus": 2, "memory": "128m"}, "drain": "10s",
    "env": {"CONNECTOR_ROLE": "standby", "CONNECTOR_CONFIG_JSON": json.dumps({**CONFIG, "accounts": ACCOUNTS})},
    "probe": ["connector", "probe", "--account", "probe"],
    "healthy": {**STAND_IN["healthy"], "within": "10s"}}
# As it would be run without Slipway's roles: three pods that answer HTTP.
THREE = {**{key: CONNECTOR[key] for key in ("service", "platform", "ready", "limits", "healthy")},
         "drain": "2s", "kubernetes": {"replicas": 3},
         "env": {**CONNECTOR["env"], "CONNECTOR_ROLE": "active"}}
BAD = ("never_ready", "exits", "lies")


class Ours:
    """The connector under deploy and rollback."""

    def __init__(self, place: Place):
        self.place, self.cluster = place, place.ground
        self.switched: list[float] = []
        self.accepted_and_unanswered = 0
        for tag in ("v1", "v2"):
            place.publish_connector(tag)
        for manner in BAD:
            place.publish(manner, manner)
        first = place.deploy("v1")
        assert first.status == 0, first
        self.address, self.ports = place.node, {"http": place.port(8080)}
        if place.service is CONNECTOR:
            self.ports["btp"] = place.port(4000)

    def operations(self) -> list[tuple[str, object]]:
        there_and_back = [("deploy", lambda: self._expect(0, self.place.deploy("v2"))),
                          ("rollback", lambda: self._expect(0, self.place.rollback()))]
        bad = [(f"bad: {manner}", lambda manner=manner: self._expect(4, self.place.deploy(manner))) for manner in BAD]
        return there_and_back * ROUNDS + bad

    def _expect(self, status: int, outcome) -> None:
        assert outcome.status == status, outcome
        if status == 0:
            self.switched.append(outcome.report["secondsToSwitched"])
            self.accepted_and_unanswered += self._in_flight(self.place.spare())

    def _in_flight(self, drained: str) -> int:
        """What the pods of the colour that was drained still have to answer."""
        pages = [self.place.kubectl("get", "--raw", f"/api/v1/namespaces/{self.place.namespace}/pods/"
                                    f"{pod['metadata']['name']}:8080/proxy/metrics").stdout
                 for pod in self.place.pods(drained)]
        return sum(int(float(line.split()[-1])) for page in pages for line in page.splitlines()
                   if line.startswith("ilp_packets_in_flight "))

    def rows(self, load) -> list[Row]:
        return [of_packets(name, operation, load()) for name, operation in self.operations()]


@pytest.mark.parametrize(("kind", "service"), [(Packets, CONNECTOR), (Requests, THREE)], ids=["packets", "requests"])
def test_what_slipways_operations_cost_under_load(cluster, namespace, tmp_path, tell, kind, service):
    with Place(cluster, namespace, service) as place:
        ours = Ours(place)
        rows = ours.rows(lambda: kind(ours, tmp_path))
        tell(f"\n{table(rows)}\nseconds to the flip: {[round(seconds, 2) for seconds in ours.switched]}; "
             f"accepted and not answered: {ours.accepted_and_unanswered}")
        assert ours.accepted_and_unanswered == 0
        # A BTP peer that understands the drain notice has moved before its link is closed: nothing is to be sent again.
        assert sum(row.unanswered + row.rejected for row in rows) == 0, table(rows)


def test_what_they_cost_new_connections(cluster, namespace, tell):
    with Place(cluster, namespace, CONNECTOR) as place:
        ours, rows = Ours(place), []
        for name, operation in ours.operations()[:2]:
            with NewConnections(f"http://{ours.address}:{ours.ports['http']}/health", FRESH) as load:
                seconds = timed(operation)
            rows.append(Row(name, f"{FRESH} new connections/s", seconds, load.sent, 0, load.lost, 0,
                            load.longest_gap_s * 1e3))
        tell("\n" + table(rows))
        assert sum(row.unanswered for row in rows) == 0, table(rows)
