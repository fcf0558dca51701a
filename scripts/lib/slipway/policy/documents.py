"""The workflows as they are written: parsed, and line by line, since YAML drops the comments."""

import re
from pathlib import Path

import yaml

# How a published action calls a script of Slipway: from wherever it was fetched to. `./` is its caller's workspace.
FETCHED = re.compile(r'^"\$GITHUB_ACTION_PATH/\.\./\.\./\.\./(scripts/[\w./-]+)"')
USES = re.compile(r"^\s*(?:- )?uses: (\S+?)(?:@(\S+))?(?:\s+#\s*(.*))?$")


class Document:
    def __init__(self, path: Path):
        self.path = path
        self.text = path.read_text(encoding="utf-8")
        self.lines = self.text.splitlines()
        self.data = yaml.safe_load(self.text)
        # YAML 1.1 reads the key `on` as true.
        self.on = self.data.get(True, self.data.get("on"))

    @property
    def name(self) -> str:
        return self.path.stem if self.path.stem != "action" else f"actions/{self.path.parent.name}"

    @property
    def jobs(self) -> dict:
        return self.data.get("jobs", {})

    def steps(self):
        """(job name, step) of every step."""
        for job, body in self.jobs.items():
            for step in body.get("steps", []):
                yield job, step
        for step in self.data.get("runs", {}).get("steps", []):
            yield "runs", step

    def uses(self):
        """(line number, action, reference, comment) of every `uses:`."""
        for number, line in enumerate(self.lines, 1):
            match = USES.match(line)
            if match:
                yield (number, *match.groups())


def needs(job: dict) -> list:
    value = job.get("needs", [])
    return [value] if isinstance(value, str) else value


def uses(step: dict, action: str) -> bool:
    """Does STEP use ACTION (owner/name or owner/name/part), at whatever commit?"""
    return step.get("uses", "").partition("@")[0] == action


def ours(step: dict, name: str) -> bool:
    """Does STEP use our action NAME, from here or as others do?"""
    return bool(re.fullmatch(rf"(\.|OWNER/slipway)/\.github/actions/{name}(@.*)?", step.get("uses", "")))


def command(step: dict) -> str:
    """What STEP runs, by the name that it has in Slipway's own checkout."""
    return FETCHED.sub(r"\1", step.get("run", "").strip())


def runs(step: dict, script: str) -> bool:
    return command(step).split()[:len(script.split())] == script.split()


class Repository:
    def __init__(self, root: Path):
        self.root = root
        folder = root / ".github" / "workflows"
        self.workflows = {p.stem: Document(p) for p in sorted(folder.glob("*.y*ml"))}
        self.actions = [Document(p) for p in
                        sorted((root / ".github" / "actions").glob("*/action.y*ml"))]
        # What `slipway init` writes into a service's repository.
        self.templates = [Document(p) for p in sorted((root / "tools" / "slipway" / "workflows").glob("*.yml"))]
        self.ci, self.cd, self.release = (self.workflows[n] for n in ("ci", "cd", "release"))

    @property
    def published(self) -> list:
        """The actions that other repositories use; `prepare` is our own workflows'."""
        return [a for a in self.actions if a.path.parent.name != "prepare"]

    @property
    def documents(self) -> list:
        return [*self.workflows.values(), *self.actions]

    def text(self, path: str) -> str:
        return (self.root / path).read_text(encoding="utf-8")

    def scripts(self) -> list:
        """Every program under scripts/ that has a #! line."""
        found = []
        for path in sorted((self.root / "scripts").rglob("*")):
            if "node_modules" in path.parts or not path.is_file():
                continue
            if path.read_bytes()[:2] == b"#!":
                found.append(path)
        return found
