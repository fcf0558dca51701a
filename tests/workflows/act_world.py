"""What act_test's workflows meet: the release tests' remote, registry and GitHub, two hosts behind a
real sshd, and a clone of this repository in which only scripts that take minutes are replaced."""

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

from release.world import NEEDS as RELEASE_NEEDS
from release.world import World
from slipway.act.runner import QUICK_SCRIPT, Act
from slipway.paths import REPOSITORY as ROOT
from support import needs
from support.ports import free_port

NEEDS = [RELEASE_NEEDS, needs.all_of(
    needs.programs("act", "act", "openssl"), needs.programs("docker", "sshd", "ssh-agent"),
    needs.root("an sshd of our own"))]

SLOW = ("scripts/setup", "scripts/lint", "scripts/ci/build-and-test", "scripts/ci/integration",
        "scripts/ci/build-traced", "scripts/ci/benchmark", "scripts/ci/gate", "scripts/ci/image",
        "scripts/release/assets")


class Host:
    """An sshd on loopback whose one key may run host_sim.py and nothing else."""

    def __init__(self, folder: Path, user_key: Path):
        self.folder = folder
        folder.mkdir(parents=True)
        self.make_host_key("host_key")
        public = user_key.with_suffix(".pub").read_text().strip()
        command = f"{sys.executable} {Path(__file__).with_name('host_sim.py')} {folder}"
        (folder / "authorized_keys").write_text(f'restrict,command="{command}" {public}\n')
        self.start()

    def make_host_key(self, name: str) -> None:
        (self.folder / name).unlink(missing_ok=True)
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.folder / name],
                       check=True)

    def start(self) -> None:
        Path("/run/sshd").mkdir(exist_ok=True)  # sshd's, empty; made by its service elsewhere
        self.port = free_port()
        (self.folder / "sshd_config").write_text(
            f"ListenAddress 127.0.0.1:{self.port}\nHostKey {self.folder}/host_key\n"
            f"AuthorizedKeysFile {self.folder}/authorized_keys\nPidFile none\nUsePAM no\n"
            "StrictModes no\nPasswordAuthentication no\nPermitRootLogin forced-commands-only\n")
        with open(self.folder / "sshd.log", "w", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                ["/usr/sbin/sshd", "-D", "-e", "-f", self.folder / "sshd_config"],
                stdin=subprocess.DEVNULL, stderr=log)
        deadline = time.monotonic() + 10
        while "listening" not in (self.folder / "sshd.log").read_text():
            if time.monotonic() > deadline or self.process.poll() is not None:
                raise OSError("sshd: " + (self.folder / "sshd.log").read_text())
            time.sleep(0.05)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait()

    @property
    def known_hosts(self) -> str:
        kind, key, *_ = (self.folder / "host_key.pub").read_text().split()
        return f"[127.0.0.1]:{self.port} {kind} {key}"

    @property
    def running(self) -> str:
        file = self.folder / "state.json"
        return json.loads(file.read_text())["running"] if file.exists() else ""

    @property
    def tools(self) -> str:
        file = self.folder / "tools"
        return file.read_text() if file.exists() else ""

    def knows(self, digest: str, revision: str) -> None:
        """The image DIGEST says that it is of REVISION."""
        file = self.folder / "revisions.json"
        known = json.loads(file.read_text()) if file.exists() else {}
        file.write_text(json.dumps({**known, digest: revision}))

    def faults(self, **what) -> None:
        (self.folder / "faults.json").write_text(json.dumps(what))

    def commands(self) -> list:
        file = self.folder / "commands"
        return file.read_text().splitlines() if file.exists() else []


class ActWorld:
    def __init__(self, real: tuple = ()):
        """REAL: those of SLOW that are run as they are."""
        self.real = real
        self.world = World()
        folder = self.world.folder
        self.state = folder / "state"
        self.state.mkdir()
        self.world.hub.attestations = self.state / "attestations"
        key = folder / "user_key"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
        self.staging = Host(folder / "staging", key)
        self.production = Host(folder / "production", key)
        self.key = key.read_text()
        self._furnish()
        self.known = {"STAGING": self.staging.known_hosts, "PRODUCTION": self.production.known_hosts}

    def close(self) -> None:
        self.staging.stop()
        self.production.stop()
        self.world.__exit__()

    def _furnish(self) -> None:
        """The developer's tree becomes this repository's, as it is now."""
        listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others",
                                 "--exclude-standard"], cwd=ROOT, check=True, capture_output=True,
                                text=True).stdout
        for name in filter(None, listed.split("\0")):
            target = self.world.work / name
            if not (ROOT / name).is_file() or name in ("CHANGELOG.md", "VERSION", ".gitignore"):
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, target)
        for name in set(SLOW) - set(self.real):
            shutil.copy(QUICK_SCRIPT, self.world.work / name)

    def push(self, message: str, branch: str = "main") -> str:
        """A commit on BRANCH; what CI leaves is for the workflows to make."""
        world = self.world
        world.git("checkout", "--quiet", branch)
        world.commit(message)
        world.git("pull", "--quiet", "--rebase", "--tags", "origin", branch)
        world.git("push", "--quiet", "origin", branch)
        return world.git("rev-parse", "HEAD")

    def act(self, sha: str, **env) -> Act:
        clone = self.world.checkout(sha)
        world = self.world
        rewrite = {k: v for k, v in world.env().items() if k.startswith("GIT_CONFIG")}
        variables = {}
        for name, host in (("STAGING", self.staging), ("PRODUCTION", self.production)):
            variables |= {f"{name}_HOST": "127.0.0.1", f"{name}_USER": "root",
                          f"{name}_PORT": host.port, f"{name}_HEALTH_SECONDS": 3}
        variables["RELEASE_APP_ID"] = "1"
        secrets = {"GITHUB_TOKEN": "stand-in-token", "RELEASE_APP_KEY": "stand-in-key"}
        for name in ("STAGING", "PRODUCTION"):
            secrets |= {f"{name}_SSH_KEY": self.key, f"{name}_KNOWN_HOSTS": self.known[name]}
        return Act(clone, self.state, secrets=secrets, variables=variables, env={
            "SLIPWAY_IMAGE": world.image, "GITHUB_API_URL": world.hub.url,
            "GITHUB_REPOSITORY": "acme/conn", "GITHUB_REPOSITORY_OWNER": "acme",
            "GITHUB_SERVER_URL": "https://github.com", "STANDIN_REMOTE": world.bare,
            "SLIPWAY_NODE_MODULES": ROOT / "scripts/release/node_modules", **rewrite, **env})

    # The runs.

    def ci_push(self, sha: str, before: str = "0" * 40, branch: str = "main", **more):
        payload = {"ref": f"refs/heads/{branch}", "before": before, "after": sha,
                   "repository": {"full_name": "acme/conn", "default_branch": "main"}}
        result = self.act(sha).run("ci", "push", payload, sha, ref=f"refs/heads/{branch}", **more)
        # What GitHub records of a run, and CD asks for.
        good = result.jobs.get("ci-status") == "success"
        self.world.hub.checks[sha] = "success" if good else "failure"
        for host in (self.staging, self.production) if good else ():
            host.knows(digest(self, sha), sha)
        return result

    def ci_pull_request(self, sha: str, fork: bool, title: str = "feat: from outside"):
        """TITLE is the one that the pull request has by now; its event has another."""
        self.world.hub.pulls[7] = title
        base = self.world.remote("main~1")
        payload = {"number": 7, "action": "opened", "repository": {"full_name": "acme/conn"},
                   "pull_request": {
                       "number": 7, "title": "as it was opened", "base": {"sha": base, "ref": "main"},
                       "head": {"sha": sha, "ref": "topic",
                                "repo": {"full_name": "eve/conn" if fork else "acme/conn"}}}}
        act = self.act(sha)
        if fork:
            act.secrets, act.variables = {"GITHUB_TOKEN": "read-only"}, {}
        return act.run("ci", "pull_request", payload, sha, ref="refs/pull/7/merge")

    def cd(self, sha: str, conclusion: str = "success", **more):
        payload = {"workflow_run": {"conclusion": conclusion, "event": "push", "head_branch": "main",
                                    "head_sha": sha, "head_repository": {"full_name": "acme/conn"}},
                   "repository": {"full_name": "acme/conn"}}
        return self.act(sha).run("cd", "workflow_run", payload, sha, **more)

    def cd_by_hand(self, sha: str, action: str, environment: str, image: str = "", older: str = "no"):
        payload = {"inputs": {"action": action, "environment": environment, "image": image, "older": older},
                   "repository": {"full_name": "acme/conn"}}
        return self.act(sha).run("cd", "workflow_dispatch", payload, sha)

    def release(self, sha: str, branch: str = "main", env: dict | None = None, **more):
        payload = {"workflow_run": {"conclusion": "success", "event": "push", "head_branch": branch,
                                    "head_sha": sha, "head_repository": {"full_name": "acme/conn"}},
                   "repository": {"full_name": "acme/conn"}}
        return self.act(sha, **(env or {})).run("release", "workflow_run", payload, sha, **more)

    def fail(self, *scripts: str) -> None:
        (self.state / "fail").write_text(" ".join(scripts))

    def trivy_finds(self, scan: str) -> None:
        """A recorded CRITICAL with a fix; nothing, when SCAN is empty."""
        for file in self.state.glob("trivy-*.sarif"):
            file.unlink()
        if scan:
            shutil.copy(Path(__file__).with_name("critical.sarif"), self.state / f"trivy-{scan}.sarif")


# What a test asks of a run.

def only(result, **expected) -> bool:
    return all(result.jobs.get(job.replace("_", "-")) == state for job, state in expected.items())


def digest(w: ActWorld, sha: str) -> str:
    return w.world.images().digest(sha) or ""


def calls(w: ActWorld) -> str:
    """What was recorded of actions that only GitHub can do, since this was asked last."""
    file = w.state / "calls"
    text = file.read_text() if file.exists() else ""
    file.unlink(missing_ok=True)
    return text


def holds(result, facts: dict) -> None:
    """FACTS: what must hold -> whether it does; what does not is told with the end of the run's log."""
    wrong = [fact for fact, true in facts.items() if not true]
    if wrong:
        log = "\n".join(line[:200] for line in result.log.splitlines()[-60:])
        raise AssertionError(f"{'; '.join(wrong)}\njobs: {result.jobs}\n{log}")
