"""The environments of a service's repository on GitHub, by `gh` with your login, which must be its admin.

For ENVIRONMENT: itself, from the default branch alone; for production also production-approval, with reviewers, and
production-rollback, which whoever is on call may use alone. One that is there keeps its reviewers, branches and waiting
time, and gets what it lacks. --print asks nobody: it prints the lines that make those that are missing.
Exit: 0 they are as they must be, 1 GitHub refused, and why, 2 usage.
"""

import argparse
import json
import sys

from . import cli
from .github_setup import environments, plans
from .github_setup.gh import Gh, GhError
from .github_setup.owner import plan_of, reviewer

# What gh puts in: the repository of the folder, or of GH_REPO.
HERE = "{owner}/{repo}"
KEPT = "# (One that is there stays as it is; `slipway setup HOST --github` also gives it what it lacks.)"


def id_of(name: str) -> str:
    """The command that tells the number of a login, of a team as @SLUG, or of whoever is logged in."""
    place = f"orgs/{{owner}}/teams/{name[1:]}" if name.startswith("@") else f"users/{name}" if name else "user"
    return f"gh api {place} --jq .id"


def lines(environment: str, named: list) -> list:
    """What makes those that are missing, for a shell."""
    asked = [{"type": "Team" if name.startswith("@") else "User", "id": f"<{id_of(name)}>"} for name in named or [""]]
    told = []
    for name in environments.needed_by(environment):
        place = f"repos/{HERE}/environments/{name}"
        reviewers = asked if name == environments.APPROVAL else ()
        body = json.dumps(environments.protection(tuple(reviewers), bool(named)))
        body = body.replace('"<', "'\"$(").replace('>"', ")\"'")
        told += [f"if [[ $(gh api {place} 2>&1) == *'HTTP 404'* ]]; then",
                 f"  gh api --method PUT {place} --input - <<<'{body}'",
                 f"  gh api --method POST {place}/deployment-branch-policies -f type=branch "
                 f"-f name=\"$(gh api repos/{HERE} --jq .default_branch)\"",
                 "fi"]
    return [*told, KEPT]


def settle(gh: Gh, name: str, wanted: dict, branch: str) -> str:
    """Gives the environment NAME what it lacks of WANTED; returns what that was."""
    place = f"/environments/{name}"
    status, found = gh.ask("GET", place)
    if status not in (200, 404):
        raise GhError(f"GET {place}: {status}: {(found or {}).get('message', '')}")
    there = found if status == 200 else None
    why = environments.lacks(there, "reviewers" in wanted)
    if why:
        body = environments.completed(there, wanted)
        gh.must("PUT", place, body)
    else:
        body = there
    policies = f"{place}/deployment-branch-policies"
    if body["deployment_branch_policy"]["custom_branch_policies"] and not gh.must("GET", policies)["branch_policies"]:
        gh.must("POST", policies, {"name": branch, "type": "branch"})
        why = why or "could be used from no branch"
    return why


def make(gh: Gh, environment: str, named: list) -> None:
    repository = gh.must("GET", "")
    plan = plan_of(gh, repository) if repository["private"] else "free"
    if not plans.has("environments", repository["private"], plan):
        least, _ = plans.FEATURES["environments"]
        raise GhError(f"a private repository has environments from the plan {least} on, and this one's is {plan}: "
                      "nobody would keep the host's key from other branches")
    wanted = dict.fromkeys(environments.needed_by(environment), environments.protection())
    if environments.APPROVAL in wanted:
        if plans.has("reviewers", repository["private"], plan):
            reviewers = [reviewer(gh, repository["owner"]["login"], name) for name in named] or [
                {"type": "User", "id": gh.must("GET", "user", absolute=True)["id"]}]
            wanted[environments.APPROVAL] = environments.protection(tuple(reviewers), bool(named))
        else:
            print(f"this plan ({plan}) has no reviewers, so nobody is asked before production, and it is not deployed "
                  "to; if it shall be: gh variable set APPROVAL_WAIVED --body accepted")
    for name, how in wanted.items():
        why = settle(gh, name, how, repository["default_branch"])
        print(f"  {'wrote    environment ' + name + ': it ' + why if why else 'ok       environment ' + name}")


def main() -> int:
    parser = cli.parser(__doc__, prog="slipway setup")
    parser.add_argument("--environment", required=True)
    parser.add_argument("--reviewer", action="append", default=[], metavar="LOGIN|@TEAM")
    parser.add_argument("--print", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.reviewer and environments.APPROVAL not in environments.needed_by(options.environment):
        parser.error("--reviewer: only production is approved")
    if options.print:
        print("\n".join(lines(options.environment, options.reviewer)))
        return 0
    try:
        make(Gh(HERE), options.environment, options.reviewer)
    except GhError as error:
        print(f"slipway setup: error: {error}; nothing was done to the host", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
