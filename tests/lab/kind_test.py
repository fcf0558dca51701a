"""scripts/ci/kind, with a stand-in for kind: there are no images of nodes here. The registry is a real one."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from lab.traces import traces
from slipway.lab import Registry
from slipway.paths import REPOSITORY
from support import needs

NAME = f"kind-test-{os.getpid()}"
pytestmark = needs.all_of(needs.root("an address"), needs.programs("docker", "docker-registry"))


@pytest.fixture
def registry():
    registry = Registry(NAME)
    yield registry
    registry.stop()
    shutil.rmtree(registry.home, ignore_errors=True)


def outside_of_github() -> dict:
    """Where an error is not told to a runner, too."""
    return {name: value for name, value in os.environ.items() if not name.startswith("GITHUB_")}


def made_by(folder: Path, kind: str) -> subprocess.CompletedProcess:
    """KIND: what the stand-in does, as a line of shell; empty: there is none."""
    programs = folder / "bin"
    programs.mkdir()
    for name, does in (("kubectl", ":"), ("kind", kind)):
        if does:
            (programs / name).write_text(f"#!/bin/sh\n{does}\n")
            (programs / name).chmod(0o755)
    path = os.environ["PATH"] if kind else "/usr/bin:/bin"
    return subprocess.run([REPOSITORY / "scripts/ci/kind", folder / "made", NAME], capture_output=True, text=True,
                          check=False, env={**outside_of_github(), "PATH": f"{programs}:{path}"})


def test_what_the_nodes_mount_says_that_the_registry_which_is_told_speaks_plain_http(tmp_path, registry):
    done = made_by(tmp_path, f'echo "$@" >{tmp_path}/asked; echo chatter')
    assert done.returncode == 0, done.stderr
    told = dict(line.split("=", 1) for line in done.stdout.splitlines())
    assert told == {"KUBECONFIG": f"{tmp_path}/made/kubeconfig", "SLIPWAY_CLUSTER_REGISTRY": registry.address}
    asked = (tmp_path / "asked").read_text()
    assert f"create cluster --name {NAME} " in asked and f"--kubeconfig {tmp_path}/made/kubeconfig" in asked
    nodes = yaml.safe_load((tmp_path / "made" / "kind.yml").read_text())["nodes"]
    assert [node["role"] for node in nodes] == ["control-plane", "worker", "worker"]
    for node in nodes:
        (mount,) = node["extraMounts"]
        assert mount["containerPath"] == "/etc/containerd/certs.d" and mount["readOnly"]
        hosts = (Path(mount["hostPath"]) / registry.address / "hosts.toml").read_text()
        assert f'[host."http://{registry.address}"]' in hosts


def test_a_cluster_that_cannot_be_made_is_an_error_and_leaves_no_registry(tmp_path, registry):
    done = made_by(tmp_path, "exit 7")
    assert done.returncode == 1 and "kind could not make a cluster" in done.stderr and done.stdout == ""
    assert traces(registry) == []


def test_where_kind_is_not_installed_it_is_said_and_nothing_is_started(tmp_path, registry):
    done = made_by(tmp_path, "")
    assert done.returncode == 2 and "kind is not installed" in done.stderr
    assert traces(registry) == []
