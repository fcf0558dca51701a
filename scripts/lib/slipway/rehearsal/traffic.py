"""Requests through a host's proxy, by packet_bench, while something happens to it."""

import http.client
import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from string import Template

from ..lab import LabError
from ..lab.capsule import wait_until

UNCOUNTED_S = 2


@dataclass
class Packets:
    """What became of the packets sent during one swap."""
    sent: int = 0
    fulfilled: int = 0
    rejected: int = 0
    unanswered: int = 0
    longest_gap_ms: float = 0.0
    p99_ms: float = 0.0
    reconnects: int = 0
    rejected_by_code: dict[str, int] = field(default_factory=dict)

    def summary(self) -> str:
        return (f"{self.sent} sent, {self.fulfilled} fulfilled, {self.rejected} rejected, "
                f"{self.unanswered} unanswered, longest gap {self.longest_gap_ms:.1f} ms")

    def read(self, results: Path) -> None:
        details = json.loads(results.read_text())["details"]
        packets = details["packets"]
        self.sent = packets["sent"]
        self.fulfilled = packets["fulfilled"]
        self.rejected = packets["rejected"]
        self.rejected_by_code = packets["rejectedByCode"]
        self.unanswered = packets["unanswered"]
        self.longest_gap_ms = details["longestGapMs"]
        self.p99_ms = details["latency"]["p99Ms"]
        self.reconnects = details["reconnects"]


def http_get(ip: str, path: str, port: int) -> tuple[int, str]:
    """Status and body of one GET; OSError when nothing answers."""
    connection = http.client.HTTPConnection(ip, port, timeout=5)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read().decode()
    except http.client.HTTPException as error:
        raise OSError(f"GET {path}: {error!r}") from error
    finally:
        connection.close()


@dataclass(frozen=True)
class Load:
    """What packet_bench sends: its flags, and what it is told by environment, because links carry tokens."""
    rate: float
    flags: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)


def http_load(ip: str, port: int, gate: dict, folder: Path) -> Load:
    """The request of slipway.yml's gate; a body is written into FOLDER."""
    method, path = gate["request"].split(" ", 1)
    flags = ["--method", method, "--connections", str(gate["connections"])]
    for name, value in gate.get("headers", {}).items():
        flags += ["--header", f"{name}: {value}"]
    if "body" in gate:
        (folder / "body").write_text(gate["body"])
        flags += ["--body", str(folder / "body")]
    flags += served_flags(gate.get("served", {}))
    return Load(gate["rate"], tuple(flags), {"PACKET_BENCH_TARGET": f"http://{ip}:{port}{path}"})


def served_flags(served: dict) -> list[str]:
    """packet_bench's flags for what slipway.yml's gate counts as served."""
    rules = ["status=" + ",".join(map(str, served["status"]))] if "status" in served else []
    rules += [f"header={name}: {value}" for name, value in served.get("header", {}).items()]
    rules += [f"json={pointer}={json.dumps(value)}" for pointer, value in served.get("json", {}).items()]
    rules += [f"body={served['body']}"] if "body" in served else []
    return [word for rule in rules for word in ("--served", rule)]


def target_load(ip: str, gate: dict, secrets: dict[str, str]) -> Load:
    """The target of slipway.yml's gate, which may be of any protocol that packet_bench speaks."""
    def filled(url: str) -> str:
        return Template(url.replace("{host}", ip)).substitute(secrets)

    environment = {"PACKET_BENCH_TARGET": filled(gate["target"])}
    if "receiver" in gate:
        environment["PACKET_BENCH_RECEIVER"] = filled(gate["receiver"])
    return Load(gate["rate"], ("--destination", gate["destination"]) if "destination" in gate else (), environment)


def counter(ip: str, port: int, bake: dict) -> float:
    """The sum of the samples that bake.good selects on the service's metrics page; 0 while nothing answers."""
    try:
        _, page = http_get(ip, bake["metrics"], port)
    except OSError:
        return 0
    name, _, labels = bake["good"].partition("{")
    wanted = set(re.findall(r'\w+="[^"]*"', labels))
    total = 0.0
    for line in page.splitlines():
        if (found := re.fullmatch(r"([\w:]+)(?:\{(.*)\})? (\S+)", line)) and found[1] == name \
                and wanted <= set(re.findall(r'\w+="[^"]*"', found[2] or "")):
            total += float(found[3])
    return total


@contextmanager
def flowing(packet_bench: Path, load: Load, results: Path, served: Callable[[], float | None]) -> Iterator[Packets]:
    """The load flows inside the `with`; the value is filled in when it is left. SERVED: how many requests
    were, so far, as whoever serves says; 0 while nobody answers, nothing where nobody counts: then it flows for
    UNCOUNTED_S."""
    packets = Packets()
    log_path = results.with_suffix(".log")
    results.unlink(missing_ok=True)
    with open(log_path, "w", encoding="utf-8") as log, subprocess.Popen(
            [str(packet_bench), "run", "--rate", str(load.rate), "--duration", "10m", "--warmup", "0s",
             *load.flags, "--output", str(results)],
            env={**os.environ, **load.environment},
            stdin=subprocess.DEVNULL, stdout=log, stderr=log) as bench:

        def flows_on(more: float) -> None:
            """MORE are served from now on, by whichever colour serves now."""
            start, began = None, time.monotonic()

            def moved() -> bool:
                nonlocal start
                if bench.poll() is not None:
                    raise LabError(f"packet_bench ended by itself with {bench.returncode}:\n"
                                   + log_path.read_text()[-1500:])
                count = served()
                if count is None:
                    return time.monotonic() >= began + UNCOUNTED_S
                # Another colour counts from its own beginning.
                start = count if start is None or count < start else start
                return count >= start + more

            wait_until(moved, "requests through the proxy", 30)

        try:
            flows_on(load.rate)
            yield packets
            flows_on(load.rate)
        finally:
            if bench.poll() is None:
                bench.send_signal(signal.SIGINT)
            try:
                bench.wait(30)
            except subprocess.TimeoutExpired:
                bench.kill()
                raise
    if not results.exists():
        raise LabError(f"packet_bench wrote no {results.name}: {log_path.read_text()[-1500:]}")
    packets.read(results)
