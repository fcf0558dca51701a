"""`slipway init` in somebody's repository, and what it wrote, run as it is: from a push to production, by act. Engine
and registry are real; GitHub, its attestations, the hosts behind their sshd and packet_bench are stand-ins (the
duet is in packet_bench's tests, the hosts are in adopt_test)."""

import json
import os
import re
import subprocess

import pytest

from adopt.published import Published, new_repository
from slipway.act.runner import Act
from slipway.lab import Engine, Registry
from slipway.paths import REPOSITORY
from slipway.policy.documents import Document
from support import needs
from support.engines import discard, sweep
from workflows.act_world import Host, holds

pytestmark = needs.all_of(
    needs.root("an engine"), needs.programs("docker", "docker", "dockerd", "docker-registry", "sshd", "ssh-agent"),
    needs.programs("act", "act", "openssl"))

BENCH = """#!/bin/sh
echo "$*" >>"$CALLS"
echo verdict >build/gate/duet.md
exit "$(cat "$STATUS")"
"""
TEMPLATES = sorted((REPOSITORY / "tools/slipway/workflows").glob("*.yml"))


def init(executables, folder, *words: str) -> subprocess.CompletedProcess:
    return subprocess.run([executables / "slipway", "init", folder, *words], capture_output=True, text=True,
                          check=False, env={"PATH": os.environ["PATH"]})


@pytest.fixture
def repository(tmp_path):
    folder = tmp_path / "prices"
    folder.mkdir()
    (folder / "Dockerfile").write_text("FROM scratch\nEXPOSE 8081\nARG REVISION\nENV REVISION=${REVISION}\n"
                                       "COPY data /data\n")
    (folder / "data").write_text("of eve\n")
    new_repository(folder, "eve/prices")
    return folder


def test_every_action_is_pinned():
    """To what we had when it was written: Dependabot edits no template, and the adopter's edits what is made of it."""
    for file in TEMPLATES:
        for _, action, reference, comment in Document(file).uses():
            is_pin = re.fullmatch(r"[0-9a-f]{40}", reference) and re.fullmatch(r"v\d+\.\d+\.\d+", comment or "")
            assert is_pin or (action, reference) == (f"OWNER/slipway/{'/'.join(action.split('/')[2:])}", "v1"), (
                file, action)


def test_every_job_says_what_it_may_and_how_long():
    for file in TEMPLATES:
        document = Document(file)
        assert document.data["permissions"] == {}
        for name, job in document.jobs.items():
            assert job["timeout-minutes"] <= 30, name
            assert "permissions" in job, name
            assert ("actions" in job["permissions"]) == (name in ("staging", "production")), name
            for scope, right in job["permissions"].items():
                assert right == "read" or (name == "publish" and scope != "contents"), (name, scope)


def test_a_lock_is_never_held_while_a_person_decides():
    jobs = Document(REPOSITORY / "tools/slipway/workflows/ci.yml").jobs
    assert "concurrency" not in jobs["approval"]
    assert jobs["production"]["needs"] == ["image", "approval"]
    assert not any("concurrency" in job for job in Document(
        REPOSITORY / "tools/slipway/workflows/rollback.yml").jobs.values())


def test_it_writes_what_is_missing_and_keeps_what_is_there(executables, repository):
    subprocess.run(["git", "branch", "--move", "trunk"], cwd=repository, check=True)
    done = init(executables, repository)
    assert done.returncode == 0 and "slipway init --actions OWNER/slipway@v1" in done.stdout, done.stdout
    assert init(executables, repository, "--check").returncode == 1
    folder = repository / ".github/workflows"
    folder.mkdir(parents=True)
    (folder / "rollback.yml").write_text("mine\n")
    done = init(executables, repository, "--actions", "acme/slipway@v1.2.3")
    assert done.returncode == 0 and f"wrote {folder}/ci.yml" in done.stdout, done.stderr
    assert (folder / "rollback.yml").read_text() == "mine\n"
    text = (folder / "ci.yml").read_text()
    assert "OWNER" not in text and "branches: [trunk]" in text
    assert len(re.findall(r"uses: acme/slipway/\.github/actions/\w+@v1\.2\.3\n", text)) == 7
    assert "ok       workflows that use the published actions" in done.stdout
    again = init(executables, repository, "--actions", "acme/slipway@v1.2.3")
    assert "wrote" not in again.stdout


@pytest.mark.parametrize("actions", ["slipway", "acme/slipway", "acme/@v1", "/x@v1", "a/b@", "a/b@v1\nrun: x",
                                     "a b/c@v1"])
def test_other_actions_are_refused_by_name(executables, repository, actions):
    done = init(executables, repository, "--actions", actions)
    assert done.returncode == 2 and "not OWNER/NAME@REF; give" in done.stderr, done.stderr
    assert not (repository / ".github").exists()


def test_an_image_that_is_built_elsewhere_has_no_workflow_that_builds_it(executables, repository):
    (repository / "slipway.yml").write_text(f"image: registry.example/a@sha256:{'0' * 64}\n")
    done = init(executables, repository, "--actions", "acme/slipway@v1")
    assert done.returncode == 2 and "built elsewhere" in done.stderr
    assert not (repository / ".github").exists()


@pytest.fixture(scope="module")
def services():
    sweep("adopt-workflows")
    engine, registry = (made(f"adopt-workflows-{os.getpid()}") for made in (Engine, Registry))
    with engine, registry:
        yield engine, registry
    discard(engine)
    discard(registry)


class World:
    def __init__(self, folder, repository, services, executables):
        self.repository, self.state, self.calls = repository, folder / "state", folder / "calls"
        self.engine, registry = services
        self.images = registry
        self.name = registry.reference("eve/prices")
        (repository / "slipway.yml").write_text(
            f"service: prices\nport: 8081\nimage: {self.name}\ngate:\n  request: GET /\n  rate: 100\n")
        assert init(executables, repository, "--actions", "acme/slipway@v1").returncode == 0
        self.bench = folder / "bench"
        self.bench.mkdir()
        (self.bench / "packet_bench").write_text(BENCH)
        (self.bench / "packet_bench").chmod(0o755)
        self.status = folder / "status"
        self.status.write_text("0")
        self.calls.write_text("")
        key = folder / "user_key"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
        self.hosts = {name: Host(folder / name.lower(), key) for name in ("STAGING", "PRODUCTION")}
        self.secrets = {"GITHUB_TOKEN": "t"}
        self.variables = {}
        for name, host in self.hosts.items():
            self.secrets |= {f"{name}_SSH_KEY": key.read_text(), f"{name}_KNOWN_HOSTS": host.known_hosts}
            self.variables |= {f"{name}_HOST": "127.0.0.1", f"{name}_USER": "root", f"{name}_PORT": host.port}
        self.published = Published(folder, self.state)

    def close(self) -> None:
        for host in self.hosts.values():
            host.stop()
        self.published.close()

    @property
    def running(self) -> set:
        return {host.running for host in self.hosts.values()}

    def git(self, *words: str) -> str:
        return subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@b.invalid", *words], check=True,
                              cwd=self.repository, capture_output=True, text=True).stdout.strip()

    def commit(self, what: str) -> str:
        (self.repository / "data").write_text(what)
        self.git("add", "--all")
        self.git("commit", "--quiet", "-m", what)
        return self.git("rev-parse", "HEAD")

    def act(self, workflow: str, event: str, sha: str, payload: dict, ref: str = "refs/heads/main"):
        engine = self.engine.env
        act = Act(self.repository, self.state, secrets=self.secrets, variables=self.variables, env={
            **self.published.environment("eve/prices"), "GITHUB_SERVER_URL": "https://github.com",
            "DOCKER_HOST": engine["DOCKER_HOST"], "DOCKER_CONFIG": engine["DOCKER_CONFIG"],
            "SLIPWAY_EXECUTABLES": self.bench, "CALLS": self.calls, "STATUS": self.status},
            actions=self.published.actions)
        return act.run(workflow, event, payload, sha, ref=ref)

    def push(self, what: str, private: bool = False):
        before = self.git("rev-parse", "HEAD")
        sha = self.commit(what)
        done = self.act("ci", "push", sha, {"ref": "refs/heads/main", "before": before, "after": sha, "repository": {
            "full_name": "eve/prices", "default_branch": "main", "fork": False, "private": private}})
        return done, self.images.digest("eve/prices", sha)


@pytest.fixture
def world(tmp_path, repository, services, executables):
    made = World(tmp_path, repository, services, executables)
    yield made
    made.close()


def test_what_it_wrote_takes_a_push_to_production_or_not_and_back(world):
    done, first = world.push("feat: one")
    ways = {"image", "gate", "publish", "staging", "approval", "production"}
    holds(done, {"all green": done.jobs == dict.fromkeys(ways, "success"), "published": bool(first),
                 "it runs on both": world.running == {first},
                 "there was nothing to compare with": "nothing to compare with" in done.summaries.get("gate", "")})

    world.status.write_text("1")
    done, dearer = world.push("feat: dearer")
    holds(done, {"red": done.jobs["gate"] == "failure", "not published": dearer is None,
                 "deployed nowhere": world.running == {first},
                 "judged against what ran": f"--base-image {world.name}@{first} " in world.calls.read_text()})

    world.status.write_text("0")
    world.hosts["STAGING"].faults(honest=[first])
    done, bad = world.push("feat: unwell")
    holds(done, {"red": done.jobs["staging"] == "failure", "not approved": done.jobs["approval"] == "skipped",
                 "both are as before": world.running == {first}, "it was published": bool(bad)})

    world.hosts["STAGING"].faults()
    done, second = world.push("feat: two")
    holds(done, {"all green": done.jobs == dict.fromkeys(ways, "success"),
                 "it runs on both": world.running == {second}})
    back = world.act("rollback", "workflow_dispatch", world.git("rev-parse", "HEAD"), {
        "inputs": {"environment": "production", "digest": ""}, "repository": {"full_name": "eve/prices"}})
    holds(back, {"green": back.jobs == {"rollback": "success"},
                 "back in production": world.hosts["PRODUCTION"].running == first,
                 "and only there": world.hosts["STAGING"].running == second})


def test_production_waits_until_somebody_is_asked_or_that_is_waived(world):
    """GitHub makes a missing environment without rules, and its job runs at once: that was no approval."""
    protected = world.published.hub.environments
    protected["production-approval"]["protection_rules"] = []
    done, one = world.push("feat: one")
    holds(done, {"staging has it": world.hosts["STAGING"].running == one, "red": done.jobs["production"] == "failure",
                 "production was not asked for anything": world.hosts["PRODUCTION"].commands() == [],
                 "it says why": "needs nobody's approval" in done.log})
    world.variables["APPROVAL_WAIVED"] = "accepted"
    done, two = world.push("feat: two")
    holds(done, {"production has it": world.hosts["PRODUCTION"].running == two,
                 "and the page says so": "waived for production-approval" in done.summaries.get("production", "")})


@pytest.mark.parametrize("how", ["missing", "open"])
def test_what_is_open_to_every_branch_is_not_deployed_to(world, how):
    protected = world.published.hub.environments
    if how == "missing":
        protected.pop("staging")
    else:
        protected["staging"]["deployment_branch_policy"] = None
    done, _ = world.push("feat: one")
    holds(done, {"red": done.jobs["staging"] == "failure", "no command": world.hosts["STAGING"].commands() == []})


def test_a_private_repository_without_attestations_reaches_production_and_says_so(world):
    done, one = world.push("feat: one", private=True)
    holds(done, {"it runs on both": world.running == {one},
                 "nothing was attested": not (world.state / "attestations" / one.replace(":", "-")).exists(),
                 "the page says so": "not attested" in done.summaries.get("publish", "")
                 and "Attestation: none" in done.summaries.get("production", "")})


def test_a_pull_request_publishes_nothing_and_reaches_no_host(world):
    sha = world.commit("feat: from outside")
    world.secrets, world.variables = {"GITHUB_TOKEN": "read-only"}, {}
    done = world.act("ci", "pull_request", sha, {"number": 7, "pull_request": {
        "number": 7, "base": {"sha": world.git("rev-parse", "HEAD~1"), "ref": "main"}, "head": {"sha": sha}},
        "repository": {"full_name": "eve/prices", "default_branch": "main", "fork": False}}, "refs/pull/7/merge")
    holds(done, {"checked": done.jobs["image"] == done.jobs["gate"] == "success",
                 "and no more": {done.jobs[job] for job in ("publish", "staging", "approval", "production")} ==
                 {"skipped"}, "no name": world.images.digest("eve/prices", sha) is None})


def test_a_rollback_of_production_never_falls_through_to_staging(world):
    """Where PRODUCTION_HOST is not set, the host of staging must not be taken back in its place."""
    first, second = (f"sha256:{digit * 64}" for digit in "12")
    for host in world.hosts.values():
        (host.folder / "state.json").write_text(json.dumps({"running": second, "history": [first, second]}))
    sha = world.commit("feat: one")
    world.variables.pop("PRODUCTION_HOST")
    back = world.act("rollback", "workflow_dispatch", sha, {
        "inputs": {"environment": "production", "digest": ""}, "repository": {"full_name": "eve/prices"}})
    holds(back, {"red": back.jobs == {"rollback": "failure"}, "nothing went back": world.running == {second}})
