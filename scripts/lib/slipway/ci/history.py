"""What the repository's own history says of its releases.

A release is a tag vX.Y.Z. Where the branch may be pushed to, it is on a commit `chore(release): X.Y.Z [skip ci]` on
top of the commit that was released, which reaches the branch first: without its tag it is a release that was stopped
midway, and its tag is still owed. Elsewhere it is on the commit that was released itself. The seed, from which
versions are counted, is the one on a root commit. A title is anybody's: a release commit counts only if it is ours.
"""

import os
import re
import subprocess

# As grep -E reads it too. What has more digits is no version to semver, which is exact up to 2^53.
NUMBER = "(0|[1-9][0-9]{0,14})"
RELEASE = re.compile(rf"chore\(release\): ({NUMBER}\.{NUMBER}\.{NUMBER}) \[skip ci\]$")
VERSION_TAG = re.compile(rf"v{NUMBER}\.{NUMBER}\.{NUMBER}")
# Who makes release commits. Nobody's merge keeps it as the committer: GitHub and git write whoever merges or picks.
IDENTITY = ("slipway", "slipway@users.noreply.github.com")
CONTENT = {"CHANGELOG.md", "VERSION"}
WITHDRAWN = "withdrawn/"


class HistoryError(Exception):
    """Which git command failed, and what it said."""


def git(*args: str) -> str:
    done = subprocess.run(["git", *args], capture_output=True, encoding="utf-8", errors="replace", check=False)
    if done.returncode != 0:
        raise HistoryError(f"git {' '.join(args[:2])}: {done.stderr.strip()[-500:]}")
    return done.stdout.strip()


def is_ancestor(old: str, new: str) -> bool:
    return subprocess.run(["git", "merge-base", "--is-ancestor", old, new], check=False,
                          stderr=subprocess.DEVNULL).returncode == 0


def remote_url() -> str:
    server = os.environ.get("GITHUB_SERVER_URL", "https://github.com")
    return f"{server}/{os.environ['GITHUB_REPOSITORY']}.git"


def authenticated_url() -> str:
    """The token is in this URL only, in no file of the checkout."""
    scheme, rest = remote_url().split("://", 1)
    return f"{scheme}://x-access-token:{os.environ['GITHUB_TOKEN']}@{rest}"


def fetch_all() -> list:
    """Every branch and tag as they are on the remote now; returns the refs that are released from."""
    git("fetch", "--quiet", "--tags", "--force", authenticated_url(),
        "+refs/heads/*:refs/remotes/origin/*")
    refs = git("for-each-ref", "--format=%(refname)", "refs/remotes/origin").split()
    return [ref for ref in refs if re.fullmatch(r"refs/remotes/origin/(main|\d+(\.\d+)?\.x)", ref)]


def tag_exists(tag: str) -> bool:
    return bool(git("tag", "--list", tag))


def version_of(tag: str) -> tuple:
    return tuple(int(part) for part in VERSION_TAG.fullmatch(tag).groups())


def identity() -> dict:
    """The environment in which git commits as a release does."""
    return {f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER")
            for what, value in zip(("NAME", "EMAIL"), IDENTITY, strict=True)}


def release_of_commit(commit: str) -> tuple:
    """(parent, version) if COMMIT is a release commit of ours, else two empty strings. Ours has the title, one parent,
    our author and committer, and brings CHANGELOG.md and a VERSION of that version, and nothing else."""
    parents, author, committer, subject = git("log", "-1", "--format=%P%x00%ae%x00%ce%x00%s", commit).split("\0")
    match = RELEASE.match(subject)
    if not match or len(parents.split()) != 1 or {author, committer} != {IDENTITY[1]}:
        return "", ""
    changed = set(git("diff-tree", "--no-commit-id", "--name-only", "-r", commit).splitlines())
    if "VERSION" not in changed or changed - CONTENT or git("show", f"{commit}:VERSION") != match[1]:
        return "", ""
    return parents, match[1]


def release_commits(span: str) -> list:
    """[(commit, parent, version)] of our release commits in SPAN, newest first."""
    log = git("log", "--first-parent", "--format=%H %s", span)
    titled = [line.split(" ", 1) for line in log.split("\n") if " " in line]
    found = [(commit, *release_of_commit(commit)) for commit, subject in titled if RELEASE.match(subject)]
    return [(commit, parent, version) for commit, parent, version in found if parent]


def built_from(tag: str) -> str:
    """The commit that was released as TAG, whose image and assets are TAG's; empty if TAG is no release: the seed, or
    on a file or a folder."""
    commit, _, parents = git("log", "-1", "--format=%H %P", f"refs/tags/{tag}").partition(" ")
    if not commit:
        return ""
    parent, version = release_of_commit(commit)
    if parent:
        return parent if version == tag[1:] else ""
    return commit if parents else ""


def branch_of(commit: str) -> str:
    """The branch that COMMIT was pushed to, whose CI built it: the default one [DEFAULT_BRANCH, main], else the line
    that has it. A line begins at a commit of the default branch, which is that one's."""
    default = os.environ.get("DEFAULT_BRANCH") or "main"
    there = git("for-each-ref", "--format=%(refname:lstrip=3)", "--contains", commit, "refs/remotes/origin").split()
    lines = sorted(name for name in there if re.fullmatch(r"\d+(\.\d+)?\.x", name))
    return default if default in there or not lines else lines[0]


def withdrawn() -> list:
    """The tags of the versions that were withdrawn: a tag withdrawn/vX.Y.Z says so, and its message why."""
    return [tag.removeprefix(WITHDRAWN) for tag in git("tag", "--list", f"{WITHDRAWN}v*").split()]


def owed(ref: str) -> list:
    """[(commit, tag)] of the release commits in REF's history that were stopped before their tag."""
    return [(commit, f"v{version}") for commit, _, version in release_commits(ref)
            if not tag_exists(f"v{version}")]


def version_tags() -> list:
    """Every tag that is a release (so not the seed), oldest version first."""
    tags = [tag for tag in git("tag", "--list", "v*").split() if VERSION_TAG.fullmatch(tag)]
    return sorted((tag for tag in tags if built_from(tag)), key=version_of)


def settle_debts(branch_head: str, hub) -> list:
    """Tags every release commit on the branch that was stopped before its tag; returns the tags. By REST of HUB, a
    github.GitHub: a push of a tag on a commit whose workflow files are no branch's now is refused to GITHUB_TOKEN."""
    made = owed(branch_head)
    for commit, tag in made:
        hub.post("/git/refs", {"ref": f"refs/tags/{tag}", "sha": commit})
        git("tag", tag, commit)
    return [tag for _, tag in made]
