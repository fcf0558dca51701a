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
    "variables": {}, "settings": {"/code-scanning/default-setup": {"state": "configured"}}}


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
    assert [[a["actor_id"] for a in r["bypass_actors"]] for r in state["rulesets"]] == [[77], [77], [77]]
    assert state["settings"]["/code-scanning/default-setup"]["state"] == "not-configured"


def test_check_says_what_differs_and_changes_nothing(hub):
    before = json.loads(json.dumps(hub.state))
    done = hub.setup("--check", *WITH_APP)
    assert done.returncode == 1
    for said in ("squash_merge_commit_title is COMMIT_OR_PR_TITLE, must be PR_TITLE",
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
    pytest.param(lambda s: s["rulesets"][0]["rules"].pop(), "rules is", id="a rule is gone"),
    pytest.param(lambda s: s["rulesets"][1]["bypass_actors"].append({"actor_id": 5, "actor_type": "RepositoryRole",
                                                                     "bypass_mode": "always"}), "bypass_actors is",
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
    tags = hub.state["rulesets"][1]
    assert tags["bypass_actors"] == [] and {r["type"] for r in tags["rules"]} == {"update", "deletion"}


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
    assert hub.state["variables"] == {} and all(not rule["bypass_actors"] for rule in hub.state["rulesets"])
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
    assert "merge_queue" not in {rule["type"] for rule in hub.state["rulesets"][0]["rules"]}


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
