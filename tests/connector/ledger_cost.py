#!/usr/bin/env python3
"""What the ledger costs the connector: the same load on each kind of it, in turn.

Runs a connector and packet_bench against it, 10,000 packets/s over BTP: without a ledger, with SQLite's batches
and with `sync`; with --store also on that store, e.g. postgresql://USER@HOST/DATABASE. A round runs all, each time
in another order. Prints medians of the connector's processor time (of which the ledger's own thread), p50 and p99,
and the median of the rounds' ratios to none. Nothing else should run meanwhile.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

TOKENS = {"sender": "sender-of-the-cost", "receiver": "receiver-of-the-cost"}


def config(store, **ledger):
    accounts = [{"id": name, "relation": "child", "asset": {"code": "USD", "scale": 9}, "token": token,
                 "maximumInFlight": 1 << 18} for name, token in TOKENS.items()]
    return {"address": "test.cost", "btp": {"host": "127.0.0.1", "port": 0}, "http": {"host": "127.0.0.1", "port": 0},
            "accounts": accounts, "routes": [{"prefix": "test.cost.receiver", "account": "receiver"}],
            "ledger": {"store": store} | ledger}


def thread_seconds(pid):
    """Processor seconds of the process, and of its threads but the first."""
    spent = {task.name: int((task / "schedstat").read_text().split()[0]) / 1e9
             for task in Path(f"/proc/{pid}/task").iterdir()}
    return sum(spent.values()), sum(spent.values()) - spent[str(pid)]


class Connector:
    def __init__(self, binaries, settings, folder):
        environment = {name: value for name, value in os.environ.items() if not name.startswith("CONNECTOR_")}
        environment["CONNECTOR_CONFIG_JSON"] = json.dumps(settings)
        self.process = subprocess.Popen([binaries / "connector"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                        text=True, cwd=folder, env=environment)
        for line in self.process.stdout:
            said = json.loads(line)
            if said.get("event") == "listening":
                self.port = said["btpPort"]
                return
        raise SystemExit("ledger_cost: error: the connector did not start")

    def __enter__(self):
        return self

    def __exit__(self, *_exc):
        self.process.terminate()
        self.process.communicate()


def measure(options, store, ledger):
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        place = store.replace("FOLDER", folder)
        with Connector(options.bin, config(place, **ledger), folder) as connector:
            urls = {name: f"btp+ws://:{token}@127.0.0.1:{connector.port}/" for name, token in TOKENS.items()}
            load = [options.bin / "packet_bench", "run", "--target", urls["sender"], "--receiver", urls["receiver"],
                    "--destination", "test.cost.receiver.x", "--rate", str(options.rate), "--warmup", "1s",
                    "--threshold-tps", "0", "--output", "", "--json"]
            subprocess.run([*load, "--duration", f"{options.settle}s"], capture_output=True, check=True)
            before = thread_seconds(connector.process.pid)
            done = subprocess.run([*load, "--duration", f"{options.seconds}s"], capture_output=True, text=True,
                                  check=False)
            after = thread_seconds(connector.process.pid)
    if done.returncode not in (0, 4):
        raise SystemExit(f"ledger_cost: error: packet_bench: {done.stderr.strip()}")
    details = json.loads(done.stdout)["details"]
    window = options.seconds + 1  # with the warm-up
    return {"cpu": 100 * (after[0] - before[0]) / window, "ledger": 100 * (after[1] - before[1]) / window,
            "p50": details["latency"]["p50Ms"], "p99": details["latency"]["p99Ms"]}


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
    parser.add_argument("--only", help="these, e.g. none,sqlite-batch")
    options = parser.parse_args()
    options.bin = options.bin.resolve()
    kinds = {"none": ("none", {})}
    for store in ["sqlite:FOLDER/ledger.db", *options.store]:
        name = store.partition(":")[0]
        kinds |= {f"{name}-batch": (store, {}), f"{name}-sync": (store, {"durability": "sync"})}
        kinds |= {f"{name}-batch-{ms}": (store, {"batchMs": ms}) for ms in options.batch_ms}
    if options.only:
        kinds = {name: kinds[name] for name in options.only.split(",")}
    rows = {name: [] for name in kinds}
    for number in range(options.rounds):
        names = list(kinds)
        turn = number % len(names)
        for name in names[turn:] + names[:turn]:
            rows[name].append(measure(options, *kinds[name]))
            figures = ", ".join(f"{key} {value:.2f}" for key, value in rows[name][-1].items())
            print(f"round {number + 1}: {name}: {figures}", file=sys.stderr, flush=True)
    print("| | % of a core | of which the ledger's thread | to none | p50 ms | p99 ms |\n|---|---|---|---|---|---|")
    for name, measured in rows.items():
        cpu, ledger, p50, p99 = (statistics.median(row[key] for row in measured)
                                 for key in ("cpu", "ledger", "p50", "p99"))
        ratio = statistics.median(row["cpu"] / none["cpu"] for row, none in zip(measured, rows["none"], strict=True)) \
            if "none" in rows else float("nan")
        print(f"| {name} | {cpu:.1f} | {ledger:.1f} | {100 * (ratio - 1):+.1f} % | {p50:.2f} | {p99:.1f} |")


if __name__ == "__main__":
    main()
