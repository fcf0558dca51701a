"""A release that is killed or fails at each of its steps: reconcile, or the same job once more, makes
it whole, and a second reconcile changes nothing."""

import pytest

from release.world import NEEDS, World
from slipway.act.artifacts import write_assets

pytestmark = NEEDS

# Where SIGKILL strikes: (what had just happened, how it is arranged, does a release exist by then?)
HOOK = '#!/bin/sh\nwhile read -r _ _ ref; do case "$ref" in %s) kill -9 -"$(cat %s)";; esac; done\n'


def at_hook(name: str, ref: str):
    def arrange(world: World) -> None:
        hook = world.bare / "hooks" / name
        hook.write_text(HOOK % (ref, world.group_file))
        hook.chmod(0o755)
    return arrange


def at_github(method: str, pattern: str, skip: int = 0):
    def arrange(world: World) -> None:
        def strike():
            if strike.skip:
                strike.skip -= 1
                world.hub.fault = None
                arrange_next()
            else:
                world.kill()
        strike.skip = skip

        def arrange_next():
            world.hub.fail_once(method, pattern, strike)
        world.hub.fail_once(method, pattern, strike)
    return arrange


def at_registry(pattern: str):
    return lambda world: world.registry.fail_once("PUT", pattern, world.kill)


def half_upload(world: World) -> None:
    """The upload breaks: GitHub keeps an asset in state `starter`, semantic-release dies."""
    def strike():
        release = max(world.hub.releases.values(), key=lambda r: r["id"])
        world.hub.add_asset(release, "SHA256SUMS", b"", state="starter")
        world.kill()
    world.hub.fail_once("POST", "^/uploads/", strike)


STEPS = {
    "before the release commit is pushed": (at_hook("pre-receive", "refs/heads/main"), False),
    "between release commit and tag": (at_hook("post-receive", "refs/heads/main"), True),
    "after the tag": (at_hook("post-receive", "refs/tags/v*"), True),
    "when the GitHub release is asked for": (at_github("POST", "/releases$"), True),
    "at the first asset": (at_github("POST", "^/uploads/"), True),
    "in the middle of an asset": (half_upload, True),
    "when the draft is published": (at_github("PATCH", "/releases/"), True),
    "before the first image tag": (at_registry("/manifests/v"), True),
    "between image tags: X.Y": (at_registry(r"/manifests/\d+\.\d+$"), True),
    "between image tags: X": (at_registry(r"/manifests/\d+$"), True),
}


def state(world: World, commit: str, tag: str) -> list:
    """What is not as it must be; empty when the release is whole."""
    version, wrong, images = tag[1:], [], world.images()
    if world.tags() != ["v0.0.0", tag]:
        return [f"tags are {world.tags()}"]
    if world.git("rev-parse", f"{tag}^", cwd=world.bare) != commit:
        wrong.append("the tag is not on the child of the commit that was released")
    releases = [r for r in world.hub.releases.values() if r["tag_name"] == tag]
    if [r["draft"] for r in releases] != [False]:
        wrong.append(f"{len(releases)} releases, drafts: {[r['draft'] for r in releases]}")
    folder = world.folder / f"check-{world.runs}"
    write_assets(folder, version, commit)
    published = {a["name"]: (a["state"], world.hub.contents[a["id"]])
                 for release in releases for a in release["assets"]}
    expected = {p.name: ("uploaded", p.read_bytes()) for p in folder.iterdir()}
    world.runs += 1
    if published != expected:
        wrong.append(f"assets: {sorted(published)}, expected {sorted(expected)}")
    if releases and releases[0]["body"].count(f"[{version}]") != 1:
        wrong.append(f"the notes are {releases[0]['body']!r}")
    for name in (tag, "0.1", "0", "latest"):
        if images.digest(name) != images.digest(commit):
            wrong.append(f"image tag {name} names {images.digest(name)}")
    if world.file("CHANGELOG.md").count(f"## [{version}]") != 1:
        wrong.append("the changelog does not have the version once")
    if world.file("VERSION").strip() != version:
        wrong.append("VERSION is another")
    return wrong


def broken(world: World, arrange) -> tuple:
    commit = world.push("feat: pay by packet")
    arrange(world)
    run = world.release(commit)
    for hook in ("pre-receive", "post-receive"):
        (world.bare / "hooks" / hook).unlink(missing_ok=True)
    return commit, run


QUICK = ("between release commit and tag", "between image tags: X.Y")


@pytest.mark.parametrize("step", [pytest.param(step, marks=[pytest.mark.quick] if step in QUICK else [])
                                  for step in STEPS])
def test_reconcile_makes_a_release_whole_that_was_killed(world, step, tell):
    arrange, exists = STEPS[step]
    commit, run = broken(world, arrange)
    assert run.status == -9, run.said
    assert state(world, commit, "v0.1.0"), "it was whole before it was repaired"
    done, made = world.reconcile()
    assert done.status == 0, done.said
    if exists:
        assert state(world, commit, "v0.1.0") == [], done.said
    else:
        assert world.tags() == ["v0.0.0"], done.said
    again, nothing = world.reconcile()
    assert (again.status, nothing) == (0, []), again.said
    tell(f"reconcile made {len(made)}, then nothing")


@pytest.mark.parametrize("step", STEPS)
def test_the_same_job_once_more_makes_a_release_whole_that_was_killed(world, step):
    commit, run = broken(world, STEPS[step][0])
    assert run.status == -9, run.said
    again = world.release(commit)
    assert again.status == 0, again.said
    assert state(world, commit, "v0.1.0") == [], again.said


def test_when_nobody_repairs_the_next_push_settles_the_debt_and_makes_the_next_version(world):
    commit, _ = broken(world, STEPS["between release commit and tag"][0])
    later = world.push("fix: come later")
    run = world.release(later)
    assert world.tags() == ["v0.0.0", "v0.1.0", "v0.1.1"] and run.tag == "v0.1.1", run.said
    assert world.file("CHANGELOG.md").count("## [0.1.0]") == 1
    done, _ = world.reconcile()
    assert done.status == 0, done.said
    releases = sorted(r["tag_name"] for r in world.hub.releases.values() if not r["draft"])
    assert releases == ["v0.1.0", "v0.1.1"]
    images = world.images()
    assert images.digest("v0.1.0") == images.digest(commit)
    assert images.digest("latest") == images.digest(later)


def test_what_was_published_with_other_bytes_is_told_and_never_overwritten(world):
    commit = world.push("feat: pay by packet")
    world.release(commit)
    release = next(iter(world.hub.releases.values()))
    asset = next(a for a in release["assets"] if a["name"].endswith(".deb"))
    asset["digest"] = "sha256:" + "0" * 64
    done, made = world.reconcile()
    assert done.status == 1 and made == [] and "other bytes" in done.said, done.said
