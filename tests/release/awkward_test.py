"""Awkward histories and answers, taken from reports about other release tools, against the real semantic-release: what
is refused is refused before anything was pushed, with its remedy; what is ignored, by preview and release alike."""

import subprocess

import pytest

from release.world import NEEDS, World
from slipway.ci import notes

pytestmark = NEEDS
CAUTION = "> [!CAUTION]"


def tag(world: World, name: str, commit: str) -> None:
    world.git("fetch", "--quiet", "origin")
    world.git("tag", name, commit)
    world.git("push", "--quiet", "origin", f"refs/tags/{name}")


def raw(world: World, message: bytes) -> None:
    """A commit on main with these bytes for a message."""
    tree, head = world.git("rev-parse", "HEAD^{tree}"), world.git("rev-parse", "HEAD")
    who = "Ada <ada@example.org> 1700000000 +0000"
    data = f"tree {tree}\nparent {head}\nauthor {who}\ncommitter {who}\n\n".encode() + message + b"\n"
    made = subprocess.run(["git", "hash-object", "-t", "commit", "-w", "--literally", "--stdin"], cwd=world.work,
                          env=world.env(), input=data, check=True, capture_output=True).stdout.decode().strip()
    world.git("reset", "--quiet", "--hard", made)


def test_tags_that_are_no_versions_of_ours_are_ignored_by_preview_and_release(released):
    for name in ("v1.0.0-beta.1", "v0.5.0+build.5", "vv7.0.0"):
        tag(released, name, released.remote("v0.1.0"))
    commit = released.push("fix: answer")
    assert released.next_version(commit)["version"] == "0.1.1"
    run = released.release(commit)
    assert (run.status, run.tag) == (0, "v0.1.1"), run.said


@pytest.mark.quick
def test_a_tag_of_the_next_version_on_no_branch_is_found_before_anything_is_pushed(released):
    stray = released.git("commit-tree", "-m", "stray", released.git("rev-parse", "HEAD^{tree}"))
    commit = released.push("fix: answer")
    tag(released, "v0.1.1", stray)
    run = released.release(commit)
    assert run.status == 1 and "git push origin :refs/tags/v0.1.1" in run.said, run.said
    assert released.remote() == commit, "a release commit was pushed"
    released.git("push", "--quiet", "origin", ":refs/tags/v0.1.1")
    run = released.release(commit)
    assert (run.status, run.tag) == (0, "v0.1.1"), run.said


def test_a_shallow_clone_is_found_before_anything_is_pushed(released):
    commit = released.push("fix: answer")
    clone = released.checkout(commit)
    (clone / ".git/shallow").write_text(commit + "\n")
    run = released.release(commit, clone=clone)
    assert run.status == 1 and "fetch --unshallow" in run.said, run.said
    assert released.remote() == commit


def test_bytes_that_are_no_text_are_released_and_reconciled(released):
    released.git("pull", "--quiet", "--rebase", "origin", "main")
    raw(released, b"fix: caf\xe9")
    raw(released, b"\xef\xbb\xbffix: bom")
    raw(released, b"fix: nul\0and more")
    commit = released.push("docs: more")
    run = released.release(commit)
    assert (run.status, run.tag) == (0, "v0.1.1"), run.said
    text = released.file("CHANGELOG.md")
    assert all(word in text for word in ("caf\ufffd", "bom", "nul")), text
    done, made = released.reconcile()
    assert (done.status, made) == (0, []), done.said


def test_what_a_body_says_is_no_command_of_the_runner(released):
    commit = released.push("fix: one\n\n::stop-commands::token\n  ::error::boo\n##[error]boo")
    for dry_run in (True, False):
        run = released.release(commit, dry_run=dry_run)
        assert run.status == 0, run.said
        bad = [line for line in run.said.splitlines()
               if line.lstrip().startswith(("::stop", "::error")) or "##[" in line]
        assert not bad


@pytest.mark.quick
@pytest.mark.parametrize("with_content", [False, True], ids=["a title", "a title and a VERSION"])
def test_a_pull_request_that_looks_like_a_release_is_none(released, with_content):
    released.git("pull", "--quiet", "--rebase", "origin", "main")
    if with_content:
        (released.work / "VERSION").write_text("9.9.9\n")
    commit = released.commit("chore(release): 9.9.9 [skip ci]")
    released.git("push", "--quiet", "origin", "main")
    released.ci(commit)
    assert released.next_version(commit)["type"] is None
    run = released.release(commit)
    assert (run.status, run.outcome) == (0, "nothing"), run.said
    run = released.release(released.push("fix: answer"))
    assert (run.status, run.tag) == (0, "v0.1.1"), run.said
    assert "v9.9.9" not in released.tags()


def test_a_release_commit_that_was_cherry_picked_is_none(released):
    released.release(released.push("feat: more"))
    released.git("fetch", "--quiet", "--tags", "origin")
    released.git("checkout", "--quiet", "-B", "0.1.x", "v0.1.0")
    released.git("cherry-pick", "-X", "theirs", "v0.2.0")
    released.git("push", "--quiet", "origin", "0.1.x")
    commit = released.push("fix: answer", branch="0.1.x")
    assert released.next_version(commit)["version"] == "0.1.1"
    run = released.release(commit, branch="0.1.x")
    assert (run.status, run.tag) == (0, "v0.1.1"), run.said


def test_notes_of_any_length_are_published_and_cut_at_a_whole_entry(world):
    """3,000 entries: longer than GitHub takes, than one argument of a program may be, and than a commit should say."""
    for number in range(3000):
        world.git("commit", "--quiet", "--allow-empty", "-m", f"fix: number {number} {'and on ' * 8}")
    commit = world.push("feat: last")
    run = world.release(commit)
    assert (run.status, run.tag) == (0, "v0.1.0"), run.said[-2000:]
    body = next(iter(world.hub.releases.values()))["body"]
    assert len(body) <= notes.LIMIT and "CHANGELOG.md" in body
    assert all(line.endswith(")") for line in body.splitlines() if line.startswith("* "))
    assert world.file("CHANGELOG.md").count("\n* ") == 3001
    done, made = world.reconcile()
    assert (done.status, made) == (0, []), done.said


def test_a_moved_tag_is_told_and_the_image_s_tag_stays(released):
    before = released.images().digest("v0.1.0")
    other = released.push("docs: elsewhere")
    released.git("push", "--quiet", "--force", "origin", f"{other}:refs/tags/v0.1.0")
    done, made = released.reconcile()
    assert done.status == 1 and "v0.1.0 was moved" in done.said and made == [], done.said
    assert released.images().digest("v0.1.0") == before


def test_a_draft_that_somebody_wrote_by_hand_is_left_to_them(world):
    world.hub.releases[99] = {"id": 99, "tag_name": "v0.1.0", "name": "soon", "body": "Dear users,", "draft": True,
                              "prerelease": False, "assets": [], "latest": False, "url": "", "html_url": "",
                              "upload_url": ""}
    run = world.release(world.push("feat: pay by packet"))
    assert run.status == 0, run.said
    assert world.hub.releases[99]["draft"] and world.hub.releases[99]["body"] == "Dear users,"
    assert [r["draft"] for r in world.hub.releases.values() if r["id"] != 99] == [False]


def test_a_release_that_is_not_on_the_first_page_is_found(released):
    ours = next(iter(released.hub.releases.values()))
    others = {number: {**ours, "id": number, "tag_name": f"other-{number}", "assets": [], "latest": False}
              for number in range(500, 650)}
    released.hub.releases = {**others, **released.hub.releases}
    done, made = released.reconcile()
    assert (done.status, made) == (0, []), done.said


@pytest.mark.parametrize(("method", "where"), [("POST", "/releases$"), ("POST", "^/uploads/"), ("PATCH", "/releases/")],
                         ids=["making it", "an asset", "publishing it"])
def test_a_502_on_the_way_leaves_what_the_same_job_makes_whole(world, method, where):
    commit = world.push("feat: pay by packet")
    world.hub.fail_once(method, where, status=502)
    run = world.release(commit)
    again = run if run.status == 0 else world.release(commit)
    assert (again.status, again.tag) == (0, "v0.1.0"), again.said
    (release,) = world.hub.releases.values()
    assert not release["draft"] and len(release["assets"]) == 10, again.said
    done, made = world.reconcile()
    assert (done.status, made) == (0, []), done.said


def test_what_people_wrote_into_the_notes_stays_and_how_to_verify_is_there(released):
    release = next(iter(released.hub.releases.values()))
    digest = released.images().digest("v0.1.0")
    said = " ".join(release["body"].replace("\\\n", "").split())
    by = "--signer-workflow acme/conn/.github/workflows"
    assert (f"gh attestation verify oci://{released.image}@{digest} --repo acme/conn {by}/ci.yml "
            "--source-ref refs/heads/main") in said
    assert (f"x86_64.tar.gz --repo acme/conn {by}/release.yml --source-ref refs/heads/main "
            "--predicate-type https://github.com/acme/conn/tools/v1") in said
    release["body"] += "\nThanks, Grace!"
    done, made = released.reconcile()
    assert (done.status, made) == (0, []) and release["body"].endswith("Grace!"), done.said


@pytest.mark.quick
def test_a_withdrawn_release_says_so_holds_no_moving_name_and_stays_withdrawn(released):
    bad = released.push("feat: lose packets")
    assert released.release(bad).tag == "v0.2.0"
    images = released.images()
    clone = released.checkout(released.remote())
    done = released._run(clone, ["scripts/release/withdraw", "v0.2.0", "loses packets\nunder load"])
    assert done.status == 0 and "withdrawn: v0.2.0" in done.said, done.said
    done, made = released.reconcile()
    assert done.status == 0 and "v0.2.0 notes" in made, done.said
    good = images.digest("v0.1.0")
    assert {name: images.digest(name) == good for name in ("latest", "0", "0.1")} == dict.fromkeys(
        ("latest", "0", "0.1"), True)
    assert images.digest("v0.2.0") == images.digest(bad), "hosts may run it"

    def asked(**env: str) -> tuple:
        done = released._run(clone, ["scripts/ci/resolve"], IMAGE="0.2.0", ENVIRONMENT="production", **env)
        return done.status, "0.2.0 was withdrawn" in done.said

    assert [asked(ACTION="deploy"), asked(ACTION="deploy", OLDER="yes"), asked(ACTION="rollback")] == [
        (1, True), (0, False), (0, False)]
    release = next(r for r in released.hub.releases.values() if r["tag_name"] == "v0.2.0")
    assert release["body"].startswith(CAUTION) and "loses packets under load" in release["body"]
    assert "Use v0.1.0." in release["body"] and release["prerelease"] and not release["draft"]
    again, nothing = released.reconcile()
    assert (again.status, nothing) == (0, []), again.said
    run = released.release(released.push("fix: lose none"))
    assert (run.status, run.tag) == (0, "v0.2.1"), "a version is never used twice"
    assert images.digest("latest") == images.digest("v0.2.1")


def test_the_only_version_may_be_withdrawn(released):
    clone = released.checkout(released.remote())
    for _ in range(2):  # twice is once
        done = released._run(clone, ["scripts/release/withdraw", "v0.1.0", "loses packets"])
        assert done.status == 0, done.said
    done, made = released.reconcile()
    release = next(iter(released.hub.releases.values()))
    assert done.status == 0 and made == ["v0.1.0 notes"] and release["body"].startswith(CAUTION), done.said
    assert "Use v" not in release["body"]
    again, nothing = released.reconcile()
    assert (again.status, nothing) == (0, []), again.said
    none = released._run(clone, ["scripts/release/withdraw", "v7.0.0", "was never made"])
    assert none.status == 1 and "no release" in none.said, none.said


def test_a_history_of_two_roots_and_a_tag_on_a_file_are_released_and_reconciled(released):
    released.git("pull", "--quiet", "--rebase", "origin", "main")
    released.git("checkout", "--quiet", "--orphan", "other")
    released.git("rm", "--quiet", "-r", "-f", ".")
    released.git("commit", "--quiet", "--allow-empty", "-m", "feat: from elsewhere")
    released.git("checkout", "--quiet", "main")
    released.git("merge", "--quiet", "--allow-unrelated-histories", "-m", "Merge the other", "other")
    released.git("push", "--quiet", "origin", "main")
    commit = released.git("rev-parse", "HEAD")
    tag(released, "v7.0.0", released.git("rev-parse", "HEAD:LICENSE"))
    released.ci(commit)
    run = released.release(commit)
    assert (run.status, run.tag) == (0, "v0.2.0"), run.said
    assert "from elsewhere" in released.file("CHANGELOG.md")
    done, made = released.reconcile()
    assert (done.status, made) == (0, []), done.said


def test_where_actions_are_published_vmajor_follows_the_newest_that_was_not_withdrawn(released):
    assert released.reconcile()[0].status == 0 and released.remote("refs/tags/v0") == "", "no actions, no such tag"
    action = released.work / ".github/actions/any/action.yml"
    action.parent.mkdir(parents=True)
    action.write_text("name: any\n")
    where = []
    for message, version in (("feat: publish actions", "v0.2.0"), ("fix: mend them", "v0.2.1")):
        assert released.release(released.push(message)).tag == version
        where.append(released.remote("refs/tags/v0") == released.remote(f"refs/tags/{version}"))
    assert where == [True, True]
    clone = released.checkout(released.remote())
    assert released._run(clone, ["scripts/release/withdraw", "v0.2.1", "mends nothing"]).status == 0
    done, made = released.reconcile()
    assert done.status == 0 and "v0.2.0 tag v0" in made, done.said
    assert released.remote("refs/tags/v0") == released.remote("refs/tags/v0.2.0")
    again, nothing = released.reconcile()
    assert (again.status, nothing) == (0, []), again.said


def test_a_tag_and_its_release_deleted_by_hand_come_back_whole_as_the_page_says(released):
    """Deleting is no withdrawal: the release commit is on main, and its version cannot be used for anything else."""
    released.hub.releases.clear()
    released.git("push", "--quiet", "origin", ":refs/tags/v0.1.0")
    done, made = released.reconcile()
    assert done.status == 0 and "v0.1.0 tag" in made and "v0.1.0 release" in made, done.said
