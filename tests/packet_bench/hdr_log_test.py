"""Reads --hdr-log with HdrHistogram's own reader and compares the figures."""

import json
import subprocess

import pytest
from hdrh.histogram import HdrHistogram
from hdrh.log import HistogramLogReader


@pytest.fixture(scope="module")
def measured(executables, tmp_path_factory):
    """(packet_bench's results, the log's histograms by tag): a run with a freeze in it."""
    log = tmp_path_factory.mktemp("log") / "latency.hlog"
    target = subprocess.Popen([executables / "paced_target", "--freeze-at", "1", "--freeze-for", "0.3"],
                              stdout=subprocess.PIPE, text=True)
    try:
        port = json.loads(target.stdout.readline())["btpPort"]
        output = subprocess.run(
            [executables / "packet_bench", "run", "--rate", "5000", "--duration", "2s", "--warmup", "0s", "--target",
             f"btp+ws://:t@127.0.0.1:{port}/", "--destination", "test.a", "--threshold-tps", "0", "--output", "",
             "--json", "--hdr-log", log], check=True, stdout=subprocess.PIPE, text=True).stdout
    finally:
        target.terminate()
        target.wait()
    reader = HistogramLogReader(str(log), HdrHistogram(1, 2**42 - 1, 3))
    intervals = {}
    while (interval := reader.get_next_interval_histogram()) is not None:
        intervals[interval.get_tag()] = interval
    return json.loads(output), intervals


@pytest.mark.parametrize(("tag", "field"), [(None, "latency"), ("from-send", "latencyFromSend")])
def test_the_reader_finds_what_was_reported(measured, tag, field):
    results, intervals = measured
    histogram, said = intervals[tag], results["details"][field]
    assert histogram.get_total_count() == said["count"]
    for name, percent in (("p50Ms", 50), ("p99Ms", 99), ("p999Ms", 99.9), ("maxMs", 100)):
        read = histogram.get_value_at_percentile(percent) / 1e6
        assert read == pytest.approx(said[name], rel=0.001, abs=0.001), name
