"""What is left of capsules on this machine."""

import subprocess
from pathlib import Path

from slipway.lab import Cluster, Host, Registry
from slipway.lab.registry import plain_http_folder
from support.processes import all_that_have


def output(*argv: str) -> str:
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout


def processes(part: str) -> list[str]:
    commands = [command.replace(b"\0", b" ").decode() for _, command in all_that_have("cmdline")]
    return [command for command in commands if part in command and "lab_owner.py" not in command]


def of_network(capsule) -> list[str]:
    """What it puts into this machine's addresses, links and routes."""
    if isinstance(capsule, Registry):
        return [f"{capsule.ip}/"]
    if isinstance(capsule, Host):
        return [f"{capsule.network}/", capsule.link]
    return [capsule.plan.network, f"{capsule.link}@"] if isinstance(capsule, Cluster) else []


def traces(*capsules) -> list[str]:
    left = []
    network = output("ip", "-oneline", "address") + output("ip", "route")
    mounts = Path("/proc/mounts").read_text().splitlines()
    for capsule in capsules:
        left += processes(f"{capsule.home}/")
        left += [str(group) for level in ("", "*/") for group in Path("/sys/fs/cgroup").glob(level + capsule.cgroup)]
        left += [line for line in mounts if f"{capsule.home}/" in line]
        left += [str(capsule.run_dir)] if capsule.run_dir.exists() else []
        left += [what for what in of_network(capsule) if what in network]
        if isinstance(capsule, Registry):
            left += map(str, plain_http_folder().glob(capsule.address))
        left += traces(*getattr(capsule, "nodes", ()))
    return left
