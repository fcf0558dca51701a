"""What `slipway setup` makes of a service's repository on GitHub: environments that protect the host's key, and what it
tells them. gh is a stand-in, held to GitHub's own description of its API; ssh is one, too."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from slipway import cluster_account
from slipway.github_setup import environments
from slipway.paths import REPOSITORY
from workflows import gh_stand_in

CUSTOM = {"protected_branches": False, "custom_branch_policies": True}
ASKS = {"type": "required_reviewers", "reviewers": [{"type": "Team", "reviewer": {"id": 900}}],
        "prevent_self_review": True}


class World:
    def __init__(self, folder: Path):
        self.folder, self.file, self.bin = folder, folder / "state.json", folder / "bin"
        self.bin.mkdir()
        for name, does in (("gh", f'exec {sys.executable} {gh_stand_in.__file__} "$@"'), ("deploy", ""),
                           ("rollback", ""), ("ssh", f"cat >/dev/null; touch {folder}/reached")):
            (self.bin / name).write_text(f"#!/bin/sh\n{does}\n")
            (self.bin / name).chmod(0o755)
        (folder / "known").write_text("host key\n")
        (folder / "ci").write_text("private\n")
        (folder / "ci.pub").write_text("public\n")
        self.state = {
            "repository": {"private": False, "owner": {"login": "eve", "type": "User"}, "default_branch": "trunk"},
            "plan": "free", "users": {"ada": 1, "eve": 5}, "environments": {}, "rulesets": [], "refs": [],
            "variables": {}}

    @property
    def state(self) -> dict:
        return json.loads(self.file.read_text())

    @state.setter
    def state(self, state: dict) -> None:
        self.file.write_text(json.dumps(state))

    def change(self, **what) -> None:
        self.state = {**self.state, **what}

    def has(self, **found) -> None:
        """Environments that are there already: name -> (branch policy, rules)."""
        self.change(environments={name.replace("_", "-"): {
            "name": name, "policies": [{"name": "release"}] if policy else [], "deployment_branch_policy": policy,
            "protection_rules": list(rules)} for name, (policy, rules) in found.items()})

    def run(self, *argv, **more) -> subprocess.CompletedProcess:
        return subprocess.run(argv, cwd=self.folder, capture_output=True, text=True, check=False, env={
            "PATH": f"{self.bin}:{os.environ['PATH']}", "GH_STATE": str(self.file),
            "SLIPWAY_EXECUTABLES": str(self.bin)}, **more)

    def setup(self, *words: str) -> subprocess.CompletedProcess:
        return self.run(REPOSITORY / "scripts/setup-host", "root@host.test:2222", "--known-hosts", "known", "--key",
                        "ci.pub", "--image", "ghcr.io/acme/api", *words, stdin=subprocess.DEVNULL)

    def done(self, *words: str) -> str:
        done = self.setup(*words)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def by_hand(self, *words: str) -> None:
        """Runs the lines that are printed without --github."""
        text = self.done(*words).partition("again with --github):\n")[2]
        done = self.run("bash", "-euo", "pipefail", "-c", text, stdin=subprocess.DEVNULL)
        assert done.returncode == 0, done.stderr

    @property
    def reached(self) -> bool:
        return (self.folder / "reached").exists()

    def protected(self) -> dict:
        """name -> (branches, who is asked)."""
        return {name: ([policy["name"] for policy in body["policies"]], environments.reviewers_of(body))
                for name, body in self.state["environments"].items()}

    def told(self, environment: str) -> list:
        return [line for line in self.state["told"] if f"--env {environment} " in f"{line} "]


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


PRODUCTION = {"production-approval": (["trunk"], [("User", 5)]), "production": (["trunk"], []),
              "production-rollback": (["trunk"], [])}


@pytest.mark.parametrize("how", ["by --github", "by the lines that are printed"])
def test_production_has_an_approval_and_two_that_know_the_host(world, how):
    if how == "by --github":
        world.done("--environment", "production", "--github")
    else:
        world.by_hand("--environment", "production")
    assert world.protected() == PRODUCTION
    for name in ("production", "production-rollback"):
        assert world.told(name) == [
            f"variable set PRODUCTION_HOST --env {name} --body host.test",
            f"variable set PRODUCTION_USER --env {name} --body deploy",
            f"variable set PRODUCTION_PORT --env {name} --body 2222",
            f"secret set PRODUCTION_KNOWN_HOSTS --env {name} host key",
            f"secret set PRODUCTION_SSH_KEY --env {name} private"]
    assert world.told("production-approval") == []
    assert all(not environments.lacks(body, name == environments.APPROVAL)
               for name, body in world.state["environments"].items())


@pytest.mark.parametrize("github", [True, False])
def test_staging_is_one_and_asks_nobody(world, github):
    if github:
        world.done("--github")
    else:
        world.by_hand()
    assert world.protected() == {"staging": (["trunk"], [])}
    assert "variable set STAGING_HOST --env staging --body host.test" in world.told("staging")


@pytest.mark.parametrize(("words", "asked", "oneself"), [
    ([], [("User", 5)], True), (["--reviewer", "ada"], [("User", 1)], False),
    (["--reviewer", "ada", "--reviewer", "@shop"], [("Team", 900), ("User", 1)], False)])
@pytest.mark.parametrize("github", [True, False])
def test_who_is_asked_and_whether_for_what_he_started_himself(world, words, asked, oneself, github):
    if github:
        world.done("--environment", "production", "--github", *words)
    else:
        world.by_hand("--environment", "production", *words)
    approval = world.state["environments"]["production-approval"]
    assert environments.reviewers_of(approval) == asked
    assert environments.prevents_self_review(approval) != oneself


@pytest.mark.parametrize("github", [True, False])
def test_what_is_there_keeps_its_reviewers_branches_and_waiting_time(world, github):
    world.has(production_approval=(CUSTOM, [{"type": "branch_policy"}, ASKS]),
              production=(CUSTOM, [{"type": "wait_timer", "wait_timer": 30}]),
              production_rollback=({"protected_branches": True, "custom_branch_policies": False}, []))
    before = world.state["environments"]
    if github:
        assert world.done("--environment", "production", "--github", "--reviewer", "ada").count("ok       env") == 3
    else:
        world.by_hand("--environment", "production", "--reviewer", "ada")
    assert world.state["environments"] == before


def test_what_a_job_made_without_protection_gets_it_and_keeps_the_rest(world):
    world.has(production_approval=(None, []), production=(None, [{"type": "wait_timer", "wait_timer": 30}]),
              production_rollback=(CUSTOM, []))
    told = world.done("--environment", "production", "--github")
    assert "wrote    environment production-approval: it may be used from every branch" in told, told
    after = world.state["environments"]
    assert world.protected() == {**PRODUCTION, "production-rollback": (["release"], [])}
    assert {"type": "wait_timer", "wait_timer": 30} in after["production"]["protection_rules"]
    world.done("--environment", "production", "--github")
    assert world.state["environments"] == after


def test_reviewers_stay_where_only_the_branches_lacked(world):
    world.has(production_approval=(None, [ASKS]))
    world.done("--environment", "production", "--github")
    assert world.protected()["production-approval"] == (["trunk"], [("Team", 900)])


def test_one_that_no_branch_may_use_gets_the_default_branch(world):
    world.has(staging=(CUSTOM, []))
    environment = world.state["environments"]
    environment["staging"]["policies"] = []
    world.change(environments=environment)
    assert "could be used from no branch" in world.done("--github")
    assert world.protected()["staging"] == (["trunk"], [])


def test_where_github_refuses_the_host_is_not_touched(world):
    world.change(admin=False)
    done = world.setup("--github")
    assert done.returncode == 1 and "lacks the right" in done.stderr and not world.reached, done


@pytest.mark.parametrize(("plan", "status", "says"), [
    ("free", 1, "environments from the plan pro on"), ("team", 0, "APPROVAL_WAIVED --body accepted"),
    ("enterprise", 0, "")])
def test_a_private_repository_gets_what_its_plan_has_and_is_told_the_rest(world, plan, status, says):
    world.change(plan=plan, repository={**world.state["repository"], "private": True})
    done = world.setup("--environment", "production", "--github")
    assert done.returncode == status and says in done.stdout + done.stderr, done
    assert world.reached == (status == 0)
    if plan == "team":
        assert world.protected() == {**PRODUCTION, "production-approval": (["trunk"], [])}


def test_a_reviewer_of_what_nobody_approves_is_refused(world):
    done = world.setup("--reviewer", "ada")
    assert done.returncode == 2 and "only production is approved" in done.stderr and not world.reached


def test_a_cluster_s_kubeconfig_goes_to_both_that_reach_production(world):
    (world.folder / "kube config").write_text("kubeconfig\n")
    text = "\n".join(cluster_account.github_lines("production", "kube config"))
    done = world.run("bash", "-euo", "pipefail", "-c", text, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stderr
    assert world.protected() == PRODUCTION
    assert world.state["told"] == [f"secret set PRODUCTION_KUBECONFIG --env {name} kubeconfig"
                                   for name in ("production", "production-rollback")]


def test_the_policy_is_not_that_of_protected_branches():
    """Of which there may be none, and then every branch passes."""
    assert environments.protection()["deployment_branch_policy"] == CUSTOM
