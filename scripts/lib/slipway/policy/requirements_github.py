"""What GitHub really does, which neither act nor a linter shows: requirements 31 to 49, a row each of
docs/github-facts.md. What a set-up script must have done besides is checked by scripts/github-setup --check."""

import json
import re

import yaml

from .documents import command, ours, runs, uses

# owner/name that another action runs by itself, and so must be allowed too.
INSIDE = {"aquasecurity/trivy-action": {"aquasecurity/setup-trivy"}}


def one_line(value) -> str:
    return " ".join(str(value).split())


def release_token(r):
    """1: a ruleset on main refuses GITHUB_TOKEN, and can give it no leave."""
    for job in ("release", "promote", "reconcile"):
        steps = r.release.jobs[job]["steps"]
        apps = [s for s in steps if uses(s, "actions/create-github-app-token")]
        if len(apps) != 1 or not str(apps[0].get("if", "")).startswith("vars.RELEASE_APP_ID"):
            yield f"release/{job}: no App's token where there is an App"
        token = [s.get("env", {}).get("GITHUB_TOKEN") or s.get("with", {}).get("github-token") for s in steps
                 if uses(s, "./.github/actions/release") or uses(s, "./.github/actions/promote")
                 or runs(s, "scripts/release/reconcile")]
        if token != ["${{ steps.app.outputs.token || github.token }}"]:
            yield f"release/{job}: pushes with a token that a ruleset refuses"
    # What was attested: by the job's own token, since the App's has contents and workflows only.
    promote = next(a for a in r.actions if a.name == "actions/promote")
    for name, steps in (("release/reconcile", r.release.jobs["reconcile"]["steps"]),
                        ("actions/promote", [step for _, step in promote.steps()])):
        asked = [s["env"].get("ATTESTATIONS_TOKEN") for s in steps if "scripts/release/reconcile" in str(s.get("run"))]
        if asked != ["${{ github.token }}"]:
            yield f"{name}: asks what was attested with a token that may not read it"
    run = [s["with"] for s in r.release.jobs["release"]["steps"] if uses(s, "./.github/actions/release")]
    if [given.get("push-to-branch") for given in run] != ["${{ steps.app.outcome == 'success' }}"]:
        yield "release/release: pushes to the branch without an App"
    script = r.text("scripts/release/release")
    if "    if may_push:\n        return document\n" not in script or "if not may_push and is_ours():" not in script:
        yield "scripts/release/release: knows no way without a push to the branch"


def locks(r):
    """2: a job takes its lock before it asks for approval."""
    asks = r.cd.jobs["approval"]
    if "concurrency" in asks:
        yield "cd/approval: holds a lock for as long as nobody approves"
    for job in ("staging", "production"):
        if r.cd.jobs[job].get("concurrency") != {"group": f"deploy-{job}", "cancel-in-progress": False, "queue": "max"}:
            yield f"cd/{job}: not one at a time in deploy-{job}, each in its turn"
    rollback = r.cd.jobs["rollback"]
    if "concurrency" in rollback:
        yield "cd/rollback: waits for a lock of GitHub's; the host's own is enough"
    if "production-rollback" not in str(rollback.get("environment")):
        yield "cd/rollback: waits for production's approval"


def groups(r):
    """3: a group is entered before any `if` is read."""
    if r.cd.data.get("concurrency") != {"group": "cd-${{ github.run_id }}", "cancel-in-progress": False}:
        yield "cd: a run that does nothing may cancel one that waits"
    group = one_line(r.release.data["concurrency"]["group"])
    for part in ("!github.event.repository.fork && github.event.workflow_run.conclusion == 'success' &&",
                 "github.event.workflow_run.event == 'push' &&",
                 "github.event.workflow_run.head_repository.full_name == github.repository &&",
                 "github.event.workflow_run.head_branch ||", "inputs.mode == 'reconcile' && 'reconcile' ||",
                 "github.run_id }}"):
        if part not in group:
            yield f"release: its group does not say {part}"
    if r.release.data["concurrency"].get("queue") != "max":
        yield "release: of two that wait, one is cancelled"


def order(r):
    """4: an older commit's CI may end last, or be run again a week later."""
    if "overtaken_by(hub, repository, revision) if automatic" not in r.text("scripts/ci/resolve"):
        yield "scripts/ci/resolve: goes on for a commit that was overtaken"
    of_main = 'hub.compare(revision, "main") not in ("ahead", "identical") and older == "no"'
    if of_main not in r.text("scripts/ci/resolve"):
        yield "scripts/ci/resolve: goes on for what is not of main"
    deploy = next(a for a in r.actions if a.name == "actions/deploy")
    check = [s for _, s in deploy.steps() if command(s) == "scripts/ci/not-older"]
    if len(check) != 1 or check[0]["env"].get("RUNNING") != "${{ steps.before.outputs.revision }}" \
            or check[0]["env"].get("REVISION") != "${{ inputs.revision }}" \
            or check[0]["env"].get("OLDER") != "${{ inputs.older }}":
        yield "actions/deploy: does not ask whether what runs is newer"
    for job in ("staging", "production"):
        given = [s["with"].get("older") for s in r.cd.jobs[job]["steps"] if uses(s, "./.github/actions/deploy")]
        if given != ["${{ needs.resolve.outputs.older }}"]:
            yield f"cd/{job}: deploys older ones without a word"
    publish = r.text("scripts/ci/publish")
    if "if is_overtaken; then" not in publish or '[ "$named" != "$DIGEST" ]' not in publish:
        yield "scripts/ci/publish: `latest`, or a commit's own name, may go back"


def identity(r):
    """5: whoever may push a branch can edit ci.yml there, attest, and show a green check."""
    for script in ("scripts/ci/verify-attestation", "scripts/lib/tools.sh"):
        text = r.text(script)
        if text.count("gh attestation verify") != text.count("--source-ref "):
            yield f"{script}: takes an attestation of any branch"
    # And what people are told to type.
    for place in (".github/SECURITY.md", "docs/operators/releasing.md", "scripts/lib/slipway/ci/notes.py"):
        asked = re.findall(r"gh attestation verify (?:oci:|slipway-tools|\{tarball)", r.text(place))
        held = re.findall(r"--signer-workflow \S+ --source-ref refs/heads/", r.text(place))
        if len(asked) != 2 or len(held) != 2:
            yield f"{place}: has people take what any branch attested"
    if "[[ $ref == refs/* ]] || die " not in r.text("scripts/ci/verify-attestation"):
        yield "scripts/ci/verify-attestation: does without a ref"
    for job in ("staging", "production"):
        given = [s["with"].get("source-ref") for s in r.cd.jobs[job]["steps"] if uses(s, "./.github/actions/deploy")]
        if given != ["${{ needs.resolve.outputs.source-ref }}"]:
            yield f"cd/{job}: takes an attestation of another branch than CI ran for"
    resolve = r.text("scripts/ci/resolve")
    asked = ("branches = branches_of_passed_ci(hub.ci_runs(revision), revision)",
             'run.get("conclusion") == "success"', "if RELEASED_FROM.fullmatch(branch)")
    if any(part not in resolve for part in asked) or "check-runs" in resolve:
        yield "scripts/ci/resolve: believes a check by its name"
    if "event=push" not in r.text("scripts/lib/slipway/ci/github.py"):
        yield "slipway.ci.github: takes the run of another event for CI's"


def plans(r):
    """6: what a private repository's plan may lack."""
    for job, step in r.ci.steps():
        uploads = uses(step, "github/codeql-action/upload-sarif") or uses(step, "github/codeql-action/analyze")
        if uploads and r.ci.jobs[job].get("permissions", {}).get("actions") != "read":
            yield f"ci/{job}: uploads without actions: read, which a private repository asks for"
    for document in r.documents:
        for job, step in document.steps():
            if uses(step, "actions/attest") and "ATTESTATIONS" not in str(step.get("if")) \
                    and "inputs.attest" not in str(step.get("if")):
                yield f"{document.name}/{job}: attests where the plan has no attestations"
    condition = "${{ !github.event.repository.private || vars.ATTESTATIONS == 'on' }}"
    if not r.templates:
        yield "tools/slipway/workflows: none are written for others"
    for document in (r.ci, r.cd, *r.templates):
        for job, step in document.steps():
            named = "attest" if ours(step, "publish") else "attested" if reaches_a_host(step) else ""
            if named and step["with"].get(named) != condition:
                yield f"{document.path.parent.name}/{document.name}/{job}: red, not a sentence, without attestations"
    for name in ("publish", "deploy", "rollback"):
        if condition not in r.text(f".github/actions/{name}/README.md"):
            yield f"actions/{name}: its README's caller is red in a private repository"


def reaches_a_host(step: dict) -> bool:
    return ours(step, "deploy") or ours(step, "rollback")


def snyk(r):
    """7: `oci-archive:` wants a tar, and `--unmanaged` writes no SARIF."""
    script = r.text("scripts/ci/snyk")
    if re.search(r"oci-archive:\S*image( |$)", script) or "tar --create" not in script:
        yield "scripts/ci/snyk: gives a folder where an archive must be"
    if re.search(r"--unmanaged .*--sarif", script):
        yield "scripts/ci/snyk: waits for a SARIF that is never written"
    if not any(runs(s, "scripts/ci/scan-gate build/snyk/unmanaged.json build/snyk/container.sarif")
               for _, s in r.ci.steps()):
        yield "ci/snyk: does not judge what Snyk wrote"
    fetched = [s.get("with", {}).get("snyk-version", "") for s in r.ci.jobs["snyk"]["steps"]
               if uses(s, "snyk/actions/setup")]
    if not all(re.fullmatch(r"v\d+\.\d+\.\d+", version) for version in fetched):
        yield "ci/snyk: fetches whatever program is the newest, and gives it a token"


def titles(r):
    """8: the title as it is now, with what the squash merge adds; 15: what would skip CI, and GitHub's own buttons."""
    for job in ("lint", "next-version"):
        step = [s["env"] for s in r.ci.jobs[job]["steps"] if "env" in s]
        if not step or step[-1].get("PULL_REQUEST") != "${{ github.event.pull_request.number }}":
            yield f"ci/{job}: does not read the title as it is now"
    if "github.event.pull_request.title" in r.ci.text:
        yield "ci: takes the title of the event, which a run again replays"
    lint = r.text("scripts/ci/lint-commits")
    landing = r.text("scripts/lib/slipway/ci/github.py")
    parts = ("(#{number})", 'self.must_get(f"/pulls/{number}")', 'pull["body"]')
    if not all(part in landing for part in parts) or "hub.landing(number)" not in lint \
            or "hub.landing(number)" not in r.text("scripts/ci/landing"):
        yield "scripts/ci/lint-commits: does not hold the message as it will land"
    if '"squash_merge_commit_title": "PR_TITLE", "squash_merge_commit_message": "PR_BODY"' \
            not in r.text("scripts/lib/slipway/github_setup/desired.py"):
        yield "github-setup: another message lands than the one that is held"
    if "(why := lost(meaning, landing))" not in lint:
        yield "scripts/ci/lint-commits: what a commit says need not land"


def skipping_words(r):
    lint = r.text("scripts/ci/lint-commits")
    skips = next((line for line in lint.splitlines() if line.startswith("SKIPS = ")), "")
    for word in ("skip ci", "ci skip", "no ci", "skip actions", "actions skip", "skip-checks"):
        if word not in re.split(r"[(|)^:]", skips):
            yield f"scripts/ci/lint-commits: lets [{word}] through"
    if "Revert|Reapply" not in lint or "Revert|Reapply" not in r.text("scripts/release/commits.mjs"):
        yield "scripts: GitHub's Revert and git's Reapply are not understood"
    if json.loads(r.text(".releaserc.json"))["plugins"][0][0] != "./scripts/release/commits.mjs":
        yield ".releaserc.json: reads commits without what the buttons write"


def moved_files(r):
    """9: git shows a moved file at its new place only."""
    for path in r.scripts():
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            if re.search(r"""(git |["'])diff["' ,].*--name-(only|status)""", line) and "--no-renames" not in line:
                yield f"{path.name}: a moved file counts at one of its places only: {line.strip()}"


def updates(r):
    """10: Dependabot reads literal FROM lines, and folders that it is told of."""
    literal = [line for line in r.text("Dockerfile").splitlines() if re.match(r"FROM [\w./-]+:[\w.-]+@sha256:", line)]
    for line in r.text("Dockerfile").splitlines():
        if line.startswith("ARG") and "@sha256:" in line:
            yield f"Dockerfile: {line.split('=')[0]}: an image that Dependabot does not see"
    if not literal:
        yield "Dockerfile: no literal FROM, pinned by its digest"
    told = {}
    for update in yaml.safe_load(r.text(".github/dependabot.yml"))["updates"]:
        told.setdefault(update["package-ecosystem"], set()).update(update.get("directories") or [update["directory"]])
    for ecosystem, pattern in (("npm", "**/package-lock.json"), ("pip", "scripts/**/requirements*.txt"),
                               ("gomod", "**/go.mod")):
        for file in r.root.glob(pattern):
            folder = "/" + file.parent.relative_to(r.root).as_posix()
            ours = "node_modules" not in file.parts and not folder.startswith("/build/") \
                and (ecosystem != "gomod" or "require" in file.read_text())
            if ours and folder not in told.get(ecosystem, set()):
                yield f"dependabot: {ecosystem} does not look into {folder}"
    if "/" not in told.get("docker", set()):
        yield "dependabot: the image's base is not updated"
    if re.search(r"github\.com/\S+@v\d", r.text("scripts/setup")):
        yield "scripts/setup: a Go tool whose version Dependabot does not see"


def inside(r):
    """11: an allow-list must name what is used, and what actions run inside."""
    settings = r.text("scripts/lib/slipway/github_setup/desired.py")
    for document in r.documents:
        for _, action, _, _ in document.uses():
            owner_and_name = "/".join(action.split("/")[:2])
            if not action.startswith("./") and f'"{owner_and_name}@*"' not in settings \
                    and f'"{owner_and_name}/*@*"' not in settings:
                yield f"github-setup: refuses {action}, which {document.name} uses"
            for name in INSIDE.get("/".join(action.split("/")[:2]), ()):
                if f'"{name}@*"' not in settings:
                    yield f"github-setup: refuses {name}, which {action} uses"


def provenance(r):
    """12: provenance made in a workflow_run names the default branch's head."""
    for document in (d for d in r.workflows.values() if "workflow_run" in d.on):
        for job, step in document.steps():
            if uses(step, "actions/attest") and not (
                    step["with"].get("predicate-type")
                    and (step["with"].get("predicate-path") or step["with"].get("predicate"))):
                yield f"{document.name}/{job}: attests another commit than the one that was built"
    if 'grep -qxF "$commit" <<<"$attested"' not in r.text("scripts/lib/tools.sh"):
        yield "scripts/lib/tools.sh: the attested commit is not compared"


def refs_by_rest(r):
    """13: a push of a tag on an older commit is refused to GITHUB_TOKEN."""
    history = r.text("scripts/lib/slipway/ci/history.py")
    if 'hub.post("/git/refs"' not in history or '"push"' in history:
        yield "slipway.ci.history: pushes a tag that GitHub refuses"
    for job in ("release", "promote", "reconcile"):
        for step in r.release.jobs[job]["steps"]:
            if uses(step, "actions/create-github-app-token") and step["with"].get("permission-workflows") != "write":
                yield f"release/{job}: the App's token cannot tag a commit with other workflows"


def caches(r):
    """14: 10 GB in all, for three commits of main at least; a pull request saves none."""
    prepare = next(a for a in r.actions if a.name == "actions/prepare")
    main = ("github.event_name == 'push' && "
            "github.ref == format('refs/heads/{0}', github.event.repository.default_branch)")
    for _, step in prepare.steps():
        if uses(step, "actions/cache") and step.get("if") != main:
            yield "actions/prepare: others than main save caches"
    legs = 0
    for job in r.ci.jobs.values():
        if any(uses(s, "./.github/actions/prepare") for s in job.get("steps", [])):
            matrix = job.get("strategy", {}).get("matrix", {})
            legs += len(matrix.get("include") or next((v for v in matrix.values() if isinstance(v, list)), [0])) \
                if "suite" not in matrix else 6
    size = int(re.search(r"CCACHE_MAXSIZE=(\d+)M", r.text("scripts/ci/prepare"))[1])
    if 3 * legs * size > 10_000:
        yield f"scripts/ci/prepare: three commits of {legs} caches of {size} MB are more than the 10 GB of a repository"


def links(r):
    """16: what people see of a deployment."""
    for job in ("staging", "production", "rollback"):
        if not (r.cd.jobs[job].get("environment") or {}).get("url"):
            yield f"cd/{job}: a deployment without its address"
    for document, job in ((r.ci, "snyk"), (r.cd, "approval"),
                          *((r.release, name) for name in ("release", "promote", "reconcile"))):
        if (document.jobs[job].get("environment") or {}).get("deployment") is not False:
            yield f"{document.name}/{job}: makes an entry among the deployments, and deploys nothing"


def unprotected(r):
    """17: a missing environment is made without protection by the first job that names it."""
    steps = r.cd.jobs["resolve"]["steps"]
    checks = [s for s in steps if runs(s, "scripts/ci/environments") and "if" not in s]
    names = {body["environment"]["name"] for body in r.cd.jobs.values() if "environment" in body}
    named = set(re.findall(r"\b(?:staging|production(?:-\w+)?)\b", " ".join(names)))
    if not checks or steps.index(checks[0]) > 1 or set(checks[0]["env"]["NAMES"].split()) != named | {"production"} \
            or checks[0]["env"].get("APPROVED") != "production-approval":
        yield "cd/resolve: deploys to environments that nobody protects"


def told_how(r):
    """17, of every job that deploys, ours and others': the action is told which environments have its secrets."""
    for document in (r.cd, *r.templates):
        for job, step in document.steps():
            if not ours(step, "deploy"):
                continue
            place, given = f"{document.path.parent.name}/{document.name}/{job}", step["with"]
            named = document.jobs[job]["environment"]["name"]
            if named not in given.get("environments", "").split():
                yield f"{place}: deploys to an environment that nobody protects"
            told = [given.get(name) for name in ("approval", "approval-waived", "environments")]
            if named == "production" and told != ["production-approval", "${{ vars.APPROVAL_WAIVED }}",
                                                  "production production-rollback"]:
                yield f"{place}: deploys what nobody had to approve"
            if document.jobs[job]["permissions"].get("actions") != "read":
                yield f"{place}: may not ask how the environments are protected"


def minutes(r):
    """18: twenty jobs at once, and four cores each."""
    queued = {job for job, body in r.ci.jobs.items() if "github.event_name != 'pull_request'" in str(body.get("if"))}
    for job in ("other-toolchains", "codeql"):
        if job not in queued:
            yield f"ci/{job}: a pull request waits for it"
    reached = {"suite": "${{ fromJSON(needs.plan.outputs.suites || '[]') }}"}
    if r.ci.jobs["integration"]["strategy"]["matrix"] != reached:
        yield "ci/integration: runs suites that a change cannot reach"
    if 'QUEUE_ONLY = {"release-workflow", "reproducible"}' not in r.text("scripts/lib/slipway/ci/reach.py"):
        yield "slipway.ci.reach: a pull request waits for what compiles everything anew"


def answers(r):
    """19: only 200 and 404 are answers."""
    for path in [*r.scripts(), *sorted((r.root / "scripts/lib/slipway/ci").glob("*.py"))]:
        text = path.read_text(encoding="utf-8", errors="replace")
        if "urlopen(" in text and path.name != "http.py":
            yield f"{path.name}: an HTTP client of its own, which neither waits nor tells errors from answers"
    oci = r.text("scripts/lib/slipway/ci/oci.py")
    for part in ("if status not in (200, 404):", "if status != 404:"):
        if part not in oci:
            yield "slipway.ci.oci: takes an error for an answer"
    if "if status not in (200, 201, 202, 204):" not in r.text("scripts/lib/slipway/ci/github.py"):
        yield "slipway.ci.github: takes an error for an answer"
    if '(headers.get("Retry-After") or "")' not in r.text("scripts/lib/slipway/ci/http.py"):
        yield "slipway.ci.http: does not wait as long as it is asked to"


ROWS = [
    (31, "releases push with an App's token, or not to the branch at all", release_token),
    (32, "approval without a lock; a rollback waits for nobody", locks),
    (33, "what does nothing has a group of its own; releases wait by their branch", groups),
    (34, "nothing older is deployed over what is newer, nor named latest", order),
    (35, "attestations and CI's run are of main or a release line, not of a branch", identity),
    (36, "what a plan lacks is left out with a sentence", plans),
    (37, "Snyk gets an archive and is judged by its JSON", snyk),
    (38, "titles as they are now and as they will land", titles),
    (39, "a moved file counts at both places", moved_files),
    (40, "Dependabot sees every pin", updates),
    (41, "the allow-list names what runs inside actions", inside),
    (42, "what is attested after the fact names its commit", provenance),
    (43, "tags by REST, with the App's token", refs_by_rest),
    (44, "only main saves caches, and three commits of it fit", caches),
    (45, "reverts release; nothing skips CI", skipping_words),
    (46, "deployments show where; nothing else is one", links),
    (47, "nothing is deployed to an environment without protection", unprotected),
    (47, "each deployment, of ours and of others, is told whose protection counts", told_how),
    (48, "a pull request runs what it can reach", minutes),
    (49, "403 and 5xx are errors; later is waited for", answers),
]
