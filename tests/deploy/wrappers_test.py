"""scripts/rollback.sh over an sshd of this test's own: what it says, and its exit status, when ssh gets
in, is refused, finds another host, finds none, and is cut off."""

import getpass
import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from slipway.paths import REPOSITORY
from support import needs
from support.ports import free_port
from support.ssh import agent_with

SCRIPT = REPOSITORY / "scripts" / "rollback.sh"
pytestmark = needs.all_of(needs.programs("test", "sshd", "ssh", "ssh-agent"))

# What sshd runs instead of `rollback`: ends with 4, or takes the connection away.
FORCED = """#!/bin/sh
case $SSH_ORIGINAL_COMMAND in
*cut*) kill -9 $PPID; sleep 5 ;;
*) echo "$SSH_ORIGINAL_COMMAND"; exit 4 ;;
esac
"""


class Server:
    def __init__(self, folder: Path):
        self.folder = folder
        self.port = free_port()

    def __enter__(self):
        for name in ("host", "strange_host", "user", "strange_user"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.folder / name], check=True)
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(exist_ok=True)
        command = self.folder / "forced"
        command.write_text(FORCED)
        command.chmod(0o755)
        (self.folder / "authorized").write_text(
            f'restrict,command="{command}" {(self.folder / "user.pub").read_text()}')
        log = self.folder / "sshd.log"
        with open(log, "w", encoding="utf-8") as output:
            self.process = subprocess.Popen(
                [shutil.which("sshd", path=needs.SEARCHED), "-D", "-e", "-f", "/dev/null", "-p", str(self.port),
                 "-h", self.folder / "host", "-o", "ListenAddress=127.0.0.1", "-o", "PidFile=none", "-o",
                 "StrictModes=no", "-o", f"AuthorizedKeysFile={self.folder / 'authorized'}", "-o", "UsePAM=no"],
                stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        deadline = time.monotonic() + 20
        while "listening" not in log.read_text():
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.02)
        return self

    def __exit__(self, *_exc):
        self.process.terminate()
        self.process.wait()

    def run(self, *words, host_key="host", user_key="user", port=None):
        port = port or self.port
        known = self.folder / "known_hosts"
        known.write_text(f"[127.0.0.1]:{port} {(self.folder / host_key).with_suffix('.pub').read_text()}")
        with agent_with(self.folder / user_key) as env:
            return subprocess.run(
                [SCRIPT, "--host", "127.0.0.1", "--port", str(port), "--user", getpass.getuser(),
                 "--known-hosts", known, "--", *words], env={**env, "HOME": str(self.folder)},
                capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with Server(tmp_path_factory.mktemp("sshd")) as running:
        yield running


def test_the_status_is_that_of_the_command_there(server):
    done = server.run("v1", "--json")
    assert (done.returncode, done.stdout) == (4, "rollback v1 --json\n"), done


@pytest.mark.parametrize(("words", "given", "status", "said"), [
    pytest.param(["v1"], {"host_key": "strange_host"}, 2,
                 ["host key that is not in", "known_hosts", "ssh-keyscan", "nothing began there"],
                 id="another host key is named, with what to compare"),
    pytest.param(["v1"], {"user_key": "strange_user"}, 2,
                 ["ssh-add", f"let {getpass.getuser()} in", "nothing began there"],
                 id="a refused key is named, with the user that refused it"),
    pytest.param(["cut"], {}, 255, ["was lost", "goes on"],
                 id="after a connection that was lost the work goes on"),
])
def test_when_ssh_does_not_hold(server, words, given, status, said):
    done = server.run(*words, **given)
    assert done.returncode == status, done
    for word in said:
        assert word in done.stderr


def test_a_host_that_does_not_answer_was_not_reached(server):
    done = server.run("v1", port=free_port())
    assert done.returncode == 255, done
    assert "was not reached" in done.stderr and "nothing began there" in done.stderr
