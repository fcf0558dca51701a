"""Seeds one mistake at a time into a copy of the workflows and what they call: each must be caught by the
policy, actionlint or zizmor. A mutant that no longer applies fails, too: the test must keep up with the
files. CATCHERS=all asks all three of each."""

import os
import re
import shutil
import subprocess

import pytest

from slipway.paths import REPOSITORY as ROOT
from support import needs
from support.pins import commit_of, pin
from workflows.mutants_of_github import MUTANTS as OF_GITHUB

pytestmark = needs.all_of(needs.programs("workflows", "actionlint", "zizmor", "shellcheck"))

CI, CD, RELEASE = (f".github/workflows/{name}.yml" for name in ("ci", "cd", "release"))
ACTIONS = ".github/actions"
IMAGE, DEPLOY, ROLLBACK, PUBLISH, GATE = (
    f"{ACTIONS}/{name}/action.yml" for name in ("image", "deploy", "rollback", "publish", "gate"))
COPIED = (".github", "scripts", "docs/operators", "tools/slipway/workflows", "tests/interop/package-lock.json",
          ".releaserc.json", ".trivyignore.yaml", "CHANGELOG.md", "Dockerfile")
CHECKOUT, DOWNLOAD = pin("actions/checkout"), pin("actions/download-artifact")
TRIVY_TAG_OBJECT = "a9c7b0f0" * 5
UPLOAD = "        with:\n          sarif_file: trivy-fs.sarif\n          category: trivy-fs\n"

# (what somebody did, file, the text before, the text after); the first occurrence is replaced.
MUTANTS = [
    # Who waits for whom.
    ("production no longer waits for staging", CD, "needs: [resolve, staging]", "needs: resolve"),
    ("staging no longer waits for resolve", CD, "    needs: resolve\n    if: needs.resolve.outputs.action == 'deploy'", "    if: always()"),
    ("publish forgets the tests", CI, "      - analysis\n      - build-and-test\n      - other-toolchains\n", "      - analysis\n      - other-toolchains\n"),
    ("publish forgets the benchmark", CI, "      - image-scan\n      - performance-benchmark\n      - gate\n    # What", "      - image-scan\n      - gate\n    # What"),
    ("the aggregator forgets image-scan", CI, "      - image-scan\n      - performance-benchmark\n      - gate\n      - publish", "      - performance-benchmark\n      - gate\n      - publish"),
    ("the aggregator forgets publish", CI, "      - publish\n    if: always()", "    if: always()"),
    ("the aggregator may be skipped", CI, "    if: always()\n    runs-on", "    if: success()\n    runs-on"),
    ("the aggregator accepts a skipped publish on main", CI, "|| 'dependency-review' }}", "|| 'dependency-review publish' }}"),
    ("the aggregator accepts a skipped lint", CI, "            analysis build-and-test", "            lint analysis build-and-test"),
    ("the aggregator looks at no results", CI, "NEEDS: ${{ toJSON(needs) }}", "NEEDS: '{}'"),
    ("a job waits for what it does not need", CI, "Integration (${{ matrix.suite }})\n    needs: plan", "Integration (${{ matrix.suite }})\n    needs: [plan, lint]"),
    ("promotion before the release", RELEASE, "    needs: release\n    if: needs.release.outputs.tag", "    needs: assets\n    if: needs.assets.outputs.version"),
    # What starts a run.
    ("deploys what failed CI", CD, "github.event.workflow_run.conclusion == 'success' &&", "github.event.workflow_run.conclusion != 'cancelled' &&"),
    ("deploys after a fork's CI", CD, " &&\n       github.event.workflow_run.head_repository.full_name == github.repository", ""),
    ("deploys after a pull request's CI", CD, "       github.event.workflow_run.event == 'push' &&\n", ""),
    ("deploys other branches", CD, "branches: [main]", "branches: ['**']"),
    ("deploys on push, beside CI", CD, "  workflow_dispatch:\n", "  push:\n    branches: [main]\n  workflow_dispatch:\n"),
    ("follows a workflow of another name", CD, "workflows: [CI]", "workflows: [Tests]"),
    ("resolve believes any commit", "scripts/ci/resolve", "branches = branches_of_passed_ci(hub.ci_runs(revision), revision)", "branches = ['main']"),
    ("pull_request_target", CI, "  pull_request:\n", "  pull_request_target:\n"),
    ("no merge queue", CI, "  merge_group:\n", ""),
    ("a path filter on a required check", CI, "  pull_request:\n", "  pull_request:\n    paths: ['src/**']\n"),
    ("releases what failed CI", RELEASE, "(github.event.workflow_run.conclusion == 'success' &&", "(github.event.workflow_run.conclusion != 'skipped' &&"),
    ("checks out foreign code in cd", CD, "          persist-credentials: false\n      - run: scripts/ci/environments", "          persist-credentials: false\n          ref: ${{ github.event.workflow_run.head_sha }}\n      - run: scripts/ci/environments"),
    # Rights.
    ("write-all on top", CI, "permissions: {}", "permissions: write-all"),
    ("no permissions on top", CD, "permissions: {}\n", ""),
    ("a test job may write packages", CI, "    permissions:\n      contents: read # checkout\n    outputs:\n      code", "    permissions:\n      contents: read # checkout\n      packages: write # why not\n    outputs:\n      code"),
    ("deploy jobs may write contents", CD, "contents: read # checkout, the order", "contents: write # checkout, the order"),
    ("a grant without its reason", CI, "packages: write # push the image", "packages: write"),
    ("a job inherits the default", CI, "    permissions:\n      contents: read # checkout\n      pull-requests: read # the title as it is now\n    steps:\n", "    steps:\n"),
    ("a secret for the whole workflow", CD, "permissions: {}\n", "permissions: {}\n\nenv:\n  SSH_KEY: ${{ secrets.PRODUCTION_SSH_KEY }}\n"),
    ("a secret for the whole job", CD, "    timeout-minutes: 30\n", "    timeout-minutes: 30\n    env:\n      SSH_KEY: ${{ secrets.STAGING_SSH_KEY }}\n"),
    ("the token for the whole job", CI, "    outputs:\n      digest", "    env:\n      GH_TOKEN: ${{ github.token }}\n    outputs:\n      digest"),
    ("staging reads production's key", CD, "ssh-key: ${{ secrets.STAGING_SSH_KEY }}", "ssh-key: ${{ secrets.PRODUCTION_SSH_KEY }}"),
    ("all secrets at once", CI, "SNYK_TOKEN: ${{ secrets.SNYK_TOKEN }}", "SNYK_TOKEN: ${{ toJSON(secrets) }}"),
    ("checkout leaves its token", CI, "persist-credentials: false", "persist-credentials: true"),
    ("checkout by its default", CD, "        with:\n          persist-credentials: false\n", ""),
    ("an undocumented secret", CI, "secrets.SNYK_TOKEN", "secrets.SNYK_API_TOKEN"),
    # Where code comes from.
    ("an action by its tag", CI, CHECKOUT, f"actions/checkout@{CHECKOUT.split()[-1]}"),
    ("an action by a branch", CI, CHECKOUT, CHECKOUT.replace(commit_of("actions/checkout"), "main")),
    ("a comment that lies", CI, CHECKOUT, f"{CHECKOUT}1"),
    ("a tag object's SHA", CI, commit_of("aquasecurity/trivy-action"), TRIVY_TAG_OBJECT),
    ("an action nobody vetted", CD, CHECKOUT, CHECKOUT.replace("actions/checkout", "appleboy/ssh-action")),
    ("npx", "scripts/ci/snyk", "  mkdir -p build/snyk", "  npx snyk@latest auth\n  mkdir -p build/snyk"),
    ("install scripts of packages", "scripts/release/node", "npm ci --ignore-scripts", "npm ci"),
    ("a lockfile ignored", "scripts/release/node", "npm ci --ignore-scripts", "npm install --ignore-scripts"),
    ("a cache in a privileged job", CI, "      - uses: ./.github/actions/publish", "      - uses: ./.github/actions/prepare\n        with:\n          groups: ''\n          cache: x\n      - uses: ./.github/actions/publish"),
    ("legs that share a compiler cache", CI, "cache: integration-${{ matrix.suite }}", "cache: integration"),
    ("jobs that share a compiler cache", CI, "          cache: release\n", "          cache: ${{ matrix.preset }}\n"),
    ("a cache in the release", RELEASE, "      - id: assets\n", "      - uses: ./.github/actions/prepare\n        with:\n          groups: build\n          cache: release\n      - id: assets\n"),
    ("an expression inside run", CD, "run: scripts/ci/resolve", "run: scripts/ci/resolve ${{ inputs.image }}"),
    ("logic inside YAML", CI, "run: scripts/ci/status", "run: docker push ghcr.io/x/y:latest"),
    ("a script that is not there", CI, "run: scripts/ci/status", "run: scripts/ci/verdict"),
    ("arm64 is built on another machine", RELEASE, "runs-on: ubuntu-24.04-arm", "runs-on: ubuntu-24.04"),
    ("what was built for arm64 is left out", RELEASE, "assets --beside build/assets-arm64", "assets"),
    ("the tools for arm64 are built for a fork", RELEASE, "  tools-arm64:\n    name: Host tools (arm64)\n    if: >-\n      !github.event.repository.fork &&", "  tools-arm64:\n    name: Host tools (arm64)\n    if: >-\n"),
    ("another runner", CI, "runs-on: ubuntu-24.04", "runs-on: ubuntu-latest"),
    ("dependabot without cooldown", ".github/dependabot.yml", "    cooldown: { default-days: 7 }\n", ""),
    # Failures that nobody sees.
    ("continue-on-error on a gate", CI, "      - run: scripts/ci/scan-gate trivy-fs.sarif", "      - continue-on-error: true\n        run: scripts/ci/scan-gate trivy-fs.sarif"),
    ("continue-on-error on a job", CI, "    name: Performance benchmark\n", "    name: Performance benchmark\n    continue-on-error: true\n"),
    ("publish forgets the gate", CI, "      - gate\n    # What", "    # What"),
    ("the gate judges an image that nobody publishes", CI, "          SLIPWAY_EXECUTABLES: build/bench",
     "          SLIPWAY_EXECUTABLES: build/bench\n        with:\n          candidate-image: other"),
    ("the gate may write packages", CI, "packages: read # the image before", "packages: write # the image before"),
    ("a failure swallowed", CI, "run: scripts/ci/benchmark", "run: scripts/ci/benchmark || true"),
    ("no gate after the upload", CI, "      - run: scripts/ci/scan-gate trivy-image.sarif\n", ""),
    ("the gate only on success of something else", CI, "      - run: scripts/ci/scan-gate trivy-fs.sarif", "      - if: needs.plan.outputs.upload == 'true'\n        run: scripts/ci/scan-gate trivy-fs.sarif"),
    ("one category for two uploads", CI, "category: trivy-${{ matrix.image }}", "category: trivy-fs"),
    ("findings uploaded only on success", CI, "      - if: always() && needs.plan.outputs.upload == 'true'\n", "      - if: needs.plan.outputs.upload == 'true'\n"),
    ("Trivy looks for CRITICAL only", CI, "severity: CRITICAL,HIGH", "severity: CRITICAL"),
    ("Trivy's SARIF has everything", CI, "          limit-severities-for-sarif: true\n", ""),
    ("an ignored finding without expiry", ".trivyignore.yaml", "vulnerabilities: []", "vulnerabilities:\n  - id: CVE-2026-0001\n    statement: trust me"),
    ("no timeout", CI, "    timeout-minutes: 60\n", ""),
    ("an artifact that may be empty", CI, "          if-no-files-found: error\n", ""),
    ("artifacts kept for ever", CI, "retention-days: 7", "retention-days: 90"),
    # What reaches a host.
    ("the approval is gone", CD, "    environment:\n      name: production-approval\n      deployment: false\n", ""),
    ("production under staging's environment", CD, "      name: production\n", "      name: staging\n"),
    ("a manual rollback without an environment", CD, "    environment:\n      name: ${{ inputs.environment == 'production' && 'production-rollback' || 'staging' }}\n", "    environment:\n      name: ''\n"),
    ("cancel-in-progress on production", CD, "      group: deploy-production\n      cancel-in-progress: false", "      group: deploy-production\n      cancel-in-progress: true"),
    ("no lock for staging", CD, "    concurrency:\n      group: deploy-staging\n      cancel-in-progress: false\n", ""),
    ("a rollback that waits for a lock", CD, "    permissions:\n      contents: read # checkout, and for a cluster", "    concurrency:\n      group: deploy-production\n      cancel-in-progress: false\n    permissions:\n      contents: read # checkout, and for a cluster"),
    ("a rollback by hand that cannot read where the tools come from", CD, "      attestations: read # of a cluster, where the tools come from\n", ""),
    ("a rollback by hand in another time", CD, "          timeout: ${{ inputs.environment == 'production' && vars.PRODUCTION_DEPLOY_TIMEOUT || inputs.environment == 'staging' && vars.STAGING_DEPLOY_TIMEOUT || '10m' }}\n", ""),
    ("an undo in another time", CD, "          timeout: ${{ vars.STAGING_DEPLOY_TIMEOUT || '10m' }}\n          attested: ${{ !github.event.repository.private || vars.ATTESTATIONS == 'on' }}\n          undo: true\n", "          attested: ${{ !github.event.repository.private || vars.ATTESTATIONS == 'on' }}\n          undo: true\n"),
    ("an undo only with attestations", CD, "          attested: ${{ !github.event.repository.private || vars.ATTESTATIONS == 'on' }}\n          undo: true\n", "          undo: true\n"),
    ("the release is cancelled by the next", RELEASE, "  cancel-in-progress: false", "  cancel-in-progress: true"),
    ("main's CI is cancelled by the next push", CI, "ci-${{ github.event.pull_request.number || github.run_id }}", "ci-${{ github.ref }}"),
    ("rollback only on failure", CD, "if: failure() || cancelled()", "if: failure()"),
    ("rollback never", CD, "if: failure() || cancelled()", "if: false"),
    ("rollback of nothing", CD, "          undo: true\n", "          undo: false\n"),
    ("proof removed", DEPLOY, "scripts/ci/host\" prove", "scripts/ci/host\" before"),
    ("deploys by another action", CD, "uses: ./.github/actions/deploy", "uses: ./.github/actions/rollback"),
    ("attestation of anybody's workflow", "scripts/ci/verify-attestation", '    --signer-workflow "$signer" --source-digest', "    --source-digest"),
    ("attestation of anybody's repository", "scripts/ci/verify-attestation", "signer=$GITHUB_REPOSITORY/", "signer=${SIGNER_REPOSITORY:-}/"),
    ("latest deployed instead of the digest", "scripts/ci/host", '"$image@$DIGEST"', '"$image:latest"'),
    ("an image of another commit", CD, "          digest: ${{ needs.resolve.outputs.digest }}", "          digest: ${{ github.event.workflow_run.head_sha }}"),
    ("published is not what was scanned", CI, "          digest: ${{ steps.index.outputs.digest }}", "          digest: ${{ needs.plan.outputs.digest }}"),
    ("the image is built again for the release", RELEASE, "      - id: release\n", "      - run: scripts/ci/image\n      - id: release\n"),
    ("no SBOM", CI, "          sbom-path: build/sbom/amd64/sbom.cdx.json\n", ""),
    ("no SBOM of arm64", CI, "          other-sbom-path: build/sbom/arm64/sbom.cdx.json\n", ""),
    ("one architecture is not scanned", CI, "image: [image, image-arm64]", "image: [image]"),
    ("an index of what nobody scanned", CI, "DIGESTS: ${{ needs.image.outputs.digest }} ${{ needs.image-arm64", "DIGESTS: ${{ needs.image.outputs.digest }} ${{ needs.image"),
    ("one architecture is published", CI, "digest: ${{ steps.index.outputs.digest }}", "digest: ${{ needs.image.outputs.digest }}"),
    ("the tools after the deployment", DEPLOY, "scripts/ci/host\" tools", "scripts/ci/host\" deploy"),
    ("the tools of a release left out", DEPLOY, "    - shell: bash\n      run: '\"$GITHUB_ACTION_PATH/../../../scripts/ci/host\" tools'", "    - if: inputs.image\n      shell: bash\n      run: '\"$GITHUB_ACTION_PATH/../../../scripts/ci/host\" tools'"),
    ("tools of anybody's workflow", "scripts/lib/tools.sh", '--signer-workflow "$repository/.github/workflows/release.yml" --source-ref', "--source-ref"),
    ("tools that nobody verified", "scripts/ci/host", "fetch_tools build/host-tools", '  "$slipway/scripts/ci/release-tools" build/host-tools'),
    ("goes to the other host", CD, "host: ${{ vars.PRODUCTION_HOST }}", "host: ${{ vars.STAGING_HOST }}"),
    ("a job that goes on after its deployment failed", CD, "      - id: deploy\n", "      - id: deploy\n        continue-on-error: true\n"),
    ("health for 6 s", CD, "STAGING_HEALTH_SECONDS || '60'", "STAGING_HEALTH_SECONDS || '6'"),
    ("the host's key is not checked", "scripts/lib/on-host.sh", "StrictHostKeyChecking=yes", "StrictHostKeyChecking=no"),
    ("the key on disk", "scripts/ci/host", 'ssh-add -q - <<<"$SSH_KEY"', 'echo "$SSH_KEY" >key; ssh-add -q key'),
    # Figures and versions.
    ("the base is not there", CI, f"          fetch-depth: 0\n      - uses: {DOWNLOAD}\n        with:\n          name: image\n          path: build/image\n      - uses: actions/download-artifact", f"      - uses: {DOWNLOAD}\n        with:\n          name: image\n          path: build/image\n      - uses: actions/download-artifact"),
    ("main is analysed in part", CI, "          BASE: ${{ github.event.pull_request.base.sha }}\n\n  build-and-test:", "          BASE: ${{ github.event.before }}\n\n  build-and-test:"),
    ("the release believes exit 0", "scripts/release/release", "    if made != tag:", "    if False:"),
    ("the release does not know which commit", RELEASE, "          commit: ${{ github.event.workflow_run.head_sha || github.sha }}\n", ""),
    ("a promotion that does not look at the assets", RELEASE, "          assets: build/assets\n", ""),
    ("another changelog header", ".releaserc.json", "# Changelog\\n", "# CHANGELOG\\n"),
    ("git before exec", ".releaserc.json", "@semantic-release/exec", "@semantic-release/git"),
    *OF_GITHUB,
    # What other repositories use.
    ("an action runs what its caller has", IMAGE, '\'"$GITHUB_ACTION_PATH/../../../scripts/ci/image"\'', "scripts/ci/image"),
    ("an action runs what is nowhere", IMAGE, "scripts/ci/image", "scripts/ci/images"),
    ("an input that no README tells", IMAGE, "  version:\n", "  platform:\n    description: where it runs\n    default: ''\n  version:\n"),
    ("a README that shows a tag", f"{ACTIONS}/image/README.md", CHECKOUT, "actions/checkout@v7"),
    ("a README without permissions", f"{ACTIONS}/image/README.md", "\nPermissions: ", "\nNeeds: "),
    ("a secret in an action", IMAGE, "${{ inputs.version }}", "${{ inputs.version || secrets.VERSION }}"),
    ("an action deploys what it did not verify", DEPLOY, "        DIGEST: ${{ inputs.digest }}\n        REVISION", "        DIGEST: ${{ inputs.revision }}\n        REVISION"),
    ("an action deploys without attestation", DEPLOY, "scripts/ci/verify-attestation", "scripts/ci/notify"),
    ("an action proves only sometimes", DEPLOY, "    - shell: bash\n      run: '\"$GITHUB_ACTION_PATH/../../../scripts/ci/host\" prove'", "    - if: inputs.health-url\n      shell: bash\n      run: '\"$GITHUB_ACTION_PATH/../../../scripts/ci/host\" prove'"),
    ("an action names before it attests", PUBLISH, 'scripts/ci/publish" push', 'scripts/ci/publish" tag'),
    ("an action attests another digest", PUBLISH, "subject-digest: ${{ inputs.digest }}", "subject-digest: ${{ steps.push.outputs.digest }}"),
    ("an action judges sometimes", GATE, "    - id: gate\n", "    - id: gate\n      if: inputs.base-image != ''\n"),
    ("an action releases another commit", f"{ACTIONS}/release/action.yml", "RELEASE_SHA: ${{ inputs.commit }}", "RELEASE_SHA: ${{ github.sha }}"),
    ("an action that attests no release", f"{ACTIONS}/promote/action.yml", "    - if: inputs.attest == 'true'\n", "    - if: inputs.assets != ''\n"),
    ("an action waits for cancelled()", ROLLBACK, "if: always() && inputs.undo", "if: cancelled() && inputs.undo"),
    ("an action that undoes on success only", ROLLBACK, "if: always() && inputs.undo", "if: inputs.undo"),
    ("a key in an argument list", ROLLBACK, 'scripts/ci/host" undo\'', 'scripts/ci/host" undo ${{ inputs.ssh-key }}\''),
    ("a README whose caller is not taken back", f"{ACTIONS}/deploy/README.md", "if: failure() || cancelled()", "if: failure()"),
    ("the image is built again for the deployment", CD, "      - id: deploy\n", "      - uses: ./.github/actions/image\n      - id: deploy\n"),
]
CATCHERS = {
    "policy": ["scripts/lib/pinned-python", "-m", "slipway.policy"],
    "actionlint": ["actionlint"],
    "zizmor": ["zizmor", "--offline", "--no-progress", "--quiet", "--persona", "auditor", "."],
}


def copy(folder) -> None:
    for name in COPIED:
        source, target = ROOT / name, folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target,
                            ignore=shutil.ignore_patterns("node_modules", "__pycache__"))
        elif source.exists():
            shutil.copy(source, target)
    # actionlint looks for the root of a repository.
    (folder / ".git").mkdir()


def caught_by(folder, everyone: bool) -> list:
    found = []
    for name, argv in CATCHERS.items():
        done = subprocess.run(argv, cwd=folder, capture_output=True, text=True, check=False)
        # A policy that only broke on it tells nobody what is wrong.
        if done.returncode != 0 and (name != "policy" or "FAILED" in done.stdout):
            found.append(name)
            if not everyone:
                break
    return found


def test_the_files_as_they_are_are_caught_by_nobody(tmp_path):
    copy(tmp_path)
    assert caught_by(tmp_path, everyone=True) == []


def test_an_update_of_actions_is_caught_by_nobody(tmp_path):
    """Dependabot edits workflows and actions, and no README."""
    copy(tmp_path)
    for file in [*tmp_path.glob(".github/workflows/*.yml"), *tmp_path.glob(".github/actions/*/action.yml")]:
        file.write_text(re.sub(r"(uses: [\w.-]+/\S+@)\w{40} # v.*", rf"\g<1>{'5' * 40} # v99.0.0", file.read_text()))
    assert caught_by(tmp_path, everyone=True) == []


@pytest.mark.parametrize(("path", "before", "after"), [pytest.param(*mutant, id=what) for what, *mutant in MUTANTS])
def test_a_mistake_is_caught(tmp_path, path, before, after, tell):
    copy(tmp_path)
    file = tmp_path / path
    text = file.read_text() if file.exists() else ""
    assert before in text, "no longer applies"
    file.write_text(text.replace(before, after, 1))
    found = caught_by(tmp_path, everyone=os.environ.get("CATCHERS") == "all")
    assert found
    tell("caught by " + ", ".join(found))
