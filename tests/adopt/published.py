"""Slipway as GitHub fetches it for a job that uses one of its actions."""

import shutil
from pathlib import Path

from slipway.paths import REPOSITORY


def fetched(folder: Path) -> Path:
    """What the actions call, and no more: act copies it for every step."""
    for name in (".github/actions", "scripts"):
        shutil.copytree(REPOSITORY / name, folder / name, ignore=shutil.ignore_patterns(
            "node_modules", "__pycache__", ".install*"))
    shutil.copy(REPOSITORY / "VERSION", folder)
    return folder
