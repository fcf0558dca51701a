"""What runs with which rights, and where it comes from: requirements 1-4, 8-12, 15, 19, 20, 22,
23, and the shape of a step."""

import datetime
import re

import yaml

from .documents import runs, uses

# Every grant there is. Widening one means changing it here too, before somebody else's eyes.
READ = {"contents": "read"}
SCAN = {"contents": "read", "security-events": "write", "actions": "read"}
TITLE = {"contents": "read", "pull-requests": "read"}
ROLL_BACK = {"contents": "read", "packages": "read", "attestations": "read"}
DEPLOY = {**ROLL_BACK, "actions": "read"}
GRANTS = {
    "ci": {
        "plan": READ, "next-version": TITLE, "lint": TITLE, "analysis": READ,
        "build-and-test": READ, "other-toolchains": READ, "sanitizers": READ, "integration": READ, "codeql": SCAN,
        "dependency-review": READ, "snyk": SCAN, "trivy-fs": SCAN, "image": READ, "image-arm64": READ,
        "image-scan": SCAN, "performance-benchmark": READ, "ci-status": READ,
        "gate": {"contents": "read", "packages": "read"},
        "publish": {"contents": "read", "packages": "write", "id-token": "write",
                    "attestations": "write"},
    },
    "cd": {
        "resolve": {"contents": "read", "actions": "read", "packages": "read"},
        "staging": DEPLOY, "approval": {}, "production": DEPLOY, "rollback": ROLL_BACK,
    },
    "release": {
        "tools-arm64": READ, "assets": READ, "attest": {"id-token": "write", "attestations": "write"},
        "release": {"contents": "write", "packages": "read"},
        "promote": {"contents": "write", "packages": "write", "id-token": "write",
                    "attestations": "write"},
        "reconcile": {"contents": "write", "packages": "write", "attestations": "read"},
    },
    "comment": {"comment": {"contents": "read", "actions": "read", "pull-requests": "write"}},
    "scorecard": {"scorecard": {"contents": "read", "actions": "read", "security-events": "write",
                                "id-token": "write"}},
}
# What is built on a machine of the other architecture.
OF_ARM64 = {"image-arm64", "tools-arm64"}
# Which secret may be read where; a job that reads one is bound to its environment.
STAGING = {"STAGING_SSH_KEY", "STAGING_KNOWN_HOSTS", "STAGING_KUBECONFIG", "NOTIFY_WEBHOOK"}
PRODUCTION = {"PRODUCTION_SSH_KEY", "PRODUCTION_KNOWN_HOSTS", "PRODUCTION_KUBECONFIG", "NOTIFY_WEBHOOK"}
ROLLBACK = "${{ inputs.environment == 'production' && 'production-rollback' || 'staging' }}"
ENVIRONMENTS = {
    ("ci", "snyk"): ("security-scan", {"SNYK_TOKEN"}),
    ("cd", "staging"): ("staging", STAGING),
    ("cd", "approval"): ("production-approval", set()),
    ("cd", "production"): ("production", PRODUCTION),
    ("cd", "rollback"): (ROLLBACK, STAGING | PRODUCTION),
    ("release", "release"): ("release", {"RELEASE_APP_KEY"}),
    ("release", "promote"): ("release", {"RELEASE_APP_KEY"}),
    ("release", "reconcile"): ("release", {"RELEASE_APP_KEY"}),
}
# Whose code is run at all. At which commit, the workflows say, and all of them the same; Dependabot changes them.
VETTED = {"actions/checkout", "actions/cache", "actions/upload-artifact", "actions/download-artifact", "actions/attest",
          "actions/dependency-review-action", "actions/create-github-app-token", "aquasecurity/trivy-action",
          "github/codeql-action", "ossf/scorecard-action", "snyk/actions"}
# What GitHub resolves a tag to that is not its commit; such a pin is none.
TAG_OBJECTS = {"a9c7b0f0" * 5}
# Names that hold credentials in the environment of a step.
TOKEN = re.compile(r"\$\{\{[^}]*(github\.token|secrets\.)")
SECRET = re.compile(r"secrets\.([A-Za-z_]\w*)")
BUILT_IN = {"GITHUB_TOKEN"}


def permissions(r):
    for document in r.workflows.values():
        if document.data.get("permissions") != {}:
            yield f"{document.name}: `permissions: {{}}` is not on top"
        expected = GRANTS.get(document.name)
        if expected is None:
            yield f"{document.name}: a workflow that the table of grants does not know"
            continue
        for job, body in document.jobs.items():
            if body.get("permissions") != expected.get(job):
                yield (f"{document.name}/{job}: grants {body.get('permissions')}, the table says "
                       f"{expected.get(job)}")
        for job in expected.keys() - document.jobs.keys():
            yield f"{document.name}/{job}: is gone, but the table of grants has it"
        for number, line in enumerate(document.lines, 1):
            if re.match(r"\s+[a-z-]+: (read|write)\b", line) and not re.search(r" # \S{2}", line):
                yield f"{document.name}:{number}: a grant without its reason"


def pins(r):
    table = {}
    for document in r.documents:
        for number, action, reference, comment in document.uses():
            where = f"{document.name}:{number}: {action}"
            if action.startswith("./"):
                if not (r.root / action / "action.yml").is_file():
                    yield f"{where}: there is no such local action"
                continue
            if action.startswith("docker:") or not re.fullmatch(r"[0-9a-f]{40}", reference or "") \
                    or reference in TAG_OBJECTS:
                yield f"{where}@{reference}: not pinned to a commit"
                continue
            name = "/".join(action.split("/")[:2])
            if name not in VETTED:
                yield f"{where}: an action that nobody vetted"
            if not re.fullmatch(r"v\d+\.\d+\.\d+", comment or ""):
                yield f"{where}: no version as a comment"
            known = table.setdefault(name, (comment, reference))
            if (comment, reference) != known:
                yield f"{where}: is {reference} # {comment}, elsewhere {known[1]} # {known[0]}"
    yield from unused(r, table)


def unused(r, table):
    for name in VETTED - set(table):
        yield f"{name}: vetted, but used nowhere"


def checkout(r):
    for document in r.documents:
        for job, step in document.steps():
            if uses(step, "actions/checkout") and step.get("with", {}).get("persist-credentials") is not False:
                yield f"{document.name}/{job}: checkout leaves its token behind"
        for scope in (document.data, *document.jobs.values()):
            for name, value in (scope.get("env") or {}).items():
                if TOKEN.search(str(value)):
                    yield f"{document.name}: {name} holds a token for more than the step that needs it"
            if "defaults" in scope or "container" in scope or "services" in scope:
                yield f"{document.name}: defaults, container and services are not used here"


def timeouts(r):
    for document in r.workflows.values():
        for job, body in document.jobs.items():
            if not isinstance(body.get("timeout-minutes"), int) or body["timeout-minutes"] > 60:
                yield f"{document.name}/{job}: no timeout-minutes of at most 60"
            runner = "ubuntu-24.04-arm" if job in OF_ARM64 else "ubuntu-24.04"
            if body.get("runs-on") != runner:
                yield f"{document.name}/{job}: runs-on is not {runner}"


def triggers(r):
    expected = {
        "ci": {"pull_request", "merge_group", "push"},
        "cd": {"workflow_run", "workflow_dispatch"},
        "release": {"workflow_run", "workflow_dispatch"},
        "comment": {"workflow_run"},
        "scorecard": {"push", "branch_protection_rule"},
    }
    for document in r.workflows.values():
        if set(document.on) != expected.get(document.name):
            yield f"{document.name}: runs on {sorted(document.on)}"
        for job, step in document.steps():
            ref = step.get("with", {}).get("ref") if uses(step, "actions/checkout") else None
            ours = "${{ github.event.workflow_run.head_sha || github.sha }}"
            if ref and not (document is r.release and ref == ours):
                yield f"{document.name}/{job}: checks out {ref}"
            if "repository" in step.get("with", {}):
                yield f"{document.name}/{job}: checks out another repository"
    ours = "github.event.workflow_run.head_repository.full_name == github.repository"
    for document, job in ((r.cd, "resolve"), (r.release, "assets"), (r.release, "tools-arm64")):
        if ours not in str(document.jobs[job].get("if")):
            yield f"{document.name}/{job}: goes on for a run of a fork"


def forks(r):
    for job, step in r.ci.steps():
        if "secrets." in str(step) and job != "snyk":
            yield f"ci/{job}: needs a secret, which forks do not have"
        condition = {"github/codeql-action/upload-sarif": step.get("if"),
                     "github/codeql-action/analyze": step.get("with", {}).get("upload")}
        for action, when in condition.items():
            if uses(step, action) and "needs.plan.outputs.upload == 'true'" not in str(when):
                yield f"ci/{job}: uploads with a token that may only read"
    steps = r.ci.jobs["snyk"]["steps"]
    tokens = [at for at, step in enumerate(steps) if runs(step, "scripts/ci/snyk token")]
    if not tokens:
        yield "ci/snyk: nothing says that it is skipped without a token"
    for step in steps[tokens[0] + 1 if tokens else 1:]:
        if "steps.token.outputs.present == 'true'" not in str(step.get("if")):
            yield "ci/snyk: a step runs without a token"
    if "was skipped" not in r.text("scripts/ci/snyk"):
        yield "scripts/ci/snyk: does not say that it was skipped and why"


def injection(r):
    for document in r.documents:
        for job, step in document.steps():
            if "${{" in step.get("run", ""):
                yield f"{document.name}/{job}: an expression inside run:"
            if uses(step, "actions/github-script"):
                yield f"{document.name}/{job}: a script inside YAML"
            if "shell" in step and document not in r.actions:
                yield f"{document.name}/{job}: a shell of its own"


def sarif(r):
    categories = []
    for job, body in r.ci.jobs.items():
        steps = body["steps"]
        for at, step in enumerate(steps):
            if uses(step, "github/codeql-action/analyze"):
                categories.append(step["with"].get("category"))
            if not uses(step, "github/codeql-action/upload-sarif"):
                continue
            categories.append(step["with"].get("category"))
            if not str(step.get("if")).startswith("always() &&"):
                yield f"ci/{job}: findings are uploaded only when nothing else failed"
            file = step["with"]["sarif_file"]
            gates = [s for s in steps[at:] if runs(s, "scripts/ci/scan-gate") and
                     file in s["run"].split()]
            if not gates:
                yield f"ci/{job}: nothing judges {file} after it was uploaded"
            for gate in gates:
                if gate.get("if") not in (None, "steps.token.outputs.present == 'true'"):
                    yield f"ci/{job}: the gate on {file} may be skipped"
    if None in categories or len(set(categories)) != len(categories):
        yield f"ci: upload categories are not distinct: {categories}"
    for expected in ("codeql-cpp", "trivy-fs", "trivy-${{ matrix.image }}", "snyk-container"):
        if expected not in categories:
            yield f"ci: nothing is uploaded as {expected}"


def trivy(r):
    wanted = {"severity": "CRITICAL,HIGH", "ignore-unfixed": True, "format": "sarif",
              "limit-severities-for-sarif": True, "trivyignores": ".trivyignore.yaml"}
    scans = 0
    for job, step in r.ci.steps():
        if not uses(step, "aquasecurity/trivy-action") or step["with"]["format"] == "cyclonedx":
            continue
        scans += 1
        differs = {k: step["with"].get(k) for k, v in wanted.items() if step["with"].get(k) != v}
        if differs:
            yield f"ci/{job}: Trivy's gate is weaker: {differs}"
        if step["with"].keys() & {"exit-code", "skip-dirs", "skip-files", "vuln-type"}:
            yield f"ci/{job}: Trivy is told to leave something out, or gates before the upload"
    if scans != 2:
        yield f"ci: {scans} Trivy scans, not one of the files and one of the image"
    for kind, entries in (yaml.safe_load(r.text(".trivyignore.yaml")) or {}).items():
        for entry in entries:
            expiry = entry.get("expired_at")
            if not entry.get("statement") or not isinstance(expiry, datetime.date):
                yield f".trivyignore.yaml: {kind}: {entry.get('id')} lacks a statement or an expiry"


def environments(r):
    for document in r.workflows.values():
        for job, body in document.jobs.items():
            if "uses" in body or "secrets" in body:
                yield f"{document.name}/{job}: a reusable workflow or inherited secrets"
            found = set(SECRET.findall(yaml.dump(body))) - BUILT_IN
            environment, allowed = ENVIRONMENTS.get((document.name, job), (None, set()))
            named = body.get("environment")
            named = named.get("name") if isinstance(named, dict) else named
            if named != environment:
                yield f"{document.name}/{job}: environment is {named}, must be {environment}"
            if found - allowed:
                yield f"{document.name}/{job}: reads {sorted(found - allowed)}"
        outside = {k: v for k, v in document.data.items() if k != "jobs"}
        if SECRET.search(yaml.dump(outside)) or "toJSON(secrets" in document.text \
                or "secrets[" in document.text:
            yield f"{document.name}: a secret at the level of the workflow"


def packages(r):
    places = [(p, p.read_text(encoding="utf-8", errors="replace")) for p in r.scripts()]
    places += [(d.path, d.text) for d in r.documents]
    for path, text in places:
        for number, line in enumerate(text.splitlines(), 1):
            code = line.partition("#")[0]
            if re.search(r"\bnpx\b|\bnpm (i|install|exec|x)\b|\bpnpm\b|\byarn\b", code):
                yield f"{path.name}:{number}: runs packages that no lockfile names"
            if re.search(r"\bnpm ci\b", code) and "--ignore-scripts" not in code:
                yield f"{path.name}:{number}: npm ci runs the packages' scripts"
            if re.search(r"(curl|wget)\b.*\|\s*(ba)?sh\b", code):
                yield f"{path.name}:{number}: pipes a download into a shell"
    if not (r.root / "scripts/release/package-lock.json").is_file():
        yield "scripts/release/package-lock.json is missing"


def dependabot(r):
    updates = yaml.safe_load(r.text(".github/dependabot.yml"))["updates"]
    by = {update["package-ecosystem"]: update for update in updates}
    for name, update in by.items():
        if update.get("cooldown", {}).get("default-days", 0) < 7:
            yield f"dependabot: {name} takes versions younger than 7 days"
    actions = by.get("github-actions", {})
    if actions.get("directories") != ["/", "/.github/actions/*"]:
        yield "dependabot: the local actions are not updated"
    if [group["patterns"] for group in actions.get("groups", {}).values()] != [["*"]]:
        yield "dependabot: an action is updated in one folder and not in the next, or one of codeql's without the other"


def artifacts(r):
    for document in r.documents:
        for job, step in document.steps():
            if uses(step, "actions/upload-artifact"):
                given = step.get("with", {})
                if (not given.get("name") or given.get("retention-days") != 7
                        or given.get("if-no-files-found") != "error"):
                    yield f"{document.name}/{job}: artifact without name, 7 days or error if empty"


def caches(r):
    yield from shared_caches(r)
    for document in r.workflows.values():
        for job, step in document.steps():
            cached = uses(step, "actions/cache") or uses(step, "./.github/actions/prepare") \
                or "cache-from" in step.get("with", {}) or uses(step, "actions/cache/restore")
            grants = document.jobs[job].get("permissions") or {}
            privileged = any(v == "write" and k != "security-events" for k, v in grants.items())
            if cached and (document is not r.ci or privileged):
                yield f"{document.name}/{job}: restores a cache where a poisoned one would do harm"
            if uses(step, "aquasecurity/trivy-action") and step["with"].get("cache") is not False:
                yield f"{document.name}/{job}: Trivy restores a cache"


def shared_caches(r):
    """A cache is saved once, by the first job that ends: that of another would stay empty."""
    owners = {}
    for job, step in r.ci.steps():
        if not uses(step, "./.github/actions/prepare"):
            continue
        name = step["with"]["cache"]
        if owners.setdefault(name, job) != job:
            yield f"ci/{job}: shares its compiler cache with {owners[name]}"
        matrix = r.ci.jobs[job].get("strategy", {}).get("matrix", {})
        for axis in matrix.get("include", [matrix])[0]:
            if f"matrix.{axis} " not in name:
                yield f"ci/{job}: its legs share a compiler cache, whatever their {axis}"


ROWS = [
    (1, "`permissions: {}` on top; grants per job, each with its reason, as the table says", permissions),
    (2, "actions of vetted owners, pinned to one commit each, with its version as a comment", pins),
    (3, "checkout leaves no credentials; a token goes only to the step that needs it", checkout),
    (4, "timeout-minutes on every job", timeouts),
    (8, "no pull_request_target; workflow_run never checks out foreign code", triggers),
    (9, "pull requests of forks and Dependabot work without secrets", forks),
    (10, "no expression inside run:", injection),
    (11, "SARIF: distinct categories, always uploaded, judged by a separate step", sarif),
    (12, "Trivy: CRITICAL,HIGH with a fix; ignores have reason and expiry", trivy),
    (15, "secrets are environment secrets, in jobs with that environment", environments),
    (19, "npm ci --ignore-scripts from a lockfile, never npx", packages),
    (20, "Dependabot: 7 days of cooldown; local actions too; all of them at once", dependabot),
    (22, "artifacts: name, 7 days, error if there is none", artifacts),
    (23, "no cache in release.yml, cd.yml or a privileged job, and none for two jobs", caches),
]
