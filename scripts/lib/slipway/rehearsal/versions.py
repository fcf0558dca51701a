"""Versions of the service: real commits in a scratch clone, each built into an image by its SHA."""

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from ..ci.oci import SERVICE
from ..lab import Engine, LabError, Registry


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


class Source:
    """A clone of the checkout's HEAD, in which the rehearsal may commit what it likes."""

    def __init__(self, checkout: Path, folder: Path, seed: Path):
        """SEED: of the compiler cache, for the Dockerfile; need not be there yet, or ever."""
        self.folder = folder
        self.seed = seed
        shutil.rmtree(folder, ignore_errors=True)
        folder.parent.mkdir(parents=True, exist_ok=True)
        self._run("git", "clone", "--quiet", "--no-hardlinks", str(checkout), str(folder),
                  cwd=checkout)
        self._git("checkout", "--quiet", "-B", "main")

    def head(self, name: str) -> Version:
        return Version(name, self._git("rev-parse", "HEAD"),
                       (self.folder / "VERSION").read_text().strip())

    def commit(self, name: str, subject: str,
               edits: dict[str, tuple[str, str]] | None = None) -> Version:
        """Commits a new patch version; EDITS: path -> (regular expression, what replaces it)."""
        version = self.folder / "VERSION"
        major, minor, patch = version.read_text().strip().split(".")
        version.write_text(f"{major}.{minor}.{int(patch) + 1}\n")
        for path, (old, new) in (edits or {}).items():
            self._edit(self.folder / path, old, new)
        self._git("commit", "--quiet", "--all", "--no-verify", "-m", subject)
        return self.head(name)

    def back_to(self, version: Version) -> None:
        self._git("reset", "--quiet", "--hard", version.sha)

    def build(self, version: Version, engine: Engine, registry: Registry,
              build_arguments: dict[str, str]) -> None:
        """Builds the image of the commit that is checked out, pushes it, notes its digest."""
        reference = registry.reference(SERVICE, version.sha)
        sow(self.seed, self.folder)
        self._buildx(engine, build_arguments | {"REVISION": version.sha, "VERSION": version.version},
                     "--load", "--tag", reference)
        engine.docker("push", "--quiet", reference)
        version.digest = registry.digest(SERVICE, version.sha) or ""
        if not version.digest:
            raise LabError(f"{reference}: pushed, but the registry does not know it")

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
