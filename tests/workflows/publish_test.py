"""scripts/ci/publish with a registry that answers as it is told: `latest` moves only where it says that it may."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from slipway.paths import REPOSITORY

DIGEST = f"sha256:{'1' * 64}"
# Notes each call; what a verb answers with lies in a file of its name, as its exit code and its words.
OCI = """#!/bin/bash
echo "$*" >>"$WORLD/called"
[[ $1 != name ]] || { echo registry.example/acme/api; exit; }
answer=$WORLD/$1-$2
[[ -e $answer ]] || exit 0
read -r code words <"$answer"
[[ -z $words ]] || echo "$words"
exit "$code"
"""
RELATION = '#!/bin/sh\necho "${RELATION:-}"; exit "${RELATION_ENDS:-0}"\n'


class World:
    def __init__(self, folder: Path):
        self.folder = folder
        for name, content in (("oci", OCI), ("relation", RELATION)):
            file = folder / "slipway/scripts/ci" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content)
            file.chmod(0o755)
        (folder / "slipway/scripts/lib").mkdir()
        for name in ("ci/publish", "lib/shell.sh"):
            shutil.copy(REPOSITORY / "scripts" / name, folder / "slipway/scripts" / name)

    def answers(self, verb: str, ref: str, code: int, words: str = "") -> None:
        (self.folder / f"{verb}-{ref}").write_text(f"{code} {words}\n")

    def tag(self, **environment: str) -> tuple[int, bool]:
        """The exit code, and whether `latest` moved."""
        done = subprocess.run(
            [self.folder / "slipway/scripts/ci/publish", "tag"], cwd=self.folder, capture_output=True, text=True,
            check=False, env={"PATH": os.environ["PATH"], "WORLD": str(self.folder), "DIGEST": DIGEST,
                              "GITHUB_SHA": "a" * 40, "GITHUB_REF": "refs/heads/main", **environment})
        return done.returncode, f"tag {DIGEST} latest" in (self.folder / "called").read_text()


@pytest.fixture
def world(tmp_path):
    made = World(tmp_path)
    made.answers("find", "latest", 0, "sha256:0")
    made.answers("label", "latest", 0, "b" * 40)
    return made


@pytest.mark.parametrize(("verb", "ref"), [("find", "latest"), ("label", "latest"), ("find", "a" * 40)])
def test_a_registry_that_does_not_say_is_red_and_latest_stays(world, verb, ref):
    world.answers(verb, ref, 1)
    assert world.tag(RELATION="behind") == (1, False)


@pytest.mark.parametrize(("relation", "moves"), [("ahead", False), ("behind", True), ("diverged", True), ("", True)])
def test_latest_never_goes_back_to_an_older_commit(world, relation, moves):
    assert world.tag(RELATION=relation) == (0, moves)


def test_github_that_does_not_say_is_red_and_latest_stays(world):
    assert world.tag(RELATION_ENDS="1") == (1, False)


@pytest.mark.parametrize("absent", [("find", "latest"), ("label", "latest")], ids=["no latest", "no commit"])
def test_latest_is_made_where_there_is_none_that_says_its_commit(world, absent):
    world.answers(*absent, 0)
    assert world.tag(RELATION="ahead") == (0, True)
