#!/usr/bin/env python3
"""host/install-tools, called as sshd calls it, through host/ssh-command: a release's tools become the
host's whole or not at all, and only for a key that may."""

import hashlib
import io
import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

HOST = Path(__file__).resolve().parents[2] / "host"


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


class Case:
    def __init__(self, prefix: Path):
        self.prefix = prefix
        self.bad = self.count = 0

    def ask(self, command: str, data: bytes = b"", allowed: bool = True):
        return subprocess.run(
            [HOST / "ssh-command", *(["--allow-tools"] if allowed else [])], input=data, check=False,
            capture_output=True, env={"PATH": os.environ["PATH"], "SSH_ORIGINAL_COMMAND": command,
                                      "SLIPWAY_PREFIX": str(self.prefix)})

    def install(self, version: str, data: bytes, **more):
        return self.ask(f"install-tools {version} {hashlib.sha256(data).hexdigest()}", data, **more)

    def says(self, tool: str = "deploy") -> str:
        program = self.prefix / "bin" / tool
        return subprocess.run([program], capture_output=True, text=True,
                              check=False).stdout.split(" ")[0] if program.exists() else ""

    def left(self) -> set:
        return {p.name for p in (self.prefix / "lib/slipway/tools").iterdir()} - {".lock"}

    def expect(self, what: str, holds: bool, done) -> None:
        self.count += 1
        self.bad += not holds
        print(f"{'ok  ' if holds else 'BAD '} {what}")
        if not holds:
            print(f"     exit {done.returncode}: {done.stderr.decode()} {self.says()} {self.left()}")


def main() -> int:
    if os.geteuid() != 0:
        print("skipped: without root ssh-command goes through sudo")
        return 77
    with tempfile.TemporaryDirectory() as folder:
        case = Case(Path(folder))
        done = case.install("1.0.0", tarball("1.0.0"))
        case.expect("the first release's tools are installed", done.returncode == 0 and {
            case.says(t) for t in ("deploy", "rollback", "packet_bench", "connector")} == {"1.0.0"}, done)
        done = case.install("1.1.0", tarball("1.1.0"))
        case.expect("the next ones take their place, the old ones stay beside them",
                    done.returncode == 0 and case.says() == "1.1.0"
                    and case.left() == {"1.0.0", "1.1.0"}, done)
        before = os.stat(case.prefix / "lib/slipway/tools/1.1.0").st_ino
        done = case.install("1.1.0", tarball("1.1.0"))
        case.expect("the same once more changes nothing", done.returncode == 0 and os.stat(
            case.prefix / "lib/slipway/tools/1.1.0").st_ino == before, done)
        done = case.install("1.0.0", tarball("1.0.0"))
        case.expect("an older release's come back", case.says() == "1.0.0", done)
        data = tarball("2.0.0")
        done = case.ask(f"install-tools 2.0.0 {hashlib.sha256(b'other').hexdigest()}", data)
        case.expect("other bytes than announced: refused, nothing changed", done.returncode == 1
                    and case.says() == "1.0.0" and case.left() == {"1.0.0", "1.1.0"}, done)
        done = case.ask(f"install-tools 2.0.0 {hashlib.sha256(data).hexdigest()}", data[:-40])
        case.expect("a connection that breaks: refused, nothing changed", done.returncode == 1
                    and case.says() == "1.0.0" and case.left() == {"1.0.0", "1.1.0"}, done)
        done = case.install("2.0.0", tarball("2.0.0", says="1.9.9"))
        case.expect("tools of another version than announced: refused", done.returncode == 1
                    and case.says() == "1.0.0" and case.left() == {"1.0.0", "1.1.0"}, done)
        done = case.install("2.0.0", tarball("2.0.0"), allowed=False)
        case.expect("a key that may not: refused with 2", done.returncode == 2
                    and case.says() == "1.0.0", done)
        done = case.ask("install-tools ../../x " + "0" * 64, tarball("2.0.0"))
        case.expect("a version that is a path: refused", done.returncode == 2, done)
    print(f"{case.count - case.bad} of {case.count} as they must be")
    return 1 if case.bad else 0


if __name__ == "__main__":
    sys.exit(main())
