"""The settings, each as a value: where it is read, what it must say, how it is made so.

A Setting is compared key by key: what GitHub answers besides is not ours to judge."""

from dataclasses import dataclass
from dataclasses import field as of

from . import plans
from .environments import APPROVAL, POLICY, prevents_self_review, protection, reviewers_of

# Actions that are used, and those that run inside them: an allow-list refuses these as well.
ALLOWED_ACTIONS = (
    "actions/attest@*", "actions/cache@*", "actions/cache/*@*", "actions/checkout@*",
    "actions/create-github-app-token@*", "actions/dependency-review-action@*", "actions/download-artifact@*",
    "actions/upload-artifact@*", "aquasecurity/trivy-action@*", "aquasecurity/setup-trivy@*",
    "github/codeql-action/*@*", "ossf/scorecard-action@*", "snyk/actions/*@*")
GITHUB_ACTIONS_APP = 15368
APP_VARIABLE = "/actions/variables/RELEASE_APP_ID"
BRANCHES = ("main", "*.x")
ADMIN = {"actor_id": 5, "actor_type": "RepositoryRole", "bypass_mode": "always"}
ENVIRONMENTS = ("staging", "production-approval", "production", "production-rollback", "release")


@dataclass(frozen=True)
class Facts:
    """What the settings depend on: asked of GitHub, or given."""
    private: bool
    plan: str            # of the owner, lower case
    in_organisation: bool
    app: int = 0         # the id of the App that releases push with; 0: none
    reviewers: tuple = ()  # ({"type": "User" or "Team", "id": ...}, ...)
    alone: bool = False  # nobody else may push, so nobody else could approve anything

    def has(self, feature: str) -> bool:
        if feature == "merge queue" and not self.in_organisation:
            return False
        return plans.has(feature, self.private, self.plan)


@dataclass(frozen=True)
class Setting:
    """READ is asked; where that is ABSENT (404, or not in the list by its name), MAKE makes it, else CHANGE changes it.
    Each is (method, path, body); a path begins below /repos/OWNER/NAME."""
    name: str
    read: str
    wanted: dict
    change: tuple
    make: tuple = ()
    named: str = ""      # the setting is the one of the list at READ whose `name` this is; {id} in CHANGE is its id
    inside: str = ""     # the list's key in the answer, where it is not the answer
    extra: dict = of(default_factory=dict)  # how an answer's own shape is compared: key -> function of the answer


def _repository(facts: Facts) -> Setting:
    wanted = {"allow_squash_merge": True, "allow_merge_commit": False, "allow_rebase_merge": False,
              "squash_merge_commit_title": "PR_TITLE", "squash_merge_commit_message": "PR_BODY",
              "allow_auto_merge": True, "delete_branch_on_merge": True}
    if facts.has("secret scanning"):
        wanted["security_and_analysis"] = {"secret_scanning": {"status": "enabled"},
                                           "secret_scanning_push_protection": {"status": "enabled"}}
    return Setting("squash merging by the pull request's title and description, secret scanning", "", wanted,
                   ("PATCH", "", wanted))


def _actions() -> list:
    allowed = {"enabled": True, "allowed_actions": "selected", "sha_pinning_required": True}
    which = {"github_owned_allowed": False, "verified_allowed": False, "patterns_allowed": sorted(ALLOWED_ACTIONS)}
    token = {"default_workflow_permissions": "read", "can_approve_pull_request_reviews": False}
    return [
        Setting("actions: selected ones, pinned to commits", "/actions/permissions", allowed,
                ("PUT", "/actions/permissions", allowed)),
        Setting("actions: which ones", "/actions/permissions/selected-actions", which,
                ("PUT", "/actions/permissions/selected-actions", which)),
        Setting("the token reads, and approves no pull request", "/actions/permissions/workflow", token,
                ("PUT", "/actions/permissions/workflow", token))]


def _environment(name: str, facts: Facts) -> list:
    branches = BRANCHES if name == "release" else BRANCHES[:1]
    approves = name == APPROVAL and facts.has("reviewers")
    body = protection(facts.reviewers if approves else (), not facts.alone)
    wanted = {"deployment_branch_policy": POLICY}
    extra = {}
    if approves:
        wanted |= {"reviewers": sorted((r["type"], r["id"]) for r in facts.reviewers),
                   "prevent_self_review": not facts.alone}
        extra = {"reviewers": reviewers_of, "prevent_self_review": prevents_self_review}
    place = f"/environments/{name}"
    return [
        Setting(f"environment {name}" + (" with reviewers" if approves else ""), place, wanted, ("PUT", place, body),
                ("PUT", place, body), extra=extra),
        *(Setting(f"environment {name}: from {branch}", f"{place}/deployment-branch-policies", {},
                  (), ("POST", f"{place}/deployment-branch-policies", {"name": branch, "type": "branch"}),
                  named=branch, inside="branch_policies") for branch in branches)]


def _ruleset(name: str, target: str, refs: list, rules: list, bypass: list, without: tuple = ()) -> Setting:
    """For REFS except WITHOUT, by GitHub's fnmatch: `*` and `[0-9]`, which match no slash; BYPASS: who may pass it."""
    body = {"name": name, "target": target, "enforcement": "active", "bypass_actors": bypass,
            "conditions": {"ref_name": {"include": refs, "exclude": list(without)}}, "rules": rules}
    return Setting(f"ruleset {name}", "/rulesets", body, ("PUT", "/rulesets/{id}", body), ("POST", "/rulesets", body),
                   named=name)


def _branches(facts: Facts, app: list) -> list:
    others = not facts.alone
    review = {"allowed_merge_methods": ["squash"], "dismiss_stale_reviews_on_push": True,
              "require_code_owner_review": others, "require_last_push_approval": others,
              "required_approving_review_count": 1 if others else 0, "required_review_thread_resolution": True}
    checks = {"required_status_checks": [{"context": "ci-status", "integration_id": GITHUB_ACTIONS_APP}],
              "strict_required_status_checks_policy": False}
    guarded = [{"type": "deletion"}, {"type": "non_fast_forward"}, {"type": "pull_request", "parameters": review}]
    main = [*guarded, {"type": "required_status_checks", "parameters": checks}]
    if facts.has("merge queue"):
        main.append({"type": "merge_queue", "parameters": {
            "check_response_timeout_minutes": 60, "grouping_strategy": "ALLGREEN", "max_entries_to_build": 5,
            "max_entries_to_merge": 5, "merge_method": "SQUASH", "min_entries_to_merge": 1,
            "min_entries_to_merge_wait_minutes": 1}})
    # A line begins at a release commit, which is [skip ci] and has no check; whoever makes one decides what is released
    # from it, with the App's token. A ruleset with a merge queue takes no pattern (422), and would refuse to make it.
    lines, at_once = ["refs/heads/*.x"], {"type": "required_status_checks",
                                          "parameters": {**checks, "do_not_enforce_on_create": True}}
    return [_ruleset("slipway new release lines", "branch", lines, [{"type": "creation"}], [ADMIN]),
            _ruleset("slipway release lines", "branch", lines, [*guarded, at_once], app),
            _ruleset("slipway branches", "branch", ["refs/heads/main"], main, app)]


def _rulesets(facts: Facts) -> list:
    # "GitHub Actions" itself is refused here (422); an App of one's own is not.
    app = [{"actor_id": facts.app, "actor_type": "Integration", "bypass_mode": "always"}] if facts.app else []
    # Without an App it is the workflow's own token that makes tags and moves `v1`, which no ruleset can let pass.
    fixed, made, moved = [{"type": "update"}, {"type": "deletion"}], {"type": "creation"}, {"type": "deletion"}
    return [*_branches(facts, app),
            _ruleset("slipway version tags", "tag", ["refs/tags/v*.*.*"], [*fixed, *([made] if facts.app else [])],
                     app),
            # `v1`, which follows the newest 1.x, is what those who use the actions run, with their keys.
            _ruleset("slipway major tags", "tag", ["refs/tags/v[0-9]*"], [*fixed, made] if facts.app else [moved],
                     app, without=("refs/tags/v*.*.*",)),
            # Made by a person, and for good.
            _ruleset("slipway withdrawals", "tag", ["refs/tags/withdrawn/*"], fixed, app)]


def _toggle(name: str, path: str) -> Setting:
    return Setting(name, path, {"enabled": True}, ("PUT", path, None), ("PUT", path, None))


def settings(facts: Facts) -> list:
    """In the order in which they are made: the rulesets come last, after the seed tag that they would refuse."""
    found = [_repository(facts), *_actions()]
    if facts.has("environments"):
        found += [setting for name in ENVIRONMENTS for setting in _environment(name, facts)]
    found += [Setting("Dependabot alerts", "/vulnerability-alerts", {}, (), ("PUT", "/vulnerability-alerts", None)),
              _toggle("immutable releases", "/immutable-releases")]
    if not facts.private:
        found.append(_toggle("private reports of vulnerabilities", "/private-vulnerability-reporting"))
    if facts.has("code scanning"):
        place, off = "/code-scanning/default-setup", {"state": "not-configured"}
        # The default set-up refuses the findings that our own CodeQL uploads.
        make = ("PATCH", place, off)
        found.append(Setting("CodeQL by ci.yml, not by the default set-up", place, off, make, make))
    if facts.app:
        said = {"name": "RELEASE_APP_ID", "value": str(facts.app)}
        found.append(Setting("variable RELEASE_APP_ID", APP_VARIABLE, said, ("PATCH", APP_VARIABLE, said),
                             ("POST", "/actions/variables", said)))
    return found + (_rulesets(facts) if facts.has("rulesets") else [])
