"""The pins of our own workflows: Dependabot edits those files, and no test stands in its way."""

import re

from slipway.paths import REPOSITORY


def pin(action: str) -> str:
    """ACTION as our workflows use it: NAME@COMMIT # VERSION."""
    for file in sorted((REPOSITORY / ".github").glob("**/*.yml")):
        found = re.search(rf"uses: ({re.escape(action)}@[0-9a-f]{{40}} # v\S+)", file.read_text(encoding="utf-8"))
        if found:
            return found[1]
    raise LookupError(f"no workflow or action of ours uses {action}")


def commit_of(action: str) -> str:
    return pin(action).partition("@")[2].split()[0]


def pinned(workflow: str) -> str:
    """WORKFLOW with what we pin for each NAME@PINNED."""
    return re.sub(r"([\w./-]+)@PINNED", lambda found: pin(found[1]), workflow)
