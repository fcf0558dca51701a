"""Roots by debootstrap: of the machine's own distribution, or of a named release of Debian on any machine that has
Debian's keyring, be it a Debian or not: the root has Debian's packages from Debian's archive, and nothing of the
machine's distribution.

Where that archive is: where the machine's own packages of that release are from; else SLIPWAY_DEBIAN_MIRROR; else where
its packages of another Debian are from; else the public one. Security fixes are where this machine's Debian has them
from, or at the archive's address with `-security` behind it.
"""

import fcntl
import os
import platform
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from .. import paths
from .capsule import LabError, run

DEBIAN = ("bookworm", "trixie")
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
PUBLIC = "http://deb.debian.org/debian"


def make(folder: Path, suite: str = "") -> None:
    """A root of SUITE, one of DEBIAN or nothing for this machine's distribution, in FOLDER; the one that is there
    stays. It has all of its packages' files, the notices that a package of ours repeats among them."""
    with cache_lock():
        if not folder.is_dir():
            with made(suite or codename()) as root:
                shutil.move(root, folder)


def cached(suite: str) -> Path:
    """That of SUITE which all share, and nobody writes to; made once per machine."""
    folder = paths.image_cache() / f"root-{suite}"
    make(folder, suite)
    return folder


@contextmanager
def made(suite: str, architecture: str = "") -> Iterator[Path]:
    """A root that goes at the end; the lock is the caller's."""
    if shutil.which("debootstrap") is None:
        raise LabError("debootstrap: not installed; run scripts/setup docker")
    options = [f"--arch={architecture}"] if architecture else []
    packages = sources(suite, listed(), os.environ.get("SLIPWAY_DEBIAN_MIRROR", ""))
    where = []
    if suite in DEBIAN:
        # Without it debootstrap goes on and verifies nothing.
        if not KEYRING.is_file():
            raise LabError(f"{KEYRING}: not there, and nothing else verifies Debian's packages; scripts/setup arm64 "
                           "brings it")
        options.append(f"--keyring={KEYRING}")
        where = [next(line.split()[1] for line in packages if line.split()[2] == suite)]
    with tempfile.TemporaryDirectory(prefix="tmp", dir=paths.image_cache()) as folder:
        root = Path(folder) / "root"
        # In namespaces of its own: the mounts it makes inside ROOT end with it, also by a kill.
        run("unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc",
            "debootstrap", "--variant=minbase", *options, suite, str(root), *where)
        (root / "etc/apt/sources.list").write_text("".join(packages))
        yield root


def listed() -> list[str]:
    """What packages this machine knows: ORIGIN URI RELEASE COMPONENT."""
    fields = "$(ORIGIN) $(REPO_URI) $(RELEASE) $(COMPONENT)"
    return run("apt-get", "indextargets", "--format", fields, "Identifier: Packages").stdout.splitlines()


def sources(suite: str, targets: Iterable[str], mirror: str = "") -> list[str]:
    """The lines of sources.list for SUITE, security fixes included. TARGETS: as of listed()."""
    found = [re.fullmatch(r"(Debian|Ubuntu) (\S+?)/? (\S+) (main|universe)", target) for target in targets]
    known = [match.groups() for match in found if match]
    if any(release == suite for _, _, release, _ in known):
        return sorted({f"deb {uri} {release} {component}\n" for _, uri, release, component in known
                       if release.split("-")[0] == suite})
    if suite not in DEBIAN:
        raise LabError(f"apt-get indextargets: no package lists for {suite}; run apt-get update")
    of_another = {} if mirror else {release.partition("-")[2]: uri for origin, uri, release, _ in known
                                    if origin == "Debian"}
    archive = mirror.rstrip("/") or of_another.get("", PUBLIC)
    fixes = of_another.get("security", f"{archive}-security")
    return [f"deb {archive} {suite} main\n", f"deb {archive} {suite}-updates main\n",
            f"deb {fixes} {suite}-security main\n"]


def codename() -> str:
    name = platform.freedesktop_os_release().get("VERSION_CODENAME")
    if not name:
        raise LabError("/etc/os-release: no VERSION_CODENAME; Debian 12 or Ubuntu 24.04 is needed")
    return name


@contextmanager
def cache_lock() -> Iterator[None]:
    """Of the cache of images and roots; what somebody's end left there unfinished goes."""
    folder = paths.image_cache()
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for abandoned in folder.glob("tmp*"):
            shutil.rmtree(abandoned, ignore_errors=True)
        yield
