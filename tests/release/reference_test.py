"""The major that every page tells others to use our actions by, as `@vN`, is one that there is, or that the next
release makes: releases move that tag, and no other."""

import json
import os
import re
import subprocess

import pytest

from slipway.paths import REPOSITORY
from support import needs

REFERENCE = re.compile(r"slipway(?:/\.github/actions/[\w-]+)?@v(\d+)(?![\d.])")
PLACES = ("README.md", "docs/**/*.md", ".github/actions/*/README.md", "tools/slipway/**/*.?pp",
          "tools/slipway/workflows/*.yml")


def documented() -> dict:
    """file -> the majors that it names."""
    found = {path: set(REFERENCE.findall(path.read_text(encoding="utf-8")))
             for place in PLACES for path in REPOSITORY.glob(place)}
    return {str(path.relative_to(REPOSITORY)): majors for path, majors in found.items() if majors}


def unknown(majors: dict, last: str | None, due: str) -> dict:
    """Of MAJORS, file -> majors, what is neither of LAST, the newest release, nor of DUE, the next one. The seed is no
    release."""
    known = {version.partition(".")[0] for version in (last, due) if version and not version.startswith("0.0.0")}
    return {file: sorted(named - known) for file, named in majors.items() if named - known}


def git(folder, *words: str) -> str:
    return subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


@needs.all_of(needs.programs("act", "git", "npm"), needs.packages_of_release())
def test_the_actions_are_named_by_a_major_that_is_released_or_due(tmp_path):
    majors = documented()
    assert len(majors) >= 8
    assert len(set().union(*majors.values())) == 1, "pages that name different majors"
    if git(REPOSITORY, "rev-parse", "--is-shallow-repository") == "true":
        return  # which tells no version
    clone = tmp_path / "slipway"
    git(tmp_path, "clone", "--quiet", REPOSITORY, clone)
    if not git(clone, "tag", "--list", "v*.*.*"):  # as scripts/github-setup seeds it
        git(clone, "tag", "v0.0.0", git(clone, "rev-list", "--max-parents=0", "HEAD").split()[-1])
    env = {name: value for name, value in os.environ.items() if not name.startswith(("GITHUB_", "GIT_"))
           and name not in ("BASE", "PULL_REQUEST")}
    said = json.loads(subprocess.run([REPOSITORY / "scripts/release/next-version", "--json"], cwd=clone, check=True,
                                     env=env, capture_output=True, text=True).stdout)
    assert not unknown(majors, said["last"], said["version"])


@pytest.mark.parametrize(("last", "due", "is_known"), [
    ("0.0.0", "0.1.0", False), ("0.0.0", "1.0.0", True), ("1.4.0", "1.5.0", True), ("1.4.0", "2.0.0", True),
    ("2.0.0", "2.0.0+g0", False), (None, "0.0.0+g0", False)])
def test_a_major_is_known_by_what_is_released_or_due(last, due, is_known):
    assert bool(unknown({"a.md": {"1"}}, last, due)) != is_known
