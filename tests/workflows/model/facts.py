"""What the model takes for true of GitHub, and where it is said. (name, fact, source); `python3 facts.py` prints it."""

DOCS = "https://docs.github.com/en/actions/"
CONCURRENCY = DOCS + "how-tos/write-workflows/choose-when-workflows-run/control-workflow-concurrency"
RULES = "https://docs.github.com/en/repositories/configuring-branches-and-merges-in-your-repository/managing-rulesets/"
FACTS = (
    ("group first", "a workflow's concurrency group is entered when the run is made, before any `if` of its jobs is "
     "read", CONCURRENCY + "; ResearchHub/researchhub-backend#3984"),
    ("one pending", "of a group one member runs and one is pending; a third cancels the pending one",
     CONCURRENCY),
    ("queue: max", "with `queue: max` up to 100 are pending, and run in the order in which they came",
     "https://github.blog/changelog/2026-05-07-github-actions-concurrency-groups-now-allow-larger-queues"),
    ("cancel-in-progress", "with cancel-in-progress the newcomer cancels whatever runs or is pending in the group",
     CONCURRENCY),
    ("case", "a group's name is compared without regard to case",
     CONCURRENCY),
    ("lock, then approval", "a job takes its concurrency group before it asks for approval, and holds it while it "
     "waits",
     "community discussion 17401; hypothesis/lms#4533"),
    ("30 days", "an approval that nobody gives fails the job after 30 days",
     DOCS + "reference/workflows-and-actions/deployments-and-environments"),
    ("missing environment", "a job that names an environment that is not there makes it, without any protection",
     DOCS + "reference/workflows-and-actions/deployments-and-environments"),
    ("implicit success()", "an `if` without a status function means `success() && (...)`, where success() asks all "
     "jobs above",
     DOCS + "reference/workflows-and-actions/expressions#status-check-functions"),
    ("workflow_run", "a completed run starts the workflows that follow it by name and branch, with the default "
     "branch's file, "
     "whatever its conclusion; a run again starts them again",
     DOCS + "reference/workflows-and-actions/events-that-trigger-workflows#workflow_run"),
    ("re-run", "a run again has the event of the first: the same commit, the same payload",
     DOCS + "how-tos/manage-workflow-runs/re-run-workflows-and-jobs"),
    ("own pushes", "what GITHUB_TOKEN pushes starts no workflow, and [skip ci] starts none for anybody",
     DOCS + "concepts/security/github_token; " + DOCS + "how-tos/manage-workflow-runs/skip-workflow-runs"),
    ("fork", "a fork whose owner switched workflows on runs them for a push to its own main, synchronising included",
     DOCS + "reference/workflows-and-actions/events-that-trigger-workflows#workflows-in-forked-repositories"),
    ("secrets of forks", "a pull request of a fork, and of Dependabot, gets a token that reads and no secrets",
     DOCS + "reference/security/secure-use; " + DOCS + "reference/workflows-and-actions/events-that-trigger-workflows"),
    ("skipped", "a run of which every job was skipped ends with the conclusion skipped",
     "seen in well-known repositories' histories; not in the documentation"),
    # Of rulesets: tests/workflows/rulesets.py decides by them.
    ("pattern", "a ruleset's pattern is File.fnmatch with FNM_PATHNAME: `*` matches no slash, `[0-9]` is a set; no "
     "backslash, no braces, no `[^...]`",
     RULES + "creating-rulesets-for-a-repository#using-fnmatch-syntax"),
    ("pattern and queue", "a ruleset with a merge queue takes no pattern: 422, `Wildcard ref names are not supported "
     "when merge queue is enabled`; and an active queue refuses to make the branch that it names",
     "apache/texera#7121; SceneWorks/SceneWorks#2236"),
    ("creation", "only those who may pass a rule `creation` make a branch or a tag that it matches; a required pull "
     "request does not hold when a branch is made, a required check does, unless do_not_enforce_on_create",
     RULES + "available-rules-for-rulesets#restrict-creations; artifact-keeper/artifact-keeper#3798"),
    ("check", "a required check is asked of the commit, whatever branch or pull request it was made for",
     RULES + "available-rules-for-rulesets#require-status-checks-to-pass-before-merging"),
    ("bypass", "each ruleset that matches is enforced; who may pass one need not be able to pass another",
     RULES + "about-rulesets#about-rule-layering"),
    ("own approval", "nobody approves their own pull request, nor, where self-review is prevented, a deployment that "
     "they started",
     "https://docs.github.com/en/pull-requests/collaborating-with-pull-requests/reviewing-changes-in-pull-requests/"
     "approving-a-pull-request-with-required-reviews; " + DOCS
     + "reference/workflows-and-actions/deployments-and-environments"),
    ("squash", "a squash by PR_TITLE and PR_BODY lands the title with its number and the description as it is, "
     "comments of a template and [skip ci] included; the merge queue lets nobody edit it, and folds lines at about 80",
     "https://github.blog/changelog/2022-08-23-new-options-for-controlling-the-default-commit-message-when-merging-a-"
     "pull-request/; spack/spack#52427; kajisho5/ffmpeg-skill#171; riscv/sail-riscv#917"),
)

if __name__ == "__main__":
    for name, fact, source in FACTS:
        print(f"{name}: {fact}\n    {source}")
