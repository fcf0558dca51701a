"""Bare roots of Debian 12 and 13, made by debootstrap once per machine, in which the released tarball
must run: nothing is there but the distribution's smallest set of packages."""

import shutil
import subprocess
import tempfile
from pathlib import Path

from slipway.lab import roots
from support import needs

SUITES = {"bookworm": "Debian 12", "trixie": "Debian 13"}


def missing() -> str:
    if not roots.KEYRING.is_file():
        return f"{roots.KEYRING} is not there; scripts/setup test brings it"
    return needs.programs("docker", "debootstrap")


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
    lower = roots.cached(suite)
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
