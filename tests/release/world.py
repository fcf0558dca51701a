"""Everything a release touches, in a folder of its own: a bare Git remote, a developer, what CI
leaves behind (the image, the assets), a registry, and a stand-in for GitHub's API. The scripts and
semantic-release are the real ones; the remote is reached by its https URL, rewritten by git."""

import json
import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from release.registry import Registry
from slipway.act.artifacts import write_assets, write_image
from slipway.act.github import GitHub, rewritten
from slipway.ci import oci
from slipway.paths import REPOSITORY as SOURCE
from support import needs

NEEDS = needs.all_of(
    needs.programs("docker", "docker-registry"), needs.programs("act", "git", "npm"), needs.packages_of_release())

PLAIN = "https://github.com/acme/conn.git"
TOKEN = "stand-in-token"  # the job's own
APP_TOKEN = "stand-in-app-token"  # an App's, with the rights that release.yml asks for: contents and workflows


class Run:
    """One run of release.yml's commands: exit status, outputs, everything it said."""

    def __init__(self, status: int, outputs: dict, said: str):
        self.status, self.outputs, self.said = status, outputs, said
        self.tag = outputs.get("tag", "")
        self.outcome = outputs.get("outcome", "killed")


class World:
    def __init__(self, seed: str = "v0.0.0"):
        self.folder = Path(tempfile.mkdtemp(prefix="slipway-release-"))
        self.bare = self.folder / "conn.git"
        self.work = self.folder / "developer"
        self.hub = GitHub()
        self.registry = Registry(self.folder / "registry")
        self.hub.git = self.bare
        self.hub.refuses.append((APP_TOKEN, "GET", "/attestations/"))
        self.image = f"{self.registry.address}/acme/{oci.SERVICE}"
        self.runs = 0
        self.running = None
        self.group_file = self.folder / "process-group"  # of the command that runs now, for hooks
        self.git("init", "--quiet", "--bare", "--initial-branch=main", str(self.bare), cwd=self.folder)
        self.git("clone", "--quiet", str(self.bare), str(self.work), cwd=self.folder)
        self._first_commit()
        if seed:
            self.git("tag", seed)
        self.git("push", "--quiet", "--tags", "origin", "main")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.registry.close()
        self.hub.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _first_commit(self) -> None:
        for name in (".releaserc.json", "CHANGELOG.md", "LICENSE"):
            shutil.copy(SOURCE / name, self.work / name)
        (self.work / "VERSION").write_text("0.0.0\n")
        (self.work / ".gitignore").write_text("/build/\nnode_modules\n__pycache__/\n")
        for room in ("ci", "lib", "release"):
            shutil.copytree(SOURCE / "scripts" / room, self.work / "scripts" / room,
                            ignore=shutil.ignore_patterns("node_modules", "__pycache__", ".install*"))
        header = (self.work / "CHANGELOG.md").read_text().split("\n## ")[0].rstrip() + "\n"
        (self.work / "CHANGELOG.md").write_text(header)
        self.git("checkout", "--quiet", "-B", "main")
        self.commit("chore: lay the keel")

    # The developer.

    def env(self, **more) -> dict:
        """A clean environment: what a runner gives, and git's rewriting of the remote's URL."""
        env = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "LANG": "C.UTF-8",
               "GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "ada@example.org",
               "GIT_COMMITTER_NAME": "Ada", "GIT_COMMITTER_EMAIL": "ada@example.org",
               "GIT_TERMINAL_PROMPT": "0", "TZ": "UTC", **rewritten(PLAIN, self.bare, TOKEN, APP_TOKEN)}
        for name in ("npm_config_registry", "NPM_CONFIG_REGISTRY", "npm_config_cache"):
            if name in os.environ:
                env[name] = os.environ[name]
        return {**env, **more}

    def git(self, *args: str, cwd=None) -> str:
        done = subprocess.run(["git", *args], cwd=cwd or self.work, env=self.env(), check=False,
                              capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"git {' '.join(args)}: {done.stderr}")
        return done.stdout.strip()

    def commit(self, message: str, branch: str = "") -> str:
        """One commit on the developer's branch, not yet pushed."""
        if branch:
            self.git("checkout", "--quiet", branch)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")

    def push(self, *messages: str, branch: str = "main") -> str:
        """Commits MESSAGES on top of what the remote has and pushes them; what CI leaves follows."""
        self.git("checkout", "--quiet", branch)
        self.git("pull", "--quiet", "--rebase", "--tags", "--force", "origin", branch)
        for message in messages:
            head = self.commit(message)
        self.git("push", "--quiet", "origin", branch)
        self.ci(head, branch)
        return head

    def remote(self, ref: str = "main") -> str:
        """What REF is on the remote; empty when it is not there."""
        try:
            return self.git("rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}", cwd=self.bare)
        except RuntimeError:
            return ""

    def tags(self) -> list:
        return self.git("tag", "--list", "v*", "--sort=v:refname", cwd=self.bare).split()

    def file(self, path: str, ref: str = "main") -> str:
        return self.git("show", f"{ref}:{path}", cwd=self.bare) + "\n"

    # What CI and the assets job leave behind.

    def images(self) -> oci.Repository:
        return oci.Repository(self.image, TOKEN)

    def ci(self, commit: str, branch: str = "main") -> str:
        """The image of COMMIT, by its SHA (and `latest` on main), labelled as CI labels it."""
        version = self.next_version(commit)["version"]
        layout = self.folder / "layout" / commit
        digest = write_image(layout, version, commit)
        images = self.images()
        images.push_layout(layout)
        images.tag(digest, commit)
        if branch == "main":
            images.tag(digest, "latest")
        self.hub.checks[commit] = "success"
        return digest

    def next_version(self, commit: str) -> dict:
        clone = self.checkout(commit)
        done = subprocess.run(["scripts/release/next-version", "--json"], cwd=clone, check=True,
                              env=self.env(), capture_output=True, text=True)
        shutil.rmtree(clone)
        return json.loads(done.stdout)

    # The workflow.

    def checkout(self, commit: str) -> Path:
        """A fresh checkout, detached, with all of the history: as actions/checkout leaves it."""
        self.runs += 1
        clone = self.folder / f"run-{self.runs}"
        self.git("clone", "--quiet", "--no-checkout", str(self.bare), str(clone), cwd=self.folder)
        self.git("remote", "set-url", "origin", PLAIN, cwd=clone)
        self.git("checkout", "--quiet", "--detach", commit, cwd=clone)
        (clone / "scripts" / "release" / "node_modules").symlink_to(
            SOURCE / "scripts" / "release" / "node_modules")
        return clone

    def release(self, commit: str, branch: str = "main", meant: str = "", dry_run: bool = False,
                promote: bool = True, clone=None, app: bool = True) -> Run:
        """release.yml's jobs for a CI run of COMMIT, in order; stops where a job fails. APP: with an App's token."""
        clone = clone or self.checkout(commit)
        version = self.next_version(commit)
        if version["type"]:
            shutil.rmtree(clone / "build", ignore_errors=True)
            write_assets(clone / "build/assets", version["version"], commit)
            self.hub.attested |= {f"sha256:{line.split()[0]}" for line in
                                  (clone / "build/assets/SHA256SUMS").read_text().splitlines()}
        token = APP_TOKEN if app else TOKEN
        done = self._run(clone, ["scripts/release/release"], BRANCH=branch, MAY_PUSH_TO_BRANCH=str(app).lower(),
                         RELEASE_SHA=meant or commit, DRY_RUN=str(dry_run).lower(),
                         GITHUB_SHA=commit, GITHUB_REF="refs/heads/main", GITHUB_TOKEN=token)
        if done.status == 0 and done.tag and promote:
            promoted = self._reconcile(clone, done.tag, "--assets", "build/assets", GITHUB_TOKEN=token)
            done.status, done.said = promoted.status, done.said + promoted.said
        return done

    def reconcile(self, *tag: str, app: bool = True) -> tuple:
        """The repair job, with an App's token; (Run, what it made)."""
        clone = self.checkout(self.remote("main"))
        self._fake_build(clone)
        report = clone / "report.json"
        done = self._reconcile(clone, *tag, "--rebuild-assets", "--json", str(report),
                               GITHUB_TOKEN=APP_TOKEN if app else TOKEN)
        made = [f"{row['tag']} {row['what']}" for row in json.loads(report.read_text())["log"]
                if row["changed"]] if report.is_file() else []
        return done, made

    def _fake_build(self, clone: Path) -> None:
        """Building C++ is not what this test is about: the same small files as write_assets."""
        self.git("config", "core.hooksPath", str(self.folder / "hooks"), cwd=clone)
        hooks = self.folder / "hooks"
        hooks.mkdir(exist_ok=True)
        hook = hooks / "post-checkout"
        hook.write_text(f"#!/bin/sh\nln -sf {Path(__file__).with_name('fake_assets')} "
                        "scripts/release/assets\n")
        hook.chmod(0o755)

    def _reconcile(self, clone: Path, *args: str, **more) -> Run:
        return self._run(clone, ["scripts/release/reconcile", *args], **more)

    def _run(self, clone: Path, argv: list, **more) -> Run:
        outputs = clone.parent / f"{clone.name}.outputs"
        outputs.write_text("")
        env = self.env(
            GITHUB_ACTIONS="true", GITHUB_ACTION="__run", GITHUB_OUTPUT=str(outputs),
            GITHUB_STEP_SUMMARY=str(clone.parent / f"{clone.name}.summary"), CI="true",
            GITHUB_REPOSITORY="acme/conn", GITHUB_REPOSITORY_OWNER="acme",
            GITHUB_SERVER_URL="https://github.com", GITHUB_API_URL=self.hub.url,
            GITHUB_EVENT_NAME="workflow_run", GITHUB_RUN_ID="1", GITHUB_WORKSPACE=str(clone),
            **{"GITHUB_TOKEN": TOKEN, "REGISTRY_TOKEN": TOKEN, "ATTESTATIONS_TOKEN": TOKEN,
               "SLIPWAY_IMAGE": self.image, **more})
        self.running = subprocess.Popen(argv, cwd=clone, env=env, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                        start_new_session=True)
        self.group_file.write_text(str(self.running.pid))
        said, _ = self.running.communicate(timeout=120)
        status = self.running.returncode
        self.running = None
        lines = [line.split("=", 1) for line in outputs.read_text().splitlines() if "=" in line]
        return Run(status, dict(lines), said)

    def kill(self) -> None:
        """SIGKILL to the whole process group of the command that runs now."""
        os.killpg(self.running.pid, signal.SIGKILL)
