"""Outputs, summaries and errors of the Python scripts that the workflows call.

Outside a workflow they go to stderr, so that every script runs by hand too.
"""

import os
import sys
from pathlib import Path


def _append(variable: str, text: str) -> None:
    name = os.environ.get(variable)
    if not name:
        sys.stderr.write(text)
        return
    with open(name, "a", encoding="utf-8") as file:
        file.write(text)


def output(name: str, value: str) -> None:
    if "\n" in value:
        raise ValueError(f"output {name}: a value of one line, not {value!r}")
    _append("GITHUB_OUTPUT", f"{name}={value}\n")


def summary(markdown: str) -> None:
    _append("GITHUB_STEP_SUMMARY", markdown.rstrip("\n") + "\n\n")


def table(head, rows) -> str:
    cells = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(c).replace("|", "\\|") for c in row) + " |"
                     for row in cells)


def fail(message: str, status: int = 1) -> int:
    """Says why on stderr and as an annotation of the run; returns the exit status."""
    sys.stderr.write(f"{Path(sys.argv[0]).name}: error: {message}\n")
    if os.environ.get("GITHUB_ACTIONS"):
        first = message.replace("%", "%25").replace("\n", "%0A")
        sys.stdout.write(f"::error::{first}\n")
    return status
