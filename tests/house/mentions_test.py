"""Comments and documents name files that exist: of this repository, by their path from its root."""

import re
import subprocess

import pytest

from slipway.paths import REPOSITORY

ROOMS = "src|bench|tools|tests|scripts|docs|host|cmake"
# A path from the root; what it ends in tells it from prose such as `scripts/wrappers`.
PATH = re.compile(
    rf"(?<![\w./$}}{{~*-])(?:{ROOMS})/[\w./-]*\w\.(?:py|sh|cpp|hpp|md|yml|json|cfg|txt|cmake|js|mjs|sarif)\b")
COMMENT = re.compile(r"^\s*(?:#|//|\*)|  # \S")
# A neighbour, named in a comment of Python: (host.py), see capsule.py.
NEIGHBOUR = re.compile(r"(?<![\w./-])[a-z_]+\.py\b")


def files() -> list[str]:
    listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=REPOSITORY,
                            check=True, capture_output=True, text=True).stdout
    return [name for name in listed.split("\0") if name and (REPOSITORY / name).is_file()]


def spoken(name: str, text: str):
    """(line, text) of what people read: comments, docstrings, documents."""
    told = name.endswith(".md")
    quoted = False
    for number, line in enumerate(text.splitlines(), 1):
        fences = line.count('"""') if name.endswith(".py") or text.startswith("#!/usr/bin/env python3") else 0
        if told or quoted or fences or COMMENT.search(line):
            yield number, line
        quoted ^= fences % 2 == 1


def lost(name: str, text: str, known: set[str]) -> list[str]:
    beside = {path.rpartition("/")[2] for path in known}
    found = []
    for number, line in spoken(name, text):
        found += [f"{name}:{number}: names {path}, which is not there" for path in PATH.findall(line)
                  if path not in known]
        if name.endswith(".py"):
            found += [f"{name}:{number}: names {file}, which is nowhere" for file in NEIGHBOUR.findall(line)
                      if file not in beside]
    return found


def test_every_file_that_is_named_is_there():
    known = set(files())
    found = []
    for name in known - {"CHANGELOG.md", "tests/house/mentions_test.py", "tests/release/expected_changelog.md"}:
        if not name.endswith((".json", ".jsonl")):
            found += lost(name, (REPOSITORY / name).read_bytes().decode("utf-8", "replace"), known)
    assert sorted(found) == []


@pytest.mark.parametrize(("name", "text"), [
    ("scripts/a.py", '"""See tests/deploy/nothing.py."""\n'), ("scripts/b", "# as docs/nothing.md says\n"),
    ("scripts/c.py", "# Where the registries are (network.py).\n"), ("README.md", "see `docs/nothing.md`\n"),
    ("src/a.cpp", "// scripts/nothing.sh reads it\n")])
def test_a_planted_mention_of_nothing_is_told(name, text):
    (line,) = lost(name, text, {"docs/architecture.md", "scripts/a.py"})
    assert line.startswith(f"{name}:1: names ")
