"""`slipway setup` over ssh on machines that have the smallest set of packages of their distribution and an sshd. What
needs an init system or a running engine is in setup_test, on a host of the lab."""

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from release import bare_hosts
from slipway.lab import roots
from slipway.paths import REPOSITORY
from support import needs
from support.ports import free_port

pytestmark = needs.all_of(needs.root("roots of other releases"), bare_hosts.missing())

# The network is this machine's, for the packages; processes and mounts are its own and go with it.
MACHINE = """
set -e
mkdir -p "$2/upper" "$2/work" "$2/root"
mount -t overlay overlay -o "lowerdir=$1,upperdir=$2/upper,workdir=$2/work" "$2/root"
mount -t proc proc "$2/root/proc"
mount --bind /dev "$2/root/dev"
cp /etc/resolv.conf "$2/root/etc/resolv.conf"
cp -r /etc/apt/apt.conf.d "$2/root/etc/apt/"
mkdir -p "$2/root/etc/ssl"
cp -rL /etc/ssl/certs "$2/root/etc/ssl/"
chroot "$2/root" sh -c 'apt-get update -q=2 && DEBIAN_FRONTEND=noninteractive apt-get install -q=2 -y \
  --no-install-recommends openssh-server >/dev/null && mkdir -p /run/sshd'
install -D -m 600 "$2/root_key.pub" "$2/root/root/.ssh/authorized_keys"
cp "$2/root/etc/ssh/ssh_host_ed25519_key.pub" "$2/host_key.pub"
exec chroot "$2/root" /usr/sbin/sshd -D -p "$3" -o ListenAddress=127.0.0.1
"""


class Machine:
    def __init__(self, suite: str, folder: Path):
        self.folder, self.port = folder, free_port()
        for key in ("root_key", "ci"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", key, "-f", folder / key], check=True)
        with open(folder / "log", "w") as log:
            self.process = subprocess.Popen(
                ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", MACHINE, "sh",
                 roots.cached(suite), folder, str(self.port)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
        deadline = time.monotonic() + 180
        while self.ssh("root", "root_key", "true").returncode:
            assert time.monotonic() < deadline and self.process.poll() is None, (folder / "log").read_text()[-2000:]
            time.sleep(0.5)

    def close(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def known(self) -> Path:
        file = self.folder / "known"
        with contextlib.suppress(OSError):
            file.write_text(f"[127.0.0.1]:{self.port} {(self.folder / 'host_key.pub').read_text()}")
        return file

    def ssh(self, user: str, key: str, *command: str) -> subprocess.CompletedProcess:
        return subprocess.run(["ssh", "-i", self.folder / key, "-p", str(self.port), "-o", "BatchMode=yes", "-o",
                               f"UserKnownHostsFile={self.known()}", f"{user}@127.0.0.1", *command],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)

    def setup(self, executables: Path) -> subprocess.CompletedProcess:
        return subprocess.run(
            ["bash", REPOSITORY / "scripts/setup-host", f"root@127.0.0.1:{self.port}", "--known-hosts", self.known(),
             "--key", self.folder / "ci.pub", "--image", "ghcr.io/acme/api"],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
            env={**os.environ, "SLIPWAY_SSH_KEY": str(self.folder / "root_key"),
                 "SLIPWAY_EXECUTABLES": str(executables)})


@pytest.fixture
def machine(tmp_path):
    made = Machine("trixie", tmp_path)
    yield made
    made.close()


def test_debian_13_is_made_ready_from_its_own_packages_and_twice_is_once(machine, executables, tell):
    began = time.monotonic()
    first = machine.setup(executables)
    assert first.returncode == 0, first.stdout[-3000:] + first.stderr[-3000:]
    tell(f"{time.monotonic() - began:.0f} s from nothing")
    second = machine.setup(executables)
    assert second.returncode == 0, second.stderr
    assert "ok       Docker " in second.stdout and "wrote" not in second.stdout, second.stdout
    assert machine.ssh("root", "root_key", "docker compose version").returncode == 0
    refused = machine.ssh("deploy", "ci", "cat /etc/shadow")
    assert refused.returncode == 2, refused.stderr
