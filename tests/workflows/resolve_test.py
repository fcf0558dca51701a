"""For which branches CI passed a commit, and that its image is attested for one of them."""

import os
import subprocess

import pytest

from slipway.paths import REPOSITORY
from support.modules import script

PASSED, RED, RUNS = {"conclusion": "success"}, {"conclusion": "failure"}, {"conclusion": None, "status": "in_progress"}


@pytest.mark.parametrize(("runs", "expected"), [
    ({"main": PASSED}, ["main"]),
    ({"1.x": PASSED, "main": PASSED}, ["main", "1.x"]),  # a line was cut from a commit of main
    ({"1.x": RUNS, "main": PASSED}, ["main"]), ({"1.x": RED, "main": PASSED}, ["main"]),
    ({"main": RUNS, "1.x": PASSED}, ["1.x"]), ({"topic": PASSED, "main": PASSED}, ["main"])])
def test_ci_passed_for_each_branch_by_itself(runs, expected):
    assert script("resolve").branches_of_passed_ci(runs, "abc") == expected


@pytest.mark.parametrize(("runs", "why"), [
    ({}, "there is none"), ({"main": RED}, "failure on main"), ({"main": RUNS}, "in_progress on main"),
    ({"main": RED, "1.x": RUNS}, "failure on main, in_progress on 1.x"),
    ({"topic": PASSED}, "passed on topic, which is not released from"), ({"main": RED, "topic": PASSED}, "topic")])
def test_what_no_released_branch_passed_is_not_deployed(runs, why):
    module = script("resolve")
    with pytest.raises(module.Refused, match=why):
        module.branches_of_passed_ci(runs, "abc")


def test_the_newest_run_of_each_branch_counts(monkeypatch):
    def run(number: int, branch: str, conclusion: str, **other) -> dict:
        return {"id": number, "head_branch": branch, "conclusion": conclusion, "head_sha": "abc", "event": "push",
                "head_repository": {"full_name": "acme/conn"}, **other}

    github = script("resolve").github
    listed = [run(3, "main", "success"), run(2, "main", "failure"), run(5, "1.x", "failure"), run(4, "1.x", "success"),
              run(9, "2.x", "success", head_repository={"full_name": "eve/conn"}),
              run(8, "3.x", "success", event="workflow_dispatch")]
    monkeypatch.setattr(github.GitHub, "must_get", lambda _hub, _path: {"workflow_runs": listed})
    found = github.GitHub("acme/conn", "").ci_runs("abc")
    assert {branch: one["conclusion"] for branch, one in found.items()} == {"main": "success", "1.x": "failure"}


GH = """#!/bin/sh
for word; do [ "$word" != "$ATTESTED_FOR" ] || exit 0; done
exit 1
"""


@pytest.mark.parametrize(("given", "attested_for", "status"), [
    ("refs/heads/main", "refs/heads/main", 0), ("refs/heads/main refs/heads/1.x", "refs/heads/main", 0),
    ("refs/heads/main refs/heads/1.x", "refs/heads/1.x", 0), ("refs/heads/main refs/heads/1.x", "refs/heads/eve", 1),
    ("", "", 2), ("refs/heads/main eve", "eve", 2), ("main", "main", 2)])
def test_an_image_is_attested_for_one_of_those_branches(tmp_path, given, attested_for, status):
    gh = tmp_path / "gh"
    gh.write_text(GH)
    gh.chmod(0o755)
    summary = tmp_path / "summary"
    (tmp_path / "slipway.yml").write_text("service: conn\nimage: localhost:1/acme/conn\n")
    env = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "ATTESTED_FOR": attested_for, "SOURCE_REF": given,
           "DIGEST": f"sha256:{'a' * 64}", "REVISION": "b" * 40, "GITHUB_REPOSITORY": "acme/conn",
           "GITHUB_STEP_SUMMARY": str(summary), "GITHUB_WORKSPACE": str(tmp_path), "GH_TOKEN": ""}
    done = subprocess.run([REPOSITORY / "scripts/ci/verify-attestation"], cwd=tmp_path, env=env, check=False,
                          capture_output=True, text=True)
    assert done.returncode == status, done.stderr
    assert status or f"on `{attested_for}`: verified" in summary.read_text()
