"""Why a test cannot run on this machine. Each function returns the reason, or nothing.

    pytestmark = needs.all_of(needs.root("namespaces"), needs.programs("docker", "dockerd", "docker"))
"""

import os
import shutil
import subprocess

import pytest

from slipway import paths
from slipway.lab import cluster_plan

SEARCHED = os.environ["PATH"] + ":/usr/sbin"


def all_of(*reasons: str):
    """A mark that skips with the REASONS that there are."""
    found = [reason for reason in reasons if reason]
    return pytest.mark.skipif(bool(found), reason="; ".join(found))


def root(what: str) -> str:
    return "" if os.geteuid() == 0 else f"{what} need root"


def programs(group: str, *names: str) -> str:
    """GROUP is the one of scripts/setup that installs them."""
    missing = [name for name in names if shutil.which(name, path=SEARCHED) is None]
    return f"not installed: {' '.join(missing)}; run scripts/setup {group}" if missing else ""


def compose() -> str:
    done = subprocess.run(["docker", "compose", "version"], capture_output=True, check=False) \
        if shutil.which("docker") else None
    return "" if done and done.returncode == 0 else "not installed: Docker's plugin compose; run scripts/setup docker"


def processors(count: int) -> str:
    return "" if os.cpu_count() >= count else f"needs {count} processors"


def cluster() -> str:
    missing = cluster_plan.missing()
    return f"not installed: {', '.join(missing)} (scripts/setup cluster)" if missing else ""


def packages_of_release() -> str:
    """Of semantic-release, which scripts/release/node installs from its lockfile."""
    node = subprocess.run([paths.REPOSITORY / "scripts/release/node", "--version"], capture_output=True, text=True,
                          check=False)
    return "" if node.returncode == 0 else f"the release's packages cannot be installed: {node.stderr.strip()[-300:]}"


def hosts(*more: str):
    """A mark that skips where no host of the lab can be made; MORE: programs of the group docker besides."""
    return all_of(root("namespaces and an engine"),
                  programs("docker", "dockerd", "docker", "nsenter", "iptables", *more), compose())
