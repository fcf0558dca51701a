"""What the repository's own history says of its releases.

A release is a tag vX.Y.Z. Where the branch may be pushed to, it is on a commit `chore(release): X.Y.Z [skip ci]` on
top of the commit that was released, which reaches the branch first: without its tag it is a release that was stopped
midway, and its tag is still owed. Elsewhere it is on the commit that was released itself. The seed, from which
versions are counted, is the one on a root commit.
"""

import os
import re
import subprocess

RELEASE = re.compile(r"chore\(release\): (\d+\.\d+\.\d+) \[skip ci\]$")
VERSION_TAG = re.compile(r"v(\d+)\.(\d+)\.(\d+)")


class HistoryError(Exception):
    """Which git command failed, and what it said."""


def git(*args: str) -> str:
    done = subprocess.run(["git", *args], capture_output=True, text=True, check=False)
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


def release_commits(span: str) -> list:
    """[(commit, parents, version)] of the release commits in SPAN, newest first."""
    log = git("log", "--first-parent", "--format=%H%x00%P%x00%s", span)
    found = []
    for line in filter(None, log.split("\n")):
        commit, parents, subject = line.split("\0")
        match = RELEASE.match(subject)
        if match and len(parents.split()) == 1:
            found.append((commit, parents, match[1]))
    return found


def built_from(tag: str) -> str:
    """The commit that was released as TAG, whose image and assets are TAG's; empty if TAG is no release."""
    commit, parents, subject = git("log", "-1", "--format=%H%x00%P%x00%s", tag).split("\0")
    match = RELEASE.match(subject)
    if match:
        return parents if match[1] == tag[1:] and len(parents.split()) == 1 else ""
    return commit if parents else ""


def version_tags() -> list:
    """Every tag that is a release (so not the seed), oldest version first."""
    tags = [tag for tag in git("tag", "--list", "v*").split() if VERSION_TAG.fullmatch(tag)]
    return sorted((tag for tag in tags if built_from(tag)), key=version_of)


def settle_debts(branch_head: str, hub) -> list:
    """Tags every release commit on the branch that was stopped before its tag; returns the tags. By REST of HUB, a
    github.GitHub: a push of a tag on a commit whose workflow files are no branch's now is refused to GITHUB_TOKEN."""
    owed = [(commit, f"v{version}") for commit, _, version in release_commits(branch_head)
            if not tag_exists(f"v{version}")]
    for commit, tag in owed:
        hub.post("/git/refs", {"ref": f"refs/tags/{tag}", "sha": commit})
        git("tag", tag, commit)
    return [tag for _, tag in owed]
