"""github-setup [--check] [OWNER/NAME]: tells GitHub what the workflows need of it and YAML cannot hold.

Merge settings, which actions may run, the token's rights, environments and who approves, security features,
immutable releases, the seed tag, and rulesets that an App of yours may pass. It reads, compares, and changes only what
differs: a second run changes nothing. What the plan lacks is left out and said. Where one person works alone it
refuses without --alone, since GitHub lets nobody approve what is their own. Secrets it never touches: `slipway
setup --github` tells a host's, a person the App's key (see docs/operators/pipeline-settings.md).
By `gh`, with your login, which must be the repository's admin.
Exit: 0 as it must be, 1 with --check: something differs; GitHub refused, and why; 2 usage.
"""

import subprocess
import sys

from .. import cli
from . import plans
from .compare import absent, difference
from .desired import APP_VARIABLE, Facts, Setting, settings
from .environments import reviewers_of
from .gh import Gh, GhError
from .owner import plan_of, reviewer

SEED = "v0.0.0"
LOST = ("pull requests merge without anybody's review as soon as CI passed, and whoever starts a deployment to "
        "production may approve it: who gets hold of that one account has main and production")


def repository_here() -> str:
    done = subprocess.run(["gh", "repo", "view", "--json", "nameWithOwner", "--jq", ".nameWithOwner"],
                          capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise GhError(f"which repository? Give OWNER/NAME ({done.stderr.strip()})")
    return done.stdout.strip()


def asked(gh: Gh, path: str) -> dict | None:
    """What is at PATH; None where there is nothing."""
    status, answer = gh.ask("GET", path)
    if status not in (200, 404):
        raise GhError(f"GET {path}: {status}: {(answer or {}).get('message', '')}")
    return answer if status == 200 else None


def reviewers_now(gh: Gh) -> tuple:
    """Those whom an earlier run named; none where the plan has no environments."""
    status, environment = gh.ask("GET", "/environments/production-approval")
    return tuple({"type": kind, "id": number} for kind, number in reviewers_of(environment if status == 200 else {}))


def app_now(gh: Gh) -> int:
    """The App that an earlier run let pass; 0: none."""
    variable = asked(gh, APP_VARIABLE)
    value = variable["value"] if variable else "0"
    if not value.isdigit():
        raise GhError(f"the variable RELEASE_APP_ID is {value!r}, which is no App's id: give --app-id ID, 0 for none")
    return int(value)


def forget_app(gh: Gh, check: bool) -> str:
    """What was, or would be, done about the variable that names an App; empty when there is none."""
    variable = asked(gh, APP_VARIABLE)
    if not variable:
        return ""
    if not check:
        gh.must("DELETE", APP_VARIABLE)
    return f"is {variable['value']}, must not be there"


def who_may_push(gh: Gh) -> list:
    """Their logins. Invitations that were not accepted are none."""
    found = gh.must("GET", "/collaborators?per_page=100")
    return sorted(person["login"] for person in found if person["permissions"]["push"])


def refuse_deadlock(gh: Gh, alone: bool) -> None:
    """GitHub lets nobody approve their own pull request, nor, as it is set up here, their own deployment."""
    those = who_may_push(gh)
    if len(those) < 2 and not alone:
        raise GhError(f"{' '.join(those) or 'nobody'} is the only one who may push here, and could neither merge a "
                      "pull request nor deploy to production, both of which somebody else must approve: invite a "
                      f"second person, or give --alone; then {LOST}")
    if len(those) > 1 and alone:
        raise GhError(f"--alone is for a repository of one person, but {', '.join(those)} may push here: leave it out")


def read_facts(gh: Gh, options) -> Facts:
    repository = gh.must("GET", "")
    owner = repository["owner"]
    organisation = owner["type"] == "Organization"
    plan = options.plan
    if not plan and repository["private"]:
        plan = plan_of(gh, repository)
    reviewers = tuple(reviewer(gh, owner["login"], name) for name in options.reviewer) or reviewers_now(gh)
    if not reviewers:
        if organisation:
            raise GhError("who approves deployments to production? Give --reviewer LOGIN or --reviewer @TEAM")
        reviewers = (reviewer(gh, owner["login"], owner["login"]),)
    app = app_now(gh) if options.app_id is None else options.app_id
    facts = Facts(repository["private"], plan or "free", organisation, app, reviewers, options.alone)
    if facts.has("rulesets") or facts.has("reviewers"):
        refuse_deadlock(gh, options.alone)
    return facts


def seed(gh: Gh, check: bool) -> str:
    """What was, or would be, done about the tag that versions are counted from; empty when it is there."""
    if gh.must("GET", "/git/matching-refs/tags/v"):
        return ""
    if check:
        return f"no version tag: {SEED} on the root commit"
    root = subprocess.run(["git", "rev-list", "--max-parents=0", "HEAD"], capture_output=True, text=True, check=False)
    commits = root.stdout.split()
    if not commits:
        raise GhError("the seed tag goes on the root commit: run this in a full clone of the repository")
    gh.must("POST", "/git/refs", {"ref": f"refs/tags/{SEED}", "sha": commits[-1]})
    return f"{SEED} on {commits[-1][:12]}"


def settle(gh: Gh, setting: Setting, check: bool) -> str:
    """What was, or would be, changed; empty when nothing differs."""
    status, answer = gh.ask("GET", setting.read)
    if status not in (200, 204, 404):
        raise GhError(f"GET {setting.read}: {status}: {(answer or {}).get('message', '')}")
    missing, found = absent(setting, status, answer)
    if found and setting.named and setting.change:
        found = gh.must("GET", f"{setting.read}/{found['id']}")  # a list tells less than the one itself
    why = "is missing" if missing else difference(setting, found)
    if not why or check:
        return why
    method, path, body = setting.make if missing else setting.change
    gh.must(method, path.replace("{id}", str((found or {}).get("id", ""))), body)
    return why


def tell(facts: Facts) -> None:
    """What is less than it could be."""
    for feature, (least, without) in plans.FEATURES.items():
        if not facts.has(feature):
            print(f"left out: {feature} (private: from {least} on; a merge queue: organisations): {without}")
    if not facts.app:
        print("no App (--app-id ID): releases tag the commit that CI built, and the changelog waits on a branch for "
              "your pull request; nothing keeps those who may write here from moving `v1`, which runs with the keys of "
              "all who use these actions: have them pin a release's commit, not the tag")
    if facts.alone:
        print(f"alone: {LOST}")
    elif facts.has("reviewers") and [kind["type"] for kind in facts.reviewers] == ["User"]:
        print("one reviewer: nobody can approve what they deploy themselves: name a second one, or a team (--reviewer)")


def run(options) -> int:
    gh = Gh(options.repository or repository_here())
    facts = read_facts(gh, options)
    tell(facts)
    count = differing = 0
    # The seed first: the ruleset for tags would refuse it.
    gone = [] if facts.app else [("variable RELEASE_APP_ID", lambda: forget_app(gh, options.check))]
    for name, act in [("seed tag", lambda: seed(gh, options.check)), *gone,
                      *((s.name, lambda s=s: settle(gh, s, options.check)) for s in settings(facts))]:
        count += 1
        why = act()
        if why:
            differing += 1
            print(f"{'differs' if options.check else 'changed'}: {name}: {why}")
    print(f"github-setup: {differing} of {count} settings {'differ' if options.check else 'changed'}")
    return 1 if options.check and differing else 0


def main() -> int:
    parser = cli.parser(__doc__, prog="github-setup")
    parser.add_argument("repository", nargs="?", metavar="OWNER/NAME", help="[the one of this folder]")
    parser.add_argument("--check", action="store_true", help="only compare, and say what differs")
    parser.add_argument("--app-id", type=int, metavar="ID",
                        help="the GitHub App that releases push with; 0: none, and nothing is pushed to the branch "
                             "[the variable RELEASE_APP_ID, else none]")
    parser.add_argument("--reviewer", action="append", default=[], metavar="LOGIN|@TEAM",
                        help="who approves deployments to production; repeatable "
                             "[as before, else the owner, if a person]")
    parser.add_argument("--alone", action="store_true",
                        help="nobody else may push here, so nobody approves anything; give it each time")
    parser.add_argument("--plan", choices=plans.ORDER, default="", help="of the owner [asked of GitHub]")
    parser.add_argument("--plans", action="store_true", help="print what each plan lacks, and nothing else")
    options = parser.parse_args()
    if options.plans:
        print(plans.table())
        return 0
    try:
        return run(options)
    except GhError as error:
        print(f"github-setup: error: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
