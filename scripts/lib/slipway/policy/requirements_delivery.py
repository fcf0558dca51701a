"""What waits for what, and what reaches a host: requirements 5-7, 13, 14, 16-18, 21, 24-26, and
that the YAML only orchestrates."""

import json
import os
import re

from .documents import command, needs, runs, uses

# Jobs that a run may lack, and why: a pull request leaves to the merge queue and main what takes long; only a pull
# request has dependencies to review; only a push of our own publishes.
MAY_SKIP = (
    "${{ github.event_name == 'pull_request' && 'publish other-toolchains codeql' || "
    "github.event_name == 'merge_group' && 'publish dependency-review' || "
    "github.event.repository.fork && 'publish dependency-review' || 'dependency-review' }}")
MAY_SKIP_WITHOUT = {
    "CODE": {"analysis", "build-and-test", "sanitizers", "integration", "snyk", "image", "image-arm64", "image-scan",
             "performance-benchmark", "gate"},
    "SUITES": {"integration"}, "SCANNING": {"codeql", "dependency-review"}}
CODE = "needs.plan.outputs.code == 'true'"
IN_THE_QUEUE = "github.event_name != 'pull_request'"
RUNS_IF = {
    **dict.fromkeys(MAY_SKIP_WITHOUT["CODE"], CODE), "integration": "needs.plan.outputs.suites != '[]'",
    "image-scan": None, "gate": None, "other-toolchains": IN_THE_QUEUE,
    "codeql": f"{IN_THE_QUEUE} && needs.plan.outputs.scanning == 'true'",
    "dependency-review": "github.event_name == 'pull_request' && needs.plan.outputs.scanning == 'true'",
    "publish": "github.event_name == 'push' && !github.event.repository.fork && !failure() && !cancelled() && "
               "(needs.codeql.result == 'success' || needs.plan.outputs.scanning == 'false')",
    "ci-status": "always()"}
# Who waits for whom. A job that is not here waits for nothing.
NEEDS = {
    "ci": {"analysis": {"plan"}, "build-and-test": {"plan"}, "other-toolchains": {"plan"}, "sanitizers": {"plan"},
           "integration": {"plan"}, "codeql": {"plan"}, "trivy-fs": {"plan"}, "dependency-review": {"plan"},
           "snyk": {"plan", "image"}, "image": {"plan", "next-version"}, "image-arm64": {"plan", "next-version"},
           "image-scan": {"plan", "image", "image-arm64"}, "performance-benchmark": {"plan"},
           "gate": {"plan", "image", "performance-benchmark"}},
    "cd": {"staging": {"resolve"}, "approval": {"resolve", "staging"},
           "production": {"resolve", "staging", "approval"}, "rollback": {"resolve"}},
    "release": {"assets": {"tools-arm64"}, "attest": {"assets"}, "release": {"assets", "attest"},
                "promote": {"release"}},
    "comment": {},
    "scorecard": {},
}
DEPLOY, ROLLBACK, GATE, RELEASE, PROMOTE = (
    f"./.github/actions/{name}" for name in ("deploy", "rollback", "gate", "release", "promote"))
SBOMS = {"sbom-path": "build/sbom/amd64/sbom.cdx.json", "other-sbom-path": "build/sbom/arm64/sbom.cdx.json"}
PASSED = ("github.event.workflow_run.conclusion == 'success'",
          "github.event.workflow_run.event == 'push'",
          "github.event.workflow_run.head_repository.full_name == github.repository")


def one_line(value) -> str:
    return " ".join(str(value).split())


def concurrency(r):
    superseded = {"group": "ci-${{ github.event.pull_request.number || github.run_id }}",
                  "cancel-in-progress": "${{ github.event_name == 'pull_request' }}"}
    if r.ci.data.get("concurrency") != superseded:
        yield "ci: cancels something else than superseded runs of a pull request"
    for document in (r.cd, r.release):
        for place, body in ((document.name, document.data), *document.jobs.items()):
            if "concurrency" in body and body["concurrency"].get("cancel-in-progress") is not False:
                yield f"{document.name}/{place}: a deployment or a release may be cancelled by the next one"


def required_checks(r):
    if "merge_group" not in r.ci.on:
        yield "ci: does not run in the merge queue"
    for event in ("pull_request", "merge_group"):
        if r.ci.on.get(event):
            yield f"ci: {event} is filtered, so that the required check may never report"
    push = r.ci.on.get("push") or {}
    if set(push) != {"branches"} or push["branches"] != ["main", "[0-9]+.x", "[0-9]+.[0-9]+.x"]:
        yield "ci: push is filtered by more than the branches that are released from"
    for job, body in r.ci.jobs.items():
        condition = one_line(body["if"]) if "if" in body else None
        if condition != RUNS_IF.get(job):
            yield f"ci/{job}: runs if {condition}, must be {RUNS_IF.get(job)}"


def aggregator(r):
    status = r.ci.jobs["ci-status"]
    others = set(r.ci.jobs) - {"ci-status"}
    if set(needs(status)) != others:
        yield f"ci-status: forgets {sorted(others - set(needs(status)))}"
    if status.get("if") != "always()":
        yield "ci-status: may be skipped, and a skipped check counts as passed"
    steps = [step for step in status["steps"] if runs(step, "scripts/ci/status")]
    if len(steps) != 1 or "if" in steps[0]:
        yield "ci-status: does not run scripts/ci/status, always"
        return
    env = steps[0].get("env", {})
    agreed = {key: set(str(env.get(f"MAY_SKIP_WITHOUT_{key}")).split()) for key in MAY_SKIP_WITHOUT}
    if env.get("NEEDS") != "${{ toJSON(needs) }}" or one_line(env.get("MAY_SKIP")) != MAY_SKIP \
            or agreed != MAY_SKIP_WITHOUT:
        yield "ci-status: the list of jobs that may be skipped is not the one that was agreed"


def who_waits(r):
    """Part of 25: the whole graph, so that no edge is lost or slipped in."""
    publish = set(r.ci.jobs) - {"ci-status", "publish", "dependency-review"}
    for document in r.workflows.values():
        for job, body in document.jobs.items():
            if job == "ci-status":
                continue
            expected = publish if job == "publish" else NEEDS[document.name].get(job, set())
            if set(needs(body)) != expected:
                yield f"{document.name}/{job}: waits for {needs(body)}, must be {sorted(expected)}"
            if "continue-on-error" in body:
                yield f"{document.name}/{job}: its failure is ignored"
            if body.get("strategy", {}).get("fail-fast") is not (False if "strategy" in body
                                                                 else None):
                yield f"{document.name}/{job}: one leg's failure hides the others"


def one_digest(r):
    builders = [(d.name, job) for d in r.documents for job, step in d.steps()
                if runs(step, "scripts/ci/image") or uses(step, "./.github/actions/image")]
    if builders != [("ci", "image"), ("ci", "image-arm64"), ("actions/image", "runs")]:
        yield f"the image is built by {builders}, must be once for each architecture, by ci/image and ci/image-arm64"
    given = [step["with"].get("digest") for step in r.ci.jobs["publish"]["steps"]
             if uses(step, "./.github/actions/publish")]
    joined = [step.get("env") for step in r.ci.jobs["publish"]["steps"] if runs(step, "scripts/ci/index")]
    if given != ["${{ steps.index.outputs.digest }}"] or joined != [
            {"DIGESTS": "${{ needs.image.outputs.digest }} ${{ needs.image-arm64.outputs.digest }}"}]:
        yield "ci/publish: publishes something else than what was built and scanned"
    for job in ("image", "image-arm64"):
        if r.ci.jobs[job].get("outputs") != {"digest": "${{ steps.image.outputs.digest }}"}:
            yield f"ci/{job}: its digest does not reach the other jobs"
    if r.ci.jobs["image-scan"].get("strategy", {}).get("matrix") != {"image": ["image", "image-arm64"]}:
        yield "ci/image-scan: leaves an architecture out"
    scanned = [step["with"].get("input") for step in r.ci.jobs["image-scan"]["steps"]
               if uses(step, "aquasecurity/trivy-action")]
    if scanned != ["build/image", "build/image"]:
        yield "ci/image-scan: scans something else than what was built"
    for job, action in (("staging", DEPLOY), ("production", DEPLOY), ("rollback", ROLLBACK)):
        step = [s["with"] for s in r.cd.jobs[job]["steps"] if uses(s, action) and "undo" not in s["with"]]
        if len(step) != 1 or step[0].get("digest") != "${{ needs.resolve.outputs.digest }}" or (
                action == DEPLOY and step[0].get("revision") != "${{ needs.resolve.outputs.revision }}"):
            yield f"cd/{job}: puts there something else than the digest that was resolved"
    for document in (r.cd, r.release):
        if re.search(r"docker (build|push|tag)|:latest", document.text):
            yield f"{document.name}: builds, or names a tag where a digest must be"
    if '"$image@$DIGEST"' not in r.text("scripts/ci/host"):
        yield "scripts/ci/host: deploys by another name than the digest"


def attested(r):
    steps = [s for s in r.ci.jobs["publish"]["steps"] if uses(s, "./.github/actions/publish")]
    if len(steps) != 1 or "if" in steps[0] or {
            key: steps[0]["with"].get(key) for key in SBOMS} != SBOMS:
        yield "ci/publish: not by the published action, always, with the SBOM of both architectures"
    script = r.text("scripts/ci/verify-attestation")
    for option in ("--repo ", "--signer-workflow ", "--source-digest ", "--source-ref ",
                   "--deny-self-hosted-runners"):
        if option not in script:
            yield f"scripts/ci/verify-attestation: does not insist on {option.strip()}"
    if "signer=$GITHUB_REPOSITORY/" not in script:
        yield "scripts/ci/verify-attestation: takes the word of another repository's workflow"
    fetch = r.text("scripts/lib/tools.sh").partition("\nfetch_tools() {")[2].partition("\n}\n")[0]
    for option in ("gh attestation verify ", "--repo ", "/release.yml", "--deny-self-hosted-runners", "--source-ref ",
                   "--predicate-type "):
        if option not in fetch:
            yield f"scripts/lib/tools.sh: does not insist on {option.strip()} for the tools of a release"
    tools = r.text("scripts/ci/host").partition("\ntools() {")[2].partition("\n}\n")[0]
    if "fetch_tools " not in tools.partition("install-tools")[0]:
        yield "scripts/ci/host tools: installs what nobody verified"
    steps = r.release.jobs["attest"]["steps"]
    attests = [s for s in steps if uses(s, "actions/attest")]
    if not attests or attests[0]["with"].get("subject-checksums") != "build/assets/SHA256SUMS":
        yield "release/attest: the host tools are not attested"
    if any(not any(uses(s, f"actions/{name}") for name in ("download-artifact", "attest", "upload-artifact"))
           for s in steps):
        yield "release/attest: runs what a build could have written, with a token that can sign"
    if "toJSON(github.event.workflow_run.head_sha)" not in str(attests):
        yield "release/attest: takes the word of the build for the commit"


def ssh(r):
    for script in ("scripts/deploy.sh", "scripts/rollback.sh"):
        if not (r.root / script).is_file():
            continue  # its absence is what `references` reports
        text = r.text(script)
        for path in re.findall(r"^(?:\.|source) .*?(scripts/\S+\.sh|[\w-]+\.sh)", text, re.M):
            place = r.root / ("scripts/" + path.split("scripts/")[-1])
            text += place.read_text() if place.is_file() else ""
        for option in ("StrictHostKeyChecking=yes", "BatchMode=yes", "UserKnownHostsFile=", "-n",
                       "-T"):
            if option not in text:
                yield f"{script}: ssh without {option}"
    host = r.text("scripts/ci/host")
    if "ssh-add -q -" not in host or "unset SSH_KEY" not in host:
        yield "scripts/ci/host: the key is not only in an agent"
    for document in r.workflows.values():
        for number, action, _, _ in document.uses():
            if "ssh" in action or "scp" in action:
                yield f"{document.name}:{number}: {action}: a third party's ssh action"


def proof_and_way_back(r):
    """What the action does is requirement 30's; here, that the job calls it, and goes back by its sister."""
    for job in ("staging", "production"):
        steps, prefix = r.cd.jobs[job]["steps"], job.upper()
        at = [i for i, s in enumerate(steps) if uses(s, DEPLOY)]
        back = [i for i, s in enumerate(steps) if uses(s, ROLLBACK)]
        if len(at) != 1 or "if" in steps[at[0]] or steps[at[0]].get("id") != "deploy":
            yield f"cd/{job}: does not deploy by the published action, always"
            continue
        if len(back) != 1 or back[0] != at[0] + 1 or steps[back[0]].get("if") != "failure() || cancelled()" \
                or steps[back[0]]["with"].get("undo") is not True:
            yield f"cd/{job}: is not taken back on failure and on cancellation"
            continue
        for step in (steps[at[0]], steps[back[0]]):
            given = step["with"]
            own = {"host": f"vars.{prefix}_HOST", "ssh-key": f"secrets.{prefix}_SSH_KEY",
                   "known-hosts": f"secrets.{prefix}_KNOWN_HOSTS", "kubeconfig": f"secrets.{prefix}_KUBECONFIG"}
            if any(given.get(name) != f"${{{{ {value} }}}}" for name, value in own.items()):
                yield f"cd/{job}: goes to another environment's host, by its key, or without host keys"
        seconds = {"staging": 60, "production": 90}[job]
        if steps[at[0]]["with"].get("health-seconds") != f"${{{{ vars.{prefix}_HEALTH_SECONDS || '{seconds}' }}}}":
            yield f"cd/{job}: health is not watched for {seconds} s by default"


def never_ignored(r):
    for document in r.documents:
        if "continue-on-error" in document.text:
            yield f"{document.name}: continue-on-error: a failure that nobody sees"
        for job, step in document.steps():
            if re.search(r"\|\||&& *true|; *true|set \+e", step.get("run", "")):
                yield f"{document.name}/{job}: a failure is swallowed"


def manual_rollback(r):
    for job, step in r.cd.steps():
        if uses(step, ROLLBACK) and "DEPLOY_TIMEOUT" not in step["with"].get("timeout", ""):
            yield f"cd/{job}: goes back in another time than it is given to deploy"
    job = r.cd.jobs["rollback"]
    if one_line(job.get("if")) != ("github.event_name == 'workflow_dispatch' && "
                                   "needs.resolve.outputs.action == 'rollback'"):
        yield "cd/rollback: runs at other times than when somebody asks for it"
    steps = [s for s in job["steps"] if uses(s, ROLLBACK)]
    if len(steps) != 1 or "if" in steps[0] or "undo" in steps[0]["with"]:
        yield "cd/rollback: does not roll back"
        return
    for name, value in steps[0]["with"].items():
        # `a && b || c` gives c where b is empty: production's rollback must never meet staging's host.
        if name not in ("digest", "attested") and not re.fullmatch(
                r"\$\{\{ inputs\.environment == 'production' && (vars|secrets)\.PRODUCTION_(\w+) \|\| "
                r"inputs\.environment == 'staging' && \1\.STAGING_\2 \|\| '(deploy|22|slipway\.yml|10m|)' \}\}",
                str(value)):
            yield f"cd/rollback: {name} may be another environment's"
    inputs = r.cd.on["workflow_dispatch"]["inputs"]
    if inputs["environment"].get("options") != ["staging", "production"] \
            or inputs["action"].get("options") != ["deploy", "rollback"] \
            or inputs["older"].get("default") != "no":
        yield "cd: by hand something else can be chosen than deploy or rollback, to both places"


def summaries(r):
    for script in ("build-and-test", "benchmark", "gate", "scan-gate", "image", "publish", "status",
                   "host", "plan", "resolve", "verify-attestation", "not-older"):
        if "summary" not in r.text(f"scripts/ci/{script}"):
            yield f"scripts/ci/{script}: tells people nothing on the run's page"
    if "--summary" not in str(r.ci.jobs["next-version"]["steps"]):
        yield "ci/next-version: does not show the version and notes"


def benchmark(r):
    measured = [s for s in r.ci.jobs["performance-benchmark"]["steps"] if runs(s, "scripts/ci/benchmark")]
    if len(measured) != 1 or "if" in measured[0]:
        yield "ci/performance-benchmark: does not hold the change to the rate that was promised"
    compared = [s for s in r.ci.jobs["gate"]["steps"] if uses(s, GATE)]
    if len(compared) != 1 or "if" in compared[0] or "with" in compared[0] or \
            compared[0].get("env") != {"SLIPWAY_EXECUTABLES": "build/bench"}:
        yield "ci/gate: does not compare this commit's image and its base's in one job, by this commit's packet_bench"
    if "duet --service slipway.yml" not in r.text("scripts/ci/gate"):
        yield "scripts/ci/gate: base and head are not interleaved"
    if r.ci.jobs["analysis"]["steps"][-1].get("env") != {"BASE": "${{ github.event.pull_request.base.sha }}"}:
        yield "ci/analysis: only a pull request may be analysed in part"
    if r.ci.jobs["sanitizers"]["steps"][-1].get("env", {}).get("BASE") != "${{ github.event.pull_request.base.sha }}":
        yield "ci/sanitizers: a pull request waits for what it does not reach, or main runs in part"
    for name, job in r.ci.jobs.items():
        steps = job.get("steps", [])
        looks_back = any("BASE" in s.get("env", {}) or uses(s, GATE) for s in steps)
        if looks_back and steps[0].get("with", {}).get("fetch-depth") != 0:
            yield f"ci/{name}: the base is not in the checkout"


def gated(r):
    own = "!github.event.repository.fork && "
    resolve = one_line(r.cd.jobs["resolve"].get("if"))
    expected = own + ("(github.event_name == 'workflow_dispatch' || (" + " && ".join((
        *PASSED[:2], "github.event.workflow_run.head_branch == 'main'", PASSED[2])) + "))")
    if resolve != expected:
        yield f"cd/resolve: starts if {resolve}"
    for job in ("tools-arm64", "assets"):
        found = one_line(r.release.jobs[job].get("if"))
        if found != (own + "(github.event_name == 'workflow_dispatch' && inputs.mode == 'dry-run' || ("
                     + " && ".join(PASSED) + "))"):
            yield f"release/{job}: starts if {found}"
    conditions = {("cd", "staging"): "needs.resolve.outputs.action == 'deploy'",
                  ("cd", "approval"): "needs.resolve.outputs.production == 'true'",
                  ("cd", "production"): "needs.resolve.outputs.production == 'true'",
                  ("release", "release"): None, ("release", "promote"): "needs.release.outputs.tag",
                  ("release", "reconcile"): own + "github.event_name == 'workflow_dispatch' && "
                                            "inputs.mode == 'reconcile'"}
    for (name, job), condition in conditions.items():
        found = r.workflows[name].jobs[job].get("if")
        if found != condition:
            yield f"{name}/{job}: runs if {found}, must be {condition}"
    for document in (d for d in r.workflows.values() if "workflow_run" in d.on):
        run = document.on["workflow_run"]
        if run.get("workflows") != ["CI"] or run.get("types") != ["completed"] \
                or "main" not in run.get("branches", ["main"]):
            yield f"{document.name}: does not follow a completed CI of main"
    if r.cd.on["workflow_run"]["branches"] != ["main"] or r.ci.data.get("name") != "CI":
        yield "cd: follows other branches, or a CI of another name"
    yield from who_waits(r)


def outcomes(r):
    outputs = r.release.jobs["release"].get("outputs")
    if outputs != {"tag": "${{ steps.release.outputs.tag }}"}:
        yield "release/release: does not tell which tag it made"
    steps = r.release.jobs["release"]["steps"]
    run = [s for s in steps if uses(s, RELEASE)]
    if len(run) != 1 or "if" in run[0] or run[0]["with"].get("commit") != \
            "${{ github.event.workflow_run.head_sha || github.sha }}":
        yield "release/release: is not told which commit it is to release"
    if r.release.jobs["assets"].get("outputs") != {"version":
                                                   "${{ steps.assets.outputs.version }}"}:
        yield "release/assets: does not tell the version"
    built = [command(s) for s in r.release.jobs["assets"]["steps"] if runs(s, "scripts/release/assets")]
    if built != ["scripts/release/assets --beside build/assets-arm64"]:
        yield "release/assets: leaves out what was built for arm64"
    if "if made != tag" not in r.text("scripts/release/release"):
        yield "scripts/release/release: believes exit 0"
    named = [s for s in r.release.jobs["promote"]["steps"] if uses(s, PROMOTE)]
    if [(s.get("if"), s["with"].get("assets")) for s in named] != [(None, "build/assets")]:
        yield "release/promote: does not name the image, or does not look at what the release must carry"


def references(r):
    """Every script that is called exists, and YAML calls one command a step."""
    for document in r.documents:
        for job, step in document.steps():
            run = command(step)
            if not run or (run == "true" and job == "approval"):
                continue
            script = run.split()[0]
            place = r.root / script
            if "\n" in run or re.search(r"[;|&<>`]", run) or not script.startswith("scripts/"):
                yield f"{document.name}/{job}: logic inside YAML: {run.splitlines()[0]}"
            elif script != "scripts/setup" and not (place.is_file() and os.access(place, os.X_OK)):
                yield f"{document.name}/{job}: {script} does not exist or cannot be run"


def documented(r):
    """Every secret and variable is in the operators' table."""
    table = r.text("docs/operators/pipeline-settings.md")
    for document in r.workflows.values():
        for name in set(re.findall(r"(?:secrets|vars)\.(\w+)", document.text)):
            if f"`{name}`" not in table:
                yield f"{document.name}: {name} is not in docs/operators/pipeline-settings.md"


def releaserc(r):
    """The changelog's header must be the file's own, or the notes land above it."""
    plugins = json.loads(r.text(".releaserc.json"))["plugins"]
    names = [plugin[0].removeprefix("@semantic-release/") for plugin in plugins]
    if names != ["./scripts/release/commits.mjs", "changelog", "exec", "git", "github"]:
        yield f".releaserc.json: plugins in the order {names}"
    if not r.text("CHANGELOG.md").startswith(plugins[1][1]["changelogTitle"]):
        yield ".releaserc.json: changelogTitle is not the header of CHANGELOG.md"


ROWS = [
    (5, "CI cancels superseded pull requests only; deploy and release never cancel", concurrency),
    (6, "merge_group; no filters on required checks: plan decides", required_checks),
    (7, "one aggregator: every job, always(), an explicit list of what may be skipped", aggregator),
    (13, "built once; scanned, signed, deployed, promoted by the same digest", one_digest),
    (14, "provenance and SBOM attested, verified before a host sees the image", attested),
    (16, "plain ssh: agent, known hosts, strict, batch; no third party's action", ssh),
    (17, "after a rollback what runs is proven by digest, and the job still fails", never_ignored),
    (18, "taken back on failure and on cancellation, to what ran before", proof_and_way_back),
    (18, "a rollback by hand is one step, to the host that was asked for", manual_rollback),
    (21, "step summaries that people read", summaries),
    (24, "the benchmark runs base and head in one job, interleaved", benchmark),
    (25, "deploys only what CI passed; production after staging and approval", gated),
    (26, "outcomes are asserted, not exit statuses", outcomes),
    (27, "YAML only orchestrates: one existing script a step", references),
    (28, "every secret and variable is documented", documented),
    (29, ".releaserc.json fits CHANGELOG.md", releaserc),
]
