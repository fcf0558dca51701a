"""packet_bench against a real Docker engine: a duet of images, and the cost of a container.

usage: container_suite.py BINARIES [NAME...]   runs all cases, or those whose name contains a NAME
Exits 77 with the reason where no engine can be had.
"""

import contextlib
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "deploy"))

# pylint: disable=wrong-import-position
from lab import (CONNECTOR_CHANGES, Engine, LabError, await_true, connector_files, discard,
                 import_image, sweep)

IMAGE = "connector-under-test:v1"
LABEL = "io.slipway.packet_bench"
# Short slices, and allowances so wide that only what is broken is worse.
QUICK = ("--rate", "500", "--slice", "100ms", "--warmup", "200ms", "--max-worse",
         "cpu=100%,rate=50%")


def unable() -> str | None:
    """Why there can be no engine on this machine, or nothing."""
    if os.geteuid() != 0:
        return "namespaces and an engine need root"
    missing = [name for name in ("dockerd", "docker", "nsenter") if shutil.which(name) is None]
    return f"not installed: {' '.join(missing)}; run scripts/setup docker" if missing else None


def expect(condition, what) -> None:
    if not condition:
        raise AssertionError(what)


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

    def tokens(self, container: str) -> list[str]:
        """Nothing, when it has gone meanwhile."""
        with contextlib.suppress(LabError):
            found = json.loads(self.engine.docker("inspect", container).stdout)[0]["Config"]["Env"]
            return [value.split("=")[1] for value in found if value.startswith("TOKEN")]
        return []


def duet(base: str = IMAGE, length: str = "3s", most: str = "20s") -> tuple[str, ...]:
    return ("duet", "--base", f"docker:{base}", "--candidate", f"docker:{IMAGE}", *QUICK,
            "--round", length, "--max-duration", most)


def processes_of(container: str) -> list[int]:
    """What runs in a container, by its number in this namespace."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if container in (folder / "cgroup").read_text():
                found.append(int(folder.name))
    return found


def same_image(bench: Bench) -> str:
    """Driven at real-time priority on one processor each, started anew, and not worse than itself."""
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
    expect(tokens and not any(token in commands.read_text() for token in tokens), "a token is told")
    expect(status == 0 or (status == 4 and results["pairsLeftOut"]), said)
    rounds = {pair["round"] for pair in results["pairs"]}
    expect(len(rounds) > 1 and len(seen) == 2 * len(rounds), (rounds, seen))
    expect((os.SCHED_FIFO, 1) in scheduling, scheduling)
    expect(not any("refused" in note for note in results["notes"]), results["notes"])
    expect("warning" not in said, said)
    identity = json.loads(bench.engine.docker("image", "inspect", IMAGE).stdout)[0]["Id"]
    expect(results["targets"]["base"] == f"docker:{IMAGE} ({identity})", results["targets"])
    for pair in results["pairs"]:
        expect(pair["base"]["cpuUsPerPacket"] > 1 and pair["candidate"]["memoryMb"] > 1, pair)
    expect(not bench.containers(), "a container is left")
    return f"{results['verdict']} after {len(results['pairs'])} pairs in {len(rounds)} rounds"


def dear_image(bench: Bench) -> str:
    """What a container's process uses more is seen."""
    status, results, said = bench.run(*duet(), "--test-extra-cpu", "400")
    expect((status == 1 and "worse: cpu" in results["reasons"][0])
           or (status == 4 and results["pairsLeftOut"]), said)
    return results["reasons"][0]


def powerless(bench: Bench) -> str:
    """What the kernel refuses to do with a container's process is said."""
    _, results, said = bench.run(*duet(most="5s"), before=("setpriv", "--bounding-set=-sys_nice"))
    expect(results["notes"] == ["the kernel refused the connectors real-time priority and to change "
                                "processors: run packet_bench as root, or with CAP_SYS_NICE"], said)
    return "both refused, and said"


def ended_by(bench: Bench, number: int, ready) -> int:
    process = bench.begin(*duet())
    try:
        await_true(ready, "its containers")
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        os.kill(int(children[0]), number)  # nsenter hands no signal on
        status, _, said = bench.end(process)
    finally:
        process.kill()
    if number == signal.SIGKILL:  # docker hears of it, and removes them
        await_true(lambda: not bench.containers(), "no container", 10)
    expect(not bench.containers(), f"a container is left; {said}")
    return status


def interrupted(bench: Bench) -> str:
    """Whichever way it ends, it takes its containers along."""
    both_run = lambda: len(bench.containers("--filter", "status=running")) == 2
    for number, ready in ((signal.SIGINT, bench.containers), (signal.SIGTERM, both_run)):
        expect(ended_by(bench, number, ready) == 130, number)
    ended_by(bench, signal.SIGKILL, both_run)
    return "SIGINT and SIGTERM: 130, none left; SIGKILL: none left"


def refused(bench: Bench) -> str:
    for arguments, env, words in (
            (duet("no-such-image:v0"), {}, "no image no-such-image:v0 here"),
            (duet(), {"DOCKER_HOST": "unix:///nowhere.sock"}, "start the Docker engine")):
        status, _, said = bench.run(*arguments, **env)
        expect(status == 3 and words in said, (status, said))
    import_image(bench.engine, "ends:v1", {"x": Path(__file__)}, ['ENTRYPOINT ["/x"]'])
    status, _, said = bench.run(*duet("ends:v1"))
    expect(status == 3 and "base: the connector ended" in said, (status, said))
    expect(not bench.containers(), "a container is left")
    return said.strip()


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


def cost_of_container(bench: Bench) -> str:
    """run --container: the CPU time of its control group, and the memory that `docker stats` shows,
    which is without the files that were written."""
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
        events = lambda: [json.loads(line) for line in
                          bench.engine.docker("logs", container).stdout.splitlines()]
        listening = lambda: [event for event in events() if event.get("event") == "listening"]
        await_true(listening, "a connector that listens")
        url = "btp+ws://:{}-" + token + f"@127.0.0.1:{listening()[0]['btpPort']}/"
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
    expect(status in (0, 4), said)
    cost = results["details"]["targetCost"]
    expect(cost["source"] == f"control group of {container}", cost)
    # Connecting and closing is in the one, and not in the other.
    expect(0.5 * used < cost["cpuPercent"] / 100 * 2 < 1.05 * used, (cost, used))
    expect(abs(cost["memoryMb"] - float(shown)) < 0.25 * float(shown), (cost, shown))
    return f"{cost['cpuPercent'] * 2 / 100:.2f} of {used:.2f} s, {cost['memoryMb']:.1f} of {shown} MiB"


CASES = (same_image, dear_image, powerless, interrupted, refused, cost_of_container)


def main() -> int:
    if reason := unable():
        print(f"container suite: cannot run here: {reason}")
        return 77
    sweep("bench-suite")
    chosen = [case for case in CASES
              if any(name in case.__name__ for name in sys.argv[2:])] or CASES
    failed = 0
    engine = Engine(f"bench-suite-{os.getpid()}", keep_data=False)
    try:
        with engine, tempfile.TemporaryDirectory() as folder:
            bench = Bench(engine, Path(sys.argv[1]), Path(folder))
            for case in chosen:
                began = time.monotonic()
                try:
                    said, verdict = case(bench), "ok"
                except (AssertionError, LabError, OSError, KeyError, subprocess.SubprocessError) as error:
                    said, verdict, failed = error, "FAILED", failed + 1
                print(f"{verdict:6} {case.__name__:20} {time.monotonic() - began:6.1f} s  {said}",
                      flush=True)
    finally:
        discard(engine)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
