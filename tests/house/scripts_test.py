"""What every script keeps to: it never reaches into tests, it has a --help, and it recommends the group of
scripts/setup that really brings what is missing."""

import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from slipway.ci.oci import SERVICE
from slipway.paths import REPOSITORY

RULE = "scripts never reach into tests; move what both need to scripts/lib"
# A path that leads there, and not the word before a slash.
REACH = re.compile(r"(^|[^\w-])tests/\w")
# They stand in for other programs, and so have those programs' options.
STAND_INS = REPOSITORY / "scripts/lib/slipway/act"


def tracked(*patterns: str) -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", *patterns],
                            cwd=REPOSITORY, check=True, capture_output=True, text=True).stdout
    return [REPOSITORY / name for name in filter(None, listed.split("\0")) if (REPOSITORY / name).is_file()]


def is_python(path: Path, text: str) -> bool:
    return path.suffix == ".py" or re.match(r"#!.*python3", text) is not None


# Never into tests.

def reaches_of_python(text: str, modules: set[str]):
    """(line, what) of each import of one of MODULES, and each path that leads into tests."""
    tree = ast.parse(text)
    # A docstring only speaks of tests.
    spoken = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, f"imports {name.name}") for name in node.names
                        if name.name.split(".")[0] in modules)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module.split(".")[0] in modules:
            yield node.lineno, f"imports {node.module}"
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in spoken:
            if REACH.search(node.value):
                yield node.lineno, f"names {node.value!r}"
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div) \
                and isinstance(node.right, ast.Constant) and node.right.value == "tests":
            yield node.lineno, "names the folder tests"


def reaches_of_text(text: str):
    for number, line in enumerate(text.splitlines(), 1):
        if not re.match(r"\s*(#|//)", line) and REACH.search(line):
            yield number, f"names {line.strip()!r}"


def reaches(scripts: Path) -> list[str]:
    """A line for each place in the folder SCRIPTS that breaks the rule."""
    modules = {"conftest", *(path.name for path in (REPOSITORY / "tests").iterdir() if path.is_dir()),
               *(path.stem for path in (REPOSITORY / "tests").rglob("*.py"))} - set(sys.stdlib_module_names)
    found = []
    for path in sorted(scripts.rglob("*")):
        if not path.is_file() or {"node_modules", "__pycache__"} & set(path.parts) or path.suffix == ".json":
            continue
        text = path.read_text(encoding="utf-8")
        places = reaches_of_python(text, modules) if is_python(path, text) else reaches_of_text(text)
        found += [f"{path.relative_to(scripts.parent)}:{line}: {what}: {RULE}" for line, what in places]
    return found


def test_no_script_imports_or_runs_what_lies_under_tests():
    assert reaches(REPOSITORY / "scripts") == []


@pytest.mark.parametrize(("file", "planted"), [
    ("ci/status", "from release.world import World\n"),
    ("lib/slipway/act/runner.py", "import host_sim\n"),
    ("lib/slipway/rehearsal/pipeline.py", 'HERE = paths.REPOSITORY / "tests"\n'),
    ("ci/oci", 'subprocess.run(["tests/interop/run"])\n'),
    ("lint", "python3 tests/workflows/policy.py\n"),
    ("ci/image", 'cp "$root/tests/support/ports.py" .\n'),
    ("release/next_version.mjs", 'import "../../tests/interop/connector.js";\n')])
def test_a_planted_reach_is_told_with_the_rule(tmp_path, file, planted):
    scripts = tmp_path / "scripts"
    shutil.copytree(REPOSITORY / "scripts", scripts, ignore=shutil.ignore_patterns("node_modules", "__pycache__"))
    with open(scripts / file, "a", encoding="utf-8") as script:
        script.write(planted)
    (line,) = reaches(scripts)
    assert line.startswith(f"scripts/{file}:") and line.endswith(RULE)


# --help.

def commands() -> list[str]:
    return [str(path.relative_to(REPOSITORY)) for path in tracked("scripts")
            if os.access(path, os.X_OK) and STAND_INS not in path.parents]


@pytest.fixture(scope="module")
def copy(tmp_path_factory) -> Path:
    """The tracked files and nothing else, where a side effect would show."""
    root = tmp_path_factory.mktemp("help") / "copy"
    for path in tracked():
        target = root / path.relative_to(REPOSITORY)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, target)
    (root.parent / "home").mkdir()
    return root


def snapshot(root: Path) -> dict:
    return {path: path.stat().st_mtime_ns for path in root.rglob("*") if path.is_file()}


@pytest.mark.parametrize("command", commands())
def test_help_says_usage_and_exit_statuses_and_does_nothing(copy, command):
    before = snapshot(copy.parent)
    done = subprocess.run([copy / command, "--help"], capture_output=True, text=True, check=False, timeout=30,
                          stdin=subprocess.DEVNULL, cwd=copy.parent,
                          env={"PATH": os.environ["PATH"], "HOME": str(copy.parent / "home"),
                               "TMPDIR": str(copy.parent / "home"), "PYTHONDONTWRITEBYTECODE": "1"})
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("usage: ") and "exit:" in done.stdout.lower(), done.stdout
    assert done.stderr == ""
    assert snapshot(copy.parent) == before


# scripts/setup.

HINT = re.compile(r"""(?<![\w$.-])(?P<tool>[\w.+-]+)(?::|\ is)\ not\ installed;\ run\ scripts/setup\ (?P<group>\w+)
    |not\ installed:\ (?P<tool2>[\w.+-]+);\ run\ scripts/setup\ (?P<group2>\w+)""", re.X)
NEED = re.compile(r"^\s*need ([a-z]+) ([\w .+-]+)$", re.M)
PROGRAMS = re.compile(r'programs\(\s*"(\w+)", ([^)]*)\)')


def hints(text: str):
    """(tool, group) of each place that names both."""
    for match in HINT.finditer(text):
        yield match["tool"] or match["tool2"], match["group"] or match["group2"]
    for group, tools in NEED.findall(text):
        yield from ((tool, group) for tool in tools.split())
    for group, tools in PROGRAMS.findall(text):
        yield from ((tool, group) for tool in re.findall(r'"([\w.+-]+)"', tools))


def brought_by(group: str) -> set[str]:
    done = subprocess.run([REPOSITORY / "scripts/setup", "--commands", group], capture_output=True, text=True,
                          check=False)
    return set(done.stdout.split()) if done.returncode == 0 else set()


def wrong_hints(text: str) -> list[str]:
    return [f"{tool}: `scripts/setup {group}` does not bring it" for tool, group in sorted(set(hints(text)))
            if tool not in brought_by(group)]


def test_a_message_that_recommends_a_group_of_setup_names_one_that_brings_the_tool():
    texts = [path.read_text(encoding="utf-8") for path in tracked("scripts", "tests", "src", "bench", "tools")
             if path != Path(__file__) and path.suffix not in (".json", ".jsonl")]
    assert wrong_hints("\n".join(texts)) == []
    assert len({hint for text in texts for hint in hints(text)}) > 15, "the hints were not found"


@pytest.mark.parametrize("planted", [
    "need lint gh\n", "die 'npm is not installed; run scripts/setup lint'", 'programs("build", "g++", "dockerd")',
    "docker: not installed; run scripts/setup nothing"])
def test_a_planted_hint_that_misleads_is_told(planted):
    (line,) = wrong_hints(planted)
    assert line.endswith("does not bring it")


# The image's name is slipway.yml's.

def test_no_script_names_the_image():
    named = [path.name for path in tracked("scripts") if path.suffix != ".json" and SERVICE in path.read_text()]
    assert named == []


# Of `a | grep -q b` under pipefail, grep leaves at its first hit, a ends of SIGPIPE, and the hit is a failure. `head`
# in a command substitution alike.
EARLY_LEAVER = re.compile(r"\|\s*(grep\s+(-\w*q|--quiet)|head\b)")


def early_leavers(text: str) -> list[str]:
    if "pipefail" not in text:
        return []
    return [line.strip() for line in text.splitlines()
            if EARLY_LEAVER.search(line) and not line.lstrip().startswith("#")]


def test_no_pipe_fails_because_its_reader_has_seen_enough():
    found = {str(path.relative_to(REPOSITORY)): early_leavers(path.read_text())
             for path in tracked("scripts", "host", ".ci") if path.read_bytes()[:14] == b"#!/usr/bin/env"}
    assert not {name: lines for name, lines in found.items() if lines}


@pytest.mark.parametrize("line", ["x=$(a | head -n1)", "if ! a | grep -q b; then", "a | b | grep --quiet c || d"])
def test_a_planted_one_is_told(line):
    assert early_leavers(f"#!/usr/bin/env bash\nset -euo pipefail\n{line}\n") == [line]
    assert early_leavers(f"#!/bin/sh\n{line}\n") == []
