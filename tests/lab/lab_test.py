"""The lab leaves nothing behind, however its owner ends, and a host is a place of its own."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lab.lab_owner import everything
from slipway.lab import AlreadyRunning, Host, LabError, Registry
from support import needs

pytestmark = needs.all_of(
    needs.root("namespaces"), needs.programs("docker", "dockerd", "docker-registry", "sshd", "nsenter", "ip"))

OWNER = Path(__file__).with_name("lab_owner.py")
# Two checkouts can be tested at once.
NAME = f"lab-test-{os.getpid()}"
DEADLINE_S = 60  # by far more than it takes, for a machine that is busy


def output(*argv: str) -> str:
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout


def processes(part: str) -> list[str]:
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if part in command and "lab_owner.py" not in command:
            found.append(command)
    return found


def traces(name: str) -> list[str]:
    """What is left on the machine of the capsules named NAME."""
    engine, registry, host = everything(name)
    left = []
    for thing in (engine, registry, host):
        left += processes(str(thing.home))
        left += map(str, Path("/sys/fs/cgroup").glob(f"*/{thing.cgroup}"))
        left += [line for line in Path("/proc/mounts").read_text().splitlines()
                 if str(thing.home) in line]
        left += [str(thing.run_dir)] if thing.run_dir.exists() else []
    network = output("ip", "-oneline", "address") + output("ip", "route")
    left += [what for what in (f"{registry.ip}/", f"{host.network}/", host.link)
             if what in network]
    return left


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda number: number.name)
def test_the_end_of_the_owner_leaves_nothing(number):
    name = f"{NAME}-{int(number)}"
    owner = subprocess.Popen([sys.executable, OWNER, name], stdout=subprocess.PIPE, text=True, stderr=subprocess.PIPE)
    try:
        with owner.stdout:
            up = owner.stdout.readline()
        assert up == "up\n", up or owner.stderr.read()
        assert traces(name), "nothing is seen of capsules that run"
        owner.send_signal(number)
        owner.wait(timeout=DEADLINE_S)
        deadline = time.monotonic() + DEADLINE_S
        while traces(name) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert traces(name) == []
    finally:
        owner.kill()
        owner.stderr.close()
        for thing in everything(name):
            thing.stop()
            shutil.rmtree(thing.home, ignore_errors=True)


@pytest.fixture
def kept():
    """kept(CAPSULE): its folder goes with the test."""
    homes = []
    yield lambda capsule: homes.append(capsule.home) or capsule
    for home in homes:
        shutil.rmtree(home, ignore_errors=True)


def test_a_host_keeps_its_files_to_itself_and_over_a_power_cut(kept):
    host = kept(Host(NAME))
    with host:
        subprocess.run(host.ssh("echo here > /opt/of-the-host; hostname"), check=True, stdout=subprocess.DEVNULL)
        assert not Path("/opt/of-the-host").exists()
        host.reboot(power_cut=True)
        assert output(*host.ssh("cat /opt/of-the-host")) == "here\n"
        with pytest.raises(AlreadyRunning):
            Host(NAME).start(wait_s=0)
    assert traces(NAME) == []


class Gone(Registry):
    """Its service ends at once, and it does not look at the port."""

    def services(self):
        return {"registry": {"argv": ["sleep", "0.2"]}}

    def prepare(self):
        (self.home / "config.yml").write_text("")

    def undo(self):
        return []

    def await_ready(self):
        time.sleep(0.5)
        self.await_service("registry", lambda: True, 20)


@pytest.mark.parametrize(("kind", "words"), [(Registry, "is taken by somebody else"), (Gone, "exited at once")])
def test_a_strangers_server_is_not_taken_for_ones_own(kept, kind, words):
    with socket.create_server(("0.0.0.0", 0)) as stranger:
        registry = kept(kind(f"{NAME}-stranger", port=stranger.getsockname()[1]))
        with pytest.raises(LabError, match=words):
            registry.start()
    assert traces(registry.name) == []


class Broken(Registry):
    def services(self):
        return {"registry": {"argv": ["sh", "-c", "echo no such luck; exit 3"]}}


def test_a_service_that_cannot_start_is_told_with_its_last_words(kept):
    registry = kept(Broken(f"{NAME}-broken"))
    with pytest.raises(LabError, match="no such luck"):
        registry.start()
    assert traces(registry.name) == []
