"""Versions of the service: real commits in a scratch clone, each built into an image by its SHA."""

import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from ..lab import Engine, LabError, Registry
from .description import LABEL, Description

REVISION = "org.opencontainers.image.revision"
VERSION = "org.opencontainers.image.version"


@dataclass
class Version:
    name: str
    sha: str
    version: str
    digest: str = ""

    @property
    def short(self) -> str:
        return f"{self.name} ({self.version}, {self.sha[:12]}, {self.digest[7:19]})"


def sow(seed: Path, folder: Path) -> None:
    """Puts the seed of the compiler cache, if there is one, where the Dockerfile looks for it."""
    if seed.is_dir():
        shutil.copytree(seed, folder / ".ccache-seed", dirs_exist_ok=True)


def push(version: Version, description: Description, engine: Engine, registry: Registry) -> None:
    """To REGISTRY, from ENGINE, where it is by the commit's name; notes its digest."""
    reference = registry.reference(description.name, version.sha)
    engine.docker("push", "--quiet", reference)
    version.digest = registry.digest(description.name, version.sha) or ""
    if not version.digest:
        raise LabError(f"{reference}: pushed, but the registry does not know it")


def build_from(engine: Engine, base: str, lines: list[str], files: dict[str, Path], reference: str) -> None:
    """The image BASE, which ENGINE has, with further LINES of a Dockerfile, as REFERENCE."""
    with tempfile.TemporaryDirectory() as folder:
        for name, file in files.items():
            shutil.copy(file, Path(folder) / name)
        (Path(folder) / "Dockerfile").write_text("\n".join([f"FROM {base}", *lines]) + "\n")
        engine.docker("buildx", "build", "--load", "--quiet", "--tag", reference, folder)


class Source:
    """A clone of the checkout's HEAD, in which the rehearsal may commit what it likes."""

    def __init__(self, checkout: Path, folder: Path, seed: Path | None = None):
        """SEED: of a compiler cache, for the Dockerfile; need not be there yet, or ever."""
        self.folder = folder
        self.seed = seed
        shutil.rmtree(folder, ignore_errors=True)
        folder.parent.mkdir(parents=True, exist_ok=True)
        self._run("git", "clone", "--quiet", "--no-hardlinks", str(checkout), str(folder),
                  cwd=checkout)
        self._git("checkout", "--quiet", "-B", "main")

    def head(self, name: str) -> Version:
        file = self.folder / "VERSION"
        return Version(name, self._git("rev-parse", "HEAD"), file.read_text().strip() if file.exists() else "0.0.0")

    def commit(self, name: str, subject: str,
               edits: dict[str, tuple[str, str]] | None = None) -> Version:
        """Commits the next version, whose number is a patch higher where the file VERSION has X.Y.Z; EDITS:
        path -> (regular expression, what replaces it)."""
        version = self.folder / "VERSION"
        if version.exists() and re.fullmatch(r"\d+\.\d+\.\d+", version.read_text().strip()):
            major, minor, patch = version.read_text().strip().split(".")
            version.write_text(f"{major}.{minor}.{int(patch) + 1}\n")
        for path, (old, new) in (edits or {}).items():
            self._edit(self.folder / path, old, new)
        self._git("commit", "--quiet", "--all", "--no-verify", "--allow-empty", "-m", subject)
        return self.head(name)

    def build(self, version: Version, description: Description, label: str, engine: Engine, registry: Registry,
              build_arguments: dict[str, str]) -> None:
        """Builds the image of the commit that is checked out, pushes it, notes its digest. LABEL: slipway.yml
        as the image carries it."""
        if self.seed:
            sow(self.seed, self.folder)
        reference = registry.reference(description.name, version.sha)
        labels = {REVISION: version.sha, VERSION: version.version, LABEL: label}
        self._buildx(engine, build_arguments | {"REVISION": version.sha, "VERSION": version.version},
                     *(f"--label={name}={value}" for name, value in labels.items()),
                     "--load", "--tag", reference)
        push(version, description, engine, registry)

    def prepare(self, engine: Engine, build_arguments: dict[str, str]) -> None:
        """The stages of the Dockerfile that hold packages only."""
        for stage in ("toolchain", "runtime"):
            self._buildx(engine, build_arguments, "--output=type=cacheonly", f"--target={stage}")

    def _buildx(self, engine: Engine, arguments: dict[str, str], *flags: str) -> None:
        values = [f"--build-arg={name}={value}" for name, value in arguments.items()
                  if name != "HAPROXY_IMAGE"]
        engine.docker("buildx", "build", "--network=host", "--progress=plain", *values, *flags,
                      str(self.folder))

    def _edit(self, path: Path, old: str, new: str) -> None:
        text = path.read_text()
        if not re.search(old, text):
            raise LabError(f"{path.name}: nothing matches {old!r}; the bad release it is to become "
                           "must be written anew")
        path.write_text(re.sub(old, new, text, count=1))

    def _git(self, *arguments: str) -> str:
        return self._run("git", "-c", "user.name=rehearsal",
                         "-c", "user.email=rehearsal@slipway.invalid", *arguments)

    def _run(self, *argv: str, cwd: Path | None = None) -> str:
        done = subprocess.run(argv, cwd=cwd or self.folder, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise LabError(f"{' '.join(argv)}: exit {done.returncode}: {done.stderr.strip()}")
        return done.stdout.strip()
