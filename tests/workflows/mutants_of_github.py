"""Mistakes that neither act nor a linter shows, since only GitHub does what they are about: one or more for each row of
docs/github-facts.md. (what somebody did, file, the text before, the text after)"""

from support.pins import commit_of, pin

CI, CD, RELEASE, COMMENT = (f".github/workflows/{name}.yml" for name in ("ci", "cd", "release", "comment"))
DEPLOY, PUBLISH, PREPARE = (f".github/actions/{name}/action.yml" for name in ("deploy", "publish", "prepare"))
INIT, INIT_ROLLBACK = (f"tools/slipway/workflows/{name}.yml" for name in ("ci", "rollback"))
ATTESTED = "attested: ${{ !github.event.repository.private || vars.ATTESTATIONS == 'on' }}\n"
DEPENDABOT = ".github/dependabot.yml"
RESOLVE, LINT = "scripts/ci/resolve", "scripts/ci/lint-commits"
LIBRARY = "scripts/lib/slipway"
GOES_ON = "        if: vars.RELEASE_APP_ID\n"

MUTANTS = [
    # 1 the token that releases push with
    ("the newest Snyk, whatever it is", CI, "snyk-version: v1.1307.4", "snyk-version: latest"),
    ("an action that the settings refuse", "scripts/lib/slipway/github_setup/desired.py", '"ossf/scorecard-action@*", ', ""),
    ("releases push with the workflow's token", RELEASE, "github-token: ${{ steps.app.outputs.token || github.token }}", "github-token: ${{ github.token }}"),
    ("a release that always pushes to main", RELEASE, "push-to-branch: ${{ steps.app.outcome == 'success' }}", "push-to-branch: true"),
    ("an App that everybody must have", RELEASE, GOES_ON, ""),
    ("a release that knows no other way", "scripts/release/release", "    if not may_push and is_ours():\n        report", "    if False:\n        report"),
    ("vMAJOR is moved by a token that a ruleset refuses", RELEASE, "          github-token: ${{ steps.app.outputs.token || github.token }}\n          attest:", "          attest:"),
    ("attestations asked with the App's token", RELEASE, "          ATTESTATIONS_TOKEN: ${{ github.token }}\n", ""),
    ("a promotion that asks with whatever token", ".github/actions/promote/action.yml", "        ATTESTATIONS_TOKEN: ${{ github.token }}\n", ""),
    # 2 the lock before the approval
    ("approval with a lock", CD, "      name: production-approval\n      deployment: false\n", "      name: production-approval\n      deployment: false\n    concurrency:\n      group: deploy-production\n      cancel-in-progress: false\n"),
    ("the job with the lock asks", CD, "      name: production\n      url", "      name: production-approval\n      url"),
    ("one that waits is cancelled for the next", CD, "      cancel-in-progress: false\n      queue: max\n    permissions:\n      contents: read # checkout, the order", "      cancel-in-progress: false\n    permissions:\n      contents: read # checkout, the order"),
    ("production before its approval", CD, "needs: [resolve, staging, approval]", "needs: [resolve, staging]"),
    ("a rollback that needs production's approval", CD, "'production-rollback' || 'staging'", "'production-approval' || 'staging'"),
    # 3 groups
    ("one group for all releases", RELEASE, "    github.event.workflow_run.head_branch ||\n", "    'all' ||\n"),
    ("a failed CI in the group of releases", RELEASE, "    github.event.workflow_run.conclusion == 'success' &&\n    github", "    github"),
    ("a pull request's CI in the group of releases", RELEASE, "    github.event.workflow_run.event == 'push' &&\n    github", "    github"),
    ("a fork's CI in the group of releases", RELEASE, "    github.event.workflow_run.head_repository.full_name == github.repository &&\n    github", "    github"),
    ("a dry run in the group of releases", RELEASE, "    inputs.mode == 'reconcile' && 'reconcile' ||\n    github.run_id }}", "    'all' }}"),
    ("of two releases that wait one is cancelled", RELEASE, "  queue: max\n", ""),
    ("deployments in one group", CD, "  group: cd-${{ github.run_id }}", "  group: cd"),
    ("a synchronised fork deploys", CD, "      !github.event.repository.fork &&\n", ""),
    ("a synchronised fork releases", RELEASE, "      !github.event.repository.fork &&\n      (github", "      (github"),
    ("a synchronised fork publishes", CI, "github.event_name == 'push' && !github.event.repository.fork &&\n", "github.event_name == 'push' &&\n"),
    # 4 order
    ("an older commit goes to staging", DEPLOY, "    - shell: bash\n      run: '\"$GITHUB_ACTION_PATH/../../../scripts/ci/not-older\"'\n", "    - shell: bash\n      run: '\"$GITHUB_ACTION_PATH/../../../scripts/ci/oci\" name'\n"),
    ("compared with nothing", DEPLOY, "RUNNING: ${{ steps.before.outputs.revision }}", "RUNNING: ''"),
    ("older without a word", CD, "older: ${{ needs.resolve.outputs.older }}", "older: 'yes'"),
    ("older by default", CD, "        options: ['no', 'yes']\n        default: 'no'", "        options: ['no', 'yes']\n        default: 'yes'"),
    ("an overtaken commit goes on", RESOLVE, "overtaken_by(hub, repository, revision) if automatic else", "'' if automatic else"),
    ("what is not of main goes on", RESOLVE, 'hub.compare(revision, "main") not in ("ahead", "identical") and older == "no"', "False"),
    ("latest goes back", "scripts/ci/publish", "if is_overtaken; then", "if false; then"),
    ("a commit's image is replaced", "scripts/ci/publish", '[ "$named" != "$DIGEST" ]', "false"),
    # 5 whose attestation
    ("an attestation of any branch", "scripts/ci/verify-attestation", ' --source-ref "$ref"', ""),
    ("tools of any branch", "scripts/lib/tools.sh", ' --source-ref "${SLIPWAY_REF:-refs/heads/main}"', ""),
    ("any ref will do", "scripts/ci/verify-attestation", "[[ $ref == refs/* ]]", "true || ref="),
    ("the branch of the caller's choice", CD, "source-ref: ${{ needs.resolve.outputs.source-ref }}", "source-ref: ${{ github.event.workflow_run.head_branch }}"),
    ("a CI of any branch", RESOLVE, "if RELEASED_FROM.fullmatch(branch)]", "if branch]"),
    ("a CI that did not pass", RESOLVE, 'run.get("conclusion") == "success"', 'run.get("conclusion") != "failure"'),
    ("a CI of a pull request", f"{LIBRARY}/ci/github.py", "event=push&", ""),
    ("people take an image that any branch attested", ".github/SECURITY.md", "ci.yml --source-ref refs/heads/main", "ci.yml"),
    ("people take tools that any workflow attested", "docs/operators/releasing.md", "  --signer-workflow OWNER/NAME/.github/workflows/release.yml --source-ref refs/heads/main \\\n", ""),
    ("a release's notes take what any branch attested", f"{LIBRARY}/ci/notes.py", " --source-ref refs/heads/{released['branch']}", ""),
    # 6 plans
    ("an upload that private repositories refuse", CI, "      actions: read # so does the upload, in private repositories\n", ""),
    ("attests where it cannot", RELEASE, "          (!github.event.repository.private || vars.ATTESTATIONS == 'on')\n", "          true\n"),
    ("publishes only where it can attest", CI, "          attest: ${{ !github.event.repository.private || vars.ATTESTATIONS == 'on' }}\n", ""),
    ("deploys only what is attested, on any plan", CD, "          attested: ${{ !github.event.repository.private || vars.ATTESTATIONS == 'on' }}\n", ""),
    ("others publish only where they can attest", INIT, "          attest: ${{ !github.event.repository.private || vars.ATTESTATIONS == 'on' }}\n", ""),
    ("others deploy only what is attested, on any plan", INIT, f"          {ATTESTED}", ""),
    ("others go back only with attestations", INIT_ROLLBACK, f"          {ATTESTED}", ""),
    ("a README whose caller is red in private", ".github/actions/publish/README.md", "            attest: ${{ !github.event.repository.private || vars.ATTESTATIONS == 'on' }}\n", ""),
    ("CodeQL on a plan without it", CI, "github.event_name != 'pull_request' && needs.plan.outputs.scanning == 'true'", "github.event_name != 'pull_request'"),
    ("dependency review on a plan without it", CI, "github.event_name == 'pull_request' && needs.plan.outputs.scanning == 'true'", "github.event_name == 'pull_request'"),
    # 7 Snyk
    ("Snyk gets a folder", "scripts/ci/snyk", "oci-archive:build/snyk/image.tar", "oci-archive:build/image"),
    ("Snyk's SARIF that never comes", "scripts/ci/snyk", "--severity-threshold=high --json-file-output=build/snyk/unmanaged.json", "--severity-threshold=high --sarif-file-output=build/snyk/unmanaged.sarif"),
    ("Snyk's JSON that nobody reads", CI, "scripts/ci/scan-gate build/snyk/unmanaged.json build/snyk/container.sarif", "scripts/ci/scan-gate build/snyk/container.sarif"),
    # 8 titles
    ("the title of the event", CI, "          PULL_REQUEST: ${{ github.event.pull_request.number }}\n", "          SQUASH_TITLE: ${{ github.event.pull_request.title }}\n"),
    ("the title without its number", f"{LIBRARY}/ci/github.py", "['title']} (#{number})", "['title']}"),
    ("a title that a run replays", LINT, "hub.landing(number)", "os.environ['SQUASH_TITLE'], ''"),
    ("a description that nobody reads", f"{LIBRARY}/ci/github.py", '(pull["body"] or "")', '""'),
    ("a squash that lands the title alone", f"{LIBRARY}/github_setup/desired.py", '"squash_merge_commit_message": "PR_BODY"', '"squash_merge_commit_message": "BLANK"'),
    ("a breaking commit that lands as none", LINT, "if (why := lost(meaning, landing))", "if (why := '')"),
    # 9 moved files
    ("a header moved into docs", "scripts/ci/plan", '"--no-renames", ', ""),
    ("a header moved out of sight of the linter", "scripts/ci/affected-units", '"--no-renames", ', ""),
    # a cluster in a host's place
    ("staging's deploy goes to production's cluster", CD, "kubeconfig: ${{ secrets.STAGING_KUBECONFIG }}", "kubeconfig: ${{ secrets.PRODUCTION_KUBECONFIG }}"),
    ("production's deploy goes to staging's cluster", CD, "kubeconfig: ${{ secrets.PRODUCTION_KUBECONFIG }}", "kubeconfig: ${{ secrets.STAGING_KUBECONFIG }}"),
    ("production's rollback meets staging's cluster", CD, "&& secrets.PRODUCTION_KUBECONFIG ||", "&& secrets.PRODUCTION_KUBECONFIG || secrets.STAGING_KUBECONFIG ||"),
    ("an action that forgets the cluster", DEPLOY, "        SLIPWAY_KUBECONFIG: ${{ inputs.kubeconfig }}\n", ""),
    ("a kubeconfig in a command", DEPLOY, "scripts/ci/host\" before'", "scripts/ci/host\" before ${{ inputs.kubeconfig }}'"),
    # 10 Dependabot
    ("a base that Dependabot does not see", "Dockerfile", "ARG BUILDER_BASE=debian\n", "ARG BUILDER_BASE=debian:bookworm-slim@sha256:7b140f374b289a7c2befc338f42ebe6441b7ea838a042bbd5acbfca6ec875818\n"),
    ("no pip", DEPENDABOT, "package-ecosystem: pip\n    directory: /scripts/lib\n", "package-ecosystem: pip\n    directory: /\n"),
    ("no Go tools", DEPENDABOT, "[/scripts/lib/go-tools, ", "["),
    ("no Kubernetes", DEPENDABOT, "directory: /scripts/lib/cluster", "directory: /"),
    ("an npm folder forgotten", DEPENDABOT, "[/scripts/release, /tests/interop, ", "[/tests/interop, "),
    ("a Go tool by hand", "scripts/setup", "tool_from_go act github.com/nektos/act", "tool_from_go act github.com/nektos/act@v0.2.87"),
    ("two commits of one action", RELEASE, pin("actions/attest"), pin("actions/attest").replace(commit_of("actions/attest"), "5" * 40)),
    # 11 the allow-list
    ("what runs inside an action is refused", f"{LIBRARY}/github_setup/desired.py", ' "aquasecurity/setup-trivy@*",', ""),
    # 12 provenance after the fact
    ("provenance of another commit", RELEASE, "          predicate-type: https://github.com/${{ github.repository }}/tools/v1\n          predicate: >-\n            {\"commit\": ${{ toJSON(github.event.workflow_run.head_sha) }},\n            \"version\": ${{ toJSON(needs.assets.outputs.version) }}}\n", ""),
    ("the word of the build for the commit", RELEASE, "${{ toJSON(github.event.workflow_run.head_sha) }}", "${{ toJSON(needs.assets.outputs.commit) }}"),
    ("a build with a token that can sign", RELEASE, "      contents: read # checkout, and the previous release's benchmark\n", "      contents: read # checkout, and the previous release's benchmark\n      id-token: write # sign\n"),
    ("a commit that nobody compares", "scripts/lib/tools.sh", 'grep -qxF "$commit" <<<"$attested"', "true"),
    # 13 tags
    ("a tag by push", f"{LIBRARY}/ci/history.py", 'hub.post("/git/refs", {"ref": f"refs/tags/{tag}", "sha": commit})', 'git("push", authenticated_url(), f"refs/tags/{tag}")'),
    ("an App that cannot tag older commits", RELEASE, "          permission-workflows: write # GitHub asks it for a tag on an older commit, whose workflows differ\n", ""),
    # 14 caches
    ("pull requests save caches", PREPARE, "    - if: github.event_name == 'push' && github.ref == format('refs/heads/{0}', github.event.repository.default_branch)\n      uses: actions/cache@", "    - if: github.event_name != 'merge_group'\n      uses: actions/cache@"),
    ("caches that drive one another out", "scripts/ci/prepare", "CCACHE_MAXSIZE=250M", "CCACHE_MAXSIZE=400M"),
    # 15 buttons and words
    ("a title that skips CI", LINT, "skip ci|ci skip|", "ci skip|"),
    ("a trailer that skips CI", LINT, "|^skip-checks: *true", ""),
    ("a Reapply that is refused", LINT, "(Revert|Reapply)", "(Revert)"),
    ("a Revert that releases nothing", ".releaserc.json", "./scripts/release/commits.mjs", "@semantic-release/commit-analyzer"),
    # 16 deployments
    ("a deployment without its address", CD, "      url: ${{ steps.deploy.outputs.url }}\n", ""),
    ("a deployment for each pull request", CI, "      name: security-scan\n      deployment: false\n", "      name: security-scan\n"),
    ("an approval that is a deployment", CD, "      name: production-approval\n      deployment: false\n", "      name: production-approval\n"),
    # 17 protection
    ("deploys to what nobody protects", CD, "      - run: scripts/ci/environments\n", "      - if: github.event_name == 'push'\n        run: scripts/ci/environments\n"),
    ("one environment is not looked at", CD, "NAMES: staging production production-approval production-rollback", "NAMES: staging production production-rollback"),
    ("an approval that nobody must give", CD, "          APPROVED: production-approval\n", ""),
    ("an action that asks about no environment", DEPLOY, "        NAMES: ${{ inputs.environments }} ${{ inputs.approval }}\n", ""),
    ("an action that needs no approval", DEPLOY, "        APPROVED: ${{ inputs.approval }}\n", ""),
    ("an action that asks only at times", DEPLOY, "    - shell: bash\n      run: '\"$GITHUB_ACTION_PATH/../../../scripts/ci/environments\"'", "    - if: inputs.approval != ''\n      shell: bash\n      run: '\"$GITHUB_ACTION_PATH/../../../scripts/ci/environments\"'"),
    ("production that nobody had to approve", CD, "          approval: production-approval\n", ""),
    ("others' production that nobody had to approve", INIT, "          approval: production-approval\n", ""),
    ("others' staging that nobody protects", INIT, "          environments: staging\n", "          environments: production\n"),
    ("others may not ask", INIT, "      actions: read # how the environments are protected\n", ""),
    # 18 minutes
    ("a pull request waits for all of the sanitizers", CI, "          PRESET: ${{ matrix.preset }}\n          BASE: ${{ github.event.pull_request.base.sha }}\n", "          PRESET: ${{ matrix.preset }}\n"),
    ("main runs a part of the sanitizers", CI, "          PRESET: ${{ matrix.preset }}\n          BASE: ${{ github.event.pull_request.base.sha }}\n", "          PRESET: ${{ matrix.preset }}\n          BASE: ${{ github.event.before }}\n"),
    ("a pull request leaves out the sanitizers", CI, "    name: Sanitizers (${{ matrix.preset }})\n    needs: plan\n    if: needs.plan.outputs.code == 'true'\n", "    name: Sanitizers (${{ matrix.preset }})\n    needs: plan\n    if: github.event_name != 'pull_request'\n"),
    ("a pull request waits for every suite", CI, "suite: ${{ fromJSON(needs.plan.outputs.suites || '[]') }}", "suite: [docker, blackbox, workflows, release, release-workflow, reproducible]"),
    ("main leaves out the other toolchains", CI, "    name: Build and test (${{ matrix.os }}, ${{ matrix.compiler }})\n    needs: plan\n    if: github.event_name != 'pull_request'", "    name: Build and test (${{ matrix.os }}, ${{ matrix.compiler }})\n    needs: plan\n    if: github.event_name == 'merge_group'"),
    ("main publishes without the sanitizers", CI, "      - sanitizers\n      - integration\n      - codeql\n      - snyk\n", "      - integration\n      - codeql\n      - snyk\n"),
    ("the aggregator lets main skip the sanitizers", CI, "github.event_name == 'merge_group' && 'publish dependency-review'", "github.event_name == 'merge_group' && 'publish dependency-review sanitizers'"),
    # 19 answers
    ("an error's body for a digest", f"{LIBRARY}/ci/oci.py", "if status not in (200, 404):", "if status == 500:"),
    ("a blob that is there because of an error", f"{LIBRARY}/ci/oci.py", "        if status != 404:\n", "        if status == 500:\n"),
    ("an error for a release", f"{LIBRARY}/ci/github.py", "if status not in (200, 201, 202, 204):", "if status == 500:"),
    ("nobody waits", f"{LIBRARY}/ci/http.py", '(headers.get("Retry-After") or "")', '""'),
    ("a client of its own", RESOLVE, "import os\n", "import os\nimport urllib.request\nurllib.request.urlopen('https://api.github.com')\n"),
    # The comment, from a trusted context.
    ("the comment checks out the pull request", COMMENT, "          persist-credentials: false\n", "          persist-credentials: false\n          ref: ${{ github.event.workflow_run.head_sha }}\n"),
    ("the comment by the pull request itself", COMMENT, "  workflow_run: # zizmor: ignore[dangerous-triggers] see above: nothing of a pull request is checked out or run\n    workflows: [CI]\n    types: [completed]\n", "  pull_request_target:\n"),
    ("the comment may write contents", COMMENT, "contents: read # checkout of", "contents: write # checkout of"),
]
