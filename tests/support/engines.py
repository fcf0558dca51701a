"""Engines of a test's own: images that need no registry and no base, and nothing left of either."""

import io
import re
import shutil
import subprocess
import tarfile
from pathlib import Path

from slipway import paths
from slipway.lab import Cluster, Engine, Host, Registry
from support.processes import all_that_have

CONNECTOR_CHANGES = ['ENTRYPOINT ["/usr/local/bin/connector"]', "ENV PATH=/usr/local/bin"]


def connector_files(program: Path) -> dict:
    """The connector and the libraries that it needs, for import_image."""
    listed = subprocess.run(["ldd", program], capture_output=True, text=True, check=True)
    libraries = re.findall(r"(/\S+)", listed.stdout)
    return {"usr/local/bin/connector": program, "var/lib/connector": None, **{name[1:]: name for name in libraries}}


def connector_revision(program: Path) -> str:
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    return re.search(r"\((.*)\)", said).group(1)


def version_labels(tag: str, revision: str) -> list[str]:
    """Of an image, for import_image."""
    return [f"LABEL org.opencontainers.image.{name}={value}"
            for name, value in {"version": tag.lstrip("v"), "revision": revision}.items()]


def import_image(engine: Engine, reference: str, files: dict, changes: list) -> None:
    """An image of FILES (name inside -> path; None: a folder of its own) for the user 10001, with further CHANGES."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", dereference=True) as tar:
        for name, source in files.items():
            if source is not None:
                tar.add(source, name)
                continue
            folder = tarfile.TarInfo(name)
            folder.type, folder.mode, folder.uid, folder.gid = tarfile.DIRTYPE, 0o700, 10001, 10001
            tar.addfile(folder)
    flags = [part for change in [*changes, "USER 10001"] for part in ("--change", change)]
    subprocess.run(["docker", "import", *flags, "-", reference], input=stream.getvalue(),
                   env=engine.env, check=True, capture_output=True)


def processes_of(container: str) -> list[int]:
    """What runs in a container, by its number in this namespace."""
    return [pid for pid, groups in all_that_have("cgroup") if container.encode() in groups]


def discard(capsule) -> None:
    capsule.stop()
    shutil.rmtree(capsule.home, ignore_errors=True)


def sweep(name: str) -> None:
    """Removes what runs of this name left that were killed."""
    kinds = {kind.kind: kind for kind in (Cluster, Engine, Host, Registry)}
    for home in (paths.cache() / "lab").glob(f"*-{name}-*"):
        kind, _, rest = home.name.partition("-")
        pid = rest.rpartition("-")[2]
        if kind in kinds and pid.isdigit() and not Path(f"/proc/{pid}").exists():
            discard(kinds[kind](rest))
