"""A host of our own: an address, an engine, an sshd and files, all apart from this machine's.

It is a capsule with a network of its own at the far end of a veth pair. Its root file system is
this machine's, except that /run is empty and that what is written to the folders in PRIVATE stays
in the host. So `docker`, `/etc/slipway` or `/opt/slipway` mean the host's own inside, and two hosts
do not meet; /tmp and the rest are shared. There is no route to the internet; the lab's registries
are reached.
"""

import shutil
import signal
import subprocess
from collections.abc import Iterable
from pathlib import Path

from .capsule import run
from .engine import Engine

PRIVATE = ("/etc", "/home", "/opt", "/srv", "/usr/local", "/var/lib", "/var/log")

SSHD_CONFIG = """\
ListenAddress {ip}
HostKey {keys}/host_key
AuthorizedKeysFile {keys}/authorized_keys .ssh/authorized_keys
PidFile none
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
PermitUserEnvironment no
Subsystem sftp internal-sftp
"""


def private_folders(folders: Iterable[str], tree: Path) -> list[str]:
    """The commands that make what is written to FOLDERS stay below TREE, in the mounts of whoever runs them."""
    commands = []
    for folder in filter(lambda folder: Path(folder).is_dir(), folders):
        upper, work = (tree / part / folder[1:] for part in ("upper", "work"))
        upper.mkdir(parents=True, exist_ok=True)
        work.mkdir(parents=True, exist_ok=True)
        commands.append(f"mount -t overlay overlay -o lowerdir={folder},upperdir={upper},workdir={work} {folder}")
    return commands


class Host(Engine):
    kind = "host"
    own_network = True

    def __init__(self, name: str, keep_data: bool = False):
        """keep_data=True: images, containers and files are there again in the next run."""
        super().__init__(name, keep_data)
        block = int(self.short_id, 16) % (1 << 14) * 4
        self.network, self.gateway, self.ip = (
            f"10.231.{block >> 8}.{(block & 255) + last}" for last in range(3))
        self.link = f"sw{self.short_id}"
        self.keys = self.home / "ssh"
        self.tree = self.home / "tree"
        self._rebooting = False

    def ssh(self, *command: str, key: Path | None = None) -> list[str]:
        """The command line that runs COMMAND (or a shell) on the host as root over ssh."""
        options = {"IdentitiesOnly": "yes", "BatchMode": "yes", "StrictHostKeyChecking": "yes",
                   "UserKnownHostsFile": str(self.known_hosts), "ConnectTimeout": "5"}
        flags = [f"-o{name}={value}" for name, value in options.items()]
        return ["ssh", "-F", "none", *flags, "-i", str(key or self.keys / "id"),
                f"root@{self.ip}", *command]

    @property
    def known_hosts(self) -> Path:
        return self.keys / "known_hosts"

    def authorize(self, line: str) -> None:
        """One more line for authorized_keys, with options such as `restrict,command="..."`."""
        with open(self.keys / "authorized_keys", "a", encoding="utf-8") as keys:
            keys.write(line.rstrip("\n") + "\n")

    # Faults.

    def cut_link(self) -> None:
        """As when the cable is pulled: what is sent either way is lost, silently."""
        self.run_inside("ip", "link", "set", "eth0", "down")

    def mend_link(self) -> None:
        self.run_inside("sh", "-c", f"ip link set eth0 up; ip route add default via {self.gateway}")

    def kill_engine(self) -> None:
        self.kill_service("dockerd", signal.SIGKILL)

    def start_engine(self) -> None:
        self.start_service("dockerd")
        self.await_service("dockerd", self.answers, 60)

    def reboot(self, power_cut: bool = False) -> None:
        """Everything ends, in order or (power_cut) at once, and starts again on the same disk."""
        detached = self._lifeline is None
        if power_cut and self.pid:
            self._signal(self.pid, signal.SIGKILL)
        else:
            self._ask({"do": "shutdown", "undo": False})
        self._rebooting = True
        try:
            self.stop()
            self.start(detach=detached)
        finally:
            self._rebooting = False

    # Parts.

    def services(self) -> dict[str, dict]:
        return {**super().services(), "sshd": {
            "argv": ["/usr/sbin/sshd", "-D", "-e", "-f", str(self.home / "sshd_config")],
            "grace_s": 2}}

    def _network_flags(self) -> list[str]:
        return ["--bip=172.30.0.1/16", "--default-address-pool=base=172.31.0.0/16,size=24"]

    def undo(self) -> list[list[str]]:
        return [["ip", "link", "del", self.link], ["ip", "route", "del", *self._no_way_round()]]

    def leftovers(self) -> list[list[str]]:
        return self.undo()[:1] if self._rebooting else self.undo()

    def _no_way_round(self) -> list[str]:
        """While the host is away, what is sent to it must not take this machine's default route."""
        return ["unreachable", f"{self.network}/30", "metric", "9999"]

    def prepare(self) -> None:
        if not self.keep_data:
            self._wipe()
            self.data_dir.mkdir(exist_ok=True)
        super().prepare()
        self.keys.mkdir(mode=0o700, exist_ok=True)
        for name in ("host_key", "id"):
            if not (self.keys / name).exists():
                run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", f"{self.identity}",
                    "-f", str(self.keys / name))
        if not self._rebooting:
            public = (self.keys / "id.pub").read_text()
            (self.keys / "authorized_keys").write_text(public)
        host_key = " ".join((self.keys / "host_key.pub").read_text().split()[:2])
        self.known_hosts.write_text(f"{self.ip} {host_key}\n")
        (self.home / "sshd_config").write_text(
            SSHD_CONFIG.format(ip=self.ip, keys=self.keys))

    def connect(self) -> None:
        run("ip", "route", "replace", *self._no_way_round())
        run("ip", "link", "add", self.link, "type", "veth", "peer", "name", "eth0",
            "netns", str(self.pid))
        run("ip", "address", "add", f"{self.gateway}/30", "dev", self.link)
        run("ip", "link", "set", self.link, "up")
        script = "\n".join((
            "set -e",
            f"hostname {self.name}",
            "ip link set lo up",
            f"ip address add {self.ip}/30 dev eth0",
            "ip link set eth0 up",
            f"ip route add default via {self.gateway}",
            *private_folders(PRIVATE, self.tree),
            # sshd without PAM refuses an account whose password is locked.
            "usermod -p '*' root",
            "mount -t tmpfs -o mode=755 tmpfs /run",
            "mkdir /run/sshd /run/lock",
            f"ln -s {self.socket} /run/docker.sock"))
        self.run_inside("sh", "-c", script)

    def await_ready(self) -> None:
        super().await_ready()
        self.await_service("sshd", self._sshd_answers, 20)

    def _sshd_answers(self) -> bool:
        return subprocess.run(self.ssh("true"), stdin=subprocess.DEVNULL, capture_output=True,
                              check=False).returncode == 0

    def _wipe(self) -> None:
        if not self._rebooting:
            super()._wipe()
            shutil.rmtree(self.tree, ignore_errors=True)
