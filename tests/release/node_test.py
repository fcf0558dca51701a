"""Which Node the release's scripts run: the lockfile's, of the machine's architecture."""

import json
import shutil
import subprocess

import pytest

from slipway.paths import REPOSITORY

RELEASE = REPOSITORY / "scripts/release"
PACKAGES = json.loads((RELEASE / "package-lock.json").read_text())["packages"]
# What `uname -m` says -> what npm calls it.
MACHINES = {"x86_64": "x64", "aarch64": "arm64"}


@pytest.fixture
def on(tmp_path):
    """Runs scripts/release/node on a machine, whose npm has installed what the lockfile has for it."""
    def run(machine: str) -> subprocess.CompletedProcess:
        folder, programs = tmp_path / machine, tmp_path / f"programs-{machine}"
        (folder / "node_modules").mkdir(parents=True)
        programs.mkdir()
        shutil.copy(RELEASE / "node", folder)
        for name in (folder / "package-lock.json", folder / "node_modules/.installed"):
            shutil.copy(RELEASE / "package-lock.json", name)
        for place, package in PACKAGES.items():
            if place.startswith("node_modules/node-linux-") and package["cpu"] == MACHINES.get(machine):
                program(folder / place / package["bin"]["node"], f'echo {place} "$@"')
        program(programs / "uname", f"echo {machine}")
        return subprocess.run([folder / "node", "--version"], env={"PATH": f"{programs}:/usr/bin:/bin"},
                              capture_output=True, text=True, check=False)
    return run


def program(file, command: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"#!/bin/sh\n{command}\n")
    file.chmod(0o755)


@pytest.mark.parametrize(("machine", "cpu"), MACHINES.items())
def test_each_machine_runs_the_node_of_its_architecture(on, machine, cpu):
    done = on(machine)
    assert (done.returncode, done.stdout) == (0, f"node_modules/node-linux-{cpu} --version\n"), done


def test_a_machine_of_another_architecture_is_told_so(on):
    done = on("riscv64")
    assert done.returncode == 2 and "no Node for riscv64" in done.stderr, done


def test_all_machines_run_the_same_version():
    versions = {PACKAGES[f"node_modules/node-linux-{cpu}"]["version"] for cpu in MACHINES.values()}
    assert len(versions) == 1, versions
