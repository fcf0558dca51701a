"""CHANGELOG.md where nothing may push to the branch that is released from: by a pull request that a person opens.

The branch `slipway-changelog` holds main's files with the notes of every version that no pull request has brought
yet. A pull request by GITHUB_TOKEN would start no CI, so it is only offered.
"""

import json
import os
import subprocess
from pathlib import Path

from .history import authenticated_url, git, is_ancestor, remote_url

BRANCH = "slipway-changelog"


def with_notes(text: str, title: str, notes: str) -> str:
    """TEXT with NOTES under its TITLE, above those of the versions before."""
    rest = text.removeprefix(title).strip()
    return "\n\n".join(part for part in (title, notes.strip(), rest) if part) + "\n"


def _waiting() -> str:
    """The changelog of the branch, if it waits for its pull request; else main's, as checked out."""
    found = subprocess.run(["git", "fetch", "--quiet", authenticated_url(), f"refs/heads/{BRANCH}"], check=False,
                           capture_output=True).returncode == 0
    if found and not is_ancestor(git("rev-parse", "FETCH_HEAD"), "HEAD"):
        return git("show", "FETCH_HEAD:CHANGELOG.md")
    return Path("CHANGELOG.md").read_text(encoding="utf-8")


def offer(version: str, notes: str, branch: str) -> str:
    """Puts NOTES of VERSION on the branch; returns what a person is told, as Markdown."""
    plugins = dict(plugin for plugin in json.loads(Path(".releaserc.json").read_text(encoding="utf-8"))["plugins"])
    title = plugins["@semantic-release/changelog"]["changelogTitle"]
    index = Path(git("rev-parse", "--git-path", "slipway-changelog-index"))
    env = {**os.environ, "GIT_INDEX_FILE": str(index.absolute()), "GIT_AUTHOR_NAME": "slipway",
           "GIT_AUTHOR_EMAIL": "slipway@users.noreply.github.com", "GIT_COMMITTER_NAME": "slipway",
           "GIT_COMMITTER_EMAIL": "slipway@users.noreply.github.com"}

    def run(*words: str, given: str = "") -> str:
        return subprocess.run(["git", *words], input=given, env=env, check=True, capture_output=True,
                              text=True).stdout.strip()

    run("read-tree", "HEAD")
    for name, text in (("CHANGELOG.md", with_notes(_waiting(), title, notes)), ("VERSION", version + "\n")):
        blob = run("hash-object", "-w", "--stdin", given=text)
        run("update-index", "--add", "--cacheinfo", f"100644,{blob},{name}")
    commit = run("commit-tree", run("write-tree"), "-p", "HEAD", "-m", f"docs: tell of {version} in the changelog")
    git("push", "--quiet", "--force", authenticated_url(), f"{commit}:refs/heads/{BRANCH}")
    page = remote_url().removesuffix(".git")
    return (f"**Changelog**: its notes wait on the branch `{BRANCH}`; "
            f"[open the pull request]({page}/compare/{branch}...{BRANCH}?quick_pull=1)")
