"""Runs a shipped workflow, unchanged, with act on this machine: `run(...)` returns each job's result,
the summaries and the log. Third-party actions are replaced by the stand-ins beside this file; an action
without one makes act try the network and fail loudly.

What act does not do and GitHub does: permissions, concurrency, approvals, environment secrets,
OIDC, job timeouts, branch and type filters. The policy test and the model of GitHub's scheduler hold the files
to those.
"""

import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from .. import paths
from .strip import strip

HERE = Path(__file__).resolve().parent
STANDINS = HERE / "standins"
# Takes the place of a script that takes minutes.
QUICK_SCRIPT = HERE / "quick_script"
# owner/repository -> folder of its stand-in; the reference is read from the workflows.
FOLDERS = {
    "actions/checkout": "checkout", "actions/cache": "cache",
    "actions/upload-artifact": "upload-artifact", "actions/download-artifact": "download-artifact",
    "actions/attest": "attest", "actions/dependency-review-action": "dependency-review-action",
    "github/codeql-action": "codeql-action", "aquasecurity/trivy-action": "trivy-action",
    "snyk/actions": "snyk-actions", "actions/create-github-app-token": "create-github-app-token",
}


@dataclass
class Result:
    status: int
    jobs: dict = field(default_factory=dict)       # job -> success, failure or skipped
    seconds: dict = field(default_factory=dict)    # job -> wall-clock seconds
    summaries: dict = field(default_factory=dict)  # job -> Markdown
    log: str = ""


@dataclass
class Act:
    """Where workflows run: a clone (its remote must be https://github.com/OWNER/NAME.git), and a
    folder that holds what lasts from run to run (artifacts, attestations, calls)."""
    clone: Path
    state: Path
    env: dict = field(default_factory=dict)      # for every step
    secrets: dict = field(default_factory=dict)
    variables: dict = field(default_factory=dict)
    path: str = ""                               # searched before the system's PATH
    actions: dict = field(default_factory=dict)  # owner/repository@reference -> a folder with its checkout

    def run(self, workflow: str, event: str, payload: dict, sha: str, ref: str = "refs/heads/main",
            job: str = "", concurrent: int = 2, on_line=None, matrix: dict | None = None) -> Result:
        """WORKFLOW is ci, cd or release. ON_LINE(record, process) sees every line as it comes.
        JOB runs it and what it needs only; MATRIX only those legs of it."""
        self.state.mkdir(parents=True, exist_ok=True)
        scratch = self.state / f"act-{workflow}"
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir()
        files = {"event.json": json.dumps(payload), "empty": "",
                 "secrets": dotenv(self.secrets), "vars": dotenv(self.variables)}
        for name, text in files.items():
            (scratch / name).write_text(text)
        os.chmod(scratch / "secrets", 0o600)
        settings = {"STANDINS": STANDINS, "STANDIN_STATE": self.state,
                    "STANDIN_PACKAGES": paths.PACKAGES,
                    "STANDIN_WORKFLOW": f".github/workflows/{workflow}.yml",
                    "GITHUB_SHA": sha, "SHA_REF": sha, "GITHUB_REF": ref,
                    "GITHUB_REF_NAME": ref.split("/", 2)[-1], **self.env}
        shipped = self.clone / ".github/workflows" / f"{workflow}.yml"
        readable, stripped = strip(shipped.read_text(encoding="utf-8"))
        if stripped:
            shipped = scratch / shipped.name
            shipped.write_text(readable)
        argv = ["act", event, "--workflows", str(shipped),
                "--eventpath", str(scratch / "event.json"), "--platform",
                "ubuntu-24.04=-self-hosted",
                # No such machine here: what a job makes for arm64 there is made by a stand-in, or cross-compiled.
                "--platform", "ubuntu-24.04-arm=-self-hosted", "--action-offline-mode", "--pull=false", "--json",
                "--concurrent-jobs", str(concurrent), "--no-cache-server",
                "--secret-file", str(scratch / "secrets"), "--var-file", str(scratch / "vars"),
                "--env-file", str(scratch / "empty"), "--input-file", str(scratch / "empty"),
                "--action-cache-path", str(scratch / "actions")]
        argv += ["--job", job] if job else []
        for name, value in (matrix or {}).items():
            argv += ["--matrix", f"{name}:{value}"]
        for name, value in settings.items():
            argv += ["--env", f"{name}={value}"]
        for action, reference in sorted(self._pins()):
            argv += ["--local-repository", f"{action}@{reference}={STANDINS / FOLDERS[action]}"]
        for action, folder in self.actions.items():
            argv += ["--local-repository", f"{action}={folder}"]
        result = self._follow(argv, scratch, on_line)
        result.log = "".join(f"stripped for act: {line}\n" for line in stripped) + result.log
        return result

    def _pins(self) -> set:
        """(owner/repository, reference) of every action that has a stand-in."""
        found = set()
        places = {self.clone, *map(Path, self.actions.values())}
        for file in (file for place in places for file in (place / ".github").rglob("*.yml")):
            for _, step in document(file).steps():
                action, _, reference = step.get("uses", "").partition("@")
                found.add(("/".join(action.split("/")[:2]), reference))
        return {(action, reference) for action, reference in found if action in FOLDERS}

    def _job_names(self, argv: list) -> list:
        if "--job" in argv:
            return []
        return list(document(self.clone / argv[argv.index("--workflows") + 1]).jobs)

    def _follow(self, argv: list, scratch: Path, on_line) -> Result:
        path = ":".join(filter(None, (str(STANDINS / "bin"), self.path, os.environ["PATH"])))
        home = scratch / "home"
        home.mkdir()
        process = subprocess.Popen(
            argv, cwd=self.clone, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
            stderr=subprocess.STDOUT, start_new_session=True,
            env={"PATH": path, "HOME": str(home), "LANG": "C.UTF-8", **passed_on()})
        result, began = Result(0), {}
        lines = []
        for line in process.stdout:
            try:
                record = json.loads(line)
            except ValueError:
                record = {"msg": line.rstrip("\n")}
            job = record.get("jobID", "")
            lines.append(f"[{job}] {record.get('msg', '')}".rstrip())
            if on_line:
                on_line(record, process)
            if record.get("command") == "summary":
                result.summaries[job] = result.summaries.get(job, "") + record.get("content", "")
            if job:
                began.setdefault(record.get("job", job), record.get("time"))
            if record.get("jobResult"):
                worse = {"success": 0, "skipped": 1, "cancelled": 2, "failure": 3}
                old = result.jobs.get(job)
                new = record["jobResult"]
                if old is None or worse.get(new, 3) > worse.get(old, 3):
                    result.jobs[job] = new
                start = began.get(record.get("job", job))
                result.seconds[job] = max(result.seconds.get(job, 0),
                                          seconds_between(start, record.get("time")))
        result.status = process.wait()
        for job in self._job_names(argv):
            result.jobs.setdefault(job, "skipped")  # act does not mention them
        result.log = "\n".join(lines)
        return result


def document(file: Path):
    # Its PyYAML is installed only where workflows are run.
    from ..policy.documents import Document  # noqa: PLC0415
    return Document(file)


def passed_on() -> dict:
    """Package clients' own settings, which name no secret; everything else stays outside."""
    names = ("npm_config_registry", "NPM_CONFIG_REGISTRY", "GOPROXY", "GOFLAGS", "PIP_INDEX_URL",
             "DOCKER_HOST", "SLIPWAY_CACHE")
    return {name: os.environ[name] for name in names if name in os.environ}


def dotenv(values: dict) -> str:
    """act's dotenv files take a quoted value with \\n for its line ends."""
    return "".join(f"{name}={json.dumps(str(value))}\n" for name, value in values.items())


def seconds_between(start, end) -> float:
    def parse(text: str) -> datetime:
        # Of act's nine digits of a second, Python 3.10 takes six, and no Z.
        return datetime.fromisoformat(re.sub(r"(\.\d{1,6})\d*", r"\1", text).replace("Z", "+00:00"))

    return (parse(end) - parse(start)).total_seconds() if start and end else 0.0
