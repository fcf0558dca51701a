"""Does a change run every suite that it can reach? The suites' own tests say what they use: their imports and the paths
in them are followed, and each file that comes out must reach the suite by the table."""

import ast
import os
import re
import shutil
import subprocess
from functools import cache

import pytest

from slipway.ci import reach
from slipway.paths import REPOSITORY

TRACKED = set(subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=REPOSITORY,
                             check=True, capture_output=True, text=True).stdout.split("\0")) - {""}
FOLDERS = {path.rsplit("/", 1)[0] for path in TRACKED if "/" in path}
# A suite, and the folders whose tests carry its label.
TESTS = {"docker": ("tests/deploy/", "tests/lab/", "tests/packet_bench/", "tests/adopt/setup_test.py"),
         "blackbox": ("tests/connector/", "tests/interop/"), "kubernetes": ("tests/cluster/",),
         "workflows": ("tests/workflows/", "tests/adopt/"), "release": ("tests/release/",)}
# Another suite's, in the same folder.
ELSEWHERE = {"docker": {"tests/packet_bench/hdr_log_test.py", "tests/packet_bench/threshold_test.py"},
             "release": {"tests/release/act_release_test.py", "tests/release/arm64_test.py",
                         "tests/release/bare_hosts.py"},
             # It makes a cluster of the lab, which CI does not compile.
             "kubernetes": {"tests/cluster/rehearse_test.py"}}
# What a test names as an example of something else, and does not use.
EXAMPLES = re.compile(r"tests/workflows/(affected_units_test|reach_test|mutants.*|critical_path)\.py")


@cache
def used_by(path: str) -> frozenset:
    """The tracked files that PATH includes or imports, or names in a string that is a path of the repository."""
    if EXAMPLES.fullmatch(path):
        return frozenset()
    text = (REPOSITORY / path).read_text(encoding="utf-8", errors="replace")
    if path.endswith((".cpp", ".hpp")):
        named = re.findall(r'^ *# *include "([^"]+)"', text, re.MULTILINE)
        return frozenset(place for name in named for root in ("src/", "bench/", "tools/", "tests/")
                         if (place := root + name) in TRACKED)
    if not path.endswith(".py") and "python3" not in text.partition("\n")[0]:
        return frozenset()
    found = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            stem = node.module.replace(".", "/")
            for root in ("tests/", "scripts/lib/"):
                names = [f"{root}{stem}.py", *(f"{root}{stem}/{alias.name}.py" for alias in node.names)]
                found |= {name for name in names if name in TRACKED}
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in TRACKED:
            found.add(node.value)
    return frozenset(found)


def closure(suite: str) -> set:
    todo = [path for path in TRACKED if path.startswith(TESTS[suite]) and path.endswith((".py", ".cpp", ".hpp"))
            and path not in ELSEWHERE.get(suite, ())]
    seen = set(todo)
    while todo:
        for path in used_by(todo.pop()):
            if path not in seen and (REPOSITORY / path).is_file():
                seen.add(path)
                todo.append(path)
    return seen


def missed(suite: str, table=None) -> list:
    return sorted(path for path in closure(suite) if suite not in reach.of_file(path, table))


@pytest.mark.parametrize("suite", sorted(TESTS))
def test_what_a_suite_s_tests_use_reaches_it(suite, tell):
    assert missed(suite) == []
    tell(f"{len(closure(suite))} files")


@pytest.mark.parametrize(("suite", "key", "row"), [
    ("docker", "tests/support/", frozenset()), ("docker", "tests/lab/", frozenset()),
    ("workflows", "tests/release/", frozenset({"release"})), ("workflows", "scripts/", frozenset({"docker"})),
    ("release", "scripts/", frozenset({"docker"})), ("release", ".releaserc.json", frozenset()),
    ("workflows", "tests/workflows/", frozenset()), ("blackbox", "tests/connector/", frozenset()),
    ("kubernetes", "tests/cluster/", frozenset()), ("kubernetes", "scripts/", frozenset({"docker"}))])
def test_a_row_that_forgets_a_suite_is_caught(suite, key, row):
    assert missed(suite, {**reach.TABLE, key: row}) != []


def test_the_executables_of_a_suite_reach_it():
    """Everything that is compiled: from each room whatever is linked, by the folders of CMake's targets."""
    native = [path for path in TRACKED if path.startswith(("src/", "bench/packet_bench/", "tools/")) and
              path.endswith((".cpp", ".hpp", "CMakeLists.txt"))]
    assert len(native) > 200
    for path in native:
        assert {"docker", "blackbox"} <= reach.of_file(path), path


# The leg of each suite that does not build everything.
BUILT = {"kubernetes": r"\n  kubernetes\)\n.*?--target ([^\n]*)", "docker": r"!= docker \] \|\| targets=\((.*?)\)"}


@pytest.mark.parametrize("suite", BUILT)
def test_the_executables_that_a_suite_s_tests_name_are_built_for_them(suite):
    leg = re.search(BUILT[suite], (REPOSITORY / "scripts/ci/integration").read_text(), re.DOTALL)[1]
    named = {name for path in closure(suite) if path.startswith("tests/")
             for name in re.findall(r'(?:binaries|executables) / "([\w-]+)"', (REPOSITORY / path).read_text())}
    assert named >= {"connector", "slipway"} and named - set(leg.split()) == set()


ASKED = re.compile(r'^\s*need ([a-z]\w*) |programs\(\s*"(\w+)"', re.MULTILINE)


def test_the_leg_that_rehearses_a_release_installs_whatever_its_tests_ask_for(tmp_path):
    """A test that is skipped fails there. scripts/ci/integration itself, with nothing to install, compile or run."""
    for name in ("scripts/ci/integration", "scripts/ci/refuse-skipped", "scripts/lib/shell.sh"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(REPOSITORY / name, tmp_path / name)
    shutil.copytree(REPOSITORY / "scripts/lib/slipway", tmp_path / "scripts/lib/slipway")
    green = "mkdir -p build && echo '<a><testcase name=\"b\" status=\"run\"/></a>' >build/integration.xml"
    for name, script in (("scripts/setup", "echo \"$*\" >groups"), ("cmake", ":"), ("ctest", green), ("sudo", green)):
        (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / name).chmod(0o755)
    subprocess.run([tmp_path / "scripts/ci/integration", "release-workflow"], check=True,
                   env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"})
    files = ("scripts/release/cross", "scripts/lib/root.sh", "tests/release/act_release_test.py",
             "tests/release/bare_hosts.py", "tests/release/world.py", "tests/workflows/act_world.py")
    asked = {group for name in files for found in ASKED.findall((REPOSITORY / name).read_text(encoding="utf-8"))
             for group in found if group}
    assert asked >= {"arm64", "act", "docker"}
    # What act asks for comes with the group workflows.
    assert asked - {"act"} <= set((tmp_path / "groups").read_text().split())


@pytest.mark.parametrize("path", ["CMakeLists.txt", "cmake/warnings.cmake", "CMakePresets.json", "tests/CMakeLists.txt",
                                  "tests/conftest.py", "a/new/folder.cpp", "ruff.toml", "pyproject.toml"])
def test_what_no_row_names_reaches_everything(path):
    assert reach.of_file(path) == reach.ALL


def test_every_row_is_of_something_that_there_is():
    for key in reach.TABLE:
        assert key in TRACKED or any(path.startswith(key) for path in TRACKED), key


@pytest.mark.parametrize(("changed", "suites"), [
    (["src/connector/forwarder.hpp"], ["docker", "blackbox"]),
    (["tools/deploy/model/plan.cpp"], ["docker", "blackbox", "kubernetes"]),
    (["scripts/ci/lint-commits"], ["workflows"]), ([".github/workflows/cd.yml"], ["workflows"]),
    (["scripts/release/release"], ["docker", "blackbox", "kubernetes", "workflows", "release"]),
    (["tests/wire/codec_test.cpp"], []), (["HACKING.md", "tests/base/text_test.cpp"], ["workflows"]),
    (["src/wire/oer.hpp", ".github/dependabot.yml"], ["docker", "blackbox", "workflows"])])
def test_a_change_reaches(changed, suites):
    assert reach.of_change(changed) == suites
