#!/usr/bin/env python3
"""A release that is killed or fails at each of its steps: reconcile, or the same job once more, makes
it whole, and a second reconcile changes nothing."""

import sys

from table import Table, run_cases
from world import World

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
                return arrange_next()
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
    world.write_assets(folder, version, commit)
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


def by_reconcile(step: str):
    arrange, exists = STEPS[step]

    def case(world: World, table: Table) -> None:
        commit, run = broken(world, arrange)
        before = state(world, commit, "v0.1.0")
        done, made = world.reconcile()
        after = state(world, commit, "v0.1.0")
        again, nothing = world.reconcile()
        good = run.status == -9 and bool(before) and (done.status, again.status, nothing) == (0, 0, [])
        good &= after == [] if exists else world.tags() == ["v0.0.0"]
        table.row(f"killed {step}", f"reconcile made {len(made)}, then {len(nothing)}", good,
                  f"{run.said}\n{before}\n{done.said}\n{made}\n{after}\n{again.said}\n{nothing}")
    return case


def by_rerun(step: str):
    arrange, _ = STEPS[step]

    def case(world: World, table: Table) -> None:
        commit, run = broken(world, arrange)
        again = world.release(commit)
        after = state(world, commit, "v0.1.0")
        table.row(f"killed {step}", f"the job again: exit {again.status}, {again.tag}",
                  run.status == -9 and again.status == 0 and after == [],
                  f"{run.said}\n{again.said}\n{after}")
    return case


def next_push(world: World, table: Table) -> None:
    """Nobody repairs, and the next push comes: the debt is settled, then the next version made."""
    commit, _ = broken(world, STEPS["between release commit and tag"][0])
    later = world.push("fix: come later")
    run = world.release(later)
    text = world.file("CHANGELOG.md")
    table.row("stopped before the tag, then another push", f"exit {run.status}, {run.tag}",
              world.tags() == ["v0.0.0", "v0.1.0", "v0.1.1"] and run.tag == "v0.1.1"
              and text.count("## [0.1.0]") == 1, run.said)
    done, made = world.reconcile()
    releases = sorted(r["tag_name"] for r in world.hub.releases.values() if not r["draft"])
    table.row("... and reconcile of every tag", f"made {len(made)}, exit {done.status}",
              releases == ["v0.1.0", "v0.1.1"] and done.status == 0
              and world.images().digest("v0.1.0") == world.images().digest(commit)
              and world.images().digest("latest") == world.images().digest(later), done.said)


def damaged(world: World, table: Table) -> None:
    """What was published with other bytes is told, never overwritten."""
    commit = world.push("feat: pay by packet")
    world.release(commit)
    release = next(r for r in world.hub.releases.values())
    asset = next(a for a in release["assets"] if a["name"].endswith(".deb"))
    asset["digest"] = "sha256:" + "0" * 64
    done, made = world.reconcile()
    table.row("an asset with other bytes", f"exit {done.status}, made {len(made)}",
              done.status == 1 and made == [] and "other bytes" in done.said, done.said)


if __name__ == "__main__":
    CASES = {f"reconcile: {step}": by_reconcile(step) for step in STEPS}
    CASES |= {f"again: {step}": by_rerun(step) for step in STEPS}
    CASES |= {"next push": next_push, "damaged": damaged}
    QUICK = ("reconcile: between release commit and tag", "reconcile: between image tags: X.Y")
    sys.exit(run_cases({name: CASES[name] for name in QUICK} if "--quick" in sys.argv else CASES))
