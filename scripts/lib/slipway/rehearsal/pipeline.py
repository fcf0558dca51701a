"""What GitHub is to the shipped workflows: a remote to push to, a run of CI and then of CD for each
push, the settings of two environments. act runs the files; a step that would only build or test again
what the rest of the rehearsal does is a stand-in, committed into a scratch clone."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from .. import paths
from ..act.github import GitHub, rewritten
from ..act.runner import QUICK_SCRIPT, Act, Result
from ..ci.oci import SERVICE, Repository
from ..lab import LabError, Registry
from .production import Production
from .versions import Source, Version, sow

URL = "https://github.com/acme/conn.git"
# Their work is done elsewhere: scripts/test, and the stages of the rehearsal itself.
STAND_INS = ("scripts/lint", "scripts/ci/build-and-test", "scripts/ci/integration",
             "scripts/ci/build-traced", "scripts/ci/benchmark")
NOT_REHEARSED = (
    "the approval click before production, and that reviewers are required at all",
    "branch, path and event filters, concurrency, permissions, timeouts: act does not enforce them, "
    "the policy test reads them",
    "OIDC and Sigstore: attestations are signed with a key of the rehearsal, and verified with it",
    "the Security tab: that findings are uploaded is recorded, not shown",
    "the scanners' databases: Trivy plays a result without findings, Snyk is skipped without a token",
    "the cache service",
    "the image for arm64: there is no such machine here, and a small one stands in for it in the index",
    "stand-ins for steps that are proven elsewhere: " + ", ".join(STAND_INS))


@dataclass
class Environment:
    """An environment of the repository and the host behind it."""
    production: Production
    health_seconds: int

    def variables(self, name: str) -> dict:
        ip = self.production.host.ip
        return {f"{name}_HOST": ip, f"{name}_USER": "root", f"{name}_PORT": 22,
                f"{name}_HEALTH_URL": f"http://{ip}:8080/health",
                f"{name}_HEALTH_SECONDS": self.health_seconds, f"{name}_DEPLOY_TIMEOUT": "3m"}


class Pipeline:
    def __init__(self, folder: Path, registry: Registry, environments: dict[str, Environment],
                 build: dict[str, str], seed: Path, slipway_yml: str):
        """ENVIRONMENTS: STAGING and PRODUCTION. BUILD: what scripts/ci/image is told. SEED: as Source's.
        SLIPWAY_YML: what the repository describes the service by here."""
        self.folder = folder
        self.registry = registry
        self.environments = environments
        self.build = build
        self.seed = seed
        self.hub = GitHub()
        self.runs = 0
        shutil.rmtree(folder, ignore_errors=True)
        self.source = Source(paths.REPOSITORY, folder / "developer", seed)
        self.bare = folder / "conn.git"
        self.state = folder / "state"
        self.hub.git = self.bare
        self._git("init", "--quiet", "--bare", "--initial-branch=main", str(self.bare))
        (self.source.folder / "slipway.yml").write_text(slipway_yml)
        self._first_push()
        self._make_key()

    def close(self) -> None:
        self.hub.close()

    def _first_push(self) -> None:
        image = self.source.folder / "scripts/ci/image"
        image.rename(image.with_name("image.real"))  # which the stand-in calls for this machine's architecture
        for name in (*STAND_INS, "scripts/ci/image"):
            shutil.copy(QUICK_SCRIPT, self.source.folder / name)
        self.source.commit("stand-ins", "chore: let the rehearsal's stand-ins in")
        root = self._git("rev-list", "--max-parents=0", "HEAD", cwd=self.source.folder).split()[-1]
        if not self._git("tag", "--list", "v*", cwd=self.source.folder):
            self._git("tag", "v0.0.0", root, cwd=self.source.folder)
        self._git("push", "--quiet", "--tags", str(self.bare), "main", cwd=self.source.folder)

    def _make_key(self) -> None:
        """CI's own key, which every host holds to its forced command."""
        key = self.folder / "ci_key"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
        public = key.with_suffix(".pub").read_text().strip()
        for environment in self.environments.values():
            environment.production.host.authorize(
                f'restrict,command="/etc/slipway/ssh-command" {public}')
        self.key = key.read_text()

    def push(self, version: Version) -> None:
        self._git("push", "--quiet", "--force", str(self.bare), f"{version.sha}:refs/heads/main",
                  cwd=self.source.folder)

    # Runs.

    def ci(self, version: Version, before: Version | None = None) -> Result:
        """CI of a push to main on top of BEFORE, whose image the gate compares with; without one it has none to compare
        with, as after a branch's first push. The digest it published is noted in VERSION."""
        result = self._act(version.sha).run("ci", "push", {
            "ref": "refs/heads/main", "before": before.sha if before else "0" * 40, "after": version.sha,
            "repository": {"full_name": "acme/conn", "default_branch": "main"}}, version.sha)
        # What GitHub records of a run, and CD asks for.
        green = result.jobs.get("ci-status") == "success"
        self.hub.checks[version.sha] = "success" if green else "failure"
        version.digest = self.registry.digest(SERVICE, version.sha) or ""
        if version.digest:
            labels = Repository(self.registry.reference(SERVICE)).labels(version.digest)
            version.version = labels.get("org.opencontainers.image.version", "")
        return result

    def cd(self, version: Version) -> Result:
        """What follows a CI that passed: staging, then production."""
        return self._act(version.sha).run("cd", "workflow_run", {
            "workflow_run": {"conclusion": "success", "event": "push", "head_branch": "main",
                             "head_sha": version.sha, "head_repository": {"full_name": "acme/conn"}},
            "repository": {"full_name": "acme/conn"}}, version.sha)

    def by_hand(self, version: Version, action: str, environment: str, image: str = "") -> Result:
        """cd.yml dispatched on main, whose head is VERSION."""
        return self._act(version.sha).run("cd", "workflow_dispatch", {
            "inputs": {"action": action, "environment": environment, "image": image},
            "repository": {"full_name": "acme/conn"}}, version.sha)

    def _act(self, sha: str) -> Act:
        variables, secrets = {}, {"GITHUB_TOKEN": "stand-in-token"}
        for name, environment in self.environments.items():
            variables |= environment.variables(name)
            secrets |= {f"{name}_SSH_KEY": self.key, f"{name}_KNOWN_HOSTS":
                        environment.production.host.known_hosts.read_text()}
        return Act(self._checkout(sha), self.state, secrets=secrets, variables=variables, env={
            "SLIPWAY_IMAGE": self.registry.reference(SERVICE),
            "GITHUB_API_URL": self.hub.url, "GITHUB_REPOSITORY": "acme/conn",
            "GITHUB_REPOSITORY_OWNER": "acme", "GITHUB_SERVER_URL": "https://github.com",
            "STANDIN_REMOTE": self.bare,
            "SLIPWAY_NODE_MODULES": paths.REPOSITORY / "scripts/release/node_modules",
            **rewritten(URL, self.bare, "stand-in-token"), **self.build})

    def _checkout(self, sha: str) -> Path:
        """A fresh checkout, detached, with all of the history: as actions/checkout leaves it."""
        self.runs += 1
        clone = self.folder / f"run-{self.runs}"
        self._git("clone", "--quiet", "--no-checkout", str(self.bare), str(clone))
        self._git("remote", "set-url", "origin", URL, cwd=clone)
        self._git("checkout", "--quiet", "--detach", sha, cwd=clone)
        sow(self.seed, clone)
        return clone

    def _git(self, *arguments: str, cwd: Path | None = None) -> str:
        done = subprocess.run(["git", *arguments], cwd=cwd or self.folder, check=False,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              env={**os.environ, "GIT_TERMINAL_PROMPT": "0"})
        if done.returncode != 0:
            raise LabError(f"git {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout.strip()
