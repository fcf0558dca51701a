"""The job that the README of the action `release` shows, as it stands there, in a repository that has nothing of
Slipway's: real semantic-release, git and registry, run by act; GitHub and its attestations are stand-ins."""

import json
import subprocess
import textwrap

import pytest

from adopt.published import fetched
from release.world import NEEDS, TOKEN
from slipway.act.artifacts import write_image
from slipway.act.github import GitHub, rewritten
from slipway.act.runner import Act
from slipway.ci import oci
from slipway.paths import REPOSITORY
from support import needs
from workflows.act_world import holds

pytestmark = [NEEDS, needs.all_of(needs.programs("act", "act", "openssl"))]
URL = "https://github.com/eve/prices.git"


def job_of_the_readme() -> str:
    readme = (REPOSITORY / ".github/actions/release/README.md").read_text(encoding="utf-8")
    job = textwrap.dedent(readme[readme.index("    release:\n"):]).replace("OWNER/", "acme/")
    assert "  needs: publish\n" in job
    # And the rules that semantic-release read are gone from the workspace when it has ended.
    left = "    - run: test ! -e .releaserc.json\n"
    return "on: push\npermissions: {}\njobs:\n" + textwrap.indent(
        job.replace("  needs: publish\n", "").rstrip() + "\n" + left, "  ")


class Prices:
    """eve/prices on GitHub: its remote, and an image of every commit, as CI would leave it."""

    def __init__(self, folder, registry):
        self.bare, self.work, self.folder = folder / "prices.git", folder / "prices", folder
        self.hub = GitHub("eve/prices")
        self.hub.git = self.bare
        self.hub.attestations = folder / "state/attestations"
        self.image = f"{registry.address}/eve/prices"
        self.runs = 0
        self.actions = fetched(folder / "fetched")
        self.work.mkdir()
        subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=trunk", self.bare], check=True)
        self.git("init", "--quiet", "--initial-branch=trunk")
        self.git("remote", "add", "origin", str(self.bare))
        (self.work / "slipway.yml").write_text(f"service: prices\nimage: {self.image}\n")
        workflow = self.work / ".github/workflows/release.yml"
        workflow.parent.mkdir(parents=True)
        workflow.write_text(job_of_the_readme())

    def git(self, *words: str) -> str:
        return subprocess.run(["git", "-c", "user.name=eve", "-c", "user.email=e@b.invalid", *words], cwd=self.work,
                              check=True, capture_output=True, text=True).stdout.strip()

    def push(self, message: str, image_of: str = "", version: str = "") -> str:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "-m", message)
        self.git("push", "--quiet", "origin", "trunk")
        commit = self.git("rev-parse", "HEAD")
        layout = self.folder / "layouts" / commit
        digest = write_image(layout, version or f"0.0.0+{commit}", image_of or commit)
        self.images.push_layout(layout)
        self.images.tag(digest, commit)
        return commit

    @property
    def images(self) -> oci.Repository:
        return oci.Repository(self.image, TOKEN)

    @property
    def tags(self) -> list:
        return subprocess.run(["git", "tag", "--list"], cwd=self.bare, check=True, capture_output=True,
                              text=True).stdout.split()

    def release(self, commit: str):
        self.runs += 1
        clone = self.folder / f"run-{self.runs}"
        self.git("clone", "--quiet", str(self.bare), str(clone))
        return Act(clone, self.folder / "state", secrets={"GITHUB_TOKEN": TOKEN},
                   actions={"acme/slipway@v1": self.actions}, env={
            "GITHUB_REPOSITORY": "eve/prices", "GITHUB_REPOSITORY_OWNER": "eve", "GITHUB_API_URL": self.hub.url,
            "GITHUB_SERVER_URL": "https://github.com", "STANDIN_REMOTE": self.bare,
            "SLIPWAY_NODE_MODULES": REPOSITORY / "scripts/release/node_modules",
            **rewritten(URL, self.bare, TOKEN)}).run(
            "release", "push", {"ref": "refs/heads/trunk", "after": commit, "repository": {
                "full_name": "eve/prices", "default_branch": "trunk", "fork": False, "private": False}},
            commit, ref="refs/heads/trunk")


@pytest.fixture
def prices(registry, tmp_path):
    made = Prices(tmp_path, registry)
    yield made
    made.hub.close()


def test_a_push_is_released_once_and_its_image_named(prices):
    root = prices.push("feat: tell prices")
    first = prices.release(root)
    holds(first, {"without a seed it is told how": first.status != 0 and prices.tags == []
                  and f"git tag v0.0.0 {root}" in first.log})
    prices.git("tag", "v0.0.0", root)
    prices.git("push", "--quiet", "origin", "v0.0.0")
    nothing = prices.release(prices.push("docs: say what a price is"))
    holds(nothing, {"nothing to release, green": nothing.status == 0 and prices.tags == ["v0.0.0"]})
    commit = prices.push("feat: tell them in euros")
    done = prices.release(commit)
    (release,) = prices.hub.releases.values()
    digest = prices.images.digest(commit)
    attested = [json.loads(file.read_text()) for file in
                (prices.folder / "state/attestations" / digest.replace(":", "-")).glob("*.json")]
    holds(done, {
        "green": done.status == 0,
        "the commit that CI built is tagged, and nothing is pushed to the branch":
            subprocess.run(["git", "rev-parse", "v0.1.0^{}", "trunk"], cwd=prices.bare, check=True,
                           capture_output=True, text=True).stdout.split() == [commit, commit],
        "its digest is named": {prices.images.digest(name) for name in ("v0.1.0", "0.1", "0", "latest")} == {digest},
        "the notes tell it and how to verify it": not release["draft"] and "in euros" in release["body"]
            and f"gh attestation verify oci://{prices.image}@{digest} --repo eve/prices" in release["body"]
            and "/ci.yml --source-ref refs/heads/trunk" in release["body"] and "SHA256SUMS" not in release["body"],
        "it is attested as that version": [(told["predicateType"], told["predicate"]["version"]) for told in attested]
            == [("https://github.com/eve/prices/release/v1", "0.1.0")]})
    before = json.dumps(prices.hub.releases, sort_keys=True)
    again = prices.release(commit)
    holds(again, {"a second run changes nothing": again.status == 0 and prices.tags == ["v0.0.0", "v0.1.0"]
                  and json.dumps(prices.hub.releases, sort_keys=True) == before})


def test_what_cannot_be_released_tags_nothing_and_says_why(prices):
    root = prices.push("chore: begin")
    prices.git("tag", "v0.0.0", root)
    prices.git("push", "--quiet", "origin", "v0.0.0")
    other = prices.release(prices.push("feat: tell prices", image_of=root))
    holds(other, {"an image of another commit": other.status != 0 and "is to be released" in other.log})
    wrong = prices.release(prices.push("fix: tell them right", version="7.0.0"))
    holds(wrong, {"an image that calls itself otherwise": wrong.status != 0 and "'version': '7.0.0'" in wrong.log})
    (prices.work / "release.config.mjs").write_text("export default {};\n")
    own = prices.release(prices.push("fix: have rules of our own"))
    holds(own, {"rules of its own": own.status != 0 and "release.config.mjs: this repository has rules" in own.log,
                "nothing was tagged": prices.tags == ["v0.0.0"] and prices.hub.releases == {}})
