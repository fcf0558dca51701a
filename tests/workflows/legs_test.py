"""Each leg of CI installs what its tests would be skipped without: a skipped one is red there, and only there. Where
tests are written everything is installed, so nobody would see it."""

import ast
import re
import shutil
import subprocess

import pytest

from slipway.paths import REPOSITORY

TESTS = REPOSITORY / "tests"
BRINGS = {"workflows": {"act"}}
# What the functions of tests/support/needs.py want besides programs().
ASK = {"root": {"root"}, "hosts": {"root", "docker"}, "compose": {"docker"}, "cluster": {"cluster"}}
SUITES = ["docker", "blackbox", "workflows", "release", "release-workflow"]
# What a leg is, how it is called, and what GitHub says of the event.
LEGS = {**{suite: (["integration", suite], "push") for suite in SUITES},
        "build and test": (["build-and-test", "dev"], "push"),
        "build and test of a pull request": (["build-and-test", "dev"], "pull_request")}


def written_down(folder, script: str, *arguments: str, **env: str) -> list[list[str]]:
    """The commands of a script of scripts/ci, each as its words; none of them is run."""
    log = folder / "log"
    for name in ["scripts/setup", "scripts/ci/refuse-skipped", "bin/cmake", "bin/ctest", "bin/sudo"]:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f'#!/bin/sh\necho "{name.rpartition("/")[2]} $*" >> {log}\n')
        (folder / name).chmod(0o755)
    for name in [f"scripts/ci/{script}", "scripts/lib/shell.sh"]:
        (folder / name).parent.mkdir(exist_ok=True)
        shutil.copy(REPOSITORY / name, folder / name)
    done = subprocess.run([folder / "scripts/ci" / script, *arguments], cwd=folder, capture_output=True, text=True,
                          check=False, env={"PATH": f"{folder / 'bin'}:/usr/bin:/bin:/usr/sbin", **env})
    assert done.returncode == 0, done.stderr
    return [line.replace("sudo --preserve-env=CI ", "").split() for line in log.read_text().splitlines()]


def option(command: list, name: str) -> str:
    return command[command.index(name) + 1] if name in command else ""


def registered() -> list[tuple]:
    """(name, files, labels, configurations) of each ctest that is a pytest suite and has a name of its own."""
    found = []
    for listing in TESTS.glob("*/CMakeLists.txt"):
        for body in re.findall(r"slipway_pytest\(([^)]*)\)", listing.read_text()):
            name, *words = body.split()
            parts: dict = {}
            for word in words:
                if word.isupper():
                    into = parts[word] = []
                else:
                    into.append(word)
            found.append((name, [listing.parent / file for file in parts["FILES"] if "$" not in file],
                          parts.get("LABELS", []), parts.get("CONFIGURATIONS", [])))
    return found


def groups_of(file, seen: set) -> set:
    """The groups of scripts/setup, and root, that a module of tests asks for: itself, or where it takes NEEDS from."""
    if file in seen or not file.is_file():
        return set()
    seen.add(file)
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and getattr(
                node.func.value, "id", "") == "needs":
            if node.func.attr == "programs":
                found.add(node.args[0].value)
            found |= ASK.get(node.func.attr, set())
        elif isinstance(node, ast.ImportFrom) and node.module:
            place = TESTS / node.module.replace(".", "/")
            if any(name.name.isupper() for name in node.names):
                found |= groups_of(place.with_suffix(".py"), seen)
            for name in node.names:
                found |= groups_of(place / f"{name.name}.py", seen) if place.name != "support" else set()
    return found


def missing(installed: set, wanted, tests: list) -> list[str]:
    """What tests that are WANTED(labels, configurations) ask for and the leg does not install."""
    has = installed.union(*(BRINGS.get(group, set()) for group in installed))
    return [f"{name} wants {group}" for name, files, labels, configurations in tests if wanted(labels, configurations)
            for group in sorted(set().union(*(groups_of(file, set()) for file in files)) - has)]


def selection(ctest: list):
    """(labels, configurations) -> whether ctest runs it."""
    only, never, kind = option(ctest, "-L"), option(ctest, "-LE"), option(ctest, "-C")

    def wanted(labels, configurations) -> bool:
        return (not configurations or kind in configurations) and (
            not only or any(re.search(only, label) for label in labels)) and (
            not never or not any(re.search(never, label) for label in labels))
    return wanted


@pytest.mark.parametrize("leg", LEGS)
def test_a_leg_installs_what_its_tests_need(leg, tmp_path):
    (script, *arguments), event = LEGS[leg]
    commands = written_down(tmp_path, script, *arguments, GITHUB_EVENT_NAME=event)
    setup, ctest = (next(words for words in commands if words[0] == name) for name in ("setup", "ctest"))
    tests = registered()
    wanted = selection(ctest)
    assert any(wanted(labels, configurations) for _, _, labels, configurations in tests)
    # Runners are not root; a script that must be calls sudo.
    root = {"root"} if "sudo" in (REPOSITORY / "scripts/ci" / script).read_text() else set()
    assert missing({*setup[1:], *root}, wanted, tests) == []


def test_a_group_that_is_left_out_is_missed():
    tests = registered()
    docker = selection(["ctest", "-L", "^docker$"])
    told = set(missing({"build", "test", "browser"}, docker, tests))
    assert told >= {"deploy_metrics wants metrics", "deploy_docker wants docker", "observability_live wants metrics"}
    # What no leg runs is nobody's to install.
    assert not any("observability_traces" in line for line in told)
