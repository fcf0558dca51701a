"""Who may do what to a branch or a tag under the rulesets that scripts/github-setup makes, as GitHub decides it.
What it takes for true is in model/facts.py ("pattern", "creation", ...), with sources."""

import re

ADMIN = ("RepositoryRole", 5)
WRITER = ("RepositoryRole", 4)
GITHUB_TOKEN = ("Integration", 15368)  # "GitHub Actions" can be no bypass actor


def app(number: int) -> tuple:
    return ("Integration", number)


def matches(pattern: str, ref: str) -> bool:
    """File.fnmatch with FNM_PATHNAME: neither `*` nor `?` matches a slash; sets in brackets, no braces."""
    parts = re.findall(r"\[[^\]]+\]|.", pattern)
    known = {"*": "[^/]*", "?": "[^/]"}
    return bool(re.fullmatch("".join(known.get(p, p if len(p) > 1 else re.escape(p)) for p in parts), ref))


def applies(ruleset: dict, ref: str) -> bool:
    names = ruleset["conditions"]["ref_name"]
    kind = "refs/tags/" if ruleset["target"] == "tag" else "refs/heads/"
    return (ruleset["enforcement"] == "active" and ref.startswith(kind)
            and any(matches(pattern, ref) for pattern in names["include"])
            and not any(matches(pattern, ref) for pattern in names["exclude"]))


def refusal(rule: dict, doing: str, checked: bool) -> str:
    """Why RULE refuses a git push that is DOING create, update or delete, of a commit that is CHECKED or not."""
    kind, more = rule["type"], rule.get("parameters", {})
    if doing == "delete":
        return "Cannot delete this ref" if kind == "deletion" else ""
    if kind == "creation" and doing == "create":
        return "Cannot create ref due to creations being restricted"
    if kind == "update" and doing == "update":
        return "Cannot update this protected ref"
    if kind == "pull_request" and doing == "update":
        return "Changes must be made through a pull request"
    if kind == "merge_queue":
        return "Changes must be made through the merge queue"
    if kind == "required_status_checks" and not checked and not (
            doing == "create" and more.get("do_not_enforce_on_create")):
        return "Required status check is expected"
    return ""


def refusals(rulesets: list, who: tuple, doing: str, ref: str, checked: bool = True) -> list:
    """What GitHub answers WHO; nothing if it is done. Each ruleset is passed by those of its own list alone."""
    found = [refusal(rule, doing, checked) for ruleset in rulesets if applies(ruleset, ref)
             and who not in [(a["actor_type"], a["actor_id"]) for a in ruleset["bypass_actors"]]
             for rule in ruleset["rules"]]
    return sorted(filter(None, found))
