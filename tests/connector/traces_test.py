"""Packets that are drawn for traces reach a collector, and one that is away costs nobody a packet.

The collector is a stand-in, which takes whatever is JSON; the real one: ctest -C slow -R observability_traces.
"""

import http.server
import json
import threading

import pytest

from connector.local_connector import Connector, config
from support.ports import free_port
from support.waiting import await_true

ALL = (500, 3, "--warmup", "0s")


class Collector(http.server.ThreadingHTTPServer):
    """A context manager; `spans` are those it took."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Take)
        self.spans: list[dict] = []
        self.url = f"http://127.0.0.1:{self.server_port}/v1/traces"

    def __enter__(self):
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *exc):
        self.shutdown()
        super().__exit__(*exc)


class Take(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        for resource in request["resourceSpans"]:
            for scope in resource["scopeSpans"]:
                self.server.spans.extend(scope["spans"])
        self.send_response(200 if self.path == "/v1/traces" else 404)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.mark.parametrize("share", [1, 0.1])
def test_each_packet_that_is_drawn_is_a_span_at_the_collector_also_the_last(executables, tmp_path, share, tell):
    with Collector() as collector:
        traces = {"url": collector.url, "share": share}
        with Connector(executables, config(traces=traces), tmp_path) as connector:
            packets = connector.pay(*ALL)["packets"]
            await_true(lambda: connector.metrics()['ilp_traces_total{result="sent"}'] > 0, "the first spans")
        spans = collector.spans
    assert packets["fulfilled"] == packets["sent"] > 1000
    assert len({span["traceId"] for span in spans}) == len(spans)
    assert all(span["status"] == {"code": 1} and span["name"] == "packet" for span in spans)
    if share == 1:
        assert len(spans) == packets["fulfilled"]
    else:  # six standard deviations
        assert abs(len(spans) - share * packets["fulfilled"]) < 6 * (share * packets["fulfilled"]) ** 0.5
    tell(f"{len(spans)} of {packets['fulfilled']}")


def test_a_collector_that_is_away_is_said_and_costs_only_its_traces(executables, tmp_path):
    traces = {"url": f"http://127.0.0.1:{free_port()}/v1/traces", "share": 1}
    with Connector(executables, config(traces=traces), tmp_path) as connector:
        packets = connector.pay(*ALL)["packets"]
        assert packets["fulfilled"] == packets["sent"] > 1000
        await_true(lambda: connector.metrics()['ilp_traces_total{result="lost"}'] == packets["sent"], "all are counted")
        assert connector.metrics()['ilp_traces_total{result="sent"}'] == 0
    said = [json.loads(line) for line in connector.log.splitlines() if "traces_not_sent" in line]
    assert said and "refused" in said[0]["reason"], connector.log


def test_without_a_collector_there_is_nothing_of_it(executables, tmp_path):
    with Connector(executables, config(), tmp_path) as connector:
        assert not [name for name in connector.metrics() if "traces" in name]
