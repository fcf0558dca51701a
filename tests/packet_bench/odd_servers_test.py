"""Servers that answer oddly, and what packet_bench says of each: what RFC 9110 and 9112 let a server do is no loss,
and what they do not is named."""

import json
import os
import subprocess

import pytest

from packet_bench.odd_server import CLOSE, MIB, OK, Server, chunked, head, url
from support import needs


class Run:
    def __init__(self, executables, folder, url: str, *flags: str, rate: str = "100", seconds: str = "500ms",
                 expiry: str = "500ms", wrapper: tuple = (), stdout=subprocess.PIPE, **env: str):
        output = folder / "results.json"
        command = [*wrapper, executables / "packet_bench", "run", "--rate", rate, "--duration", seconds, "--warmup",
                   "0s", "--expiry", expiry, *flags]
        if "--output" not in flags:
            command += ["--output", output]
        if "--threshold-tps" not in flags:
            command += ["--threshold-tps", "0"]  # a busy machine is no fault of the server's
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=stdout, stderr=subprocess.PIPE, text=True,
                              check=False, timeout=60,
                              env={**os.environ, "PACKET_BENCH_TARGET": url, **env})
        self.status, self.said = done.returncode, (done.stdout or "") + done.stderr
        self.results = json.loads(output.read_text()) if output.exists() else {}
        self.packets = self.results.get("details", {}).get("packets", {})

    def all_fulfilled(self) -> bool:
        return bool(self.packets) and self.packets["fulfilled"] == self.packets["planned"] > 0


@pytest.fixture
def run(executables, tmp_path):
    return lambda url, *flags, **more: Run(executables, tmp_path, url, *flags, **more)


# Answers of which each is whole: nothing is lost, whatever the server does with the connection.
WHOLE = {
    "a length": OK,
    "a length in small letters": head(b"content-length:2"),
    "blanks around the length": head(b"Content-Length: \t 2 \t"),
    "the same length twice": head(b"Content-Length: 2", b"Content-Length: 2"),
    "the same length in a list": head(b"Content-Length: 2, 2"),
    "no reason": b"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok",
    "an empty reason": b"HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\nok",
    "chunks": chunked(b"o", b"k"),
    "chunks with an extension": head(b"Transfer-Encoding: chunked", body=b"2;a=b\r\nok\r\n0\r\n\r\n"),
    "chunks with trailers": head(b"Transfer-Encoding: chunked", body=b"2\r\nok\r\n0\r\nA: b\r\nC: d\r\n\r\n"),
    "chunks of a compressed body": head(b"Transfer-Encoding: gzip, chunked", body=b"2\r\nok\r\n0\r\n\r\n"),
    "chunks and a length": chunked(b"ok", more=b"Content-Length: 99\r\n"),
    "a long head": head(b"X: " + b"x" * 60000, b"Content-Length: 2"),
    "a megabyte": head(b"Content-Length: %d" % MIB, body=b"x" * MIB),
    "a field that goes on in the next line": head(b"X: a", b"  b", b"Content-Length: 2"),
    "no content": head(status=b"204 No Content", body=b""),
    "no content with a length": head(b"Content-Length: 0", status=b"204 No Content", body=b""),
    "an interim answer before": b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + OK,
    "two interim answers before": b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n" + OK,
    "keep-alive of HTTP/1.0": b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok",
    "bytes that are no text": head(b"X: \xff\xfe\x80", b"Content-Length: 2"),
}


@pytest.mark.parametrize("answer", WHOLE.values(), ids=WHOLE)
def test_an_answer_that_is_whole_is_served(run, answer):
    with Server(answer) as server:
        done = run(url(server))
    assert done.status == 0 and done.all_fulfilled(), done.said


CLOSING = {
    "says that it closes": (CLOSE, 1),
    "says so among other things": (head(b"Connection: foo, Close", b"Content-Length: 2"), 1),
    "says so in two fields": (head(b"Connection: foo", b"Connection: close", b"Content-Length: 2"), 1),
    "closes without a word": (OK, 1),
    "closes every third time": (OK, 3),
    "says so with its last answer": (lambda n, _: CLOSE if n == 9 else OK, 10),
    "speaks HTTP/1.0": (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", 1),
    "ends the body by closing": (head(), 1),
    "ends a compressed body by closing": (head(b"Transfer-Encoding: gzip"), 1),
    "ends a long body by closing": (head(body=b"x" * 300000), 1),
    "ends an empty body by closing": (head(body=b""), 1),
}


@pytest.mark.parametrize(("answer", "limit"), CLOSING.values(), ids=CLOSING)
def test_a_close_after_a_whole_answer_is_no_loss(run, answer, limit):
    with Server(answer, limit) as server:
        done = run(url(server), rate="50")
    assert done.status == 0 and done.all_fulfilled(), done.said
    assert done.results["details"]["disconnects"] == []
    assert "lost" not in done.said


BROKEN = {
    "another protocol": (b"SSH-2.0-x\r\n", "it does not speak HTTP/1.1"),
    "HTTP/2": (b"\x00\x00\x12\x04\x00\x00\x00\x00\x00", "it does not speak HTTP/1.1"),
    "no status": (b"HTTP/1.1 2x0 OK\r\nContent-Length: 0\r\n\r\n", "its answer has no status"),
    "a status below 100": (b"HTTP/1.1 099 OK\r\nContent-Length: 0\r\n\r\n", "its answer has no status"),
    "bare line feeds": (b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok", "it ends lines with a bare LF"),
    "a line that is no field": (head(b"no field", b"Content-Length: 2"), "a line of its head is no field"),
    "lengths that contradict": (head(b"Content-Length: 2, 3"), "its Content-Lengths contradict each other"),
    "lengths that contradict in two fields": (head(b"Content-Length: 2", b"Content-Length: 3"),
                                              "its Content-Lengths contradict each other"),
    "a negative length": (head(b"Content-Length: -2"), "its Content-Length is no number"),
    "a length in words": (head(b"Content-Length: two"), "its Content-Length is no number"),
    "an empty length": (head(b"Content-Length:"), "its Content-Length is empty"),
    "a length over the bound": (head(b"Content-Length: %d" % (65 * MIB)), "its answer is longer than 64 MiB"),
    "chunks that are none": (head(b"Transfer-Encoding: chunked", body=b"zz\r\n"), "its chunks are none"),
    "a chunk longer than it says": (head(b"Transfer-Encoding: chunked", body=b"1\r\nok\r\n0\r\n\r\n"),
                                    "its chunks are none"),
    "another protocol from now on": (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
                                     "it switches to another protocol"),
    "an endless head": (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70000, "its head is longer than 64 KiB"),
    "a steering head": (b"HTTP/1.1 2\x1b[2J OK\r\n\r\n", "its answer has no status"),
}


@pytest.mark.parametrize(("answer", "words"), BROKEN.values(), ids=BROKEN)
def test_what_is_no_answer_is_named(run, answer, words):
    with Server(answer) as server:
        done = run(url(server), seconds="200ms")
    assert done.status in (1, 3) and words in done.said, done.said
    assert "\x1b" not in done.said
    assert done.results["passed"] is False


def test_two_answers_to_a_request_end_the_connection_and_that_is_said(run):
    with Server(OK + OK) as server:
        done = run(url(server), seconds="200ms")
    assert done.status == 0 and "first lost: it answered a request that was not sent" in done.said, done.said


CUT = {
    "in its head": b"HTTP/1.1 200 OK\r\nContent-Le", "in its body": head(b"Content-Length: 9"),
    "in a chunk": head(b"Transfer-Encoding: chunked", body=b"9\r\nok"),
    "before the last chunk": head(b"Transfer-Encoding: chunked", body=b"2\r\nok\r\n"),
}


@pytest.mark.parametrize("answer", CUT.values(), ids=CUT)
def test_an_answer_that_is_cut_is_lost_and_that_is_said(run, answer):
    with Server(answer, 1) as server:
        done = run(url(server), seconds="200ms")
    assert done.status == 3 and "closed by the other side in the middle of an answer" in done.said, done.said
    assert done.packets["fulfilled"] == 0


def test_a_close_before_the_answer_loses_that_request_and_no_other(run):
    with Server(lambda number, _: OK if number < 4 else None) as server:
        done = run(url(server), rate="50")
    assert "first lost: closed by the other side" in done.said, done.said
    assert done.packets["unanswered"] > 0
    assert done.packets["fulfilled"] + done.packets["unanswered"] == done.packets["sent"]


REFUSED = {
    "400 and close": (head(b"Connection: close", b"Content-Length: 10", status=b"400 Bad", body=b"wrong Host"),
                      1, ["rejected with HTTP 400", "HTTP/1.1 400 Bad", "wrong Host"]),
    "a redirect": (head(b"Location: https://example.test/x?y", b"Content-Length: 0", status=b"302 Found", body=b""), 0,
                   ["rejected with HTTP 302", "Location: https://example.test/x?y"]),
    "a chunked excuse": (b"HTTP/1.1 503 No\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nlater\r\n0\r\n\r\n", 0,
                         ["HTTP 503", "later"]),
    "bytes that steer": (head(b"Content-Length: 11", status=b"500 \x1b[31m", body=b"\x1b[2J\x07steers"), 0,
                         ["HTTP/1.1 500;", "steers"]),
    "another direction": (head(b"Content-Length: 4", status=b"500 No", body="\u202ea".encode()), 0,
                          ["\ufffda"]),
    "no UTF-8": (head(b"Content-Length: 4", status=b"500 No", body=b"caf\xe9"), 0, ["caf\ufffd"]),
    "a novel": (head(b"Content-Length: 9999", status=b"500 No", body=b"n" * 9999), 0, ["nnn..."]),
}


@pytest.mark.parametrize(("answer", "limit", "words"), REFUSED.values(), ids=REFUSED)
def test_the_first_answer_that_is_refused_is_shown(run, answer, limit, words):
    with Server(answer, limit) as server:
        done = run(url(server), seconds="200ms")
    assert done.status == 1 and all(word in done.said for word in words), done.said
    assert "lost" not in done.said and "\x1b" not in done.said
    assert len(max(done.said.splitlines(), key=len)) < 700
    assert words[-1] in done.results["details"]["firstRefusal"]


def test_a_target_that_is_silent_is_broken_in_plain_words(run):
    with Server(b"") as server:
        done = run(url(server), seconds="200ms", expiry="200ms")
    assert done.status == 3 and "takes connections and answers nothing" in done.said, done.said


def requests(run, target, *flags: str, address: str = "127.0.0.1") -> tuple[list, Server]:
    with Server(OK, address=address) as server:
        done = run(target(server.port), *flags, seconds="100ms")
        assert done.status == 0, done.said
    return [line for line in server.requests[0].split("\r\n") if line], server


def test_the_host_field_of_an_ipv6_address_has_brackets(run):
    lines, server = requests(run, lambda port: f"http://[::1]:{port}/", address="::1")
    assert f"Host: [::1]:{server.port}" in lines


def test_an_own_host_field_is_the_only_one(run):
    lines, _ = requests(run, lambda port: f"http://127.0.0.1:{port}/", "--header", "hOst: example.test")
    assert [line for line in lines if line.lower().startswith("host:")] == ["hOst: example.test"]


def test_a_name_and_a_password_are_basic_authorisation(run):
    lines, _ = requests(run, lambda port: f"http://Aladdin:open%20sesame@127.0.0.1:{port}/")
    assert "Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==" in lines  # RFC 7617's example


def test_a_token_alone_is_bearer_authorisation(run):
    lines, _ = requests(run, lambda port: f"http://:t%3Ak@127.0.0.1:{port}/")
    assert "Authorization: Bearer t:k" in lines


def test_an_own_authorisation_is_the_only_one(run):
    lines, _ = requests(run, lambda port: f"http://a:b@127.0.0.1:{port}/", "--header", "Authorization: Digest x")
    assert [line for line in lines if line.startswith("Authorization")] == ["Authorization: Digest x"]


def test_a_fragment_stays_here(run):
    lines, _ = requests(run, lambda port: f"http://127.0.0.1:{port}/a?b=c#d")
    assert lines[0] == "GET /a?b=c HTTP/1.1"


@pytest.mark.parametrize("name", ["Content-Length", "Transfer-Encoding", "connection"])
def test_what_frames_a_request_is_not_the_user_s(run, name):
    done = run("http://127.0.0.1:1/", "--header", f"{name}: x")
    assert done.status == 2 and f"the header {name.lower()} is set here" in done.said, done.said


def test_every_address_of_a_name_is_tried(run, tmp_path):
    """localhost is ::1, where nobody listens, and 127.0.0.1."""
    hosts = tmp_path / "hosts"
    hosts.write_text("::1 odd.test\n127.0.0.1 odd.test\n")
    bind = ("unshare", "--mount", "sh", "-c", f"mount --bind {hosts} /etc/hosts && exec \"$@\"", "sh")
    with Server(OK) as server:
        done = run(f"http://odd.test:{server.port}/", "--connections", "50", wrapper=bind)
        assert done.status == 0 and done.all_fulfilled(), done.said
        assert done.results["details"]["reconnects"] == 0
    done = run(f"http://odd.test:{server.port}/", wrapper=bind)
    assert done.status == 3 and "at the last of its 2 addresses" in done.said, done.said


@needs.all_of(needs.programs("test", "strace"))
def test_a_name_is_looked_up_once(run, tmp_path):
    log = tmp_path / "strace"
    with Server(OK) as server:
        done = run(f"http://localhost:{server.port}/", "--connections", "100",
                   wrapper=("strace", "-f", "-o", log, "-e", "trace=openat"))
    assert done.status == 0, done.said
    assert log.read_text().count('"/etc/hosts"') == 1


def test_fewer_open_files_than_connections_is_our_own_limit(run):
    with Server(OK) as server:
        limited = ("prlimit", "--nofile=80:80")
        done = run(url(server), "--connections", "100", wrapper=limited)
        assert done.status == 4 and "this process may have 80" in done.said, done.said
        raised = ("prlimit", "--nofile=80:400")
        done = run(url(server), "--connections", "100", rate="200", wrapper=raised)
        assert done.status == 0, done.said


def test_less_than_one_a_second_is_measured_for_as_long_as_it_says(run):
    with Server(OK) as server:
        done = run(url(server), rate="0.8", seconds="2s")
    assert done.status == 0, done.said
    assert "of 0.8 packets/s for 2.0 s" in done.said, done.said
    assert done.packets["planned"] == 2
    latency = done.results["details"]["latency"]
    assert latency["p99Ms"] is None and latency["p50Ms"] is not None and latency["maxMs"] > 0
    assert done.results["p99LatencyMs"] is None
    assert "p99 " not in done.said.split("generator")[0]


def test_a_threshold_on_p99_wants_a_hundred_answers(run):
    with Server(OK) as server:
        done = run(url(server), "--threshold-p99", "1s", rate="50")
    assert done.status == 4 and "p99 is of 100 answers or more, and there were 25" in done.said, done.said


def test_what_is_below_a_threshold_does_not_seem_to_be_it(run):
    with Server(OK) as server:
        done = run(url(server), "--threshold-tps", "2.4", rate="2", seconds="2s")
    assert done.status == 1 and "2 tps is below the threshold of 2.4" in done.said, done.said


class Page:
    """A page of metrics whose second reading is AFTER."""

    def __init__(self, before: bytes, after: bytes, more: bytes = b""):
        self.pages, self.more = [before, after], more

    def __call__(self, _number, _request) -> bytes:
        body = self.pages.pop(0)
        return b"HTTP/1.1 200 OK\r\n" + self.more + b"Content-Length: %d\r\n\r\n" % len(body) + body


COUNT = b'process_cpu_seconds_total %d\nilp_packets_total{direction="in",result="fulfilled"} %d\n'
PAGES = {
    "started anew": (Page(COUNT % (9, 900), COUNT % (1, 10)), "went back during the load: the target was started anew"),
    "of other names": (Page(b"a_total 1\n", b"a_total 2\n"), "have neither ilp_packets_total nor"),
}


@pytest.mark.parametrize(("page", "words"), PAGES.values(), ids=PAGES)
def test_metrics_that_say_nothing_are_said_to(run, page, words):
    with Server(OK) as server, Server(page) as metrics:
        done = run(url(server), "--metrics", url(metrics, "/metrics"))
    assert done.status == 0 and words in done.said, done.said
    assert "18446744073" not in done.said


def test_metrics_that_are_gone_after_the_load_are_said_to_be(run):
    with Server(OK) as server, Server(lambda *_: COUNT and OK.replace(b"ok", b"\n\n")) as metrics:
        first = metrics.answer
        metrics.answer = lambda number, request: (metrics.__exit__(), first(number, request))[1]
        done = run(url(server), "--metrics", url(metrics, "/metrics"))
    assert done.status == 0 and "cannot read the metrics" in done.said and "after the load" in done.said, done.said


@pytest.mark.parametrize("more", [b"", b"Connection: keep-alive\r\n", b"Content-Type: text/plain\r\n"])
def test_metrics_of_a_page_that_stays_open_are_read(run, more):
    with Server(OK) as server, Server(Page(COUNT % (1, 0), COUNT % (2, 50), more)) as metrics:
        done = run(url(server), "--metrics", url(metrics, "/metrics"))
    assert done.status == 0 and "metrics" not in done.said, done.said
    assert done.results["details"]["targetCost"]["cpuPercent"] > 0
    assert done.results["details"]["targetCounters"]["fulfilled"] == 50


def test_metrics_in_chunks_are_read(run):
    pages = [chunked(COUNT % (1, 0)), chunked(*(COUNT % (2, 50)).splitlines(keepends=True))]
    with Server(OK) as server, Server(lambda *_: pages.pop(0)) as metrics:
        done = run(url(server), "--metrics", url(metrics, "/metrics"))
    assert done.results["details"]["targetCounters"]["fulfilled"] == 50, done.said


@pytest.fixture
def served():
    with Server(OK) as server:
        yield url(server)


def test_a_device_is_written_to_and_stays_one(run, served, tmp_path):
    device = tmp_path / "null"
    subprocess.run(["mknod", device, "c", "1", "3"], check=True)
    done = run(served, "--output", str(device), "--hdr-log", str(device))
    assert done.status == 0, done.said
    assert device.is_char_device()


def test_a_fifo_hands_on_what_is_written(run, served, tmp_path):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    reader = subprocess.Popen(["cat", fifo], stdout=subprocess.PIPE, text=True)
    done = run(served, "--output", str(fifo))
    said, _ = reader.communicate(timeout=10)
    assert done.status == 0 and json.loads(said)["passed"] is True, done.said


@pytest.mark.parametrize("dangling", [False, True])
def test_a_link_stays_one_and_leads_to_the_results(run, served, tmp_path, dangling):
    (tmp_path / "there").mkdir()
    real = tmp_path / "there/real.json"
    if not dangling:
        real.write_text("old")
    link = tmp_path / "link.json"
    link.symlink_to("there/real.json")
    done = run(served, "--output", str(link))
    assert done.status == 0, done.said
    assert link.is_symlink() and json.loads(real.read_text())["passed"] is True


def test_stdout_by_its_name_keeps_what_a_file_has_already(run, served, tmp_path):
    file = tmp_path / "log"
    file.write_text("before\n")
    with open(file, "a") as log:
        done = run(served, "--output", "/dev/stdout", stdout=log)
    assert done.status == 0, done.said
    assert file.read_text().startswith("before\n{")


def test_results_are_written_also_when_nobody_reads_stdout(run, served):
    read_end, write_end = os.pipe()
    os.close(read_end)
    done = run(served, "--json", stdout=write_end)
    os.close(write_end)
    assert done.status == 4 and "cannot write to stdout" in done.said, done.said
    assert done.results["passed"] is True


def test_results_are_written_also_when_stdout_is_full(run, served):
    with open("/dev/full", "w") as full:
        done = run(served, "--json", stdout=full)
    assert done.status == 4 and "cannot write to stdout" in done.said, done.said
    assert done.results["passed"] is True
