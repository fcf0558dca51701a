"""Whose executables a published action takes: those of the release that it was fetched as, whatever VERSION says."""

import subprocess
from argparse import Namespace

import pytest

from slipway.act.github import GitHub as StandIn
from slipway.ci import github, own_release
from slipway.paths import REPOSITORY
from support.modules import script

OLD, NEW, NONE = (digit * 40 for digit in "abc")
TAGS = {"v0.0.0": "0" * 40, "v1.0.0": OLD, "v1.0.9": NEW, "v1.0.10": NEW, "v1": NEW, "v2.0.0-beta.1": NEW,
        "withdrawn/v1.0.0": OLD, "nightly": OLD}


@pytest.fixture
def hub():
    made = StandIn("acme/slipway")
    made.tags = {**{f"other-{number}": NONE for number in range(250)}, **TAGS}  # on the third page
    made.commits = {"v1": {"sha": NEW}, "main": {"sha": NONE}, "a%2Fb": {"sha": OLD}}
    yield made
    made.close()


def client(hub) -> github.GitHub:
    return github.GitHub("acme/slipway", "t", hub.url)


@pytest.mark.parametrize(("commit", "version"), [(OLD, "1.0.0"), (NEW, "1.0.10"), (NONE, "")])
def test_a_commit_is_the_newest_version_whose_tag_is_on_it(commit, version):
    assert own_release.version_at(commit, TAGS) == version


@pytest.mark.parametrize(("reference", "version"), [
    ("v1.0.0", "1.0.0"), ("refs/tags/v1.0.0", "1.0.0"), ("v1", "1.0.10"), (NEW, "1.0.10"), (OLD, "1.0.0"),
    (NONE, ""), ("main", ""), ("a/b", "1.0.0"), ("", "")])
def test_a_reference_is_the_release_that_it_was_fetched_as(hub, reference, version):
    assert own_release.version_of_action(client(hub), reference) == version


def test_a_listing_that_github_does_not_give_is_no_answer(hub):
    hub.fail_once("GET", "/tags$", status=403)
    with pytest.raises(github.GitHubError, match="403"):
        own_release.version_of_action(client(hub), "v1")


@pytest.mark.parametrize(("one", "other", "is_newer"), [
    ("1.10.0", "1.9.0", "1.10.0"), ("1.2.0", "1.10.0", "1.10.0"), ("", "1.0.0", "1.0.0"), ("1.0.0", "", "1.0.0")])
def test_of_two_versions_the_newer_one(one, other, is_newer):
    assert own_release.newer(one, other) == is_newer


@pytest.mark.parametrize(("folder", "reference"), [
    ("_actions/acme/slipway/v1", "v1"), ("_actions/acme/slipway/a/b", "a/b"), ("slipway", "")])
def test_the_reference_is_where_the_runner_fetched_it_to(tmp_path, folder, reference):
    shell = '. "$1/scripts/lib/tools.sh"; slipway=$2 slipway_reference'
    done = subprocess.run(["bash", "-euc", shell, "bash", REPOSITORY, tmp_path / folder], capture_output=True,
                          text=True, check=True, env={"PATH": "/usr/bin:/bin"})
    assert done.stdout.strip() == reference


@pytest.mark.parametrize(("own", "newest", "of_digest", "published", "version"), [
    ("v1", False, "9.9.9", "", "1.0.10"), ("main", False, "9.9.9", "v1.0.10", "0.1.0"), ("", False, "", "", "0.1.0"),
    (None, False, "1.2.3", "v9.9.9", "1.2.3"), (None, False, "", "v9.9.9", ""),
    (None, True, "", "v1.4.0", "1.4.0"), (None, True, "1.5.0", "v1.4.0", "1.5.0"),
    (None, True, "1.3.0", "v1.4.0", "1.4.0"), (None, True, "", "", "0.1.0")],
    ids=["an action", "an action at no release", "an action that nobody can tell", "a release", "no release",
         "the newest", "one that is newer", "one that is older", "before the first release"])
def test_whose_tools_are_had(hub, monkeypatch, own, newest, of_digest, published, version):
    module = script("release-tools")
    monkeypatch.setenv("GITHUB_API_URL", hub.url)
    monkeypatch.setattr(module, "released_as", lambda _digest: of_digest)
    if published:
        client(hub).post("/releases", {"tag_name": published, "draft": False})
    options = Namespace(own=own, newest=newest, otherwise="0.1.0", repository="acme/slipway")
    assert module.wanted(options, "sha256:1" if of_digest else "") == version
