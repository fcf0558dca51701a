"""This machine, as a program sees it that takes it for an Ubuntu 24.04: by /etc/os-release, and by what apt says."""

import os
import subprocess
from pathlib import Path

from support import needs

NEEDS = needs.root("another /etc/os-release")
OS_RELEASE = 'ID=ubuntu\nVERSION_ID="24.04"\nVERSION_CODENAME=noble\n'
TARGETS = """\
Ubuntu http://archive.ubuntu.com/ubuntu noble main
Ubuntu http://archive.ubuntu.com/ubuntu noble universe
Ubuntu http://archive.ubuntu.com/ubuntu noble-updates main
Ubuntu http://security.ubuntu.com/ubuntu noble-security main
Docker http://download.docker.com/linux/ubuntu noble stable
"""
# Its mounts are its own, and go with it.
INSIDE = 'mount --bind "$0" "$(realpath /etc/os-release)" && exec "$@"'


class Ubuntu:
    """FOLDER has the programs that stand in for those of the machine."""

    def __init__(self, folder: Path):
        self.programs = folder / "programs"
        self.programs.mkdir()
        self.release = folder / "os-release"
        self.release.write_text(OS_RELEASE)
        (folder / "targets").write_text(TARGETS)
        self.program("apt-get", f'[ "$1" = indextargets ] || exec /usr/bin/apt-get "$@"\ncat {folder}/targets\n')

    def program(self, name: str, script: str) -> None:
        file = self.programs / name
        file.write_text(f"#!/bin/sh\n{script}")
        file.chmod(0o755)

    def run(self, *command, **env) -> subprocess.CompletedProcess:
        environment = {name: value for name, value in os.environ.items() if name != "SLIPWAY_DEBIAN_MIRROR"}
        return subprocess.run(
            ["unshare", "--mount", "sh", "-c", INSIDE, self.release, *command], stdin=subprocess.DEVNULL,
            capture_output=True, text=True, check=False,
            env={**environment, "PATH": f"{self.programs}:{os.environ['PATH']}", **env})
