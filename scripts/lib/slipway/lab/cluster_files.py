"""What a cluster is told by files: certificates, the administrator's kubeconfig, the pause image."""

import base64
import hashlib
import io
import json
import platform
import tarfile
from pathlib import Path

from .capsule import run
from .cluster_plan import FIRST_SERVICE, Plan, executables

DAYS = "30"
NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
PAUSE_IMAGE = "slipway.lab/pause:1"
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def make_certificates(folder: Path, plan: Plan) -> None:
    """In FOLDER: ca, apiserver and admin as .crt and .key, and sa.key and sa.pub for the tokens of service accounts."""
    folder.mkdir(mode=0o700, exist_ok=True)
    run("openssl", "req", "-x509", *NEW_KEY, "-keyout", str(folder / "ca.key"), "-out", str(folder / "ca.crt"),
        "-days", DAYS, "-subj", "/CN=slipway-lab")
    names = [f"IP:{address}" for address in (plan.api_server, FIRST_SERVICE, "127.0.0.1")]
    names += [f"DNS:kubernetes{tail}" for tail in ("", ".default", ".default.svc", ".default.svc.cluster.local")]
    _certificate(folder, "apiserver", "/CN=kube-apiserver", f"subjectAltName={','.join(names)}")
    # Whoever is in this group may do everything.
    _certificate(folder, "admin", "/O=system:masters/CN=admin", "extendedKeyUsage=clientAuth")
    run("openssl", "ecparam", "-genkey", "-name", "prime256v1", "-noout", "-out", str(folder / "sa.key"))
    run("openssl", "ec", "-in", str(folder / "sa.key"), "-pubout", "-out", str(folder / "sa.pub"))


def _certificate(folder: Path, name: str, subject: str, extension: str) -> None:
    key, request, certificate = (str(folder / f"{name}.{kind}") for kind in ("key", "csr", "crt"))
    run("openssl", "req", *NEW_KEY, "-keyout", key, "-out", request, "-subj", subject, "-addext", extension)
    run("openssl", "x509", "-req", "-in", request, "-CA", str(folder / "ca.crt"), "-CAkey", str(folder / "ca.key"),
        "-CAcreateserial", "-days", DAYS, "-copy_extensions", "copy", "-out", certificate)


def kubeconfig(certificates: Path, plan: Plan) -> str:
    """The administrator's, whole in itself: it may be copied to another machine."""
    def data(name: str) -> str:
        return base64.b64encode((certificates / name).read_bytes()).decode()

    return json.dumps({
        "apiVersion": "v1", "kind": "Config", "current-context": "lab",
        "contexts": [{"name": "lab", "context": {"cluster": "lab", "user": "admin"}}],
        "clusters": [{"name": "lab", "cluster": {
            "server": plan.url, "certificate-authority-data": data("ca.crt")}}],
        "users": [{"name": "admin", "user": {
            "client-certificate-data": data("admin.crt"), "client-key-data": data("admin.key")}}]}, indent=1)


def write_pause_image(archive: Path) -> None:
    """An OCI archive of PAUSE_IMAGE: one layer with one program, which holds a pod's namespaces open."""
    layer = _tar({"pause": (executables() / "pause").read_bytes()})
    config = {"architecture": ARCHITECTURES.get(platform.machine(), platform.machine()), "os": "linux",
              "config": {"Entrypoint": ["/pause"], "User": "65535:65535"},
              "rootfs": {"type": "layers", "diff_ids": [_digest(layer)]}}
    blobs = [(layer, "application/vnd.oci.image.layer.v1.tar"),
             (json.dumps(config).encode(), "application/vnd.oci.image.config.v1+json")]
    rows = [_descriptor(blob, kind) for blob, kind in blobs]
    manifest_type = "application/vnd.oci.image.manifest.v1+json"
    manifest = json.dumps({"schemaVersion": 2, "mediaType": manifest_type, "config": rows[1],
                           "layers": rows[:1]}).encode()
    index = {"schemaVersion": 2, "manifests": [
        {**_descriptor(manifest, manifest_type), "annotations": {"io.containerd.image.name": PAUSE_IMAGE}}]}
    files = {"oci-layout": b'{"imageLayoutVersion": "1.0.0"}', "index.json": json.dumps(index).encode()}
    files |= {"blobs/sha256/" + _digest(blob)[7:]: blob for blob in (layer, blobs[1][0], manifest)}
    archive.write_bytes(_tar(files))


def _descriptor(blob: bytes, kind: str) -> dict:
    return {"mediaType": kind, "digest": _digest(blob), "size": len(blob)}


def _digest(blob: bytes) -> str:
    return "sha256:" + hashlib.sha256(blob).hexdigest()


def _tar(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o755
            tar.addfile(entry, io.BytesIO(content))
    return packed.getvalue()
