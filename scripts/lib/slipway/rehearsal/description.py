"""slipway.yml as the executable `slipway` reads it: there is one reader."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from ..lab import LabError

LABEL = "io.slipway.service"


@dataclass(frozen=True)
class Description:
    """All of slipway.yml, defaults included."""
    document: dict

    @property
    def name(self) -> str:
        return self.document["service"]

    @property
    def image(self) -> str:
        """repository@sha256:... of a service whose image is built elsewhere, else a repository or nothing."""
        return self.document.get("image", "")

    @property
    def is_built_elsewhere(self) -> bool:
        return "@sha256:" in self.image

    @property
    def port(self) -> int:
        return self.document["port"]

    @property
    def health(self) -> str:
        return self.document["health"]

    @property
    def says_its_version(self) -> bool:
        return self.document["version"] == "releaseId"

    @property
    def secrets(self) -> list[str]:
        """Names of variables that a host has."""
        return self.document.get("secrets", [])

    @property
    def config(self) -> dict[str, str]:
        """Folders of a host's configuration by name: where they are mounted."""
        return self.document.get("config", {})

    @property
    def bake(self) -> dict:
        return self.document["bake"]

    @property
    def gate(self) -> dict:
        return self.document["gate"]

    def label(self, **changes: object) -> str:
        """The value of LABEL; CHANGES: keys with other values, at any depth."""
        return json.dumps(_merged(self.document, changes), separators=(",", ":"), sort_keys=True)


def _merged(document: dict, changes: dict) -> dict:
    return document | {key: _merged(document.get(key, {}), value) if isinstance(value, dict) else value
                       for key, value in changes.items()}


def read(slipway: Path, folder: Path) -> Description:
    """LabError with what the reader says of a wrong file."""
    done = subprocess.run([slipway, "check", "--json", "slipway.yml"], cwd=folder, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise LabError(done.stderr.strip())
    return Description(json.loads(done.stdout))
