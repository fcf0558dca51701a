"""CI's leg that rehearses a release is on an Ubuntu 24.04: a root of Debian that it makes there is Debian's alone.
Played on this machine; arm64_test makes such a root for real."""

import subprocess

import pytest

from release.ubuntu import NEEDS, OS_RELEASE, TARGETS, Ubuntu
from slipway.lab import LabError, roots
from slipway.paths import REPOSITORY
from support import needs

pytestmark = needs.all_of(NEEDS)
OWN = ["Debian http://mirror.invalid/debian/ bookworm main",
       "Debian http://mirror.invalid/debian bookworm-updates main",
       "Debian http://fixes.invalid/debian-security bookworm-security main",
       "Acme http://acme.invalid/apt bookworm main"]
PUBLIC = "http://deb.debian.org/debian"


@pytest.fixture
def ubuntu(tmp_path):
    return Ubuntu(tmp_path)


# Where a root's packages are from.

def test_the_machine_s_own_release_has_the_machine_s_own_sources():
    assert roots.sources("bookworm", OWN, "http://other.invalid") == [
        "deb http://fixes.invalid/debian-security bookworm-security main\n",
        "deb http://mirror.invalid/debian bookworm main\n", "deb http://mirror.invalid/debian bookworm-updates main\n"]
    assert "deb http://archive.ubuntu.com/ubuntu noble universe\n" in roots.sources("noble", TARGETS.splitlines())


@pytest.mark.parametrize(("targets", "mirror", "archive", "fixes"), [
    (OWN, "", "http://mirror.invalid/debian", "http://fixes.invalid/debian-security"),
    (OWN[:2], "", "http://mirror.invalid/debian", "http://mirror.invalid/debian-security"),
    (OWN, "http://other.invalid/d/", "http://other.invalid/d", "http://other.invalid/d-security"),
    (TARGETS.splitlines(), "", PUBLIC, f"{PUBLIC}-security"), ([], "", PUBLIC, f"{PUBLIC}-security"),
    (TARGETS.splitlines(), "http://other.invalid/d", "http://other.invalid/d", "http://other.invalid/d-security")],
    ids=["a Debian", "one without fixes", "a Debian that is told", "an Ubuntu", "no lists", "an Ubuntu that is told"])
def test_another_debian_s_packages_come_from(targets, mirror, archive, fixes):
    assert roots.sources("trixie", targets, mirror) == [
        f"deb {archive} trixie main\n", f"deb {archive} trixie-updates main\n",
        f"deb {fixes} trixie-security main\n"]


def test_of_another_ubuntu_nobody_knows():
    with pytest.raises(LabError, match="no package lists for noble; run apt-get update"):
        roots.sources("noble", OWN)


# scripts/lab root, where Debian is not what the machine is.

@pytest.fixture
def debootstrap(ubuntu, tmp_path):
    """Its arguments, and a root with nothing in it."""
    ubuntu.program("debootstrap", f'echo "$*" >{tmp_path}/asked\n'
                   'for root in "$@"; do case $root in */root) mkdir -p "$root/etc/apt" ;; esac; done\n')
    return lambda: (tmp_path / "asked").read_text().split()


@pytest.mark.parametrize(("env", "archive"), [
    ({}, PUBLIC), ({"SLIPWAY_DEBIAN_MIRROR": "http://other.invalid/debian"}, "http://other.invalid/debian")],
    ids=["nothing said", "a mirror said"])
def test_an_ubuntu_makes_a_root_of_debian_from_debian_s_archive(ubuntu, debootstrap, tmp_path, env, archive):
    done = ubuntu.run(REPOSITORY / "scripts/lab", "root", tmp_path / "made", "bookworm", **env,
                      SLIPWAY_CACHE=str(tmp_path))
    assert done.returncode == 0, done.stderr
    asked = debootstrap()
    assert f"--keyring={roots.KEYRING}" in asked and asked[-3] == "bookworm" and asked[-1] == archive, asked
    assert "ubuntu" not in (tmp_path / "made/etc/apt/sources.list").read_text()


def test_an_ubuntu_s_own_root_is_ubuntu_s(ubuntu, debootstrap, tmp_path):
    done = ubuntu.run(REPOSITORY / "scripts/lab", "root", tmp_path / "made", SLIPWAY_CACHE=str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert debootstrap()[-2] == "noble" and not any("keyring" in word for word in debootstrap())
    assert "debian" not in (tmp_path / "made/etc/apt/sources.list").read_text()


def test_without_debian_s_keyring_nothing_is_made(monkeypatch, tmp_path):
    monkeypatch.setenv("SLIPWAY_CACHE", str(tmp_path))
    monkeypatch.setattr(roots, "KEYRING", tmp_path / "nothing.gpg")
    monkeypatch.setattr(roots, "run", lambda *words: pytest.fail(f"{words} was run") if "debootstrap" in words
                        else subprocess.CompletedProcess(words, 0, stdout=TARGETS))
    with pytest.raises(LabError, match="scripts/setup arm64 brings it"):
        roots.make(tmp_path / "made", "bookworm")


# What is installed.

@pytest.mark.parametrize("group", ["arm64", "test"])
def test_setup_brings_an_ubuntu_debian_s_keyring(ubuntu, group):
    ubuntu.program("dpkg-query", "exit 1\n")  # this machine, if it is a Debian, has it
    done = ubuntu.run(REPOSITORY / "scripts/setup", "--no-install", group)
    assert done.returncode == 2 and "debian-archive-keyring" in done.stderr.split(), done.stderr


@pytest.mark.parametrize(("release", "group", "status"), [
    ("ID=debian\nVERSION_ID=13\n", "compilers", (0, 2)), ("ID=debian\nVERSION_ID=13\n", "docker", (2,)),
    ("ID=fedora\nVERSION_ID=43\n", "build", (2,)), (OS_RELEASE, "build", (0, 2))])
def test_setup_says_which_distribution_it_does_not_know(ubuntu, release, group, status):
    ubuntu.release.write_text(release)
    done = ubuntu.run(REPOSITORY / "scripts/setup", "--no-install", group)
    assert done.returncode in status
    assert ("is not known here" in done.stderr) == (status == (2,)), done.stderr
