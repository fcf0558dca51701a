#!/usr/bin/env python3
"""What the ledger, and traces, cost the connector: the same load on each kind of it, in turn.

Runs a connector and packet_bench against it, 10,000 packets/s over BTP: without a ledger, with SQLite's batches
and with `sync`; with --store also on that store, e.g. postgresql://USER@HOST/DATABASE; with --traces without a ledger
and with that share of the packets sent to a collector. A round runs all, each time in another order. Prints medians of
the connector's processor time (of which the threads of ledger and traces), p50 and p99, and the median of the rounds'
ratios to none. Nothing else should run meanwhile.
"""

import argparse
import statistics
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from connector.local_connector import Connector, config
from connector.traces_test import Collector


def thread_seconds(pid):
    """Processor seconds of the process, and of its threads but the first."""
    spent = {task.name: int((task / "schedstat").read_text().split()[0]) / 1e9
             for task in Path(f"/proc/{pid}/task").iterdir()}
    return sum(spent.values()), sum(spent.values()) - spent[str(pid)]


def measure(options, settings):
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        ledger = settings["ledger"]
        ledger = ledger | {"store": ledger["store"].replace("FOLDER", folder)}
        with Connector(options.bin, config(**settings | {"ledger": ledger}), folder) as connector:
            connector.pay(options.rate, options.settle, "--warmup", "1s")
            before = thread_seconds(connector.pid)
            details = connector.pay(options.rate, options.seconds, "--warmup", "1s")
            after = thread_seconds(connector.pid)
    window = options.seconds + 1  # with the warm-up
    return {"cpu": 100 * (after[0] - before[0]) / window, "others": 100 * (after[1] - before[1]) / window,
            "p50": details["latency"]["p50Ms"], "p99": details["latency"]["p99Ms"]}


def kinds_of(options, collector):
    """The connector's settings, by what is measured."""
    kinds = {"none": {"ledger": {"store": "none"}}}
    for store in ["sqlite:FOLDER/ledger.db", *options.store]:
        name = store.partition(":")[0]
        kinds[f"{name}-batch"] = {"ledger": {"store": store}}
        kinds[f"{name}-sync"] = {"ledger": {"store": store, "durability": "sync"}}
        kinds |= {f"{name}-batch-{ms}": {"ledger": {"store": store, "batchMs": ms}} for ms in options.batch_ms}
    kinds |= {f"traces-{share}": kinds["none"] | {"traces": {"url": collector.url, "share": share}}
              for share in options.traces}
    return {name: kinds[name] for name in options.only.split(",")} if options.only else kinds


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bin", type=Path, help="folder of connector and packet_bench")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=int, default=6)
    parser.add_argument("--settle", type=int, default=10, help="seconds of load before: SQLite's log has its size then")
    parser.add_argument("--rate", type=int, default=10_000)
    parser.add_argument("--folder", help="where SQLite's file goes: a file system on a disk")
    parser.add_argument("--store", action="append", default=[], help="another one")
    parser.add_argument("--batch-ms", type=int, action="append", default=[], help="also batches of so many ms")
    parser.add_argument("--traces", type=float, action="append", default=[], help="also that share of the packets")
    parser.add_argument("--only", help="these, e.g. none,sqlite-batch")
    options = parser.parse_args()
    options.bin = options.bin.resolve()
    with Collector() as collector:
        kinds = kinds_of(options, collector)
        rows = {name: [] for name in kinds}
        for number in range(options.rounds):
            turn = number % len(kinds)
            for name in [*kinds][turn:] + [*kinds][:turn]:
                rows[name].append(measure(options, kinds[name]))
                figures = ", ".join(f"{key} {value:.2f}" for key, value in rows[name][-1].items())
                print(f"round {number + 1}: {name}: {figures}", file=sys.stderr, flush=True)
    print("| | % of a core | of which other threads | to none | p50 ms | p99 ms |\n|---|---|---|---|---|---|")
    for name, measured in rows.items():
        cpu, others, p50, p99 = (statistics.median(row[key] for row in measured)
                                 for key in ("cpu", "others", "p50", "p99"))
        ratio = statistics.median(row["cpu"] / none["cpu"] for row, none in zip(measured, rows["none"], strict=True)) \
            if "none" in rows else float("nan")
        print(f"| {name} | {cpu:.1f} | {others:.1f} | {100 * (ratio - 1):+.1f} % | {p50:.2f} | {p99:.1f} |")


if __name__ == "__main__":
    main()
