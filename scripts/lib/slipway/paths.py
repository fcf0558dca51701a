"""Where things are: the checkout, and what the lab keeps between runs.

One place per machine, not per checkout: a base image made for one checkout serves the next. The
path is short, because a Unix socket's path holds at most 107 bytes.
"""

import os
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[3]
PACKAGES = REPOSITORY / "scripts" / "lib"


def cache() -> Path:
    return Path(os.environ.get("SLIPWAY_CACHE", "/var/cache/slipway"))


def lab(name: str) -> Path:
    return cache() / "lab" / name


def image_cache() -> Path:
    return cache() / "images"
