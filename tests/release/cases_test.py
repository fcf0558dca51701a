"""The real semantic-release against a real Git remote: what each kind of commit makes, and that
whatever makes no release says so and leaves nothing behind."""

import difflib
import os
import re
from pathlib import Path

import pytest

from release.world import NEEDS, TOKEN, World
from slipway.paths import REPOSITORY as SOURCE

pytestmark = NEEDS
EXPECTED = Path(__file__).with_name("expected_changelog.md")
REVERTED = "0123456789012345678901234567890123456789"

# One after another on one branch: (what, messages, the version they make or None).
HISTORY = [
    ("first release: feat", ["feat: pay by packet"], "0.1.0"),
    ("fix", ["fix: answer an expired Prepare with R00"], "0.1.1"),
    ("docs and chore", ["docs: draw the flow", "chore: sweep"], None),
    ("perf, with docs before it", ["docs: tell more", "perf(wire): copy no payload"], "0.1.2"),
    ("revert (type)", [f'revert: "copy no payload"\n\nThis reverts commit {REVERTED}.'], "0.1.3"),
    ("revert (git's own)", [f'Revert "fix: answer"\n\nThis reverts commit {REVERTED}.'], "0.1.4"),
    ("GitHub's Revert button", ['Revert "fix: one" (#13)\n\nReverts acme/conn#12'], "0.1.5"),
    ("the same of what nobody has seen yet",
     ['feat: dig (#14)', 'Revert "feat: dig" (#15)\n\nReverts acme/conn#14'], None),
    ("GitHub's Reapply", ['Reapply "fix: one" (#16)'], "0.1.6"),
    ("test, refactor, ci, style", ["test: more", "refactor: less", "ci: pin", "style: wrap"], None),
    ("feat and fix together", ["fix: one", "feat(deploy): two"], "0.2.0"),
    ("breaking, by `!`", ["feat!: speak ILPv4 only\n\nOld peers must upgrade."], "1.0.0"),
    ("breaking, by footer", ["fix: refuse\n\nBREAKING CHANGE: tokens are required"], "2.0.0"),
    ("breaking docs, by `!`", ["docs!: drop the old contract"], "3.0.0"),
]


def test_each_kind_of_commit_makes_its_version_and_the_changelog_tells(world):
    expected, last = ["v0.0.0"], None
    for what, messages, version in HISTORY:
        commit = world.push(*messages)
        predicted = world.next_version(commit)
        run = world.release(commit)
        assert run.status == 0, (what, run.said)
        if version:
            expected.append(f"v{version}")
            last = version
            assert (run.outcome, run.tag) == ("released", f"v{version}"), (what, run.said)
            assert predicted["version"] == version, what
            assert world.file("VERSION").strip() == version, what
            assert world.git("rev-parse", f"v{version}^", cwd=world.bare) == commit, what
            images = world.images()
            assert images.digest(f"v{version}") == images.digest("latest") == images.digest(commit), what
        else:
            assert (run.outcome, run.tag) == ("nothing", "") and "no release, no tag" in run.said, (what, run.said)
            assert predicted["version"] == f"{last}+g{commit[:12]}", what
        assert world.tags() == expected, what
    assert changelog_differs(world) == []


def changelog_differs(world: World) -> list[str]:
    """Dates and hashes differ from run to run; nothing else may. ACCEPT=1 takes what was made."""
    text = re.sub(r"\d{4}-\d\d-\d\d", "DATE", world.file("CHANGELOG.md").rstrip() + "\n")
    text = re.sub(r"\b[0-9a-f]{40}\b", "COMMIT", re.sub(r"\[[0-9a-f]{7}\]", "[SHORT]", text))
    if os.environ.get("ACCEPT"):
        EXPECTED.write_text(text)
    return list(difflib.unified_diff(EXPECTED.read_text().splitlines(), text.splitlines(),
                                     "expected", "made", lineterm=""))


@pytest.mark.quick
def test_the_first_release_is_1_0_0_where_something_breaks(world):
    """As ours is: every page names the actions by v1."""
    run = world.release(world.push("feat: pay by packet", "feat(actions)!: ask for a right", "fix: pay once"))
    assert (run.tag, run.status) == ("v1.0.0", 0), run.said
    assert world.tags() == ["v0.0.0", "v1.0.0"]


@pytest.mark.quick
def test_a_feature_is_released_docs_are_not_and_a_stale_checkout_is_refused(world):
    old = world.push("feat: pay by packet")
    run = world.release(old)
    assert run.tag == "v0.1.0" and run.status == 0 and world.tags() == ["v0.0.0", "v0.1.0"], run.said
    commit = world.push("docs: draw the flow")
    run = world.release(commit)
    assert (run.status, run.outcome) == (0, "nothing") and len(world.tags()) == 2, run.said
    run = world.release(old, meant=commit)
    assert run.status == 1 and "stale checkout" in run.said, run.said


def test_of_two_pushes_the_stale_is_refused_and_the_newest_releases_both(world):
    world.release(world.push("feat: begin"))
    stale = world.push("fix: old")
    newer = world.push("fix: new")
    run = world.release(stale, meant=newer)
    assert run.status == 1 and "stale checkout" in run.said and world.tags()[-1] == "v0.1.0", run.said
    run = world.release(stale)
    assert (run.status, run.outcome, run.tag) == (0, "superseded", ""), run.said
    assert world.tags()[-1] == "v0.1.0"
    run = world.release(newer)
    assert run.tag == "v0.1.1" and run.status == 0, run.said


def test_a_push_that_arrives_meanwhile_wins_and_releases_both(world):
    def race():
        world.git("pull", "--quiet", "--rebase", "origin", "main")
        world.commit("fix: late")
        world.git("push", "--quiet", "origin", "main")

    world.release(world.push("feat: begin"))
    losing = world.push("feat: early")
    # semantic-release cannot push its commit any more, so there is no tag.
    world.hub.fail_once("GET", r"^/repos/acme/conn$", status=200, action=race)
    run = world.release(losing)
    assert run.tag == "" and world.tags()[-1] == "v0.1.0", run.said
    world.ci(world.remote())
    run = world.release(world.remote())
    assert run.tag == "v0.2.0", run.said
    assert "early" in world.file("CHANGELOG.md") and "late" in world.file("CHANGELOG.md")


def test_a_branch_rule_that_refuses_the_push_leaves_nothing_and_the_same_job_may_follow(world):
    world.release(world.push("feat: begin"))
    protected = world.push("feat: refused")
    rule = world.bare / "hooks" / "update"
    rule.write_text('#!/bin/sh\n[ "$1" != refs/heads/main ] || { echo "GH013: rule"; exit 1; }\n')
    rule.chmod(0o755)
    run = world.release(protected)
    assert run.status == 1 and "nothing was tagged" in run.said, run.said
    assert world.tags()[-1] == "v0.1.0" and world.remote() == protected
    rule.unlink()
    run = world.release(protected)
    assert run.tag == "v0.2.0", run.said


def test_a_dry_run_only_shows(world):
    world.release(world.push("feat: begin"))
    run = world.release(world.push("feat: shown only"), dry_run=True)
    assert (run.status, run.outcome) == (0, "dry-run") and "would release v0.2.0" in run.said, run.said
    assert world.tags()[-1] == "v0.1.0"


def test_a_tag_by_hand_since_ci_built_the_image_is_refused(world):
    world.release(world.push("feat: begin"))
    world.push("feat: more")
    world.git("tag", "v0.2.0", world.remote("v0.1.0"))
    world.git("push", "--quiet", "origin", "v0.2.0")
    run = world.release(world.remote())
    assert run.status == 1 and "push another commit" in run.said and world.tags()[-1] == "v0.2.0", run.said
    # CI once more would not help: a commit that has an image keeps it.
    assert "CI again" not in run.said and "CI again" not in (SOURCE / "docs/operators/releasing.md").read_text()
    run = world.release(world.push("fix: what was pushed then"))
    assert run.tag == "v0.3.0", run.said


def test_without_a_seed_tag_the_sentence_says_which_to_make():
    with World(seed="") as world:
        run = world.release(world.push("feat: begin"))
        assert run.status == 1 and "git tag v0.0.0" in run.said and not world.tags(), run.said


def test_a_fix_of_an_older_line_moves_neither_latest_nor_the_newest_major(world):
    world.release(world.push("feat!: one"))
    line = world.remote("v1.0.0")
    world.release(world.push("feat!: two"))
    latest = world.images().digest("latest")
    world.git("checkout", "--quiet", "-b", "1.x", line)
    world.git("push", "--quiet", "origin", "1.x")
    commit = world.push("fix: for those who stay", branch="1.x")
    run = world.release(commit, branch="1.x")
    images = world.images()
    assert run.tag == "v1.0.1", run.said
    assert {name: images.digest(name) == images.digest(commit) for name in ("v1.0.1", "1.0", "1", "2", "latest")} == {
        "v1.0.1": True, "1.0": True, "1": True, "2": False, "latest": False}
    assert images.digest("latest") == latest
    assert "v1.0.1" not in [r["tag_name"] for r in world.hub.releases.values() if r["latest"]]
    said = {r["tag_name"]: r["body"] for r in world.hub.releases.values()}
    assert "/ci.yml --source-ref refs/heads/1.x" in said["v1.0.1"], "the branch that attested its image"
    assert "/ci.yml --source-ref refs/heads/main" in said["v1.0.0"], "main's, where the line begins"


@pytest.mark.quick
def test_without_an_app_the_commit_itself_is_tagged_and_nothing_is_pushed_to_main(world):
    """GITHUB_TOKEN may make a tag, but no ruleset lets it push to main."""
    hook = world.bare / "hooks" / "update"
    hook.write_text('#!/bin/sh\n[ "$1" != refs/heads/main ] || [ ! -e "$GIT_DIR/protected" ] || '
                    '{ echo GH013 >&2; exit 1; }\n')
    hook.chmod(0o755)
    first = world.push("feat: pay by packet")
    (world.bare / "protected").touch()
    run = world.release(first, app=False)
    assert (run.status, run.outcome, run.tag) == (0, "released", "v0.1.0"), run.said
    assert world.remote("main") == world.remote("v0.1.0") == first
    images = world.images()
    assert images.digest("v0.1.0") == images.digest(first)
    assert "pay by packet" in world.file("CHANGELOG.md", "slipway-changelog")
    assert world.file("VERSION", "slipway-changelog").strip() == "0.1.0"
    again = world.release(first, app=False)
    assert (again.status, again.tag) == (0, "v0.1.0"), again.said
    assert len(world.hub.releases) == 1
    done, made = world.reconcile()
    assert (done.status, made) == (0, []), done.said
    (world.bare / "protected").unlink()
    second = world.push("fix: answer")
    (world.bare / "protected").touch()
    run = world.release(second, app=False)
    assert (run.status, run.tag) == (0, "v0.1.1"), run.said
    waiting = world.file("CHANGELOG.md", "slipway-changelog")
    assert waiting.index("answer") < waiting.index("pay by packet")
    with_app = world.release(second, app=True)
    assert (with_app.status, with_app.tag) == (0, "v0.1.1"), "made once, whatever the way"


def test_the_major_is_moved_with_the_app_s_token(world):
    """As the ruleset for major tags wants it: what runs with the keys of all who use the actions, nobody else moves."""
    world.hub.refuses += [(TOKEN, "PATCH", "/git/refs/tags/v[0-9]+ "), (TOKEN, "POST", '"refs/tags/v[0-9]+"')]
    action = world.work / ".github/actions/deploy/action.yml"
    action.parent.mkdir(parents=True)
    action.write_text("name: Slipway deploy\n")
    for message in ("feat!: publish actions", "fix: answer"):
        run = world.release(world.push(message))
        assert run.status == 0, run.said
        assert world.remote("v1") == world.remote(run.tag)


def test_with_an_app_that_the_ruleset_does_not_let_pass_nothing_is_tagged(world):
    commit = world.push("feat: pay by packet")
    hook = world.bare / "hooks" / "update"
    hook.write_text('#!/bin/sh\n[ "$1" != refs/heads/main ] || { echo GH013 >&2; exit 1; }\n')
    hook.chmod(0o755)
    run = world.release(commit)
    assert run.status == 1
    assert world.tags() == ["v0.0.0"]
