#!/usr/bin/env python3
"""The real semantic-release against a real Git remote: what each kind of commit makes, and that
whatever makes no release says so and leaves nothing behind."""

import difflib
import re
import sys
from pathlib import Path

from table import Table, run_cases
from world import World

EXPECTED = Path(__file__).with_name("expected_changelog.md")
REVERTED = "0123456789012345678901234567890123456789"

# One after another on one branch: (what, messages, the version they make or None).
HISTORY = [
    ("first release: feat", ["feat: pay by packet"], "0.1.0"),
    ("fix", ["fix: answer an expired Prepare with R00"], "0.1.1"),
    ("docs and chore", ["docs: draw the flow", "chore: sweep"], None),
    ("perf, with docs before it", ["docs: tell more", "perf(wire): copy no payload"], "0.1.2"),
    ("revert (type)", ["revert: \"copy no payload\"\n\nThis reverts commit %s." % REVERTED], "0.1.3"),
    ("revert (git's own)", ['Revert "fix: answer"\n\nThis reverts commit %s.' % REVERTED], "0.1.4"),
    ("test, refactor, ci, style", ["test: more", "refactor: less", "ci: pin", "style: wrap"], None),
    ("feat and fix together", ["fix: one", "feat(deploy): two"], "0.2.0"),
    ("breaking, by `!`", ["feat!: speak ILPv4 only\n\nOld peers must upgrade."], "1.0.0"),
    ("breaking, by footer", ["fix: refuse\n\nBREAKING CHANGE: tokens are required"], "2.0.0"),
    ("breaking docs, by `!`", ["docs!: drop the old contract"], "3.0.0"),
]


def history(world: World, table: Table) -> None:
    expected, last = [], None
    for what, messages, version in HISTORY:
        commit = world.push(*messages)
        predicted = world.next_version(commit)
        run = world.release(commit)
        if version:
            expected.append(f"v{version}")
            last = version
            good = (run.outcome, run.tag, predicted["version"]) == ("released", f"v{version}", version)
            good &= world.file("VERSION").strip() == version
            good &= world.git("rev-parse", f"v{version}^", cwd=world.bare) == commit
            good &= world.images().digest(f"v{version}") == world.images().digest(commit)
            good &= world.images().digest("latest") == world.images().digest(commit)
        else:
            good = (run.outcome, run.tag) == ("nothing", "") and "no release, no tag" in run.said
            good &= predicted["version"] == f"{last}+g{commit[:12]}"
        good &= run.status == 0 and world.tags() == ["v0.0.0", *expected]
        table.row(what, f"exit {run.status}, {run.outcome} {run.tag}", good, run.said)
    changelog(world, table)


def changelog(world: World, table: Table) -> None:
    """Dates and hashes differ from run to run; nothing else may."""
    text = re.sub(r"\d{4}-\d\d-\d\d", "DATE", world.file("CHANGELOG.md").rstrip() + "\n")
    text = re.sub(r"\b[0-9a-f]{40}\b", "COMMIT", re.sub(r"\[[0-9a-f]{7}\]", "[SHORT]", text))
    if "--accept" in sys.argv:
        EXPECTED.write_text(text)
    difference = list(difflib.unified_diff(EXPECTED.read_text().splitlines(), text.splitlines(),
                                           "expected", "made", lineterm=""))
    table.row("CHANGELOG.md is the expected one", f"{len(difference)} lines differ", not difference,
              "\n".join(difference))


def refusals(world: World, table: Table) -> None:
    first = world.push("feat: begin")
    world.release(first)

    stale = world.push("fix: old")
    newer = world.push("fix: new")
    run = world.release(stale, meant=newer)
    table.row("a stale checkout", f"exit {run.status}, {run.outcome}",
              run.status == 1 and "stale checkout" in run.said and world.tags()[-1] == "v0.1.0",
              run.said)

    run = world.release(stale)
    table.row("main has moved on", f"exit {run.status}, {run.outcome}",
              (run.status, run.outcome, run.tag) == (0, "superseded", "")
              and world.tags()[-1] == "v0.1.0", run.said)
    run = world.release(newer)
    table.row("the newest of two pushes", f"exit {run.status}, {run.outcome} {run.tag}",
              run.tag == "v0.1.1" and run.status == 0, run.said)

    # A push that arrives while semantic-release works: it cannot push its commit, so no tag.
    losing = world.push("feat: early")
    world.hub.fail_once("GET", r"^/repos/acme/conn$", status=200,
                        action=lambda: race(world))
    run = world.release(losing)
    table.row("two pushes racing", f"exit {run.status}, {run.outcome}",
              run.tag == "" and world.tags()[-1] == "v0.1.1", run.said)
    world.ci(world.remote())
    run = world.release(world.remote())
    table.row("... and the winner releases both", f"exit {run.status}, {run.outcome} {run.tag}",
              run.tag == "v0.2.0" and "early" in world.file("CHANGELOG.md")
              and "late" in world.file("CHANGELOG.md"), run.said)

    protected = world.push("feat: refused")
    rule = world.bare / "hooks" / "update"
    rule.write_text('#!/bin/sh\n[ "$1" != refs/heads/main ] || { echo "GH013: rule"; exit 1; }\n')
    rule.chmod(0o755)
    run = world.release(protected)
    table.row("a branch rule refuses the push", f"exit {run.status}, {run.outcome}",
              run.status == 1 and world.tags()[-1] == "v0.2.0" and world.remote() == protected
              and "nothing was tagged" in run.said, run.said)
    rule.unlink()
    run = world.release(protected)
    table.row("... and once it may, the same job", f"exit {run.status}, {run.outcome} {run.tag}",
              run.tag == "v0.3.0", run.said)

    run = world.release(world.push("feat: shown only"), dry_run=True)
    table.row("a dry run", f"exit {run.status}, {run.outcome}",
              (run.status, run.outcome) == (0, "dry-run") and "would release v0.4.0" in run.said
              and world.tags()[-1] == "v0.3.0", run.said)

    world.git("tag", "v0.4.0", world.remote("v0.3.0"))
    world.git("push", "--quiet", "origin", "v0.4.0")
    run = world.release(world.remote())
    table.row("a tag by hand since CI built the image", f"exit {run.status}, {run.outcome}",
              run.status == 1 and "run CI again" in run.said and world.tags()[-1] == "v0.4.0",
              run.said)


def race(world: World) -> None:
    world.git("pull", "--quiet", "--rebase", "origin", "main")
    world.commit("fix: late")
    world.git("push", "--quiet", "origin", "main")


def brief(world: World, table: Table) -> None:
    """The quick selection: one version, nothing to release, a checkout that is behind."""
    old = world.push("feat: pay by packet")
    run = world.release(old)
    table.row("feat", f"exit {run.status}, {run.outcome} {run.tag}",
              run.tag == "v0.1.0" and run.status == 0 and world.tags() == ["v0.0.0", "v0.1.0"],
              run.said)
    commit = world.push("docs: draw the flow")
    run = world.release(commit)
    table.row("docs", f"exit {run.status}, {run.outcome}",
              (run.status, run.outcome) == (0, "nothing") and len(world.tags()) == 2, run.said)
    run = world.release(old, meant=commit)
    table.row("a stale checkout", f"exit {run.status}, {run.outcome}",
              run.status == 1 and "stale checkout" in run.said, run.said)


def no_seed(world: World, table: Table) -> None:
    run = world.release(world.push("feat: begin"))
    table.row("no seed tag", f"exit {run.status}, {run.outcome}",
              run.status == 1 and "git tag v0.0.0" in run.said and not world.tags(), run.said)


def older_line(world: World, table: Table) -> None:
    """A fix on 1.x, when 2.0.0 is out."""
    world.release(world.push("feat!: one"))
    line = world.remote("v1.0.0")
    world.release(world.push("feat!: two"))
    latest = world.images().digest("latest")
    world.git("checkout", "--quiet", "-b", "1.x", line)
    world.git("push", "--quiet", "origin", "1.x")
    commit = world.push("fix: for those who stay", branch="1.x")
    run = world.release(commit, branch="1.x")
    images = world.images()
    names = {name: images.digest(name) == images.digest(commit)
             for name in ("v1.0.1", "1.0", "1", "2", "latest")}
    table.row("a fix of an older line", f"exit {run.status}, {run.outcome} {run.tag}",
              run.tag == "v1.0.1" and names == {"v1.0.1": True, "1.0": True, "1": True, "2": False,
                                                "latest": False}
              and images.digest("latest") == latest, run.said + str(names))
    marked = [r["tag_name"] for r in world.hub.releases.values() if r["latest"]]
    table.row("... is not GitHub's latest release", str(marked), "v1.0.1" not in marked)


if __name__ == "__main__":
    FULL = {"history": history, "refusals": refusals, "older line": older_line, "no seed": no_seed}
    sys.exit(run_cases({"brief": brief} if "--quick" in sys.argv else FULL, seeds={"no seed": ""}))
