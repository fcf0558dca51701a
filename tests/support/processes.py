"""The processes of this machine, some of which end while one looks."""

import contextlib
from collections.abc import Iterator
from pathlib import Path


def all_that_have(name: str, root: Path = Path("/proc")) -> Iterator[tuple[int, bytes]]:
    """Each process's number, and what its file NAME of proc(5) holds ("cmdline", "cgroup", "environ")."""
    for folder in root.glob("[0-9]*"):
        with contextlib.suppress(OSError):
            yield int(folder.name), (folder / name).read_bytes()
