"""What the model takes for true of GitHub, and where it is said. (name, fact, source); `python3 facts.py` prints it."""

DOCS = "https://docs.github.com/en/actions/"
CONCURRENCY = DOCS + "how-tos/write-workflows/choose-when-workflows-run/control-workflow-concurrency"
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
)

if __name__ == "__main__":
    for name, fact, source in FACTS:
        print(f"{name}: {fact}\n    {source}")
