"""What a swap costs peers, by how they are connected: over BTP, with a drain notice and without, over HTTP, and
JavaScript peers; 1, 100 and 5,000 of them, each with an account of its own, and one who is paid.

Two connectors and a real HAProxy, swapped in deploy's order (colours.py); deploy itself, with its engine, is
driven in swaps_test.py. The table, of all sizes and kinds, for a quiet machine:

    SWAPS=10 scripts/lib/pinned-python -m pytest tests/deploy/drain_test.py -k table

PEERS ("1 100 5000"), SWAPS and RATE (packets a second, but 500 of the JavaScript peers) are of the environment. To be
retried is what was rejected for now (T..), T01 told apart, and what was on the wire: sent, and not answered.
"""

import itertools
import json
import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from deploy.colours import HAPROXY, Colours
from slipway.paths import REPOSITORY
from support import needs
from support.load import Generator

pytestmark = needs.all_of("" if HAPROXY else needs.programs("test", "haproxy"))
PEERS = [int(peers) for peers in os.environ.get("PEERS", "1 100 5000").split()]
SWAPS = int(os.environ.get("SWAPS", "3"))
RATE = int(os.environ.get("RATE", "10000"))
JAVASCRIPT_RATE = 500
KINDS = ("BTP, notice", "BTP, none", "HTTP", "JavaScript")


@dataclass
class Row:
    kind: str
    peers: int
    swaps: int
    rate: int
    seconds: float  # a swap took, at most
    sent: int
    fulfilled: int
    codes: dict[str, int]
    on_the_wire: int
    longest_gap_ms: float
    p999_ms: float

    def to_retry(self) -> int:
        return self.on_the_wire + sum(count for code, count in self.codes.items() if code[0] in "TR")

    def is_complete(self) -> bool:
        """Each packet is counted once."""
        return self.sent == self.fulfilled + self.on_the_wire + sum(self.codes.values())


COLUMNS = ("peers", "kind", "packets/s", "swaps", "sent", "T01", "other rejects", "on the wire",
           "to be retried a swap", "longest gap ms", "p99.9 ms", "longest swap s")


def table(rows: list[Row]) -> str:
    lines = ["| " + " | ".join(COLUMNS) + " |", "|" + "---|" * len(COLUMNS)]
    for row in rows:
        others = {code: count for code, count in row.codes.items() if code != "T01"}
        cells = (row.peers, row.kind, row.rate, row.swaps, row.sent, row.codes.get("T01", 0),
                 " ".join(f"{count} {code}" for code, count in others.items()) or 0, row.on_the_wire,
                 f"{row.to_retry() / row.swaps:.2f}", f"{row.longest_gap_ms:.1f}", f"{row.p999_ms:.1f}",
                 f"{row.seconds:.2f}")
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    return "\n".join(lines)


def swap_often(colours: Colours, swaps: int, pause_s: float, over_btp: int = 0) -> float:
    """The seconds of the longest one. Each begins when so many peers are back from the one before."""
    longest = 0.0
    for _ in range(swaps):
        time.sleep(pause_s)
        colours.await_peers(over_btp)
        began = time.monotonic()
        colours.swap()
        longest = max(longest, time.monotonic() - began)
    time.sleep(1)
    return longest


def with_packet_bench(executables: Path, folder: Path, kind: str, peers: int, swaps: int, rate: int) -> Row:
    with Colours(executables, folder, peers) as colours:
        scheme, path = ("ilp+http", "/ilp") if kind == "HTTP" else ("btp+ws", "/")
        flags = ["--no-drain-notice"] if kind == "BTP, none" else []
        # One account may have many connections over HTTP, each of which holds one packet.
        connections, token = (32, "tok-1") if kind == "HTTP" and peers == 1 else (peers, "tok-")
        load = Generator(
            executables, folder, "--destination", "test.slipway.bob", "--rate", str(rate), *flags,
            "--connections", str(connections), *(["--numbered-tokens"] if token == "tok-" else []),
            PACKET_BENCH_TARGET=f"{scheme}://:{token}@127.0.0.1:{colours.port}{path}",
            PACKET_BENCH_RECEIVER=f"btp+ws://:tok-bob@127.0.0.1:{colours.port}/")
        with load:
            longest = swap_often(colours, swaps, 0.5, 1 if kind == "HTTP" else peers + 1)
    details = load.document()["details"]
    packets = details["packets"]
    return Row(kind, peers, swaps, rate, longest, packets["sent"], packets["fulfilled"] + packets["late"],
               packets["rejectedByCode"], packets["unanswered"], details["longestGapMs"],
               details["latency"]["p999Ms"])


def with_javascript(executables: Path, folder: Path, peers: int, swaps: int, rate: int, pause_s: float) -> Row:
    work = executables.parent / "tests/connector/interop"
    with Colours(executables, folder, peers) as colours:
        program = [REPOSITORY / "tests/interop/run", executables / "connector", work, "swap_peers.js",
                   str(colours.port), str(peers), str(rate)]
        process = subprocess.Popen(program, stdout=subprocess.PIPE, text=True)
        try:
            said = process.stdout.readline()
            if process.poll() == 77 or said.startswith("interop: skipped"):
                pytest.skip(said)
            assert said == "connected\n"
            longest = swap_often(colours, swaps, pause_s)
            process.send_signal(signal.SIGINT)
            seen = json.loads(process.communicate(timeout=60)[0])
        finally:
            process.kill()
            process.wait()
    return Row("JavaScript", peers, swaps, rate, longest, seen["sent"], seen["fulfilled"], seen["codes"],
               seen["onTheWire"], seen["longestGap"], seen["p999"])


def measure(executables: Path, folder: Path, kind: str, peers: int, swaps: int = SWAPS, rate: int | None = None,
            pause_s: float = 11) -> Row:
    if kind == "JavaScript":
        # Its first try to connect anew is at once only if the one before was 10 s ago.
        return with_javascript(executables, folder, peers, swaps, rate or JAVASCRIPT_RATE, pause_s)
    return with_packet_bench(executables, folder, kind, peers, swaps, rate or RATE)


def test_with_the_notice_no_packet_is_to_be_sent_again(executables, tmp_path, tell):
    row = measure(executables, tmp_path, "BTP, notice", 20, 4, 1000)
    tell("\n" + table([row]))
    assert row.is_complete() and row.to_retry() == 0 and not row.codes


def test_over_http_no_packet_is_to_be_sent_again(executables, tmp_path, tell):
    row = measure(executables, tmp_path, "HTTP", 8, 4, 500)
    tell("\n" + table([row]))
    assert row.is_complete() and row.to_retry() == 0


def test_peers_without_the_notice_lose_only_what_is_on_the_wire(executables, tmp_path, tell):
    row = measure(executables, tmp_path, "BTP, none", 8, 4, 500)
    tell("\n" + table([row]))
    assert row.is_complete() and not row.codes


def test_javascript_peers_send_one_packet_a_swap_again_at_most(executables, tmp_path, tell):
    # What it sends while its socket closes has to be sent again: some milliseconds, so the rate says how many.
    row = measure(executables, tmp_path, "JavaScript", 1, 3, 20, 2)
    tell("\n" + table([row]))
    assert row.is_complete() and row.to_retry() <= row.swaps and not row.codes


@pytest.mark.thorough
def test_table(executables, tmp_path, tell):
    rows = []
    try:
        for number, (peers, kind) in enumerate(itertools.product(PEERS, KINDS)):
            folder = tmp_path / str(number)
            folder.mkdir()
            rows.append(measure(executables, folder, kind, peers))
    finally:
        tell("\n" + table(rows))
    assert all(row.is_complete() for row in rows)
    for row in rows:
        # Of thousands that open connections ahead, one sends at the instant at which one of them is closed.
        if row.kind == "BTP, notice" or (row.kind == "HTTP" and row.peers <= 100):
            assert row.to_retry() == 0, row
