"""What becomes of packets and requests while Kubernetes itself rolls a release out and takes it back, with figures.

RATE (5000 packets a second), REQUESTS (2000 a second, of 3 replicas) and FRESH (100 new connections a second) are of
the environment.
"""

import os
import time
from dataclasses import dataclass

import pytest

from cluster.connector import TOKENS, container
from cluster.ground import NEEDS
from support.load import Generator, NewConnections

pytestmark = NEEDS
RATE, REQUESTS, FRESH = (int(os.environ.get(name, default)) for name, default in
                         (("RATE", "5000"), ("REQUESTS", "2000"), ("FRESH", "100")))
COLUMNS = ("operation", "under", "seconds", "due", "not sent", "not answered", "rejected", "longest gap ms", "p99 ms")


@dataclass
class Row:
    operation: str
    under: str
    seconds: float
    due: int
    unsent: int      # there was no connection when they were due
    unanswered: int  # sent, and no answer came
    rejected: int
    gap_ms: float
    p99_ms: float | None = None  # from when it was due: what waited for a connection shows here

    def cells(self) -> list[str]:
        counts = (self.due, self.unsent, self.unanswered, self.rejected)
        return [self.operation, self.under, f"{self.seconds:.1f}", *map(str, counts), f"{self.gap_ms:.0f}",
                "-" if self.p99_ms is None else f"{self.p99_ms:.0f}"]


def table(rows: list[Row]) -> str:
    return "\n".join("| " + " | ".join(cells) + " |"
                     for cells in (COLUMNS, ["---"] * len(COLUMNS), *(row.cells() for row in rows)))


class Plain:
    """Rolled by Kubernetes between two images; CONTAINER is a pod template's, with the first."""

    def __init__(self, cluster, namespace: str, container: dict, other_image: str, replicas: int):
        assert container["image"] != other_image
        self.cluster, self.namespace, self.name, self.other_image = cluster, namespace, container["name"], other_image
        (self.address, *_), self.ports = cluster.roll_out(namespace, container, replicas)

    def roll_out(self) -> None:
        self.cluster.kubectl("set", "image", f"deployment/{self.name}", f"{self.name}={self.other_image}",
                             "--namespace", self.namespace)
        self.cluster.await_rolled_out(self.namespace, self.name)

    def roll_back(self) -> None:
        self.cluster.kubectl("rollout", "undo", f"deployment/{self.name}", "--namespace", self.namespace)
        self.cluster.await_rolled_out(self.namespace, self.name)


def plain_connector(cluster, namespace: str, replicas: int) -> Plain:
    first, other = (cluster.publish_connector(tag) for tag in ("v1", "v2"))
    return Plain(cluster, namespace, container(first), other, replicas)


OPERATIONS = {"rolling update": Plain.roll_out, "rollout undo": Plain.roll_back}


def timed(operation) -> float:
    """Seconds of the operation, with some of quiet before and, for what comes late, after it."""
    time.sleep(2)
    began = time.monotonic()
    operation()
    seconds = time.monotonic() - began
    time.sleep(4)
    return seconds


def of_packets(name: str, operation, load: Generator) -> Row:
    with load:
        seconds = timed(operation)
    details = load.document()["details"]
    packets = details["packets"]
    answered = sum(packets[kind] for kind in ("fulfilled", "late", "rejected", "wrongPreimage", "failed"))
    assert packets["planned"] > seconds * 0.9 * load.rate, "the load was not there"
    return Row(name, f"{load.rate} {load.what}/s", seconds, packets["planned"], packets["unsent"],
               packets["sent"] - answered, packets["rejected"] + packets["failed"], details["longestGapMs"],
               details["latency"]["p99Ms"])


class Packets(Generator):
    what, rate = "packets", RATE

    def __init__(self, plain: Plain, folder):
        at = f"{plain.address}:{plain.ports['btp']}"
        super().__init__(plain.cluster.binaries, folder, "--destination", "test.slipway.bob", "--rate", str(RATE),
                         "--connections", "1", PACKET_BENCH_TARGET=f"btp+ws://:{TOKENS['alice']}@{at}/",
                         PACKET_BENCH_RECEIVER=f"btp+ws://:{TOKENS['bob']}@{at}/")


class Requests(Generator):
    what, rate = "requests", REQUESTS

    def __init__(self, plain: Plain, folder, target: str = "/health"):
        super().__init__(plain.cluster.binaries, folder, "--target",
                         f"http://{plain.address}:{plain.ports['http']}{target}", "--rate", str(REQUESTS),
                         "--connections", "16")


@pytest.mark.parametrize(("kind", "replicas"), [(Packets, 1), (Requests, 3)], ids=["packets", "requests"])
def test_what_kubernetes_own_operations_cost_under_load(cluster, namespace, tmp_path, tell, kind, replicas):
    plain = plain_connector(cluster, namespace, replicas)
    rows = [of_packets(name, lambda operation=operation: operation(plain), kind(plain, tmp_path))
            for name, operation in OPERATIONS.items()]
    tell("\n" + table(rows))


def test_what_they_cost_new_connections(cluster, namespace, tell):
    plain, rows = plain_connector(cluster, namespace, 1), []
    for name, operation in OPERATIONS.items():
        with NewConnections(f"http://{plain.address}:{plain.ports['http']}/health", FRESH) as load:
            seconds = timed(lambda operation=operation: operation(plain))
        assert load.sent >= FRESH * seconds, "the load was not there"
        rows.append(Row(name, f"{FRESH} new connections/s", seconds, load.sent, 0, load.lost, 0,
                        load.longest_gap_s * 1e3))
    tell("\n" + table(rows))
