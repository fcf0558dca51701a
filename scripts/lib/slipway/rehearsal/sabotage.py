"""Bad releases of any service: derived from a good image, each failing as services really do. No source code is
edited and nothing is compiled."""

import hashlib
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from ..lab import Engine
from .description import Description
from .versions import Version

REVISION = "org.opencontainers.image.revision"


@dataclass(frozen=True)
class Sabotage:
    name: str
    # The entry point's words, with {port}; none: only the label of its commit is wrong.
    command: tuple[str, ...] = ()


EXITS = Sabotage("exits at once", ("exits",))
UNHEALTHY = Sabotage("never healthy", ("unhealthy", "{port}"))
SLOW = Sabotage("hangs", ("slow", "{port}"))
LIES = Sabotage("lies about its version")


def sabotages(description: Description) -> tuple[Sabotage, ...]:
    """One that is proven by the engine's digest has nothing to lie about."""
    last = LIES if description.says_its_version else SLOW
    return (EXITS, UNHEALTHY, last)


def derive(engine: Engine, good: str, sabotage: Sabotage, port: int, saboteur: Path, reference: str) -> Version:
    """Builds on ENGINE, from the image GOOD, the bad one that REFERENCE is to name."""
    sha = hashlib.sha1(f"{good} {sabotage.name}".encode(), usedforsecurity=False).hexdigest()
    lines = [f"FROM {good}", f'LABEL {REVISION}="{sha}"']
    with tempfile.TemporaryDirectory() as folder:
        if sabotage.command:
            shutil.copy(saboteur, Path(folder) / "saboteur")
            words = ", ".join(f'"{word.format(port=port)}"' for word in sabotage.command)
            lines += ["COPY --chmod=0755 saboteur /slipway-saboteur",
                      f'ENTRYPOINT ["/slipway-saboteur", {words}]', "CMD []"]
        (Path(folder) / "Dockerfile").write_text("\n".join(lines) + "\n")
        engine.docker("buildx", "build", "--load", "--quiet", "--tag", reference, folder)
    return Version(sabotage.name, sha, "0.0.0")
