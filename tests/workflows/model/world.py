"""What runs have an effect on: commits, images, hosts, releases. Each script that a job calls is one function here."""

from dataclasses import dataclass, field


class FailedError(Exception):
    """A script left something else than 0, and said why."""


@dataclass
class World:
    skills: set
    branches: dict = field(default_factory=lambda: {"main": [], "1.x": []})  # branch -> its commits, oldest first
    images: set = field(default_factory=set)
    latest: str = ""
    hosts: dict = field(default_factory=lambda: {"staging": [], "production": []})  # what ran there, the last one now
    released: list = field(default_factory=list)  # (branch, commits that were released together)
    environments: set = field(default_factory=lambda: {"staging", "production", "production-approval",
                                                       "production-rollback", "release"})
    failing: set = field(default_factory=set)  # commits whose CI fails

    def branch_of(self, commit: str) -> str:
        return next(branch for branch, commits in self.branches.items() if commit in commits)

    def is_newer(self, one: str, other: str) -> bool:
        """Whether ONE follows OTHER on its branch."""
        commits = self.branches[self.branch_of(other)]
        return one in commits and commits.index(one) > commits.index(other)

    def runs(self, host: str) -> str:
        return self.hosts[host][-1] if self.hosts[host] else ""


def plan(world: World, call) -> dict:
    return {"code": "true", "upload": "true", "scanning": "true", "suites": '["docker"]'}


def tests(world: World, call) -> dict:
    if call.sha in world.failing:
        raise FailedError("a test failed")
    return {}


def publish_tag(world: World, call) -> dict:
    world.images.add(call.sha)
    if call.branch == "main" and not ("latest never goes back" in world.skills and world.latest
                                      and world.is_newer(world.latest, call.sha)):
        world.latest = call.sha
    return {}


def resolve(world: World, call) -> dict:
    env = call.env
    action = env.get("ACTION") or "deploy"
    if action == "rollback":
        return {"action": action, "production": "false", "revision": "", "digest": "", "older": "no"}
    sha = env.get("HEAD_SHA") or env.get("IMAGE")
    if sha not in world.images:
        raise FailedError(f"no image of {sha}")
    automatic = not env.get("ACTION")
    if automatic and "asks who overtook" in world.skills and world.is_newer(world.latest, sha):
        return {"action": "nothing", "production": "false", "revision": "", "digest": "", "older": "no"}
    return {"action": action, "production": str(automatic or env.get("ENVIRONMENT") == "production").lower(),
            "digest": sha, "revision": sha, "source-ref": "refs/heads/main", "older": env.get("OLDER") or "no"}


def environments(world: World, call) -> dict:
    # By the inputs of the action that deploys, or as cd.yml asks beforehand.
    names = call.env.get("NAMES") or f"{call.inputs['environments']} {call.inputs.get('approval', '')}"
    missing = set(names.split()) - world.environments
    if missing:
        raise FailedError(f"no environment {' '.join(sorted(missing))}")
    return {}


def not_older(world: World, call) -> dict:
    running = world.runs(call.host)
    if running and world.is_newer(running, call.digest) and call.inputs.get("older") != "yes":
        raise FailedError(f"{running}, which runs there, is newer than {call.digest}")
    return {}


def deploy(world: World, call) -> dict:
    world.hosts[call.host].append(call.digest)
    call.tell(f"{call.host} runs {call.digest}")
    return {"url": "https://there.example"}


def rollback(world: World, call) -> dict:
    ran = world.hosts[call.host]
    before = [sha for sha in ran if sha != world.runs(call.host)]
    if not before:
        raise FailedError("nothing to go back to")
    ran.append(before[-1])
    call.tell(f"{call.host} is back at {before[-1]}")
    return {}


def assets(world: World, call) -> dict:
    return {"version": "1.0.0"}


def release(world: World, call) -> dict:
    # By an action's inputs, or as the script itself was called before there was one.
    given = call.inputs or {name: call.env.get(was) for name, was in
                            (("dry-run", "DRY_RUN"), ("branch", "BRANCH"), ("commit", "RELEASE_SHA"))}
    if str(given["dry-run"]).lower() == "true":
        return {}
    branch, sha = given["branch"], given["commit"]
    commits = world.branches[branch]
    if commits[-1] != sha:
        call.tell(f"{sha} is left to the run of {commits[-1]}")
        return {}
    done = {commit for of, group in world.released for commit in group if of == branch}
    group = [commit for commit in commits if commit not in done]
    if group:
        world.released.append((branch, group))
        call.tell(f"released {' '.join(group)} of {branch}")
    return {"tag": "v1.0.0"}


# What is not here has no effect that the model knows of.
SCRIPTS = {
    "scripts/ci/plan": plan, "scripts/ci/build-and-test": tests, "scripts/ci/publish tag": publish_tag,
    "scripts/ci/resolve": resolve, "scripts/ci/environments": environments, "scripts/ci/not-older": not_older,
    "scripts/ci/host deploy": deploy, "scripts/ci/host rollback": rollback, "scripts/release/assets": assets,
    "scripts/release/release": release}
