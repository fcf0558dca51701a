"""scripts/github-setup against a stand-in for gh, whose requests are held to GitHub's own description of its API."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from slipway.github_setup import plans
from slipway.github_setup.__main__ import main as setup_main
from slipway.github_setup.gh import Gh
from slipway.paths import REPOSITORY
from workflows.gh_stand_in import WrongError, serve
from workflows.rulesets import ADMIN, GITHUB_TOKEN, WRITER, app, refusals

SETUP = REPOSITORY / "scripts" / "github-setup"
STAND_IN = Path(__file__).with_name("gh_stand_in.py")
FRESH = {
    "repository": {"private": False, "owner": {"login": "acme", "type": "Organization"}, "allow_merge_commit": True,
                   "allow_squash_merge": True, "allow_rebase_merge": True, "allow_auto_merge": False,
                   "delete_branch_on_merge": False, "squash_merge_commit_title": "COMMIT_OR_PR_TITLE",
                   "squash_merge_commit_message": "COMMIT_MESSAGES",
                   "security_and_analysis": {"secret_scanning": {"status": "disabled"},
                                             "secret_scanning_push_protection": {"status": "disabled"}}},
    "plan": "free", "apps": [77], "users": {"ada": 1, "acme": 5}, "environments": {}, "rulesets": [], "refs": [],
    "variables": {}, "collaborators": ["acme", "ada"],
    "settings": {"/code-scanning/default-setup": {"state": "configured"}}}


class Done:
    def __init__(self, status: int, out: str, err: str):
        self.returncode, self.stdout, self.stderr = status, out, err


class Hub:
    """Where github-setup's own code asks the stand-in instead of starting gh some sixty times."""

    def __init__(self, folder: Path, monkeypatch, capsys):
        self.folder, self.capsys, self.monkeypatch = folder, capsys, monkeypatch
        self.state = json.loads(json.dumps(FRESH))
        for words in (["init", "--quiet"], ["-c", "user.name=a", "-c", "user.email=a@b.invalid", "commit", "--quiet",
                                            "--allow-empty", "-m", "chore: begin"]):
            subprocess.run(["git", *words], cwd=folder, check=True)
        monkeypatch.chdir(folder)
        monkeypatch.setattr(Gh, "ask", self.ask)

    def ask(self, method: str, path: str, body=None, absolute: bool = False) -> tuple:
        return serve(self.state, method, f"/{path}" if absolute else f"/repos/acme/conn{path}", body)

    def setup(self, *words: str) -> Done:
        self.monkeypatch.setattr("sys.argv", ["github-setup", *words, "acme/conn"])
        self.capsys.readouterr()
        status = setup_main()
        return Done(status, *self.capsys.readouterr())

    def done(self, *words: str) -> str:
        done = self.setup(*words)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.splitlines()[-1]


WITH_APP = ("--app-id", "77", "--reviewer", "ada")


def ruleset(state: dict, name: str) -> dict:
    return next(found for found in state["rulesets"] if found["name"] == f"slipway {name}")


def kinds(found: dict) -> set:
    return {rule["type"] for rule in found["rules"]}


@pytest.fixture
def hub(tmp_path, monkeypatch, capsys):
    return Hub(tmp_path, monkeypatch, capsys)


def test_a_fresh_repository_is_set_up_once_and_a_second_run_changes_nothing(hub, tell):
    first = hub.done(*WITH_APP)
    assert re.fullmatch(r"github-setup: (\d+) of \1 settings changed", first), first
    second = hub.done(*WITH_APP)
    assert ": 0 of " in second
    tell(f"first run: {first.partition(': ')[2]}; second: {second.partition(': ')[2]}")
    state = hub.state
    assert state["refs"] == ["refs/tags/v0.0.0"]
    assert set(state["environments"]) == {"staging", "production-approval", "production", "production-rollback",
                                          "release"}
    asks = [name for name, e in state["environments"].items()
            if any(rule["type"] == "required_reviewers" for rule in e["protection_rules"])]
    assert asks == ["production-approval"]
    assert state["variables"] == {"RELEASE_APP_ID": "77"}
    assert {r["name"]: [a["actor_id"] for a in r["bypass_actors"]] for r in state["rulesets"]} == {
        "slipway new release lines": [5], "slipway release lines": [77], "slipway branches": [77],
        "slipway version tags": [77], "slipway major tags": [77], "slipway withdrawals": [77]}
    assert state["settings"]["/code-scanning/default-setup"]["state"] == "not-configured"


def test_check_says_what_differs_and_changes_nothing(hub):
    before = json.loads(json.dumps(hub.state))
    done = hub.setup("--check", *WITH_APP)
    assert done.returncode == 1
    for said in ("squash_merge_commit_title is COMMIT_OR_PR_TITLE, must be PR_TITLE",
                 "squash_merge_commit_message is COMMIT_MESSAGES, must be PR_BODY",
                 "ruleset slipway branches: is missing", "seed tag: no version tag",
                 "environment production-approval with reviewers: is missing"):
        assert said in done.stdout, done.stdout
    assert hub.state == before
    hub.done(*WITH_APP)
    assert hub.setup("--check", *WITH_APP).returncode == 0


@pytest.mark.parametrize(("drift", "said"), [
    pytest.param(lambda s: s["repository"].update(allow_merge_commit=True), "allow_merge_commit is True",
                 id="merge commits"),
    pytest.param(lambda s: s["environments"]["production"].update(deployment_branch_policy=None),
                 "deployment_branch_policy is None", id="production from every branch"),
    pytest.param(lambda s: s["environments"]["production-approval"]["protection_rules"].pop(), "reviewers is []",
                 id="nobody approves"),
    pytest.param(lambda s: s["environments"].pop("production-rollback"), "is missing", id="an environment is gone"),
    pytest.param(lambda s: ruleset(s, "branches")["rules"].pop(), "rules is", id="a rule is gone"),
    pytest.param(lambda s: ruleset(s, "version tags")["bypass_actors"].append({
        "actor_id": 5, "actor_type": "RepositoryRole", "bypass_mode": "always"}), "bypass_actors is",
                 id="somebody else may pass"),
    pytest.param(lambda s: s["settings"]["/actions/permissions"].update(sha_pinning_required=False),
                 "sha_pinning_required is False", id="actions by tag"),
    pytest.param(lambda s: s["settings"]["/actions/permissions/selected-actions"]["patterns_allowed"].append("*/*@*"),
                 "patterns_allowed is", id="any action"),
    pytest.param(lambda s: s.update({"/immutable-releases": False}), "is missing", id="releases that change")])
def test_drift_is_told_and_repaired(hub, drift, said):
    hub.done(*WITH_APP)
    drift(hub.state)
    checked = hub.setup("--check", *WITH_APP)
    assert checked.returncode == 1
    assert said in checked.stdout, checked.stdout
    # An environment that is made anew lacks its branches, too.
    assert re.search(r": [12] of ", hub.done(*WITH_APP))
    assert hub.setup("--check", *WITH_APP).returncode == 0


def test_a_login_without_the_right_is_told_which(hub):
    hub.state["admin"] = False
    done = hub.setup(*WITH_APP)
    assert done.returncode == 1
    assert "lacks the right Administration (write)" in done.stderr


def test_github_s_own_app_is_refused_as_one_that_may_pass(hub):
    done = hub.setup("--app-id", "15368", "--reviewer", "ada")
    assert done.returncode == 1
    assert "422" in done.stderr and "Actor integration" in done.stderr


def test_without_an_app_releases_may_still_make_tags(hub):
    out = hub.setup("--reviewer", "ada")
    assert out.returncode == 0, out.stderr
    assert "no App" in out.stdout
    tags = ruleset(hub.state, "version tags")
    assert tags["bypass_actors"] == [] and kinds(tags) == {"update", "deletion"}
    assert "have them pin a release's commit" in out.stdout


def test_a_second_run_without_the_words_of_the_first_takes_away_neither_app_nor_reviewer(hub):
    hub.state["users"]["bob"] = 2
    hub.done("--app-id", "77", "--reviewer", "bob")
    before = json.loads(json.dumps(hub.state))
    for words in (["--reviewer", "bob"], ["--app-id", "77"], []):
        checked = hub.setup("--check", *words)
        assert checked.returncode == 0, (words, checked.stdout, checked.stderr)
        assert ": 0 of " in hub.done(*words)
        assert hub.state == before
    assert "no App" not in hub.setup().stdout


def test_the_reviewers_of_a_person_s_repository_stay_too(hub):
    hub.state["repository"]["owner"]["type"] = "User"
    hub.state["users"]["bob"] = 2
    hub.done("--reviewer", "bob")
    assert ": 0 of " in hub.done()


def test_an_app_goes_only_where_that_is_said(hub):
    hub.done(*WITH_APP)
    checked = hub.setup("--check", "--app-id", "0")
    assert checked.returncode == 1, checked.stderr
    assert "variable RELEASE_APP_ID: is 77, must not be there" in checked.stdout, checked.stdout
    assert hub.state["variables"] == {"RELEASE_APP_ID": "77"}
    hub.done("--app-id", "0")
    assert hub.state["variables"] == {}
    assert {actor["actor_type"] for found in hub.state["rulesets"] for actor in found["bypass_actors"]} == {
        "RepositoryRole"}, "who makes release lines"
    assert ": 0 of " in hub.done()


def test_a_variable_that_is_no_app_s_id_is_told_and_changes_nothing(hub):
    hub.state["variables"]["RELEASE_APP_ID"] = "ours"
    before = json.loads(json.dumps(hub.state))
    done = hub.setup("--reviewer", "ada")
    assert done.returncode == 1 and "RELEASE_APP_ID is 'ours'" in done.stderr and "--app-id" in done.stderr
    assert hub.state == before


@pytest.mark.parametrize(("plan", "left"), [
    ("free", set(plans.FEATURES)), ("pro", set(plans.FEATURES) - {"rulesets", "environments"}),
    ("team", set(plans.FEATURES) - {"rulesets", "environments"}), ("enterprise", set())])
def test_what_a_private_repository_s_plan_lacks_is_left_out_with_a_sentence(hub, plan, left):
    hub.state["repository"]["private"] = True
    hub.state["plan"] = plan
    done = hub.setup(*WITH_APP)
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stdout.splitlines() if line.startswith("left out")]
    said = {line.partition(": ")[2].partition(" (")[0] for line in lines}
    assert said == left
    assert hub.setup("--check", *WITH_APP).returncode == 0


def test_a_person_s_repository_gets_no_merge_queue(hub):
    hub.state["repository"]["owner"]["type"] = "User"
    hub.done("--app-id", "77")
    assert not any("merge_queue" in kinds(found) for found in hub.state["rulesets"])


@pytest.fixture(params=["Organization", "User"])
def of_anybody(hub, request):
    hub.state["repository"]["owner"]["type"] = request.param
    return hub


def test_a_release_line_is_made_by_an_admin_and_by_nobody_else(of_anybody):
    """Whoever makes `9.x` at a commit of theirs has it released, by its own scripts, with the App's token."""
    of_anybody.done(*WITH_APP)
    rulesets = of_anybody.state["rulesets"]
    for line in ("refs/heads/9.x", "refs/heads/1.4.x"):
        assert refusals(rulesets, WRITER, "create", line), "a commit of a pull request, whose check is green"
        assert refusals(rulesets, GITHUB_TOKEN, "create", line)
        # A release commit is [skip ci]: no check, and it never gets one.
        assert refusals(rulesets, ADMIN, "create", line, checked=False) == []
        for who in (WRITER, ADMIN, GITHUB_TOKEN):
            assert "Changes must be made through a pull request" in refusals(rulesets, who, "update", line)
            assert refusals(rulesets, who, "delete", line)
        assert refusals(rulesets, app(77), "update", line, checked=False) == [], "the release commit"
    assert refusals(rulesets, WRITER, "create", "refs/heads/topic", checked=False) == []
    assert refusals(rulesets, WRITER, "create", "refs/heads/gh-readonly-queue/main/pr-1-0a", checked=False) == []


def test_main_is_still_guarded_beside_its_lines(of_anybody):
    of_anybody.done(*WITH_APP)
    rulesets = of_anybody.state["rulesets"]
    assert refusals(rulesets, app(77), "update", "refs/heads/main", checked=False) == []
    for who in (WRITER, ADMIN, GITHUB_TOKEN):
        assert refusals(rulesets, who, "update", "refs/heads/main") and refusals(rulesets, who, "delete",
                                                                                 "refs/heads/main")


@pytest.mark.parametrize("tag", ["v1", "v9", "v12", "v1.4"])
def test_with_an_app_nobody_else_moves_what_users_of_the_actions_run(hub, tag):
    hub.done(*WITH_APP)
    rulesets, ref = hub.state["rulesets"], f"refs/tags/{tag}"
    for doing in ("create", "update", "delete"):
        assert all(refusals(rulesets, who, doing, ref) for who in (WRITER, ADMIN, GITHUB_TOKEN)), doing
    assert not any(refusals(rulesets, app(77), doing, ref) for doing in ("create", "update"))
    assert refusals(rulesets, WRITER, "create", "refs/tags/vintage") == []


def test_without_an_app_the_workflow_s_own_token_still_moves_the_major(hub):
    hub.done("--reviewer", "ada")
    rulesets = hub.state["rulesets"]
    assert not any(refusals(rulesets, GITHUB_TOKEN, doing, "refs/tags/v1") for doing in ("create", "update"))
    hub.done("--app-id", "77")
    assert refusals(rulesets, GITHUB_TOKEN, "update", "refs/tags/v1")
    hub.done("--app-id", "0")
    assert refusals(rulesets, GITHUB_TOKEN, "update", "refs/tags/v1") == []


ALONE = {"owner": {"login": "acme", "type": "User"}}


def test_one_person_is_not_locked_out_of_their_own_repository(hub):
    """GitHub lets nobody approve their own pull request, nor, with prevent_self_review, their own deployment."""
    hub.state["repository"].update(ALONE)
    hub.state["collaborators"], hub.state["readers"] = ["acme", "eve"], ["eve"]
    before = json.loads(json.dumps(hub.state))
    for words in ([], ["--check"], ["--app-id", "77", "--reviewer", "acme"]):
        done = hub.setup(*words)
        assert done.returncode == 1 and "acme is the only one" in done.stderr and "--alone" in done.stderr, done.stderr
        assert hub.state == before
    out = hub.setup("--alone")
    assert out.returncode == 0 and "alone: " in out.stdout and "without anybody's review" in out.stdout, out.stderr
    for name in ("branches", "release lines"):
        (review,) = (rule["parameters"] for rule in ruleset(hub.state, name)["rules"] if rule["type"] == "pull_request")
        assert (review["required_approving_review_count"], review["require_code_owner_review"],
                review["require_last_push_approval"]) == (0, False, False)
        assert "required_status_checks" in kinds(ruleset(hub.state, name))
    (asks,) = (rule for rule in hub.state["environments"]["production-approval"]["protection_rules"]
               if rule["type"] == "required_reviewers")
    assert asks["prevent_self_review"] is False and asks["reviewers"] == [{"type": "User", "reviewer": {"id": 5}}]
    assert hub.setup("--check", "--alone").returncode == 0


def test_with_a_second_person_the_reviews_come_back(hub):
    hub.state["repository"].update(ALONE)
    hub.state["collaborators"] = ["acme"]
    hub.done("--alone")
    hub.state["collaborators"] = ["acme", "ada"]
    done = hub.setup("--check", "--alone")
    assert done.returncode == 1 and "acme, ada may push" in done.stderr, done.stderr
    assert "one reviewer" in hub.setup("--check").stdout
    hub.done("--reviewer", "acme", "--reviewer", "ada")
    (review,) = (rule["parameters"] for rule in ruleset(hub.state, "branches")["rules"]
                 if rule["type"] == "pull_request")
    assert review["required_approving_review_count"] == 1 and review["require_last_push_approval"]


def test_where_the_plan_asks_nobody_one_person_needs_no_word(hub):
    hub.state["repository"].update(ALONE, private=True)
    hub.state["collaborators"] = ["acme"]
    hub.done()


def test_the_table_of_plans_is_the_operators():
    text = (REPOSITORY / "docs/operators/pipeline-settings.md").read_text()
    assert plans.table() in text


def test_the_script_speaks_to_gh(tmp_path):
    gh = tmp_path / "gh"
    gh.write_text(f'#!/bin/sh\nexec {sys.executable} {STAND_IN} "$@"\n')
    gh.chmod(0o755)
    state = tmp_path / "state.json"
    state.write_text(json.dumps({**FRESH, "refs": ["refs/tags/v0.0.0"]}))
    done = subprocess.run([SETUP, "--check", *WITH_APP, "acme/conn"], check=False, capture_output=True, text=True, env={
        **os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "GH_STATE": str(state)})
    assert done.returncode == 1, done.stderr
    assert "differs: ruleset slipway branches: is missing" in done.stdout
    assert "seed tag" not in done.stdout


def test_a_mistake_in_a_request_is_found_by_github_s_own_description():
    for body in ({"enabled": True, "allowed_actions": "some"}, {"enabled": True, "sha_pinning": True}, {}):
        with pytest.raises(WrongError):
            serve(json.loads(json.dumps(FRESH)), "PUT", "/repos/acme/conn/actions/permissions", body)
