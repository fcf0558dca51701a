#!/usr/bin/env python3
"""How exactly packet_bench keeps its schedule, as seen by a server that is not part of it.

Runs the generators in turn against arrival_recorder, each on a processor of its own, and prints
what the recorder saw next to the bounds of the project. Exits 1 when a bound is broken, 77 when
this machine cannot say (one processor only).

The schedule of packet_bench is strict here: packet n is due n / rate after the first, over the
whole run, and as late as the arrivals allow. wrk2's is lenient: it may begin anew every second,
its first half, in which it calibrates, is not looked at, and it gets the same priority.
"""

import argparse
import array
import glob
import itertools
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time

RATE = 10_000
GAP_US = 1e6 / RATE
GENERATOR_CPU, RECORDER_CPU = 0, 1


def steal_ms():
    with open("/proc/stat", encoding="ascii") as stat:
        return int(stat.readline().split()[8]) * 1000 / os.sysconf("SC_CLK_TCK")


class Recorder:
    def __init__(self, binary, folder):
        self.log = os.path.join(folder, "arrivals")
        self.process = subprocess.Popen(
            ["taskset", "-c", str(RECORDER_CPU), binary, self.log],
            stdout=subprocess.PIPE, text=True)
        self.port = json.loads(self.process.stdout.readline())["httpPort"]

    def arrivals_us(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()
        values = array.array("q")
        with open(self.log, "rb") as log:
            values.frombytes(log.read())
        return sorted(value / 1000 for value in values)


def waited_ms(pid):
    """How long the threads of a process were to run and did not, since they began."""
    total = 0
    for task in glob.glob(f"/proc/{pid}/task/*/schedstat"):
        try:
            with open(task, encoding="ascii") as stat:
                total += int(stat.read().split()[1]) / 1e6
        except (OSError, IndexError):
            pass  # the thread ended
    return total


def run_watched(argv, recorder_pid):
    """Runs argv; returns its output and what others took in each 100 ms: [(begin, end, ms)]."""
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def sample():
        return time.monotonic() * 1e6, steal_ms() + waited_ms(recorder_pid)
    samples = [sample()]
    while process.poll() is None:
        time.sleep(0.1)
        samples.append(sample())
    taken = [(begin[0], end[0], end[1] - begin[1]) for begin, end in itertools.pairwise(samples)]
    return process.stdout.read(), taken


def percentile(values, percent):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def deviations(arrivals):
    """From the schedule that begins as late as the arrivals allow."""
    start = min(arrival - n * GAP_US for n, arrival in enumerate(arrivals))
    return [arrival - start - n * GAP_US for n, arrival in enumerate(arrivals)]


def by_second(arrivals):
    return [arrivals[i:i + RATE] for i in range(0, len(arrivals) - RATE + 1, RATE)]


def dispersion_per_ms(arrivals):
    """Index of dispersion (variance over mean) of the arrivals per millisecond."""
    begin = arrivals[0]
    counts = [0] * (int((arrivals[-1] - begin) / 1000) + 1)
    for arrival in arrivals:
        counts[int((arrival - begin) / 1000)] += 1
    counts = counts[:-1]  # the last is not a whole one
    return statistics.pvariance(counts) / statistics.mean(counts)


def quiet_seconds(arrivals, taken):
    """The seconds in which neither the hypervisor nor another program held the recorder up."""
    def disturbed_ms(second):
        return sum(ms for begin, end, ms in taken if begin < second[-1] and end > second[0])
    return [second for second in by_second(arrivals) if disturbed_ms(second) < 1]


def measure(options, name, folder):
    recorder = Recorder(os.path.join(options.bin, "arrival_recorder"), folder)
    url = f"http://127.0.0.1:{recorder.port}/"
    pinned = ["taskset", "-c", str(GENERATOR_CPU)]
    if name == "wrk2":
        argv = pinned + ["chrt", "-f", "1", options.wrk2, "-t1", f"-c{options.connections}",
                         f"-d{2 * max(options.seconds, 11)}s", f"-R{RATE}", url]
    else:
        argv = pinned + [os.path.join(options.bin, "packet_bench"), "run", "--target", url,
                         "--rate", str(RATE), "--duration", f"{options.seconds}s",
                         "--warmup", "0s", "--connections", str(options.connections),
                         "--precision", name, "--output", "", "--json"]
    output, taken = run_watched(argv, recorder.process.pid)
    arrivals = recorder.arrivals_us()
    if name == "wrk2":
        arrivals = arrivals[len(arrivals) // 2:]
        late = [value for second in by_second(arrivals) for value in deviations(second)]
    else:
        result = json.loads(output[output.index("{"):])
        sent = result["details"]["packets"]["sent"]
        assert sent == len(arrivals) == RATE * options.seconds, (sent, len(arrivals))
        late = deviations(arrivals)
    gaps = [b - a for a, b in itertools.pairwise(arrivals)]
    quiet = quiet_seconds(arrivals, taken)
    row = {
        "p50": percentile(late, 50), "p99": percentile(late, 99),
        "gap": percentile(gaps, 50), "bunched": 100 * sum(g < 10 for g in gaps) / len(gaps),
        "dispersion": statistics.median(dispersion_per_ms(second) for second in quiet)
        if quiet else float("nan"),
        "quiet": len(quiet), "taken": sum(ms for _, _, ms in taken),
        "cpu": 0.0 if name == "wrk2" else result["details"]["audit"]["generatorCpuPercent"],
        "invalid": name != "wrk2" and not result["details"]["latencyTrusted"],
    }
    print(f"  {name:7} late by p50 {row['p50']:8.1f} us, p99 {row['p99']:9.1f}; gaps p50 "
          f"{row['gap']:6.1f} us, {row['bunched']:4.1f} % under 10 us; dispersion "
          f"{row['dispersion']:6.2f} in {row['quiet']} quiet seconds; CPU {row['cpu']:3.0f} %, "
          f"taken by others {row['taken']:.0f} ms{', says itself untrusted' if row['invalid'] else ''}",
          flush=True)
    return row


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bin", help="folder of packet_bench and arrival_recorder")
    parser.add_argument("--wrk2", help="wrk2's executable, to compare with")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=8)
    parser.add_argument("--connections", type=int, default=50)
    options = parser.parse_args()
    if os.cpu_count() < 2:
        print("skipped: a generator and a recorder need a processor each")
        sys.exit(77)

    names = ["spin", "normal"] + (["wrk2"] if options.wrk2 else [])
    rows = {name: [] for name in names}
    with tempfile.TemporaryDirectory() as folder:
        for round_number in range(options.rounds):
            print(f"round {round_number + 1}", flush=True)
            for name in names[round_number % 2:] + names[:round_number % 2]:
                rows[name].append(measure(options, name, folder))

    def median(name, key):
        values = [row[key] for row in rows[name] if row[key] == row[key]]
        return statistics.median(values) if values else float("nan")
    bounds = [("spin: median deviation, us", median("spin", "p50"), "<=", 10),
              ("normal: median deviation, us", median("normal", "p50"), "<=", 50),
              ("normal: CPU, percent of a core", median("normal", "cpu"), "<", 40),
              ("spin: median gap off 100 us by", abs(median("spin", "gap") - GAP_US), "<=", 2),
              ("spin: dispersion in quiet seconds", median("spin", "dispersion"), "<=", 1.2)]
    if options.wrk2:
        quarter = median("wrk2", "p99") / 4
        bounds += [("spin: p99 deviation, us", median("spin", "p99"), "<=", quarter),
                   ("normal: p99 deviation, us", median("normal", "p99"), "<=", quarter)]
    broken = 0
    print(f"medians of {options.rounds} runs of {options.seconds} s at {RATE}/s, "
          f"{options.connections} connections:")
    for what, value, relation, bound in bounds:
        held = value <= bound
        broken += not held
        print(f"  {'held    ' if held else 'NOT HELD'} {what}: {value:.1f} ({relation} {bound:.1f})")
    sys.exit(1 if broken else 0)


if __name__ == "__main__":
    main()
