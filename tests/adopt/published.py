"""Slipway as GitHub fetches it for a job that uses one of its actions, and as GitHub's releases have it."""

import json
import os
import shutil
import subprocess
from pathlib import Path

from slipway.act.artifacts import write_assets
from slipway.act.github import GitHub
from slipway.act.runner import STANDINS
from slipway.ci import github
from slipway.paths import REPOSITORY

REVISION = "a" * 40


def fetched(folder: Path) -> Path:
    """What the actions call, and no more: act copies it for every step."""
    for name in (".github/actions", "scripts"):
        shutil.copytree(REPOSITORY / name, folder / name, ignore=shutil.ignore_patterns(
            "node_modules", "__pycache__", ".install*"))
    for name in ("VERSION", ".releaserc.json"):
        shutil.copy(REPOSITORY / name, folder)
    return folder


class Published:
    """GitHub (a stand-in) with a release of acme/slipway, attested (by a stand-in) as its release.yml would."""

    def __init__(self, folder: Path, state: Path):
        """FOLDER: its own. STATE: the Act's, where attestations are kept."""
        self.state = state
        state.mkdir(parents=True, exist_ok=True)
        self.fetched = fetched(folder / "fetched")
        # Not what its VERSION says: where no App may push, the commit that CI built is the one that is tagged.
        self.version = "1.0.1"
        assert self.version != (REPOSITORY / "VERSION").read_text().strip()
        self.hub = GitHub("acme/slipway")
        self.hub.tags = {f"v{self.version}": REVISION, "v1.0.0": "b" * 40, "v1": REVISION}
        assets = folder / "assets"
        write_assets(assets, self.version, REVISION)
        client = github.GitHub("acme/slipway", "t", self.hub.url)
        release = client.post("/releases", {"tag_name": f"v{self.version}", "draft": False})
        for file in assets.iterdir():
            client.upload(release, file.name, file.read_bytes())
        tagged = {"sha": REVISION, "commit": {"message": "feat: a"}, "parents": [{"sha": "0"}]}
        self.hub.commits = {f"v{self.version}": tagged, "v1": tagged}
        predicate = assets.with_suffix(".json")
        predicate.write_text(json.dumps({"commit": REVISION}))
        self.attest("acme/slipway", "release.yml", SUBJECT_CHECKSUMS=str(assets / "SHA256SUMS"),
                    PREDICATE_TYPE="https://github.com/acme/slipway/tools/v1", PREDICATE_PATH=str(predicate))

    def close(self) -> None:
        self.hub.close()

    def attest(self, repository: str, workflow: str, ref: str = "refs/heads/main", **subject: str) -> None:
        subprocess.run([STANDINS / "bin/attest", "sign"], check=True, stderr=subprocess.DEVNULL, env={
            "PATH": os.environ["PATH"], "STANDIN_STATE": str(self.state), "GITHUB_REPOSITORY": repository,
            "GITHUB_SHA": REVISION, "GITHUB_REF": ref, "STANDIN_WORKFLOW": f".github/workflows/{workflow}", **subject})

    @property
    def actions(self) -> dict:
        """For Act."""
        return {"acme/slipway@v1": self.fetched}

    def environment(self, repository: str) -> dict:
        """For Act, of a job of somebody's REPOSITORY."""
        return {"GITHUB_REPOSITORY": repository, "GITHUB_REPOSITORY_OWNER": repository.partition("/")[0],
                "GITHUB_API_URL": self.hub.url, "SLIPWAY_REPOSITORY": "acme/slipway", "SLIPWAY_REFERENCE": "v1"}


def new_repository(folder: Path, slug: str) -> None:
    """Everything in FOLDER as the first commit of a repository that GitHub has as SLUG."""
    for command in (["init", "--quiet", "--initial-branch=main"], ["add", "--all"],
                    ["remote", "add", "origin", f"https://github.com/{slug}.git"],
                    ["-c", "user.name=a", "-c", "user.email=a@b.invalid", "commit", "--quiet", "-m", "feat: begin"]):
        subprocess.run(["git", *command], cwd=folder, check=True)
