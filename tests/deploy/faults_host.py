"""Faults of the host, the engine, HAProxy, the state and the people: 7 to 14, 22, 23, 28."""

import os
import re
import shutil
import signal
import socket
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from deploy.fault import expect, fault
from deploy.site import Site
from slipway.paths import REPOSITORY
from support.waiting import await_true


def engine_restarts(site: Site, step: str):
    """dockerd is killed while a deploy is at STEP, and is back two seconds later."""
    site.slow_proof()
    site.make_cold()
    running = site.begin("deploy", site.reference("v2"))
    site.await_step(step)
    site.host.kill_engine()
    time.sleep(2)
    site.host.start_engine()
    return running.outcome()


@fault(7, "dockerd killed while the candidate is proven, back after 2 s", 0, "v2")
def engine_restarts_at_prove(site):
    return engine_restarts(site, "prove")


@fault(7, "dockerd killed while compose starts the candidate, back after 2 s", 0, "v2")
def engine_restarts_at_start(site):
    return engine_restarts(site, "start")


@fault(7, "dockerd killed and not back", 3)
def engine_gone(site):
    site.host.kill_engine()
    try:
        return site.rollback("v2")
    finally:
        site.host.start_engine()


class Forgetful(threading.Thread):
    """The engine's socket, except that the reply to the first request that matches is lost."""

    def __init__(self, listen: Path, engine: Path, pattern: bytes):
        super().__init__(daemon=True)
        self.engine, self.pattern = str(engine), re.compile(pattern)
        self.lost = 0
        self.server = socket.socket(socket.AF_UNIX)
        self.server.bind(str(listen))
        self.server.listen(64)

    def run(self):
        while True:
            try:
                client, _ = self.server.accept()
            except OSError:
                return
            engine = socket.socket(socket.AF_UNIX)
            engine.connect(self.engine)
            threading.Thread(target=self.forward, args=(client, engine), daemon=True).start()

    def forward(self, client, engine):
        forget = threading.Event()
        back = threading.Thread(target=self.back, args=(client, engine, forget), daemon=True)
        back.start()
        with suppress(OSError):
            while block := client.recv(65536):
                if not self.lost and self.pattern.search(block):
                    self.lost += 1
                    forget.set()
                engine.sendall(block)
            engine.shutdown(socket.SHUT_WR)

    @staticmethod
    def back(client, engine, forget):
        try:
            while block := engine.recv(65536):
                if forget.is_set():
                    break
                client.sendall(block)
        except OSError:
            pass
        # Shut down, not only closed: the other thread still holds them.
        for end in (client, engine):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


@contextmanager
def forgetful_engine(site: Site, pattern: bytes):
    path = site.host.home / "f.sock"
    path.unlink(missing_ok=True)
    proxy = Forgetful(path, site.host.socket, pattern)
    proxy.start()
    site.configure(dockerSocket=str(path))
    try:
        yield
    finally:
        proxy.server.close()
    expect(proxy.lost == 1, "one reply must have been lost")


@fault(8, "reply lost after the container was started", 0, "v2")
def start_reply_lost(site):
    site.make_cold()
    with forgetful_engine(site, rb"POST /v[\d.]+/containers/[0-9a-f]+/start"):
        return site.deploy("v2")


@fault(8, "reply lost after the image was held", 0, "h1")
def hold_reply_lost(site):
    site.publish("h1")
    with forgetful_engine(site, rb"POST /v[\d.]+/containers/create\?name=slipway-held"):
        return site.deploy("h1")


def kill_worker(site: Site, number: int = signal.SIGKILL) -> None:
    """The detached worker; its number is that inside the host."""
    site.host.run_inside("kill", f"-{int(number)}", str(site.lock_holder()["pid"]))


@fault(9, "worker SIGKILLed at prove, then rollback --resume", 3)
def killed_deploy(site):
    site.slow_proof()
    site.make_cold()
    running = site.begin("deploy", site.reference("v2"))
    site.await_step("prove")
    kill_worker(site)
    expect(running.outcome().status == 5, "the caller must be told")
    return site.rollback("--resume")


@fault(9, "SIGKILL after the flip of a rollback, then rollback --resume", 0)
def killed_rollback(site):
    site.deploy("v2")
    names = site.failpoints_of(lambda env: site.rollback("v1", env=env))
    site.deploy("v2")
    point = str(names.index("flip:map:after") + 1)
    expect(site.rollback("v1", env={"SLIPWAY_FAILPOINT": point}).status == 5, "killed")
    return site.rollback("--resume")


@fault(10, "SIGKILL in every resume until attempts are used up", 5)
def killed_again_and_again(site):
    site.slow_proof()
    site.make_cold()
    running = site.begin("deploy", site.reference("v2"))
    site.await_step("prove")
    kill_worker(site)
    running.outcome()
    for _ in range(3):
        expect(site.rollback("--resume", env={"SLIPWAY_FAILPOINT": "3"}).status == 5, "killed")
    outcome = site.rollback("--resume")
    expect(site.rollback("--resume").status == 0, "nothing is left to resume")
    return outcome


@fault(11, "CI cancels: SIGINT, SIGTERM 7.5 s later, then SIGKILL", 130)
def cancelled(site):
    site.slow_proof()
    site.make_cold()
    running = site.begin("deploy", site.reference("v2"))
    site.await_step("prove")
    inner = running.inner_pid()
    os.kill(inner, signal.SIGINT)
    deadline = time.monotonic() + 7.5
    while running.process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    for number in (signal.SIGTERM, signal.SIGKILL):
        if running.process.poll() is None:
            os.kill(inner, number)
    return running.outcome()


@fault(11, "the whole session SIGKILLed: the work goes on", 0, "v2")
def hung_up(site):
    site.slow_proof()
    site.make_cold()
    running = site.begin("deploy", site.reference("v2"))
    site.await_step("prove")
    os.killpg(running.process.pid, signal.SIGKILL)
    running.process.communicate()
    return site.rollback("--status", "--wait")


def boot_unit(site: Site):
    """What systemd runs after a boot, as the unit says it."""
    unit = (REPOSITORY / "host" / "slipway-resume.service").read_text()
    program, *arguments = re.search(r"^ExecStart=(.*)$", unit, re.M).group(1).split()
    outcome = site.run(Path(program).name, *arguments)
    good = re.search(r"^SuccessExitStatus=(.*)$", unit, re.M).group(1).split()
    expect(outcome.status == 0 or str(outcome.status) in good, outcome)
    return outcome


@fault(12, "power cut while the candidate is proven; boot unit", 3, interrupts=True)
def power_cut(site):
    site.slow_proof()
    site.make_cold()
    running = site.begin("deploy", site.reference("v2"))
    site.await_step("prove")
    site.host.reboot(power_cut=True)
    running.outcome()
    return boot_unit(site)


@fault(12, "reboot with nothing going on; boot unit", 0, interrupts=True)
def reboot(site):
    site.host.reboot()
    outcome = boot_unit(site)
    status = site.rollback("--status").report
    expect((status["running"]["role"], status["healthy"]) == ("active", True), status)
    return outcome


@fault(12, "the serving container crashes: the engine restarts it, the timer promotes it", 0,
       interrupts=True)
def crash(site):
    colour = site.running_colour()
    pid = site.host.docker("inspect", "-f", "{{.State.Pid}}", f"slipway-{colour}").stdout.strip()
    site.host.run_inside("kill", "-KILL", pid)
    await_true(lambda: site.served() == "v1", "restarted")
    outcome = boot_unit(site)
    await_true(lambda: site.rollback("--status").report["running"]["role"] == "active", "promoted")
    return outcome


@fault(13, "a second operator while one is at work", 6, "v2")
def two_operators(site):
    site.slow_proof()
    site.make_cold()
    first = site.begin("deploy", site.reference("v2"), env={"SLIPWAY_ACTOR": "first-operator"})
    site.await_step("prove")
    second = site.rollback("v1", env={"SLIPWAY_ACTOR": "second-operator"})
    for word in ("first-operator", "prove", "v2"):
        expect(word in second.err, second)
    expect(first.outcome().status == 0, "the first")
    return second


@fault(14, "the holder of the lock hangs (SIGSTOP): --break-lock", 3)
def stopped_holder(site):
    site.slow_proof()
    site.make_cold()
    running = site.begin("deploy", site.reference("v2"))
    site.await_step("prove")
    kill_worker(site, signal.SIGSTOP)
    expect(site.rollback("v1").status == 6, "locked")
    broken = site.rollback("--resume", "--break-lock", "it-hangs")
    running.outcome()
    expect("it-hangs" in (site.state_seen / "journal").read_text(), "an audit record")
    return broken


@fault(22, "a byte of the journal flipped: rebuilt from labels", 0, "v2")
def flipped_byte(site):
    site.damage_journal()
    outcome = site.rollback("v2")
    expect(list(site.state.glob("journal.damaged-*")), "set aside")
    return outcome


@fault(22, "the journal's last record torn", 0, "v2")
def torn_journal(site):
    with open(site.state / "journal", "r+b") as journal:
        journal.truncate((site.state / "journal").stat().st_size - 20)
    return site.rollback("v2")


@fault(22, "journal damaged and HAProxy's map names no colour", 8, interrupts=True)
def ambiguous(site):
    site.damage_journal()
    before = site.containers()
    site.set_map("purple")
    outcome = site.rollback("v2")
    expect(site.containers() == before, "nothing may be touched")
    for colour in ("blue", "green"):
        site.set_map(colour)
        if site.served() == "v1":
            break
    return outcome


def clock_jumps(site: Site, jump: str):
    """The tool's wall clock jumps while the candidate is proven; the kernel's is everybody's."""
    library = next(iter(Path("/usr/lib").glob("*/faketime/libfaketime.so.1")), None)
    if library is None or shutil.which("faketime") is None:
        pytest.skip("not installed: faketime; run scripts/setup test")
    site.slow_proof()
    site.make_cold()
    clock = site.state / "clock"
    clock.write_text("+0")
    running = site.begin("deploy", site.reference("v2"), env={
        "LD_PRELOAD": str(library), "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1"})
    site.await_step("prove")
    clock.write_text(jump)
    return running.outcome()


@fault(23, "clock set back two days while the candidate is proven", 0, "v2")
def clock_back(site):
    return clock_jumps(site, "-2d")


@fault(23, "clock set forward two days while the candidate is proven", 0, "v2")
def clock_forward(site):
    return clock_jumps(site, "+2d")


def haproxy_pid(site: Site) -> int:
    """Its worker, as the host numbers processes."""
    master = int(site.host.docker("inspect", "-f", "{{.State.Pid}}", "slipway-haproxy").stdout)
    return int(site.host.run_inside("cat", f"/proc/{master}/task/{master}/children").stdout.split()[0])


def at_the_flip(site: Site, then) -> object:
    """HAProxy is stopped just before the flip, so that it hangs in it; then THEN happens."""
    site.make_cold()
    site.publish("slow", "slow_promote")
    running = site.begin("deploy", site.reference("slow"))
    site.await_step("promote")
    worker = haproxy_pid(site)
    site.host.run_inside("kill", "-STOP", str(worker))
    site.await_step("flip")
    time.sleep(0.3)
    then(worker)
    return running.outcome()


@fault(28, "HAProxy SIGKILLed in mid-flip, restarted by the engine", 0, "slow", interrupts=True)
def haproxy_killed(site):
    return at_the_flip(site, lambda pid: site.host.run_inside("kill", "-KILL", str(pid)))


@fault(28, "HAProxy hangs in mid-flip for 2 s", 0, "slow", interrupts=True)
def haproxy_hangs(site):
    def resume(pid):
        time.sleep(2)
        site.host.run_inside("kill", "-CONT", str(pid))
    return at_the_flip(site, resume)


@fault(28, "HAProxy killed before the deploy, no restart", 0, "v2", interrupts=True)
def haproxy_down(site):
    site.host.docker("rm", "-f", "slipway-haproxy")
    return site.deploy("v2")
