"""Who asks deploy and rollback for something, and goes away, hangs or is not alone: on a real engine."""

import contextlib
import json
import os
import pty
import signal
import subprocess
from pathlib import Path

import pytest

from deploy.site import NEEDS
from slipway.paths import REPOSITORY
from support.ssh import agent_with
from support.waiting import await_true

pytestmark = NEEDS


@contextlib.contextmanager
def begun(site, tag, *arguments, **options):
    """A deploy of TAG that goes on."""
    with subprocess.Popen(site.command("deploy", site.reference(tag), *arguments), **{
            "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, **options}) as process:
        yield process


def test_a_second_operator_is_6_told_who_works_and_may_queue(site):
    site.publish("slow", "never_ready")
    with begun(site, "slow", "--reason", "first",
               env={**os.environ, "SLIPWAY_ACTOR": "first-operator"}) as first:
        site.await_step("prove")
        second = site.deploy("v2")
        assert second.status == 6, second
        assert second.report["running"]["digest"] == site.releases[site.served()], "told also where nothing was begun"
        for word in ("first-operator", "prove", "slow"):
            assert word in second.err
        waiting = site.rollback("--resume", "--wait")
        assert waiting.status == 0, waiting
        assert first.wait(60) == 4


def test_the_work_of_a_killed_caller_is_done_and_status_follows_it(site):
    site.slow_proof("8s")
    site.publish("v5")
    with begun(site, "v5", start_new_session=True) as caller:
        site.await_step("start", "prove")
        os.killpg(caller.pid, signal.SIGKILL)
    followed = site.rollback("--status", "--wait")
    assert followed.report["running"]["tag"] == "v5" and followed.report["healthy"], followed
    assert site.rollback().status == 0 and site.served() == "v1"


def test_a_cancelled_caller_without_a_terminal_turns_the_deploy_back(site):
    site.slow_proof("8s")
    site.publish("v6")
    with begun(site, "v6", text=True, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL) as caller:
        site.await_step("start", "prove")
        os.kill(child_of(caller.pid), signal.SIGINT)
        said = caller.communicate(timeout=60)[0]
    assert caller.returncode == 130, said
    assert said.splitlines()[-1].startswith(f"running: {site.releases['v1']}"), said
    assert site.served() == "v1"


def child_of(pid: int) -> int:
    """The command itself, a child of nsenter, which hands no signal on."""
    return int(Path(f"/proc/{pid}/task/{pid}/children").read_text())


@pytest.mark.parametrize(("answer", "tag", "after"), [("l", "v5t", "v5t"), ("r", "v6t", "v1")])
def test_an_interrupt_on_a_terminal_asks_what_is_meant_and_does_that(site, answer, tag, after):
    site.slow_proof("8s")
    site.publish(tag)
    pid, terminal = pty.fork()
    if pid == 0:
        command = site.command("deploy", site.reference(tag))
        os.execvp(command[0], command)
    try:
        await_true(lambda: site.lock_holder().get("step") == "prove"
                   and tag in site.lock_holder().get("operation", ""), "at prove")
        # Not the key Ctrl-C: it would end nsenter, which stands between, as well.
        os.kill(child_of(pid), signal.SIGINT)
        shown = read_terminal(terminal, b"eave it going? ")
        os.write(terminal, answer.encode() + b"\n")
        shown += read_terminal(terminal, None)
    finally:
        os.close(terminal)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    assert status == 130, shown
    site.rollback("--status", "--wait")
    await_true(lambda: site.served() == after, f"{after} serves", 15)


def read_terminal(terminal: int, until: bytes | None) -> bytes:
    """What it shows, up to and with UNTIL, or to its end."""
    shown = b""
    while until is None or until not in shown:
        try:
            block = os.read(terminal, 4096)
        except OSError:  # the other end is closed
            block = b""
        if not block:
            assert until is None, shown
            break
        shown += block
    return shown


def test_a_hanging_holder_of_the_lock_is_ended_by_name_and_its_work_taken_back(site):
    site.publish("hanging", "hangs")
    with begun(site, "hanging") as caller:
        site.await_step("prove")
        broken = site.rollback("--resume", "--break-lock", "it-hangs")
        assert broken.status == 3 and site.served() == "v1", broken
        assert caller.wait(30) == 5
    assert "it-hangs" in (site.state / "journal").read_text()


def test_who_breaks_a_lock_writes_nothing_while_somebody_else_was_faster_to_take_it(site):
    site.publish("hanging", "hangs")
    with begun(site, "hanging") as caller:
        site.await_step("prove")
        # As the timer does: it takes the lock within 0.2 s of its end, and recovery takes longer.
        waiting = [site.begin("rollback", "--resume", "--wait") for _ in range(3)]
        broken = site.rollback("--resume", "--wait", "--break-lock", "it-hangs")
        assert broken.status in (0, 3) and site.served() == "v1", broken
        assert all(one.outcome().status in (0, 3) for one in waiting)
        assert caller.wait(30) == 5
    records = [json.loads(line.partition(" ")[2]) for line in (site.state / "journal").read_text().splitlines()]
    numbers = [record["seq"] for record in records]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert site.rollback("--history").status == 0


class Remote:
    """The wrappers and plain ssh with a key whose forced command lets it deploy, roll back and ask."""

    def __init__(self, site, env: dict):
        self.site = site
        self.env = {**env, "SLIPWAY_HOST": site.host.ip, "SLIPWAY_USER": "root",
                    "SLIPWAY_KNOWN_HOSTS": str(site.host.known_hosts)}

    def wrapper(self, script: str, *arguments: str):
        return subprocess.run([REPOSITORY / "scripts" / script, "--", *arguments], env=self.env,
                              capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)

    def ssh(self, *words: str) -> list:
        return ["ssh", "-F", "none", "-n", "-T", "-o", "BatchMode=yes", "-o",
                f"UserKnownHostsFile={self.site.host.known_hosts}", f"root@{self.site.host.ip}", *words]


@pytest.fixture
def remote(site):
    host = site.host
    host.run_inside("sh", "-c", f"cp {site.binaries}/deploy {site.binaries}/rollback /usr/local/bin/"
                    f" && mkdir -p /etc/slipway && ln -sf {site.folder}/* /etc/slipway/")
    key = site.folder / "ci_key"
    if not key.exists():
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
        command = REPOSITORY / "host" / "ssh-command"
        host.authorize(f'restrict,command="{command}" {key.with_suffix(".pub").read_text()}')
    with agent_with(key) as env:
        yield Remote(site, env)


def test_over_ssh_the_wrappers_deploy_roll_back_and_ask(site, remote):
    done = remote.wrapper("deploy.sh", f"{site.reference()}@{site.releases['v2']}", "--wait", "--timeout", "1m")
    assert done.returncode == 0 and site.served() == "v2", done
    assert done.stdout.splitlines()[-1].startswith(f"running: {site.releases['v2']}"), done
    back = remote.wrapper("rollback.sh", site.releases["v1"], "--wait")
    assert back.returncode == 0 and site.served() == "v1", back
    again = remote.wrapper("rollback.sh", site.releases["v1"])
    assert again.returncode == 0 and "nothing was changed" in again.stdout, again
    asked = json.loads(remote.wrapper("rollback.sh", "--status", "--json").stdout)
    assert asked["healthy"] and asked["running"]["digest"] == site.releases["v1"], asked


@pytest.mark.parametrize("command", [
    ("sh",), ("deploy", "--config", "/tmp/x", "a"), ("rollback;id",), ("deploy", "$(id)"),
    ("rollback", "--break-lock", "x"), ("deploy", "a", "--status")], ids=" ".join)
def test_over_ssh_anything_else_is_refused(remote, command):
    refused = subprocess.run(remote.ssh(*command), env=remote.env, capture_output=True, text=True, check=False)
    assert refused.returncode == 2 and not refused.stdout, refused


def test_an_image_that_prints_what_it_was_told_tells_it_only_to_root(site, remote):
    spaced = " ".join("marker-5f2a")
    site.publish("tells", "tells")
    image = f"{site.reference()}@{site.releases['tells']}"
    over_ssh = remote.wrapper("deploy.sh", image)
    assert over_ssh.returncode == 4, over_ssh
    history = remote.wrapper("rollback.sh", "--history", "--json").stdout
    transaction = json.loads(history)[-1]["transaction"]
    shown = remote.wrapper("rollback.sh", "--show", transaction)
    for said in (over_ssh.stdout + over_ssh.stderr, history, shown.stdout + shown.stderr):
        assert spaced not in said
    assert f"rollback --show {transaction}" in over_ssh.stderr and shown.returncode == 0, (over_ssh, shown)
    assert spaced in site.rollback("--show", transaction).out


def test_over_ssh_the_deploy_of_a_killed_session_is_done(site, remote):
    site.publish("v7")
    site.slow_proof("8s")
    with subprocess.Popen(remote.ssh("deploy", site.reference("v7")), env=remote.env,
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as session:
        site.await_step("prove")
        second = remote.wrapper("rollback.sh", "v1")
        assert second.returncode == 6 and "prove" in second.stderr, second
        session.kill()
    site.rollback("--status", "--wait")
    assert site.served() == "v7"
    assert site.rollback("v1").status == 0
