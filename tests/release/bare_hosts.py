"""Bare roots of Debian 12 and 13, made by debootstrap once per machine, in which the released tarball
must run: nothing is there but the distribution's smallest set of packages."""

import fcntl
import shutil
import subprocess
import tempfile
from pathlib import Path

from slipway import paths
from support import needs

SUITES = {"bookworm": "Debian 12", "trixie": "Debian 13"}
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


def missing() -> str:
    if not Path(KEYRING).is_file():
        return f"{KEYRING} is not there: only a Debian can make roots of Debian"
    return needs.programs("docker", "debootstrap")


def mirror() -> str:
    """Where this machine's own packages come from."""
    listed = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI) $(ORIGIN) $(RELEASE)",
         "Identifier: Packages"], capture_output=True, text=True, check=True).stdout.splitlines()
    found = [line.split()[0] for line in listed if line.split()[1:] == ["Debian", "bookworm"]]
    return found[0] if found else "http://deb.debian.org/debian"


def root(suite: str) -> Path:
    folder = paths.image_cache() / f"root-{suite}"
    paths.image_cache().mkdir(parents=True, exist_ok=True)
    with open(paths.image_cache() / f"root-{suite}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if folder.is_dir():
            return folder
        with tempfile.TemporaryDirectory(prefix="root-", dir=paths.image_cache()) as scratch:
            made = Path(scratch) / "root"
            subprocess.run(["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc",
                            "debootstrap", "--variant=minbase", f"--keyring={KEYRING}", suite,
                            str(made), mirror()], check=True, stdin=subprocess.DEVNULL,
                           capture_output=True)
            made.rename(folder)
    return folder


INSIDE = """
set -e
ip link set lo up
mount -t overlay overlay -o "lowerdir=$1,upperdir=$2/upper,workdir=$2/work" "$2/root"
mount -t proc proc "$2/root/proc"
mount --bind /dev "$2/root/dev"
exec chroot "$2/root" /usr/bin/env -i PATH=/usr/bin:/bin HOME=/ sh -c "$3"
"""


def run_in(suite: str, files: dict, command: str) -> subprocess.CompletedProcess:
    """COMMAND in a bare root of SUITE, with FILES (path inside -> file outside), in a network and
    processes of its own; what it writes is thrown away."""
    lower = root(suite)
    with tempfile.TemporaryDirectory(prefix="slipway-bare-") as scratch:
        for name in ("upper", "work", "root"):
            (Path(scratch) / name).mkdir()
        # Through the overlay's upper folder: seen inside, and gone with it.
        for inside, outside in files.items():
            target = Path(scratch) / "upper" / inside.lstrip("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(outside, target)
        return subprocess.run(
            ["unshare", "--mount", "--pid", "--net", "--fork", "--kill-child", "sh", "-c", INSIDE,
             "sh", str(lower), scratch, command], stdin=subprocess.DEVNULL, capture_output=True,
            text=True, check=False, timeout=120)
