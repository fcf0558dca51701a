"""One image of several architectures: an OCI index of the images that a machine of each built."""

import json
import shutil
from pathlib import Path

from . import oci


def join(layouts: list[Path], into: Path, expected: list[str]) -> str:
    """The images in LAYOUTS, which must be those of the digests EXPECTED, as one index in the layout INTO; returns its
    digest. The same images give the same one, in whatever order they are named."""
    shutil.rmtree(into, ignore_errors=True)
    blobs = into / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    children, labels = {}, {}
    for layout in layouts:
        (entry,) = json.loads((layout / "index.json").read_text())["manifests"]
        manifest = json.loads(oci.read_blob(layout, entry["digest"]))
        config = json.loads(oci.read_blob(layout, manifest["config"]["digest"]))
        architecture = config["architecture"]
        if architecture in children:
            raise oci.OciError(f"{layout}: a second image for {architecture}; was it built on such a machine?")
        children[architecture] = {**{key: entry[key] for key in ("mediaType", "digest", "size")},
                                  "platform": {"architecture": architecture, "os": config["os"]}}
        labels[layout] = config.get("config", {}).get("Labels") or {}
        shutil.copytree(layout / "blobs" / "sha256", blobs, dirs_exist_ok=True)
    if len({json.dumps(said, sort_keys=True) for said in labels.values()}) != 1:
        raise oci.OciError(f"the images say different things of themselves: {labels}")
    found = sorted(child["digest"] for child in children.values())
    if found != sorted(expected):
        raise oci.OciError(f"the images are {found}, but what was scanned and judged is {sorted(expected)}")
    data = json.dumps({"schemaVersion": 2, "mediaType": oci.INDEX,
                       "manifests": [children[name] for name in sorted(children)]}, sort_keys=True).encode()
    digest = oci.sha256(data)
    (blobs / digest[7:]).write_bytes(data)
    (into / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
    (into / "index.json").write_text(json.dumps({"schemaVersion": 2, "mediaType": oci.INDEX, "manifests": [
        {"mediaType": oci.INDEX, "digest": digest, "size": len(data)}]}))
    return digest
