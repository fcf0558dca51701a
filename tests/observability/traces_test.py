"""The traces of deploy and rollback, and of packets, as the real OpenTelemetry collector takes them."""

import contextlib
import re
import subprocess

import pytest

from connector.local_connector import Connector, config
from deploy.site import Site
from slipway.watch.profile import end
from support import needs
from support.waiting import await_true

pytestmark = [needs.hosts("docker-registry"), needs.all_of(needs.programs("traces", "otelcol"))]
SETTINGS = """\
receivers: { otlp: { protocols: { http: { endpoint: "0.0.0.0:4318" } } } }
exporters: { debug: { verbosity: detailed } }
service:
  telemetry: { metrics: { level: none } }
  pipelines: { traces: { receivers: [otlp], exporters: [debug] } }
"""


class Collector:
    """On the host; what it took is in its log."""

    def __init__(self, site: Site):
        self.site = site
        self.settings = site.host.home / "collector.yml"
        self.settings.write_text(SETTINGS)
        self.log = site.host.home / "collector.log"

    def __enter__(self):
        with open(self.log, "w", encoding="utf-8") as log:
            self.process = subprocess.Popen(self.site.host.inside("otelcol", "--config", str(self.settings)),
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        await_true(lambda: "Everything is ready" in self.log.read_text(), "the collector", 60)
        return self

    def __exit__(self, *_exc):
        end(self.process)

    def spans(self) -> list[dict[str, str]]:
        """Name, ids, status and attributes of each span that it printed."""
        found = []
        for block in re.split(r"^Span #\d+$", self.log.read_text(), flags=re.MULTILINE)[1:]:
            fields = re.findall(r"^ +(Trace ID|Parent ID|ID|Name|Status code) +: ?(.*)$", block, re.MULTILINE)
            attributes = re.findall(r"^ +-> ([\w.]+): \w+\((.*)\)$", block, re.MULTILINE)
            found.append(dict(fields) | dict(attributes))
        return found


@pytest.fixture(scope="module")
def site(executables):
    with Site("traces", executables) as site:
        site.configure(tracesUrl="http://127.0.0.1:4318/v1/traces")
        for tag in ("v1", "v2"):
            site.publish(tag)
        site.publish("bad", "never_ready")
        yield site


def traces(collector: Collector, count: int) -> list[tuple[dict, list[dict]]]:
    """(the operation's span, those of its steps) of each trace, once there are COUNT."""
    def whole() -> list[dict]:
        return [span for span in collector.spans() if not span["Parent ID"]]

    await_true(lambda: len(whole()) >= count, f"{count} traces", 20)
    return [(root, [span for span in collector.spans() if span["Parent ID"] == root["ID"]]) for root in whole()]


def test_each_operation_is_a_trace_with_a_span_a_step(site):
    with Collector(site) as collector:
        reports = [site.deploy("v1"), site.deploy("bad"), site.deploy("v2"), site.rollback()]
        assert [done.status for done in reports] == [0, 4, 0, 0]
        assert site.rollback("--resume").status == 0  # which does nothing, and so is none
        found = traces(collector, 4)
    assert [root["Name"] for root, _ in found] == ["deploy", "deploy", "deploy", "rollback"]
    assert [root["slipway.outcome"] for root, _ in found] == ["done", "rolled-back", "done", "done"]
    assert [root["Status code"] for root, _ in found] == ["Ok", "Error", "Ok", "Ok"]
    assert len({root["Trace ID"] for root, _ in found}) == 4
    for (root, steps), done in zip(found, reports, strict=True):
        assert root["slipway.running.digest"] == done.report["running"]["digest"]
        assert [span["Name"] for span in steps] == [step["name"] for step in done.report["steps"]]
        assert {span["Trace ID"] for span in steps} == {root["Trace ID"]}
    bad = {span["Name"]: span["slipway.outcome"] for span in found[1][1]}
    assert bad["prove"] == "unproven" and found[1][0]["slipway.to.digest"] == site.releases["bad"]


def test_packets_of_a_connector_are_traces_too(site, executables, tmp_path):
    traces = {"url": f"http://{site.host.ip}:4318/v1/traces", "share": 1}
    with Collector(site) as collector:
        with Connector(executables, config(traces=traces), tmp_path) as connector:
            packets = connector.pay(200, 2, "--warmup", "0s")["packets"]
        await_true(lambda: len(collector.spans()) == packets["fulfilled"], "the packets' spans", 20)
        found = collector.spans()
    assert packets["fulfilled"] == packets["sent"] > 300
    assert {span["Name"] for span in found} == {"packet"} and {span["Status code"] for span in found} == {"Ok"}
    assert {(span["ilp.from"], span["ilp.to"], span["ilp.result"]) for span in found} == {
        ("sender", "receiver", "fulfilled")}
    assert len({span["Trace ID"] for span in found}) == len(found)


def test_without_a_collector_the_outcome_is_the_same_and_a_warning_says_so(site):
    done = site.deploy("v2")
    assert done.status == 0 and "the trace was not sent" in done.err, done


def test_an_address_that_cannot_be_used_is_2_and_touches_nothing(site):
    before = site.containers()
    site.configure(tracesUrl="http://me:tok-3n@127.0.0.1:4318/v1/traces")
    with contextlib.ExitStack() as back:
        back.callback(site.configure, tracesUrl="http://127.0.0.1:4318/v1/traces")
        done = site.deploy("v1")
    assert done.status == 2 and site.containers() == before and "tok-3n" not in done.err + done.out, done
