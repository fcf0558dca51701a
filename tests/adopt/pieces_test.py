"""What a rehearsal is made of, without an engine: what it sends, what it counts, what it derives."""

import http.server
import json
import threading

import pytest

from slipway.rehearsal import traffic
from slipway.rehearsal.description import Description
from slipway.rehearsal.production import HERE
from slipway.rehearsal.sabotage import EXITS, LIES, SLOW, UNHEALTHY, sabotages

DOCUMENT = {"service": "s", "port": 8080, "health": "/health", "version": "releaseId",
            "healthy": {"times": 5, "within": "1m"}, "gate": {"rate": 2000, "request": "GET /a?b=c", "connections": 8},
            "bake": {"window": "10s", "worse": {"errors": "3%", "allowance": "5ms"}}}


def test_the_label_changes_what_is_named_and_nothing_beside_it():
    label = json.loads(Description(DOCUMENT).label(**HERE))
    assert label["healthy"] == {"times": 5, "within": "10s"}
    assert label["bake"]["worse"] == {"errors": "3%", "allowance": "100ms"}
    assert label["gate"] == DOCUMENT["gate"]
    assert DOCUMENT["healthy"]["within"] == "1m"


def test_a_service_that_is_proven_by_its_digest_is_not_made_to_lie():
    assert sabotages(Description(DOCUMENT)) == (EXITS, UNHEALTHY, LIES)
    assert sabotages(Description({**DOCUMENT, "version": "digest"})) == (EXITS, UNHEALTHY, SLOW)


def test_the_request_of_the_gate_is_what_is_sent(tmp_path):
    gate = {**DOCUMENT["gate"], "request": "POST /orders?dry=1", "headers": {"X-Key": "1"}, "body": "{}"}
    load = traffic.http_load("10.0.0.1", 9000, gate, tmp_path)
    assert load.environment == {"PACKET_BENCH_TARGET": "http://10.0.0.1:9000/orders?dry=1"}
    assert load.flags == ("--method", "POST", "--connections", "8", "--header", "X-Key: 1", "--body",
                          str(tmp_path / "body"))
    assert (tmp_path / "body").read_text() == "{}"


def test_what_the_gate_counts_as_served_counts_in_a_rehearsal(tmp_path):
    served = {"status": [301, 302], "header": {"X-A": "b"}, "json": {"/ok": True}, "body": "^ok$"}
    load = traffic.http_load("10.0.0.1", 9000, {**DOCUMENT["gate"], "served": served}, tmp_path)
    assert load.flags[4:] == ("--served", "status=301,302", "--served", "header=X-A: b", "--served", "json=/ok=true",
                              "--served", "body=^ok$")


def test_secrets_of_a_target_travel_by_environment():
    gate = {"rate": 10, "target": "btp+ws://:${TOKEN}@{host}:4000/", "destination": "g.bob", "connections": 3}
    load = traffic.target_load("10.0.0.1", gate, {"TOKEN": "tok"})
    assert load.environment == {"PACKET_BENCH_TARGET": "btp+ws://:tok@10.0.0.1:4000/"}
    assert load.flags == ("--destination", "g.bob"), "a peer has one connection: they are for requests"
    with pytest.raises(KeyError):
        traffic.target_load("10.0.0.1", gate, {})


def test_the_good_answers_are_counted_by_name_and_labels():
    page = 'a_total{way="in",result="ok"} 5\na_total{result="ok",way="out"} 7\na_total{result="bad"} 9\nb_total 1\n'

    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(page.encode())

        def log_message(self, *_):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        def count(selector: str) -> float:
            return traffic.counter("127.0.0.1", server.server_port, {"metrics": "/m", "good": selector})

        assert count('a_total{result="ok"}') == 12
        assert count('a_total{way="in",result="ok"}') == 5
        assert count("b_total") == 1
        assert count("a") == 0
    finally:
        server.shutdown()
    assert traffic.counter("127.0.0.1", server.server_port + 1, {"metrics": "/m", "good": "b_total"}) == 0
