"""What a pull request lands with when it is squashed: held by lint-commits, told by the preview of the next version."""

import json
import os
import subprocess

import pytest

from slipway.act.github import GitHub as StandIn
from slipway.paths import REPOSITORY
from support import needs

pytestmark = needs.all_of(needs.packages_of_release())
ADA = ("-c", "user.name=Ada", "-c", "user.email=a@b.invalid")


class Repository:
    """main with v0.1.0, and a pull request 7 of one commit, checked out merged as GitHub has CI check it out."""

    def __init__(self, folder):
        self.folder, self.hub = folder, StandIn()
        self.git("init", "--quiet", "--initial-branch=main")
        self.commit("feat: begin")
        self.git("tag", "v0.1.0")
        self.base = self.git("rev-parse", "HEAD")

    def git(self, *words: str) -> str:
        return subprocess.run(["git", *ADA, *words], cwd=self.folder, check=True, capture_output=True,
                              text=True).stdout.strip()

    def commit(self, message: str) -> None:
        self.git("commit", "--quiet", "--allow-empty", "-m", message)

    def asked(self, *messages: str, title: str, body: str | None = "", landed: str = ""):
        """A pull request of MESSAGES, while LANDED came to main."""
        self.git("checkout", "--quiet", "-B", "topic", self.base)
        for message in messages:
            self.commit(message)
        self.git("checkout", "--quiet", "-B", "main", self.base)
        if landed:
            self.commit(landed)
        self.git("merge", "--quiet", "--no-ff", "-m", "Merge topic into main", "topic")
        self.hub.pulls[7] = (title, body)
        return self

    def run(self, script: str, *words: str) -> subprocess.CompletedProcess:
        env = {**os.environ, "GITHUB_API_URL": self.hub.url, "GITHUB_REPOSITORY": "acme/conn", "PULL_REQUEST": "7",
               "BASE": self.base, "GITHUB_OUTPUT": os.devnull}
        return subprocess.run([REPOSITORY / script, *words], cwd=self.folder, check=False, capture_output=True,
                              text=True, env=env)

    def problems(self) -> str:
        done = self.run("scripts/ci/lint-commits")
        return done.stderr if done.returncode else ""

    def next(self) -> dict:
        done = self.run("scripts/release/next-version", "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


@pytest.fixture
def pull(tmp_path):
    made = Repository(tmp_path)
    yield made
    made.hub.close()


BREAKING = "feat: ask for tokens\n\nBREAKING CHANGE: tokens are required"


def test_a_breaking_commit_lands_as_one_or_is_red(pull):
    for message in (BREAKING, "feat!: ask for tokens"):
        red = pull.asked(message, title="feat: ask for tokens").problems()
        assert "it is breaking, and what lands is not" in red and "`!`" in red, red
    assert pull.asked(BREAKING, title="feat!: ask for tokens").problems() == ""
    assert pull.asked(BREAKING, title="feat: ask", body="BREAKING CHANGE: tokens are required").problems() == ""


def test_the_preview_tells_what_lands(pull):
    assert pull.asked("feat: x", title="feat: ask").next()["version"] == "0.2.0"
    told = pull.asked("feat: x", title="feat: ask", body="Who asks?\r\n\r\nBREAKING CHANGE: tokens\r\n"
                      "Release-Note: It asks.").next()
    assert told["version"] == "1.0.0" and "It asks." in told["notes"] and "/pull/7" in told["notes"], told["notes"]
    assert pull.asked(BREAKING, title="fix: ask").next()["version"] == "0.1.1", "nothing of a commit lands"


@pytest.mark.parametrize("footer", ["Release-Note: It shines.", "CVE: CVE-2026-1234"])
def test_a_footer_that_the_notes_tell_lands_or_is_red(pull, footer):
    red = pull.asked(f"fix: shine\n\n{footer}", title="fix: shine").problems()
    assert f"`{footer.partition(':')[0]}: ...` does not land" in red, red
    assert pull.asked(f"fix: shine\n\n{footer}", title="fix: shine", body=footer).problems() == ""


@pytest.mark.parametrize(("body", "fault"), [
    (None, ""), ("It answers.\r\n\r\n- one\r\n- two", ""), ("## Breaking changes\r\n\r\n# None", ""),
    ("<!-- BREAKING CHANGE: what users must do -->", ""), ("<!-- breaking changes: none -->", ""),
    ("<details>\n<li>BREAKING CHANGE: of theirs</li>\n\nBREAKING CHANGES: theirs\n</details>", ""),
    ("As upstream's [skip ci]", "no CI"), ("<!-- [ci skip] -->", "no CI"), ("skip-checks: true", "no CI"),
    ("Breaking changes: none", "misspelt footer"), ("* BREAKING CHANGE: tokens", "begins a line")])
def test_a_description_is_held_as_it_will_land(pull, body, fault):
    red = pull.asked("fix: answer", title="fix: answer", body=body).problems()
    assert bool(red) == bool(fault) and fault in red, red
    assert not fault or "description" in red


def test_what_others_landed_meanwhile_need_not_land_again(pull):
    assert pull.asked("fix: answer", title="fix: answer", landed="feat!: ask for tokens (#6)").problems() == ""


def test_a_long_description_is_no_hindrance(pull):
    assert pull.asked("fix: x", title="fix: x", body="\U0001F6F6" * 65_000).next()["version"] == "0.1.1"
