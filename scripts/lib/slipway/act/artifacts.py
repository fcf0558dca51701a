"""Small artifacts in place of those that take minutes to build."""

import hashlib
import json
from pathlib import Path

from ..ci import oci


def write_image(layout: Path, version: str, revision: str, architecture: str = "amd64") -> str:
    """An OCI layout of one image without layers, labelled as CI labels it; returns its digest."""
    blobs = layout / "blobs" / "sha256"
    blobs.mkdir(parents=True, exist_ok=True)

    def put(document: dict, media_type: str) -> dict:
        data = json.dumps(document).encode()
        digest = oci.sha256(data)
        (blobs / digest[7:]).write_bytes(data)
        return {"mediaType": media_type, "digest": digest, "size": len(data)}

    config = put({"architecture": architecture, "os": "linux",
                  "rootfs": {"type": "layers", "diff_ids": []},
                  "config": {"Labels": {"org.opencontainers.image.version": version,
                                        "org.opencontainers.image.revision": revision}}}, oci.CONFIG)
    manifest = put({"schemaVersion": 2, "mediaType": oci.MANIFEST, "config": config, "layers": []},
                   oci.MANIFEST)
    (layout / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [manifest]}))
    return manifest["digest"]


def write_assets(folder: Path, version: str, commit: str, machines: tuple = ("aarch64", "x86_64")) -> None:
    """As scripts/release/assets leaves them, with small contents that depend on the commit."""
    folder.mkdir(parents=True)
    files = {}
    for machine in machines:
        name = f"slipway-tools-{version}-linux-{machine}"
        package = f"slipway-tools_{version}_{'amd64' if machine == 'x86_64' else 'arm64'}.deb"
        files |= {f"{name}.tar.gz": f"tarball of {commit} for {machine}\n", f"{name}.cdx.json": "{}\n",
                  f"{name}.buildinfo": "Format: 1.0\n",
                  package: f"package of {commit} for {machine}\n"}
    for name, text in files.items():
        (folder / name).write_text(text)
    (folder / "SHA256SUMS").write_text("".join(
        f"{hashlib.sha256(text.encode()).hexdigest()}  {name}\n" for name, text in files.items()))
    (folder / "benchmark-results.json").write_text(
        json.dumps({"passed": True, "tps": 10000, "commitSha": commit}))
