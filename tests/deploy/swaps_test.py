"""What becomes of packets while a host's version is swapped again and again: with Slipway, over BTP and
over HTTP, and beside it with the predecessor's order (stop, pull, start) and with plain `docker compose up
-d`. Half the swaps are deploys, which start a new container each, half are rollbacks to the warm colour.

SWAPS (4; a quarter of it, and at least 2, where there is no Slipway), RATE (10000 a second) and SECONDS, after
which a row begins no swap, are of the environment; 100 swaps take three minutes a row. The columns' meaning:
  accepted, not answered   what the connector had in flight when a colour said that it was drained,
                           and packets that the receiver got and the sender was not answered for
  counters differ          answers that the connector counted, less those that the sender got
  to be retried            rejected for now (T..), or not answered because they were on the wire
"""

import json
import os
import re
import shutil
import statistics
import time
from dataclasses import dataclass, field

import pytest
import yaml

from deploy.site import NEEDS, Site
from slipway.paths import REPOSITORY
from support.load import Generator
from support.waiting import await_true

pytestmark = NEEDS
SWAPS = int(os.environ.get("SWAPS", "4"))
RATE = int(os.environ.get("RATE", "10000"))
SECONDS = float(os.environ.get("SECONDS", "1e9"))
TAGS = ("c1", "c2")
TOKENS = {"alice": "marker-5f2a", "bob": "tok-b"}


@dataclass
class Row:
    name: str
    swaps: int = 0
    flips_ms: list[float] = field(default_factory=list)
    switched_s: dict[str, list[float]] = field(default_factory=dict)
    in_flight: int = 0        # accepted and not answered when a colour said it was drained
    answered: int | None = None  # by the connector's counters
    results: dict = field(default_factory=dict)

    def lost(self) -> int:
        """Accepted by the service and not answered."""
        return self.in_flight + max(0, self.passed_on_and_lost()) + abs(self.answered - self.got())

    @property
    def packets(self) -> dict:
        return self.results["details"]["packets"]

    def for_now(self) -> int:
        """Rejected for now, which a sender sends again."""
        return sum(count for code, count in self.packets["rejectedByCode"].items() if code.startswith("T"))

    def got(self) -> int:
        """Answers that the sender got."""
        return sum(self.packets[name] for name in
                   ("fulfilled", "rejected", "late", "wrongPreimage", "failed"))

    def passed_on_and_lost(self) -> int:
        """The receiver got and fulfilled them, the sender was not answered."""
        fulfilled = self.packets["fulfilled"] + self.packets["late"] + self.packets["wrongPreimage"]
        return self.results["details"]["receiverPrepares"] - fulfilled


def sample(text: str, name: str, labels: str = "") -> float:
    """The sum of a metric over the label sets that contain LABELS."""
    return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines()
               if re.match(name + r"[{ ]", line) and labels in line)


class Counters:
    """What the processes of the connector counted as answered since the load began."""

    def __init__(self, site: Site):
        self.site = site
        self.before: dict[float, float] = {}
        self.last: dict[float, float] = {}
        self.read_all()
        self.before = dict(self.last)

    def read(self, colour: str) -> str:
        """The metrics of a colour's process; to be called before a container goes, too."""
        text = self.site.asked_directly(colour, "/metrics")
        if text:
            self.last[sample(text, "process_start_time_seconds")] = sample(
                text, "ilp_packets_total", 'account="alice",direction="in"')
        return text

    def read_all(self) -> None:
        for colour in ("blue", "green"):
            self.read(colour)

    def total(self) -> int:
        return int(sum(self.last.values()) - sum(self.before.values()))


class Load(Generator):
    """Packets from alice to bob."""

    def __init__(self, site: Site, protocol: str, rate: int):
        ip, connections = site.host.ip, {"btp": "1", "http": "32"}[protocol]
        super().__init__(
            site.binaries, site.host.home, "--destination", "test.slipway.bob", "--rate", str(rate),
            "--connections", connections,
            PACKET_BENCH_TARGET={"btp": f"btp+ws://:{TOKENS['alice']}@{ip}:4000/",
                                 "http": f"ilp+http://:{TOKENS['alice']}@{ip}:4000/ilp"}[protocol],
            PACKET_BENCH_RECEIVER=f"btp+ws://:{TOKENS['bob']}@{ip}:4000/")


def other(colour: str) -> str:
    return "green" if colour == "blue" else "blue"


def swap(site: Site, back: bool, counters: Counters, row: Row) -> None:
    """One deploy of c2 into a new container, or one rollback to c1, which waits."""
    if back:
        outcome = site.rollback(TAGS[0])
    else:
        spare = other(site.rollback("--status").report["running"]["colour"])
        counters.read(spare)
        site.host.docker("rm", "-f", f"slipway-{spare}")
        outcome = site.run("deploy", f"{site.reference()}@{site.releases[TAGS[1]]}")
    assert outcome.status == 0, outcome
    drained = counters.read(other(outcome.report["running"]["colour"]))
    row.in_flight += int(sample(drained, "ilp_packets_in_flight"))
    row.swaps += 1
    row.flips_ms.append(outcome.report["secondsOfFlip"] * 1e3)
    kind = "warm" if outcome.report["warm"] else "cold"
    row.switched_s.setdefault(kind, []).append(outcome.report["secondsToSwitched"])


def paid_by_alice(site: Site) -> int:
    said = site.host.docker("exec", f"slipway-{site.running_colour()}", "connector", "ledger", "show", "--json").stdout
    return -int({one["account"]: one["balance"] for one in json.loads(said)["accounts"]}["alice"])


def with_slipway(site: Site, protocol: str) -> Row:
    row = Row(f"slipway, {protocol.upper()}")
    if site.served() is None:
        for tag in TAGS[::-1]:
            assert site.deploy(tag).status == 0
    counters = Counters(site)
    before = paid_by_alice(site)
    load = Load(site, protocol, RATE)
    give_up = time.monotonic() + SECONDS
    with load:
        time.sleep(2)
        for number in range(SWAPS):
            if time.monotonic() > give_up:
                break
            swap(site, number % 2 == 1, counters, row)
            time.sleep(0.3)
        time.sleep(1)
    counters.read_all()
    row.answered = counters.total()
    row.results = load.document()
    fulfilled = row.packets["fulfilled"] + row.packets["late"]  # of a unit each
    await_true(lambda: paid_by_alice(site) - before == fulfilled, f"the ledger has {fulfilled} after all swaps", 10)
    return row


PLAIN = """\
services:
  connector:
    image: ${{IMAGE}}
    env_file: [{folder}/service.env]
    environment: {{ CONNECTOR_CONFIG: /etc/connector/connector.json }}
    volumes: ["{folder}/config/connector:/etc/connector:ro"]
    ports: ["4000:4000", "8080:8080"]
"""


def without_slipway(site: Site, order: str) -> Row:
    """One container whose ports are published, replaced by docker compose."""
    row = Row({"predecessor": "stop, pull, start", "compose": "compose up -d"}[order])
    for name in site.containers():
        if "held" not in name:
            site.host.docker("rm", "-f", name)
    file = site.folder / "plain.yml"
    file.write_text(PLAIN.format(folder=site.folder))

    def compose(tag: str, *words: str) -> None:
        site.host.docker("compose", "-p", "plain", "-f", str(file), *words, env={
            **site.host.env, "IMAGE": f"{site.reference()}@{site.releases[tag]}"})

    compose(TAGS[0], "up", "-d")
    await_true(lambda: site.served() is not None, "the plain connector")
    load = Load(site, "btp", RATE)
    with load:
        time.sleep(2)
        for number in range(max(2, min(5, SWAPS // 4))):
            began, tag = time.monotonic(), TAGS[(number + 1) % 2]
            if order == "predecessor":
                compose(tag, "stop")
                compose(tag, "pull")
            compose(tag, "up", "-d")
            await_true(lambda: site.served() is not None, "the new container")
            row.switched_s.setdefault("cold", []).append(time.monotonic() - began)
            row.swaps += 1
            time.sleep(max(1.0, began + 4 - time.monotonic()))
        time.sleep(1)
    row.results = load.document()
    compose(TAGS[0], "down")
    return row


def median(values: list[float]) -> str:
    return f"{statistics.median(values):.2f}" if values else "-"


def table(rows: list[Row]) -> str:
    columns = ("", "swaps", "sent", "unsent", "fulfilled", "rejected", "accepted, not answered",
               "counters differ", "to be retried", "longest gap ms", "p99 ms", "p99.9 ms",
               "flip ms median/max", "switched s warm/cold")
    lines = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    for row in rows:
        packets, details = row.packets, row.results["details"]
        slipway = row.answered is not None
        flips = f"{statistics.median(row.flips_ms):.1f}/{max(row.flips_ms):.1f}" if row.flips_ms else "-"
        cells = (row.name, row.swaps, packets["sent"], packets["unsent"], packets["fulfilled"],
                 " ".join(f"{count} {code}" for code, count in packets["rejectedByCode"].items()) or 0,
                 row.in_flight + row.passed_on_and_lost() if slipway else row.passed_on_and_lost(),
                 row.answered - row.got() if slipway else "-",
                 row.for_now() + packets["unanswered"],
                 f"{details['longestGapMs']:.1f}", f"{details['latency']['p99Ms']:.1f}",
                 f"{details['latency']['p999Ms']:.1f}", flips,
                 "/".join(median(row.switched_s.get(kind, [])) for kind in ("warm", "cold")))
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    return "\n".join(lines)


@pytest.fixture(scope="module")
def site(executables):
    service = yaml.safe_load((REPOSITORY / "slipway.yml").read_text())
    with Site("swaps", executables, service=service | {"bake": {"window": "0s"}}) as site:
        shutil.copytree(REPOSITORY / "src" / "connector" / "host", site.folder / "config" / "connector",
                        ignore=shutil.ignore_patterns("*.example"))
        for tag in TAGS:
            site.publish_connector(tag)
        yield site


@pytest.mark.parametrize("protocol", ["btp", "http"])
def test_slipway_loses_no_packet_that_was_accepted(site, protocol, tell):
    row = with_slipway(site, protocol)
    tell("\n" + table([row]))
    # An HTTP connection ends with an answer, and a peer that understands the drain notice moves before it leaves.
    assert row.swaps and row.lost() == 0 and row.for_now() == 0 and row.packets["unanswered"] == 0


# What it is compared with; nothing is asked of it.
@pytest.mark.parametrize("order", ["compose", "predecessor"])
def test_the_others_swap_too(site, order, tell):
    row = without_slipway(site, order)
    tell("\n" + table([row]))
    assert row.swaps
