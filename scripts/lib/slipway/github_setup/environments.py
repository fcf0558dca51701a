"""The environments that a deployment goes through and how each is protected, as GitHub's API tells and takes it. Pure.

scripts/github-setup holds Slipway's own to it, `slipway setup` makes those of a service, and a deployment to what
nobody protects is refused: GitHub makes a missing environment, open to every branch, for the first job that names it.
"""

APPROVAL = "production-approval"
# Not "protected branches": where no branch is protected, that is every branch.
POLICY = {"protected_branches": False, "custom_branch_policies": True}


def needed_by(environment: str) -> tuple:
    """What the workflows name where they deploy to ENVIRONMENT and take it back."""
    if environment == "production":
        return APPROVAL, environment, "production-rollback"
    return (environment,)


def with_keys(environment: str) -> tuple:
    """Those of them that know the host and its key."""
    return tuple(name for name in needed_by(environment) if name != APPROVAL)


def protection(reviewers: tuple = (), prevent_self_review: bool = True) -> dict:
    """The body that makes one. REVIEWERS: ({"type": "User" or "Team", "id": ...}, ...)"""
    asked = {"reviewers": list(reviewers), "prevent_self_review": prevent_self_review} if reviewers else {}
    return {"deployment_branch_policy": POLICY, **asked}


def _rule(environment: dict, kind: str) -> dict:
    return next((rule for rule in environment.get("protection_rules", []) if rule["type"] == kind), {})


def reviewers_of(environment: dict) -> list:
    named = _rule(environment, "required_reviewers").get("reviewers", [])
    return sorted((r["type"], r["reviewer"]["id"]) for r in named)


def prevents_self_review(environment: dict) -> bool:
    return bool(_rule(environment, "required_reviewers").get("prevent_self_review"))


def lacks(environment: dict | None, approved: bool) -> str:
    """What ENVIRONMENT, as GitHub describes it, lacks; empty when nothing. APPROVED: whether it must have reviewers."""
    if environment is None:
        return "does not exist"
    if not environment.get("deployment_branch_policy"):
        return "may be used from every branch"
    return "needs nobody's approval" if approved and not _rule(environment, "required_reviewers") else ""


def completed(environment: dict | None, wanted: dict) -> dict:
    """The body that gives ENVIRONMENT what it lacks of WANTED, a protection(), and keeps what it has: GitHub takes away
    whatever such a request leaves out."""
    there = environment or {}
    kept = {"deployment_branch_policy": there.get("deployment_branch_policy")}
    reviewers = reviewers_of(there)
    if reviewers:
        kept |= {"reviewers": [{"type": kind, "id": number} for kind, number in reviewers],
                 "prevent_self_review": prevents_self_review(there)}
    kept["wait_timer"] = _rule(there, "wait_timer").get("wait_timer")
    return wanted | {key: value for key, value in kept.items() if value is not None}
