"""Bad releases of any service: derived from a good image, each failing as services really do. No source code is
edited and nothing is compiled."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..lab import Engine
from .description import Description
from .versions import REVISION, Version, build_from


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


def derive(engine: Engine, good: str, sabotage: Sabotage, port: int, saboteur: Path,
           reference: Callable[[Version], str]) -> Version:
    """Builds on ENGINE, from the image GOOD, the bad version that REFERENCE names. SABOTEUR: the executable that
    stands in for the service."""
    sha = hashlib.sha1(f"{good} {sabotage.name}".encode(), usedforsecurity=False).hexdigest()
    version = Version(sabotage.name, sha, "0.0.0")
    lines, files = [f"LABEL {REVISION}={sha}"], {}
    if sabotage.command:
        files = {"saboteur": saboteur}
        words = ", ".join(f'"{word.format(port=port)}"' for word in sabotage.command)
        lines += ["COPY --chmod=0755 saboteur /slipway-saboteur",
                  f'ENTRYPOINT ["/slipway-saboteur", {words}]', "CMD []"]
    build_from(engine, good, lines, files, reference(version))
    return version
