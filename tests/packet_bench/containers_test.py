"""packet_bench against a real Docker engine: a duet of images, and the cost of a container."""

import contextlib
import json
import os
import secrets
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from slipway.lab import Engine, LabError
from support import needs
from support.engines import CONNECTOR_CHANGES, connector_files, discard, import_image, processes_of, sweep
from support.waiting import await_true

pytestmark = needs.all_of(needs.root("namespaces and an engine"),
                          needs.programs("docker", "dockerd", "docker", "nsenter"))

IMAGE = "connector-under-test:v1"
LABEL = "io.slipway.packet_bench"
# Short slices, and allowances so wide that only what is broken is worse.
QUICK = ("--rate", "500", "--slice", "100ms", "--warmup", "200ms", "--max-worse",
         "cpu=100%,rate=50%")


class Bench:
    """An engine with the connector's image, and packet_bench beside it: process numbers are those
    of the engine's namespace."""

    def __init__(self, engine: Engine, binaries: Path, folder: Path):
        self.engine, self.binaries, self.folder = engine, binaries.resolve(), folder
        import_image(engine, IMAGE, connector_files(self.binaries / "connector"), CONNECTOR_CHANGES)

    def begin(self, *arguments: str, before: tuple[str, ...] = (), **env: str) -> subprocess.Popen:
        output = self.folder / "results.json"
        output.unlink(missing_ok=True)
        command, *rest = arguments
        return subprocess.Popen(
            self.engine.inside(*before, str(self.binaries / "packet_bench"), command, "--output",
                               str(output), *rest),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={**self.engine.env, **env})

    def end(self, process: subprocess.Popen) -> tuple[int, dict, str]:
        out, err = process.communicate(timeout=60)
        output = self.folder / "results.json"
        return (process.returncode, json.loads(output.read_text()) if output.exists() else {},
                out + err)

    def run(self, *arguments: str, **more) -> tuple[int, dict, str]:
        return self.end(self.begin(*arguments, **more))

    def containers(self, *status: str) -> list[str]:
        return self.engine.docker("ps", "--all", "--quiet", "--no-trunc", "--filter", f"label={LABEL}",
                                  *status).stdout.split()

    def port_of(self, container: str) -> int:
        """Where the connector in it listens for BTP, as soon as it does."""
        def listening() -> list:
            events = map(json.loads, self.engine.docker("logs", container).stdout.splitlines())
            return [event for event in events if event.get("event") == "listening"]

        await_true(listening, "a connector that listens")
        return listening()[0]["btpPort"]

    def tokens(self, container: str) -> list[str]:
        """Nothing, when it has gone meanwhile."""
        with contextlib.suppress(LabError):
            found = json.loads(self.engine.docker("inspect", container).stdout)[0]["Config"]["Env"]
            return [value.split("=")[1] for value in found if value.startswith("TOKEN")]
        return []


def duet(base: str = IMAGE, length: str = "3s", most: str = "20s") -> tuple[str, ...]:
    return ("duet", "--base", f"docker:{base}", "--candidate", f"docker:{IMAGE}", *QUICK,
            "--round", length, "--max-duration", most)


@pytest.fixture(scope="module")
def engine():
    sweep("bench-suite")
    engine = Engine(f"bench-suite-{os.getpid()}", keep_data=False)
    try:
        with engine:
            yield engine
    finally:
        discard(engine)


@pytest.fixture
def bench(engine, executables, tmp_path):
    bench = Bench(engine, executables, tmp_path)
    yield bench
    for container in bench.containers():
        engine.docker("rm", "--force", container)


def test_a_duet_of_one_image_runs_at_real_time_priority_anew_each_round_and_is_no_worse(bench, tell):
    commands = bench.folder / "commands"
    recorder = bench.folder / "docker"
    recorder.write_text(f"#!/bin/sh\necho \"$@\" >>{commands}\nexec {shutil.which('docker')} \"$@\"\n")
    recorder.chmod(0o700)
    process = bench.begin(*duet(length="1s"), PATH=f"{bench.folder}:{os.environ['PATH']}")
    seen, scheduling, tokens = set(), set(), set()
    while process.poll() is None:
        for container in bench.containers():
            if container not in seen:
                tokens.update(bench.tokens(container))
            seen.add(container)
            for pid in processes_of(container):
                with contextlib.suppress(OSError):  # it has ended
                    scheduling.add((os.sched_getscheduler(pid), len(os.sched_getaffinity(pid))))
        time.sleep(0.05)
    status, results, said = bench.end(process)
    assert tokens and not any(token in commands.read_text() for token in tokens), "a token is told"
    assert status == 0 or (status == 4 and results["pairsLeftOut"]), said
    rounds = {pair["round"] for pair in results["pairs"]}
    assert len(rounds) > 1 and len(seen) == 2 * len(rounds), (rounds, seen)
    assert (os.SCHED_FIFO, 1) in scheduling, scheduling
    assert not any("refused" in note for note in results["notes"]), results["notes"]
    assert "warning" not in said, said
    identity = json.loads(bench.engine.docker("image", "inspect", IMAGE).stdout)[0]["Id"]
    assert results["targets"]["base"] == f"docker:{IMAGE} ({identity})", results["targets"]
    for pair in results["pairs"]:
        assert pair["base"]["cpuUsPerPacket"] > 1 and pair["candidate"]["memoryMb"] > 1, pair
    assert not bench.containers(), "a container is left"
    tell(f"{results['verdict']} after {len(results['pairs'])} pairs in {len(rounds)} rounds")


def test_what_a_container_s_process_uses_more_is_seen(bench, tell):
    status, results, said = bench.run(*duet(), "--test-extra-cpu", "400")
    assert ((status == 1 and "worse: cpu" in results["reasons"][0])
            or (status == 4 and results["pairsLeftOut"])), said
    tell(results["reasons"][0])


def test_what_the_kernel_refuses_to_do_with_a_container_s_process_is_said(bench):
    _, results, said = bench.run(*duet(most="5s"), before=("setpriv", "--bounding-set=-sys_nice"))
    assert results["notes"] == ["the kernel refused the connectors real-time priority and to change "
                                "processors: run packet_bench as root, or with CAP_SYS_NICE"], said


def ended_by(bench: Bench, number: int, ready) -> int:
    process = bench.begin(*duet())
    try:
        await_true(ready, "its containers")
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        os.kill(int(children[0]), number)  # nsenter hands no signal on
        status, _, said = bench.end(process)
    finally:
        process.kill()
    if number == signal.SIGKILL:  # what outlives it removes them
        await_true(lambda: not bench.containers(), "no container")
    assert not bench.containers(), f"a container is left; {said}"
    return status


def both_run(bench) -> bool:
    return len(bench.containers("--filter", "status=running")) == 2


def both_are_deaf(bench) -> bool:
    """Stopped, as a service is that ignores SIGTERM, or has no handler for it yet."""
    if not both_run(bench):
        return False
    for container in bench.containers():
        for pid in processes_of(container):
            os.kill(pid, signal.SIGSTOP)
    return True


@pytest.mark.parametrize(("number", "ready", "status"), [
    (signal.SIGINT, Bench.containers, 130), (signal.SIGTERM, both_run, 130), (signal.SIGKILL, Bench.containers, None),
    (signal.SIGKILL, both_are_deaf, None)], ids=["SIGINT", "SIGTERM", "SIGKILL", "SIGKILL beside deaf ones"])
def test_whichever_way_it_ends_it_takes_its_containers_along(bench, number, ready, status):
    ended = ended_by(bench, number, lambda: ready(bench))
    assert status is None or ended == status


@pytest.mark.parametrize(("arguments", "env", "words"), [
    (duet("no-such-image:v0"), {}, "no image no-such-image:v0 here"),
    (duet(), {"DOCKER_HOST": "unix:///nowhere.sock"}, "start the Docker engine")], ids=["no image", "no engine"])
def test_what_is_not_there_is_3_with_the_remedy(bench, arguments, env, words):
    status, _, said = bench.run(*arguments, **env)
    assert status == 3 and words in said, said


def test_an_image_whose_process_ends_is_3_and_leaves_no_container(bench):
    import_image(bench.engine, "ends:v1", {"x": Path(__file__)}, ['ENTRYPOINT ["/x"]'])
    status, _, said = bench.run(*duet("ends:v1"))
    assert status == 3 and "base: the connector ended" in said, said
    assert not bench.containers()


def control_group(pid: int, controller: str) -> Path:
    for line in Path(f"/proc/{pid}/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if controller in controllers.split(","):
            return Path("/sys/fs/cgroup") / controller / path[1:]
    return Path("/sys/fs/cgroup") / path[1:]  # version 2: the last line


def cpu_seconds(group: Path) -> float:
    if (group / "cpuacct.usage").exists():
        return int((group / "cpuacct.usage").read_text()) / 1e9
    return int((group / "cpu.stat").read_text().split()[1]) / 1e6


def test_the_cost_of_a_container_is_its_control_group_s_cpu_and_the_memory_of_docker_stats(bench, tell):
    """That memory is without the files that were written."""
    token = secrets.token_hex(8)
    account = {"relation": "child", "asset": {"code": "USD", "scale": 9}}
    config = {"address": "test.here", "btp": {"host": "127.0.0.1", "port": 0},
              "http": {"host": "127.0.0.1", "port": 0},
              "accounts": [{**account, "id": name, "token": f"{name}-{token}"}
                           for name in ("alice", "bob")],
              "routes": [{"prefix": "test.here.bob", "account": "bob"}]}
    container = bench.engine.docker(
        "run", "--detach", "--rm", "--network", "host", "--env", "CONNECTOR_CONFIG_JSON", IMAGE,
        env={**bench.engine.env, "CONNECTOR_CONFIG_JSON": json.dumps(config)}).stdout.strip()
    try:
        url = "btp+ws://:{}-" + token + f"@127.0.0.1:{bench.port_of(container)}/"
        pid = processes_of(container)[0]
        memory = control_group(pid, "memory")

        def join_container():
            (memory / "cgroup.procs").write_text(str(os.getpid()))

        subprocess.run(["dd", "if=/dev/zero", f"of={bench.folder / 'file'}", "bs=1M", "count=64"],
                       check=True, capture_output=True, preexec_fn=join_container)
        before = cpu_seconds(control_group(pid, "cpuacct"))
        status, results, said = bench.run(
            "run", "--target", url.format("alice"), "--destination", "test.here.bob", "--receiver",
            url.format("bob"), "--container", container, "--rate", "2000", "--duration", "2s",
            "--warmup", "0s", "--threshold-tps", "1000")
        used = cpu_seconds(control_group(pid, "cpuacct")) - before
        shown = bench.engine.docker("stats", "--no-stream", "--format", "{{.MemUsage}}",
                                    container).stdout.split("MiB")[0]
    finally:
        bench.engine.docker("rm", "--force", container)
    assert status in (0, 4), said
    cost = results["details"]["targetCost"]
    assert cost["source"] == f"control group of {container}", cost
    # Connecting and closing is in the one, and not in the other.
    assert 0.5 * used < cost["cpuPercent"] / 100 * 2 < 1.05 * used, (cost, used)
    assert abs(cost["memoryMb"] - float(shown)) < 0.25 * float(shown), (cost, shown)
    tell(f"{cost['cpuPercent'] * 2 / 100:.2f} of {used:.2f} s, {cost['memoryMb']:.1f} of {shown} MiB")
