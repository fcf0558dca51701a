"""The lab leaves nothing behind, however its owner ends, and a host is a place of its own."""

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest

from lab.ending import ENDS, owner_ends
from lab.traces import output, traces
from slipway.lab import AlreadyRunning, Host, LabError, Registry
from support import needs

pytestmark = needs.all_of(
    needs.root("namespaces"), needs.programs("docker", "dockerd", "docker-registry", "sshd", "nsenter", "ip"))

# Two checkouts can be tested at once.
NAME = f"lab-test-{os.getpid()}"


@pytest.mark.parametrize("number", ENDS, ids=lambda number: number.name)
def test_the_end_of_the_owner_leaves_nothing(number):
    owner_ends(number, f"{NAME}-{int(number)}", "engine", "registry", "host")


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
    assert traces(host) == []


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
    assert traces(registry) == []


class Broken(Registry):
    def services(self):
        return {"registry": {"argv": ["sh", "-c", "echo no such luck; exit 3"]}}


def test_a_service_that_cannot_start_is_told_with_its_last_words(kept):
    registry = kept(Broken(f"{NAME}-broken"))
    with pytest.raises(LabError, match="no such luck"):
        registry.start()
    assert traces(registry) == []
