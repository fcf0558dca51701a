"""host/install-tools, called as sshd calls it, through host/ssh-command: a release's tools become the
host's whole or not at all, and only for a key that may."""

import hashlib
import io
import os
import subprocess
import tarfile
from pathlib import Path

import pytest

from slipway.paths import REPOSITORY
from support import needs

HOST = REPOSITORY / "host"
# Without root ssh-command goes through sudo.
pytestmark = needs.all_of(needs.root("a host's tools"))


def tarball(version: str, says: str = "") -> bytes:
    """As scripts/release/assets packs it, with executables that only tell their version."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name in ("connector", "deploy", "packet_bench", "rollback"):
            text = f"#!/bin/sh\necho '{says or version} 0123456'\n".encode()
            entry = tarfile.TarInfo(f"slipway-tools-{version}-linux-x86_64/bin/{name}")
            entry.size, entry.mode = len(text), 0o755
            tar.addfile(entry, io.BytesIO(text))
    return packed.getvalue()


class Tools:
    """A host, of which only /usr/local is there."""

    def __init__(self, prefix: Path):
        self.prefix = prefix

    def ask(self, command: str, data: bytes = b"", allowed: bool = True):
        return subprocess.run(
            [HOST / "ssh-command", *(["--allow-tools"] if allowed else [])], input=data, check=False,
            capture_output=True, env={"PATH": os.environ["PATH"], "SSH_ORIGINAL_COMMAND": command,
                                      "SLIPWAY_PREFIX": str(self.prefix)})

    def install(self, version: str, data: bytes, *words: str, **more):
        asked = " ".join(("install-tools", version, hashlib.sha256(data).hexdigest(), *words))
        return self.ask(asked, data, **more)

    def says(self, tool: str = "deploy") -> str:
        program = self.prefix / "bin" / tool
        return subprocess.run([program], capture_output=True, text=True,
                              check=False).stdout.split(" ")[0] if program.exists() else ""

    def left(self) -> set:
        return {p.name for p in (self.prefix / "lib/slipway/tools").iterdir()} - {".lock"}


@pytest.fixture
def host(tmp_path):
    """1.0.0, then 1.1.0 were installed."""
    host = Tools(tmp_path)
    for version in ("1.0.0", "1.1.0"):
        done = host.install(version, tarball(version))
        assert done.returncode == 0, done
    return host


def test_the_first_release_s_tools_are_installed(tmp_path):
    host = Tools(tmp_path)
    done = host.install("1.0.0", tarball("1.0.0"))
    assert done.returncode == 0, done
    assert {host.says(tool) for tool in ("deploy", "rollback", "packet_bench", "connector")} == {"1.0.0"}


def test_the_next_ones_take_their_place_and_the_old_ones_stay_beside_them(host):
    assert (host.says(), host.left()) == ("1.1.0", {"1.0.0", "1.1.0"})


def test_the_same_once_more_changes_nothing(host):
    place = host.prefix / "lib/slipway/tools/1.1.0"
    before = os.stat(place).st_ino
    done = host.install("1.1.0", tarball("1.1.0"))
    assert done.returncode == 0 and os.stat(place).st_ino == before, done


def test_of_many_versions_the_last_four_stay(host):
    for version in ("1.2.0", "1.3.0", "1.0.0", "1.4.0"):
        done = host.install(version, tarball(version), "--older")
        assert done.returncode == 0, done
    assert (host.says(), host.left()) == ("1.4.0", {"1.4.0", "1.0.0", "1.3.0", "1.2.0"})


def test_an_older_release_s_come_back_only_when_told(host):
    for older in ("1.0.0", "0.9.0"):
        done = host.install(older, tarball(older))
        assert (done.returncode, host.says(), host.left()) == (3, "1.1.0", {"1.0.0", "1.1.0"}), done
        assert b"the host has 1.1.0, which is newer" in done.stderr
    done = host.install("1.0.0", tarball("1.0.0"), "--older")
    assert (done.returncode, host.says()) == (0, "1.0.0"), done
    # By number, not by letter.
    assert host.install("1.10.0", tarball("1.10.0")).returncode == 0
    assert host.install("1.9.0", tarball("1.9.0")).returncode == 3


@pytest.mark.parametrize("word", ["--newer", "--older --older"])
def test_a_word_that_it_does_not_know_is_usage(host, word):
    done = host.install("2.0.0", tarball("2.0.0"), *word.split())
    assert (done.returncode, host.says()) == (2, "1.1.0"), done


@pytest.mark.parametrize(("announced", "sent"), [
    pytest.param(b"other", tarball("2.0.0"), id="other bytes than announced"),
    pytest.param(tarball("2.0.0"), tarball("2.0.0")[:-40], id="a connection that breaks"),
    pytest.param(tarball("2.0.0", says="1.9.9"), tarball("2.0.0", says="1.9.9"), id="another version than announced")])
def test_refused_and_nothing_changed(host, announced, sent):
    done = host.ask(f"install-tools 2.0.0 {hashlib.sha256(announced).hexdigest()}", sent)
    assert done.returncode == 1, done
    assert (host.says(), host.left()) == ("1.1.0", {"1.0.0", "1.1.0"})


def test_a_key_that_may_not_is_refused_with_2(host):
    done = host.install("2.0.0", tarball("2.0.0"), allowed=False)
    assert done.returncode == 2 and host.says() == "1.1.0", done


def test_a_version_that_is_a_path_is_refused(host):
    assert host.ask("install-tools ../../x " + "0" * 64, tarball("2.0.0")).returncode == 2


def test_it_tells_for_what_machine_a_tarball_must_be(host):
    done = host.ask("install-tools --machine")
    assert (done.returncode, done.stdout.decode()) == (0, f"{os.uname().machine}\n"), done
    assert host.ask("install-tools --machine", allowed=False).returncode == 2


def test_executables_of_another_machine_are_refused(host):
    packed = io.BytesIO()
    # An ELF header of a machine that no kernel of ours runs.
    alien = b"\x7fELF\x02\x01\x01" + b"\0" * 9 + b"\x02\0\xff\xfe" + b"\0" * 60
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name in ("deploy", "rollback"):
            entry = tarfile.TarInfo(f"slipway-tools-2.0.0-linux-alien/bin/{name}")
            entry.size, entry.mode = len(alien), 0o755
            tar.addfile(entry, io.BytesIO(alien))
    done = host.install("2.0.0", packed.getvalue())
    assert done.returncode == 1 and b"does not run here" in done.stderr, done
    assert (host.says(), host.left()) == ("1.1.0", {"1.0.0", "1.1.0"})
