"""A tree of workflows: parsed, and what of the scripts they call decides about deployments.

OURS is this repository's; BEFORE the one of fe8a58b, kept as data because a clone may not have that commit."""

from dataclasses import dataclass
from pathlib import Path

from slipway.paths import REPOSITORY
from slipway.policy.documents import Document, command

HERE = Path(__file__).resolve().parents[1]
# What a script must hold to do it; a tree whose script has it not does without.
SKILLS = {"asks who overtook": ("resolve", "overtaken_by("), "latest never goes back": ("publish", "is_overtaken")}


@dataclass
class Tree:
    name: str
    workflows: dict   # stem -> Document
    actions: dict     # name -> Document
    skills: set

    def commands(self, step: dict) -> list:
        """[(command, the step that runs it)] of STEP, those inside of a local action instead of it."""
        used = step.get("uses", "")
        if used.startswith("./.github/actions/"):
            action = self.actions[used.partition("@")[0].rpartition("/")[2]]
            return [(command(inner), inner) for _, inner in action.steps() if inner.get("run")]
        return [(command(step), step)] if step.get("run") else []


def read(name: str, github: Path, scripts: Path, suffix: str = "") -> Tree:
    texts = {script: (scripts / f"{script}{suffix}").read_text() for script, _ in SKILLS.values()}
    return Tree(name, {p.stem: Document(p) for p in sorted((github / "workflows").glob("*.yml"))},
                {p.parent.name: Document(p) for p in sorted((github / "actions").glob("*/action.yml"))},
                {skill for skill, (script, text) in SKILLS.items() if text in texts[script]})


def ours() -> Tree:
    return read("ours", REPOSITORY / ".github", REPOSITORY / "scripts/ci")


def before() -> Tree:
    return read("fe8a58b", HERE / "fe8a58b/github", HERE / "fe8a58b/scripts/ci", ".txt")
