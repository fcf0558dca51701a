#!/usr/bin/env python3
"""hdr_log_check.py BIN: reads --hdr-log with HdrHistogram's own reader and compares the figures.

Run it with scripts/lib/pinned-python, which has the package.
"""

import json
import os
import subprocess
import sys
import tempfile

from hdrh.histogram import HdrHistogram
from hdrh.log import HistogramLogReader


def run(binaries, folder):
    target = subprocess.Popen([os.path.join(binaries, "paced_target"), "--freeze-at", "1",
                               "--freeze-for", "0.3"], stdout=subprocess.PIPE, text=True)
    try:
        port = json.loads(target.stdout.readline())["btpPort"]
        log = os.path.join(folder, "latency.hlog")
        output = subprocess.run(
            [os.path.join(binaries, "packet_bench"), "run", "--rate", "5000", "--duration", "2s",
             "--warmup", "0s", "--target", f"btp+ws://:t@127.0.0.1:{port}/", "--destination",
             "test.a", "--threshold-tps", "0", "--output", "", "--json", "--hdr-log", log],
            check=True, stdout=subprocess.PIPE, text=True).stdout
        return json.loads(output), log
    finally:
        target.terminate()
        target.wait()


def main():
    with tempfile.TemporaryDirectory() as folder:
        results, log = run(sys.argv[1], folder)
        total = HdrHistogram(1, 2**42 - 1, 3)
        reader = HistogramLogReader(log, total)
        intervals = {}
        while (interval := reader.get_next_interval_histogram()) is not None:
            intervals[interval.get_tag()] = interval
    broken = 0
    for tag, field in ((None, "latency"), ("from-send", "latencyFromSend")):
        histogram, said = intervals[tag], results["details"][field]
        figures = [("count", histogram.get_total_count(), said["count"], 0)]
        for name, percent in (("p50Ms", 50), ("p99Ms", 99), ("p999Ms", 99.9), ("maxMs", 100)):
            figures.append((name, histogram.get_value_at_percentile(percent) / 1e6, said[name],
                            0.001 * said[name] + 0.001))
        for name, read, wanted, tolerance in figures:
            held = abs(read - wanted) <= tolerance
            broken += not held
            print(f"{'held    ' if held else 'NOT HELD'} {field} {name}: read {read:.3f}, "
                  f"reported {wanted:.3f}")
    sys.exit(1 if broken else 0)


if __name__ == "__main__":
    main()
