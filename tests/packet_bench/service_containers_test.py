"""A duet of any service: packet_bench starts both images itself, each with an address of its own."""

import contextlib
import json
import os
import re
import signal
import statistics
import subprocess
import time
from pathlib import Path

import pytest

from packet_bench.services.images import import_web_server
from slipway.lab import Host
from support import needs
from support.engines import discard, processes_of, sweep
from support.waiting import await_true

pytestmark = needs.all_of(needs.root("namespaces and an engine"),
                          needs.programs("docker", "dockerd", "docker", "nsenter", "sshd", "ip"))

OLD, NEW = "web:v1", "web:v2"
REVISION = "c0ffee" * 6 + "c0ff"
LABEL = "io.slipway.packet_bench"
QUICK = ("--slice", "100ms", "--warmup", "200ms", "--max-worse", "cpu=100%,rate=50%,p50=1000%,p99=1000%")
SERVICE = """\
service: price-api
ready: /health
healthy: { within: 5s }
secrets: [TOKEN]
writable: [/var/cache/web]
gate:
  request: GET /price?pair=XRP-USD
  served: { json: { /pair: XRP-USD } }
  rate: 300
  connections: 3
  worse: { cpu: 3%, rate: 2% }
"""


class Bench:
    def __init__(self, host: Host, binaries: Path, folder: Path):
        self.host, self.binaries, self.folder = host, binaries.resolve(), folder
        (folder / "slipway.yml").write_text(SERVICE)

    def begin(self, *arguments: str) -> subprocess.Popen:
        output = self.folder / "results.json"
        output.unlink(missing_ok=True)
        return subprocess.Popen(
            self.host.inside(str(self.binaries / "packet_bench"), "duet", "--output", str(output), *arguments),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=self.host.env)

    def end(self, process: subprocess.Popen) -> tuple[int, dict, str]:
        out, err = process.communicate(timeout=90)
        output = self.folder / "results.json"
        return (process.returncode, json.loads(output.read_text()) if output.exists() else {}, out + err)

    def run(self, *arguments: str) -> tuple[int, dict, str]:
        return self.end(self.begin(*arguments))

    def containers(self, *status: str) -> list[str]:
        return self.host.docker("ps", "--all", "--quiet", "--no-trunc", "--filter", f"label={LABEL}",
                                *status).stdout.split()

    def duet(self, base: str = OLD, candidate: str = NEW, service: str = "slipway.yml") -> tuple[str, ...]:
        return ("--base-image", base, "--candidate-image", candidate, "--service", str(self.folder / service))


@pytest.fixture(scope="module")
def host():
    sweep("service-suite")
    host = Host(f"service-suite-{os.getpid()}")
    try:
        with host:
            import_web_server(host, OLD, "0" * 40)
            import_web_server(host, NEW, REVISION)
            yield host
    finally:
        discard(host)


@pytest.fixture
def bench(host, executables, tmp_path):
    bench = Bench(host, executables, tmp_path)
    yield bench
    for container in bench.containers():
        host.docker("rm", "--force", container)


def child_of(process: subprocess.Popen) -> int:
    """nsenter's, which hands no signal on."""
    return int(Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()[0])


@contextlib.contextmanager
def stranger(host):
    """Somebody else's server on the port that the images listen on, which answers nothing but 500."""
    script = Path(__file__).with_name("services") / "web_server.py"
    process = subprocess.Popen(host.inside("python3", str(script), "--status", "500"), stdout=subprocess.PIPE,
                               text=True)
    try:
        assert "listening" in process.stdout.readline()
        yield
    finally:
        os.kill(child_of(process), signal.SIGTERM)
        process.wait(timeout=10)


def disturbed(status: int, results: dict) -> bool:
    """A busy machine may leave too few pairs; that it must say."""
    return status == 4 and results["pairsLeftOut"] > 0


def test_a_service_is_started_as_slipway_yml_says_and_passes_against_its_like(bench, tell):
    with stranger(bench.host):
        process = bench.begin(*bench.duet(), *QUICK, "--round", "1s", "--max-duration", "25s")
        seen = {}
        while process.poll() is None:
            for container in set(bench.containers("--filter", "status=running")) - set(seen):
                with contextlib.suppress(Exception):  # it has gone meanwhile
                    seen[container] = json.loads(bench.host.docker("inspect", container).stdout)[0]
            time.sleep(0.05)
        status, results, said = bench.end(process)
    assert status == 0 or disturbed(status, results), said
    assert results["rate"] == 300
    assert results["commitSha"] == REVISION
    assert not any("rejected" in note for note in results["notes"]), results["notes"]
    # In the mean, because others may take the processors for a whole pair.
    for side in ("base", "candidate"):
        for figure, least in (("cpuUsPerPacket", 10), ("memoryMb", 1), ("fulfilledShare", 0.7)):
            mean = statistics.mean(pair[side][figure] for pair in results["pairs"])
            assert mean > least, (side, figure, mean)
    assert len(seen) > 2, "the containers are started anew each round"
    for found in seen.values():
        assert found["HostConfig"]["ReadonlyRootfs"] and found["HostConfig"]["CapDrop"] == ["ALL"]
        assert any(re.fullmatch("TOKEN=[0-9a-f]{16}", variable) for variable in found["Config"]["Env"])
        assert found["HostConfig"]["Tmpfs"]["/var/cache/web"] == "size=64m,mode=1777", "as deployed"
        assert found["HostConfig"]["PidsLimit"] == 256 and not found["HostConfig"]["PortBindings"]
    assert not bench.containers(), "a container is left"
    tell(f"{results['verdict']} after {len(results['pairs'])} pairs, {len(seen)} containers")


def test_the_file_s_allowances_decide_and_a_service_that_is_dearer_is_a_regression(bench, tell):
    status, results, said = bench.run(*bench.duet(), "--slice", "100ms", "--warmup", "200ms", "--round", "2s",
                                      "--max-duration", "30s", "--test-extra-cpu", "300")
    allowed = {finding["metric"]: finding["allowed"] for finding in results["findings"]}
    assert not allowed or (allowed["cpu"], allowed["rate"]) == (0.03, 0.02), allowed
    assert (status == 1 and "because    worse: " in said) or disturbed(status, results), said
    tell(results["reasons"][0])


def test_without_a_file_flags_say_how_it_is_started_and_asked(bench):
    status, results, said = bench.run(
        "--base", f"docker:{OLD}", "--candidate", f"docker:{NEW}", "--path", "/price", "--served", "body=XRP",
        "--ready", "/health", "--port", "8080", "--rate", "300", *QUICK, "--round", "1s", "--max-duration", "60s")
    assert status == 0 or disturbed(status, results), said
    assert results["commitSha"] == REVISION


def test_a_service_with_roles_is_told_to_be_active_before_it_is_driven(bench):
    (bench.folder / "roles.yml").write_text("roles: signals\n" + SERVICE)
    import_web_server(bench.host, "standby:v1", arguments=("--standby",))
    status, results, said = bench.run(*bench.duet("standby:v1", "standby:v1", "roles.yml"), *QUICK, "--round", "1s",
                                      "--max-duration", "60s")
    assert status == 0 or disturbed(status, results), said
    assert not any("rejected" in note for note in results["notes"]), results["notes"]


def test_a_service_sees_one_processor_when_it_starts_and_then_runs_on_each(bench):
    """It is to run on one at a time. Go's server, started for two, used a third more on one, and its threads waited
    for each other so long that every pair was left out."""
    process = bench.begin(*bench.duet(), *QUICK, "--served", "json=/processors=1", "--round", "3s",
                          "--max-duration", "30s")
    used = {}
    while process.poll() is None:
        for container in bench.containers("--filter", "status=running"):
            for pid in processes_of(container):
                with contextlib.suppress(OSError):  # it has ended
                    used.setdefault(container, set()).update(os.sched_getaffinity(pid))
        time.sleep(0.05)
    status, results, said = bench.end(process)
    assert status == 0 or disturbed(status, results), said
    assert not any("rejected" in note for note in results["notes"]), results["notes"]
    assert max(map(len, used.values())) == min(2, len(os.sched_getaffinity(0))), used


@pytest.mark.parametrize(("arguments", "words"), [
    (("--port", "8081"), ("price-api did not answer 200 at http://", ":8081/health within 5s", "listening on 8080")),
    (("--ready", "/missing"), ("it answered 503", "listening on 8080"))], ids=["port", "path"])
def test_a_service_that_does_not_become_ready_is_3_with_its_last_lines(bench, arguments, words):
    import_web_server(bench.host, "unready:v1", arguments=("--status", "503"))
    status, _, said = bench.run(*bench.duet(base="unready:v1"), *QUICK, *arguments)
    assert status == 3 and all(word in said for word in words), said
    assert not bench.containers(), "a container is left"


def test_a_service_that_ends_at_once_is_3_with_its_last_lines(bench):
    import_web_server(bench.host, "ends:v1", arguments=("--nonsense",))
    status, _, said = bench.run(*bench.duet(candidate="ends:v1"), *QUICK)
    assert status == 3 and "candidate: price-api ended with status 2" in said, said
    assert "unrecognized arguments: --nonsense" in said, said
    assert not bench.containers(), "a container is left"


@pytest.mark.parametrize("ready", [False, True], ids=["while they start", "while they are driven"])
def test_an_interrupt_takes_the_containers_along(bench, ready):
    process = bench.begin(*bench.duet(), *QUICK)
    try:
        await_true(bench.containers, "its containers")
        if ready:
            await_true(lambda: len(bench.containers("--filter", "status=running")) == 2, "both run")
            time.sleep(1)
        os.kill(child_of(process), signal.SIGINT)
        status, _, said = bench.end(process)
    finally:
        process.kill()
    assert status == 130, said
    assert not bench.containers(), f"a container is left; {said}"
