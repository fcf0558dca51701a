"""GitHub's scheduler: events make runs, runs make jobs, both wait in groups, jobs for approval as well.

Time is in minutes. A test makes events at given times and plays them; `log` is what happened, in its order."""

import fnmatch
import heapq
import itertools
from dataclasses import dataclass, field

from slipway.policy.documents import needs

from . import expressions
from .tree import Tree
from .world import SCRIPTS, FailedError, World

APPROVAL_EXPIRES = 30 * 24 * 60
DONE = ("success", "failure", "cancelled", "skipped")


@dataclass
class Call:
    """What a script of the model is told."""
    sha: str
    branch: str
    env: dict
    host: str
    digest: str
    inputs: dict
    tell: object


@dataclass
class Job:
    run: "Run"
    name: str
    body: dict
    state: str = "waiting"  # waiting, pending (for its group), asking (for approval), running, or one of DONE
    outputs: dict = field(default_factory=dict)
    group: str = ""


@dataclass
class Run:
    number: int
    workflow: str
    github: dict
    inputs: dict
    branch: str
    state: str = "pending"
    jobs: dict = field(default_factory=dict)
    group: str = ""
    minutes: dict = field(default_factory=dict)


class Group:
    def __init__(self):
        self.running, self.pending = None, []


class Hub:
    def __init__(self, tree: Tree, fork: bool = False):
        self.tree, self.fork = tree, fork
        self.world = World(tree.skills)
        self.repository = "eve/conn" if fork else "acme/conn"
        self.now, self.order, self.agenda = 0, itertools.count(), []
        self.groups, self.runs, self.log = {}, [], []
        self.approvers = {"production-approval", "production"}  # who has named reviewers
        if any("production-approval" in str(d.data) for d in tree.workflows.values()):
            self.approvers = {"production-approval"}

    # Events.

    def at(self, minute: int, act, *words) -> None:
        heapq.heappush(self.agenda, (minute, next(self.order), act, words))

    def play(self, until: int = 60 * 24 * 60) -> None:
        while self.agenda and self.agenda[0][0] <= until:
            self.now, _, act, words = heapq.heappop(self.agenda)
            act(*words)

    def tell(self, text: str) -> None:
        days, rest = divmod(self.now, 24 * 60)
        self.log.append(f"{days:>2}d {rest // 60:02}:{rest % 60:02}  {text}")

    def push(self, commit: str, branch: str = "main", ci_minutes: int = 10) -> None:
        self.world.branches[branch].append(commit)
        self.tell(f"push of {commit} to {branch}")
        self._ci(commit, branch, ci_minutes)

    def run_again(self, commit: str, ci_minutes: int = 10) -> None:
        self.tell(f"CI of {commit} is run again")
        self._ci(commit, self.world.branch_of(commit), ci_minutes)

    def _ci(self, commit: str, branch: str, minutes: int) -> None:
        self._make("ci", self._github("push", commit, f"refs/heads/{branch}", {"before": ""}), {}, branch, minutes)

    def pull_request(self, commit: str, number: int, head: str = "acme/conn", actor: str = "ada") -> None:
        self.tell(f"pull request {number} of {head} at {commit}")
        github = self._github("pull_request", commit, f"refs/pull/{number}/merge", {"pull_request": {
            "number": number, "base": {"sha": ""}, "head": {"repo": {"full_name": head}}}})
        self._make("ci", {**github, "actor": actor}, {}, f"topic-{number}", 10)

    def queue(self, commit: str) -> None:
        self.tell(f"merge queue: {commit}")
        self._make("ci", self._github("merge_group", commit, f"refs/heads/gh-readonly-queue/main/{commit}",
                                      {"merge_group": {"base_sha": ""}}), {}, "queue", 10)

    def dispatch(self, workflow: str, **inputs: str) -> None:
        self.tell(f"{workflow} by hand: {' '.join(inputs.values())}")
        head = (self.world.branches["main"] or [""])[-1]
        github = self._github("workflow_dispatch", head, "refs/heads/main", {"inputs": inputs})
        self._make(workflow, github, inputs, "main", 5)

    def approve(self, commit: str) -> None:
        for run in self.runs:
            for job in run.jobs.values():
                if job.state == "asking" and run.github["event"].get("workflow_run", {}).get("head_sha") == commit:
                    self.tell(f"{commit} is approved for production")
                    self._begin(job)
                    return
        self.tell(f"nobody asks for approval of {commit}")

    def _github(self, event: str, sha: str, ref: str, payload: dict) -> dict:
        return {"event_name": event, "sha": sha, "ref": ref, "ref_name": ref.split("/", 2)[-1], "actor": "ada",
                "repository": self.repository, "token": "t", "repository_owner": self.repository.split("/")[0],
                "server_url": "https://github.com",
                "event": {**payload, "repository": {"private": False, "fork": self.fork, "default_branch": "main"}}}

    # Runs.

    def _make(self, workflow: str, github: dict, inputs: dict, branch: str, minutes: int) -> None:
        document = self.tree.workflows[workflow]
        if github["event_name"] not in document.on:
            return
        filters = (document.on[github["event_name"]] or {}).get("branches") if github["event_name"] == "push" else None
        if filters and not any(matches(branch, pattern) for pattern in filters):
            return
        number = len(self.runs) + 1
        github = {**github, "run_id": str(number)}
        run = Run(number, workflow, github, inputs, branch, minutes={"build-and-test": minutes, "assets": 30})
        self.runs.append(run)
        concurrency = document.data.get("concurrency")
        if concurrency:
            contexts = self._contexts(run)
            run.group = f"run:{expressions.as_text(expressions.expand(concurrency['group'], contexts))}".lower()
            cancel = expressions.truthy(expressions.expand(concurrency.get("cancel-in-progress", False), contexts))
            if not self._enter(run, run.group, cancel, concurrency.get("queue") == "max"):
                return
        self._start(run)

    def _contexts(self, run: Run) -> dict:
        return {"github": run.github, "inputs": run.inputs, "vars": {"RELEASE_APP_ID": "1"}, "secrets": {},
                "needs": {name: {"result": job.state, "outputs": job.outputs} for name, job in run.jobs.items()}}

    def _start(self, run: Run) -> None:
        run.state = "running"
        run.jobs = {name: Job(run, name, body) for name, body in self.tree.workflows[run.workflow].jobs.items()}
        self._look(run)

    def _look(self, run: Run) -> None:
        """Starts what may start; ends the run when nothing is left."""
        moved = True
        while moved:
            moved = False
            for job in run.jobs.values():
                above = [run.jobs[name] for name in needs(job.body)]
                if job.state == "waiting" and all(other.state in DONE for other in above):
                    moved = True
                    self._ready(job)
        if run.state == "running" and all(job.state in DONE for job in run.jobs.values()):
            self._end(run)

    def _status(self, job: Job) -> dict:
        above, todo = set(), [*needs(job.body)]
        while todo:
            name = todo.pop()
            if name not in above:
                above.add(name)
                todo += needs(job.run.jobs[name].body)
        states = {job.run.jobs[name].state for name in above}
        direct = {job.run.jobs[name].state for name in needs(job.body)}
        return {"always": True, "cancelled": job.run.state == "cancelled", "failure": "failure" in states,
                "success": direct <= {"success"} and "failure" not in states}

    def _ready(self, job: Job) -> None:
        contexts = self._contexts(job.run)
        if not expressions.condition(job.body.get("if"), contexts, self._status(job)):
            job.state = "skipped"
            return
        concurrency = job.body.get("concurrency")
        if concurrency:
            job.group = f"job:{expressions.as_text(expressions.expand(concurrency['group'], contexts))}".lower()
            if not self._enter(job, job.group, concurrency.get("cancel-in-progress", False),
                               concurrency.get("queue") == "max"):
                return
        self._ask(job)

    def _environment(self, job: Job) -> str:
        named = job.body.get("environment") or ""
        named = named["name"] if isinstance(named, dict) else named
        return expressions.as_text(expressions.expand(named, self._contexts(job.run)))

    def _ask(self, job: Job) -> None:
        """With its lock already: whoever must approve is asked now."""
        environment = self._environment(job)
        if environment in self.approvers:
            job.state = "asking"
            self.tell(f"{self._name(job)} waits for approval" + (f", holding {job.group[4:]}" if job.group else ""))
            self.at(self.now + APPROVAL_EXPIRES, self._expire, job)
        else:
            self._begin(job)

    def _expire(self, job: Job) -> None:
        if job.state == "asking":
            self._finish(job, "failure")

    def _begin(self, job: Job) -> None:
        job.state = "running"
        self.at(self.now + job.run.minutes.get(job.name, 2), self._work, job)

    def _work(self, job: Job) -> None:
        if job.state != "running":
            return
        try:
            self._steps(job)
        except FailedError as error:
            self.tell(f"{self._name(job)} failed: {error}")
            self._finish(job, "failure")
            return
        self._finish(job, "success")

    def _steps(self, job: Job) -> None:
        contexts, steps = self._contexts(job.run), {}
        for number, step in enumerate(job.body.get("steps", [])):
            given = step.get("with", {})
            if "failure()" in str(step.get("if")):
                continue  # only what went well matters here: a job that fails changes nothing
            outputs = {}
            for command, inner in self.tree.commands(step):
                if "undo" in str(inner.get("run")):
                    continue
                act = SCRIPTS.get(command) or SCRIPTS.get(command.partition(" ")[0])
                if act:
                    outputs |= act(self.world, self._call(job, step, given, contexts, steps)) or {}
            steps[step.get("id", str(number))] = {"outputs": outputs, "outcome": "success"}
        job.outputs = {name: expressions.as_text(expressions.expand(value, {**contexts, "steps": steps}))
                       for name, value in (job.body.get("outputs") or {}).items()}

    def _call(self, job: Job, step: dict, given: dict, contexts: dict, steps: dict) -> Call:
        full = {**contexts, "steps": steps, "job": {"status": "success"}, "matrix": {}}

        def expanded(values: dict) -> dict:
            return {k: expressions.as_text(expressions.expand(v, full)) for k, v in values.items()
                    if "secrets." not in str(v) and "matrix." not in str(v)}

        env = expanded({**(job.body.get("env") or {}), **step.get("env", {})})
        inputs = expanded(given)
        where = job.run.inputs.get("environment", "") if job.name == "rollback" else job.name
        event = job.run.github["event"].get("workflow_run", {})
        return Call(job.run.github["sha"], event.get("head_branch") or job.run.branch, env, where,
                    inputs.get("digest") or env.get("DIGEST", ""), inputs, self.tell)

    def _finish(self, job: Job, state: str) -> None:
        job.state = state
        if job.group:
            self._leave(job.group, job)
        self._look(job.run)

    def _end(self, run: Run) -> None:
        states = {job.state for job in run.jobs.values()}
        run.state = next((state for state in ("failure", "cancelled", "success") if state in states), "skipped")
        if run.group:
            self._leave(run.group, run)
        self._followers(run)

    def _followers(self, run: Run) -> None:
        name = self.tree.workflows[run.workflow].data["name"]
        for workflow, document in self.tree.workflows.items():
            follows = document.on.get("workflow_run")
            if not follows or name not in follows["workflows"]:
                continue
            if "branches" in follows and not any(matches(run.branch, pattern) for pattern in follows["branches"]):
                continue
            head = self.world.branches["main"][-1] if self.world.branches["main"] else ""
            github = self._github("workflow_run", head, "refs/heads/main", {"workflow_run": {
                "id": run.number, "conclusion": run.state, "event": run.github["event_name"], "head_branch": run.branch,
                "head_sha": run.github["sha"],
                "head_repository": {"full_name": self.repository, "owner": {"login": "acme"}}}})
            self._make(workflow, github, {}, run.branch, 5)

    # Groups.

    def _enter(self, member, name: str, cancel: bool, queue: bool) -> bool:
        """Whether MEMBER may go on now; otherwise it is pending."""
        group = self.groups.setdefault(name, Group())
        if group.running is None:
            group.running = member
            return True
        if cancel:
            for other in (*group.pending, group.running):
                self._cancel(other)
            group.pending, group.running = [], member
            return True
        if not queue:
            for other in group.pending:
                self._cancel(other)
            group.pending = []
        group.pending.append(member)
        member.state = "pending"
        self.tell(f"{self._name(member)} is pending in {name.partition(':')[2]}")
        return False

    def _leave(self, name: str, member) -> None:
        group = self.groups[name]
        if group.running is not member:
            return
        group.running = group.pending.pop(0) if group.pending else None
        if isinstance(group.running, Run):
            self._start(group.running)
        elif group.running is not None:
            self._ask(group.running)

    def _cancel(self, member) -> None:
        self.tell(f"{self._name(member)} is CANCELLED")
        member.state = "cancelled"
        if isinstance(member, Job):
            self._look(member.run)
        else:
            for job in member.jobs.values():
                if job.state not in DONE:
                    job.state = "cancelled"

    def _name(self, member) -> str:
        run = member if isinstance(member, Run) else member.run
        followed = run.github["event"].get("workflow_run", {})
        what = followed.get("head_sha") or " ".join(run.inputs.values()) or run.github["sha"]
        return f"{run.workflow}({what})" + (f"/{member.name}" if isinstance(member, Job) else "")

    # What a test asks.

    def of(self, workflow: str, what: str) -> Run:
        return next(run for run in self.runs if run.workflow == workflow and self._name(run) == f"{workflow}({what})")


def matches(branch: str, pattern: str) -> bool:
    """GitHub's `+` after a class means one or more; Python's fnmatch has no such thing."""
    return fnmatch.fnmatch(branch, pattern.replace("[0-9]+", "[0-9]"))
