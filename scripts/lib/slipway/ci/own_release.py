"""Which release of Slipway a fetched action is. Its file VERSION does not say: where no App may push to the branch, a
version is the tag on the commit that CI built, whose VERSION is still that of the release before."""

import re
import urllib.parse

from .history import VERSION_TAG, version_of

COMMIT = re.compile(r"[0-9a-f]{40}")


def version_at(commit: str, tags: dict) -> str:
    """The newest version whose tag is on COMMIT; empty when it is none. TAGS: name -> commit."""
    there = [name for name, on in tags.items() if on == commit and VERSION_TAG.fullmatch(name)]
    return max(there, key=version_of, default="")[1:]


def newer(one: str, other: str) -> str:
    """Of two versions, each of which may be empty."""
    return max(one, other, key=lambda version: version_of(f"v{version}") if version else ())


def version_of_action(hub, reference: str) -> str:
    """The version that REFERENCE is: what stands behind the @ of `uses:`, a tag (of a version, or one that moves), a
    branch or a commit. Empty when it is no release, or nobody knows what was fetched. HUB: a github.GitHub."""
    reference = reference.removeprefix("refs/tags/")
    if not reference:
        return ""
    if VERSION_TAG.fullmatch(reference):
        return reference[1:]
    commit = reference
    if not COMMIT.fullmatch(reference):
        commit = hub.must_get(f"/commits/{urllib.parse.quote(reference, safe='')}")["sha"]
    return version_at(commit, {tag["name"]: tag["commit"]["sha"] for tag in hub.all("/tags")})


def newest(hub) -> str:
    """The newest release, which none that was withdrawn is; empty before the first."""
    latest = hub.get("/releases/latest")
    tag = latest["tag_name"] if latest else ""
    return tag[1:] if VERSION_TAG.fullmatch(tag) else ""
