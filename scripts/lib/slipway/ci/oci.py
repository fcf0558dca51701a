"""One image repository, through the registry's HTTP API (OCI distribution specification 1.1).

Naming a digest by another tag is a PUT of the same manifest bytes: nothing is pulled or rebuilt,
so the digest cannot change. An image is made from `docker save` here, and not by `docker push`,
so that its digest is known, scanned and attested before any registry has seen it.
"""

import base64
import gzip
import hashlib
import io
import json
import os
import re
import tarfile
import urllib.parse
import urllib.request
from pathlib import Path

from .. import paths
from . import http

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
ACCEPT = ", ".join((INDEX, MANIFEST, "application/vnd.docker.distribution.manifest.list.v2+json",
                    "application/vnd.docker.distribution.manifest.v2+json"))


class OciError(Exception):
    """What was being done, on what, and what the registry answered."""


def written(folder: Path, key: str) -> str:
    """What slipway.yml in FOLDER says of KEY, one of its plain words at the top; empty when nothing. `slipway
    check` reads the file whole; this must work where nothing is built yet."""
    file = folder / "slipway.yml"
    text = file.read_text(encoding="utf-8") if file.is_file() else ""
    found = re.search(rf"""^{key}:[ \t]+(["']?)([\w./:@-]+)\1[ \t]*(?:#.*)?$""", text, re.MULTILINE)
    if not found and re.search(rf"^{key}:", text, re.MULTILINE):
        raise OciError(f"{file}: {key} is not a plain word on its line")
    return found[2] if found else ""


def service_name(folder: Path) -> str:
    """As slipway.yml in FOLDER names it, else as the repository is named, made plain as `slipway check` does it."""
    repository = os.environ.get("GITHUB_REPOSITORY", "").rpartition("/")[2].lower()
    return written(folder, "service") or re.sub("[^a-z0-9]", "-", repository).strip("-")[:42].strip("-")


def image_name() -> str:
    """The repository that the workflows push to: SLIPWAY_IMAGE, else what slipway.yml of the folder we are in
    says, else the owner's on GHCR, by the service's name."""
    owner, here = os.environ.get("GITHUB_REPOSITORY_OWNER", "").lower(), Path.cwd()
    name = os.environ.get("SLIPWAY_IMAGE") or written(here, "image").partition("@")[0]
    if not name and owner and service_name(here):
        name = f"ghcr.io/{owner}/{service_name(here)}"
    if not name:
        raise OciError("no image name: set SLIPWAY_IMAGE, or GITHUB_REPOSITORY_OWNER and a service in slipway.yml")
    return name


# Slipway's own service, in whatever registry.
SERVICE = service_name(paths.REPOSITORY)


def sha256(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def document(data: bytes, where: str) -> dict:
    """The JSON object that DATA is, as everything that a registry has of WHERE must be, but for layers."""
    try:
        found = json.loads(data)
    except ValueError as error:
        raise OciError(f"{where}: the registry answered what is no JSON: {data[:200]!r}") from error
    if not isinstance(found, dict):
        raise OciError(f"{where}: the registry answered what is no object: {data[:200]!r}")
    return found


class Repository:
    def __init__(self, name: str, token: str = ""):
        """NAME is host[:port]/path; TOKEN a password for the registry's token service."""
        self.name = name
        self.host, _, self.path = name.partition("/")
        # As Docker does it: plain HTTP for addresses that cannot leave the machine or its lab.
        local = re.match(r"(localhost|127\.|10\.|\[::1\])", self.host)
        self.base = f"{'http' if local else 'https'}://{self.host}/v2/{self.path}"
        self.token = token
        self._bearer = ""

    def digest(self, reference: str) -> str | None:
        """The digest that a tag names now; None when there is no such tag."""
        status, headers, body = self._ask("GET", f"/manifests/{reference}", accept=ACCEPT)
        if status not in (200, 404):
            raise OciError(f"{self.name}: is there an image {reference}? The registry answered {status}: "
                           f"{body[:200]!r}")
        if status == 404:
            return None
        document(body, f"{self.name}:{reference}")  # a proxy's page has a hash, too
        said = headers.get("Docker-Content-Digest") or sha256(body)
        if said.startswith("sha256:") and said != sha256(body):
            raise OciError(f"{self.name}: the registry returned other bytes than those of {reference}, {said}")
        return said

    def labels(self, reference: str) -> dict:
        """The labels of the image's configuration (of the first platform, if there are several: all have the same)."""
        where = f"{self.name}:{reference}"
        manifest = document(self.manifest(reference)[0], where)
        if "manifests" in manifest:
            manifest = document(self.manifest(manifest["manifests"][0]["digest"])[0], where)
        status, _, body = self._ask("GET", f"/blobs/{manifest['config']['digest']}")
        if status != 200:
            raise OciError(f"{self.name}: no configuration for {reference}: {status}")
        return document(body, where).get("config", {}).get("Labels") or {}

    def manifest(self, reference: str) -> tuple:
        """(bytes, media type); OciError when there is none."""
        status, headers, body = self._ask("GET", f"/manifests/{reference}", accept=ACCEPT)
        if status != 200:
            raise OciError(f"{self.name}: no image {reference}: the registry answered {status}")
        return body, headers["Content-Type"]

    def tag(self, digest: str, tag: str) -> bool:
        """Makes TAG name DIGEST; False when it already did."""
        if self.digest(tag) == digest:
            return False
        body, media_type = self.manifest(digest)
        if sha256(body) != digest:
            raise OciError(f"{self.name}@{digest}: the registry returned other bytes")
        self._put_manifest(tag, body, media_type)
        if self.digest(tag) != digest:
            raise OciError(f"{self.name}:{tag} does not name {digest} although it was put")
        return True

    def push_layout(self, layout: Path) -> str:
        """Pushes the one image of an OCI layout, or its index with all of its images, by digest, without a tag;
        returns the digest."""
        (entry,) = json.loads((layout / "index.json").read_text())["manifests"]
        self._push_manifest(layout, entry)
        return entry["digest"]

    def _push_manifest(self, layout: Path, entry: dict) -> None:
        body = read_blob(layout, entry["digest"])
        manifest = json.loads(body)
        # What it names goes first: a registry refuses a manifest of what it does not have.
        for child in manifest.get("manifests", ()):
            self._push_manifest(layout, child)
        for descriptor in (*manifest.get("layers", ()), *filter(None, [manifest.get("config")])):
            self._push_blob(descriptor["digest"], read_blob(layout, descriptor["digest"]))
        self._put_manifest(entry["digest"], body, entry["mediaType"])

    def _put_manifest(self, reference: str, body: bytes, media_type: str) -> None:
        status, _, said = self._ask("PUT", f"/manifests/{reference}", body, media_type)
        if status not in (200, 201):
            raise OciError(f"{self.name}: cannot put {reference}: {status}: {said[:300]!r}")

    def _push_blob(self, digest: str, data: bytes) -> None:
        status = self._ask("HEAD", f"/blobs/{digest}")[0]
        if status == 200:
            return
        if status != 404:
            raise OciError(f"{self.name}: is there a blob {digest}? The registry answered {status}")
        status, headers, said = self._ask("POST", "/blobs/uploads/", b"")
        if status != 202:
            raise OciError(f"{self.name}: cannot begin an upload: {status}: {said[:300]!r}")
        place = urllib.parse.urljoin(self.base + "/", headers["Location"])
        place += ("&" if "?" in place else "?") + urllib.parse.urlencode({"digest": digest})
        status, _, said = self._ask("PUT", place, data, "application/octet-stream")
        if status != 201:
            raise OciError(f"{self.name}: cannot upload {digest}: {status}: {said[:300]!r}")

    def _ask(self, method: str, where: str, data=None, content_type="", accept="") -> tuple:
        """(status, headers, body); logs in when asked to."""
        url = where if where.startswith("http") else self.base + where

        def make() -> urllib.request.Request:
            request = urllib.request.Request(url, data=data, method=method)
            if accept:
                request.add_header("Accept", accept)
            if content_type:
                request.add_header("Content-Type", content_type)
            if self._bearer:
                # Not sent on after a redirect: blobs are often served from another host.
                request.add_unredirected_header("Authorization", self._bearer)
            return request

        # Whatever arrives twice, a blob or a manifest, is the same bytes by the same name.
        try:
            status, headers, body = http.ask(make, timeout=60)
            if status == 401 and not self._bearer and self._log_in(headers):
                status, headers, body = http.ask(make, timeout=60)
        except http.Unanswered as error:
            raise OciError(f"{error}; is the registry up?") from error
        return status, headers, body

    def _log_in(self, headers) -> bool:
        """Exchanges the token for the registry's bearer token, as its challenge says."""
        scheme, _, rest = headers.get("WWW-Authenticate", "").partition(" ")
        user = base64.b64encode(f"x-access-token:{self.token}".encode()).decode()
        if scheme.lower() == "basic":
            self._bearer = f"Basic {user}"
            return bool(self.token)
        challenge = dict(re.findall(r'(\w+)="([^"]*)"', rest))
        if "realm" not in challenge:
            return False
        query = {"service": challenge.get("service", ""),
                 "scope": f"repository:{self.path}:pull,push" if self.token
                 else f"repository:{self.path}:pull"}

        def make() -> urllib.request.Request:
            request = urllib.request.Request(challenge["realm"] + "?" + urllib.parse.urlencode(query))
            if self.token:
                request.add_unredirected_header("Authorization", f"Basic {user}")
            return request

        status, _, body = http.ask(make, timeout=60)
        if status != 200:
            raise OciError(f"{self.name}: {challenge['realm']} gave no token: {status}: {body[:200]!r}")
        granted = document(body, challenge["realm"])
        self._bearer = "Bearer " + (granted.get("token") or granted.get("access_token") or "")
        return True


def write_layout(saved: Path, layout: Path) -> str:
    """Turns what `docker save` wrote into an OCI layout; returns the digest of its manifest.

    The same layers and configuration give the same digest: nothing of the time or the machine
    is added.
    """
    (layout / "blobs" / "sha256").mkdir(parents=True, exist_ok=True)

    def put(data: bytes, media_type: str) -> dict:
        digest = sha256(data)
        (layout / "blobs" / "sha256" / digest[7:]).write_bytes(data)
        return {"mediaType": media_type, "digest": digest, "size": len(data)}

    with tarfile.open(saved) as archive:
        def member(name: str) -> bytes:
            entry = archive.getmember(name)
            while entry.issym() or entry.islnk():  # old engines link equal layers to each other
                target = os.path.normpath(os.path.join(os.path.dirname(entry.name), entry.linkname))
                entry = archive.getmember(target if entry.issym() else entry.linkname)
            return archive.extractfile(entry).read()

        described = json.loads(member("manifest.json"))
        if len(described) != 1:
            raise OciError(f"{saved}: holds {len(described)} images, not one")
        layers = []
        for name in described[0]["Layers"]:
            data = member(name)
            if data[:2] != b"\x1f\x8b":
                packed = io.BytesIO()
                with gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=packed, mtime=0) as file:
                    file.write(data)
                data = packed.getvalue()
            layers.append(put(data, LAYER))
        config = put(member(described[0]["Config"]), CONFIG)
    manifest = put(json.dumps({"schemaVersion": 2, "mediaType": MANIFEST, "config": config,
                               "layers": layers}, sort_keys=True).encode(), MANIFEST)
    (layout / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
    (layout / "index.json").write_text(json.dumps(
        {"schemaVersion": 2, "mediaType": INDEX, "manifests": [manifest]}))
    return manifest["digest"]


def write_archive(layout: Path, file: Path, name: str) -> str:
    """The layout's one image as a file that any engine's `docker load` takes, by NAME; returns NAME."""
    entry = json.loads((layout / "index.json").read_text())["manifests"][0]
    manifest = json.loads(read_blob(layout, entry["digest"]))

    def place(descriptor: dict) -> str:
        return "blobs/sha256/" + descriptor["digest"][7:]

    described = json.dumps([{"Config": place(manifest["config"]), "RepoTags": [name],
                             "Layers": [place(layer) for layer in manifest["layers"]]}]).encode()
    with tarfile.open(file, "w") as archive:
        for descriptor in (manifest["config"], *manifest["layers"]):
            read_blob(layout, descriptor["digest"])
            # A layer may be there twice.
            if place(descriptor) not in archive.getnames():
                archive.add(layout / place(descriptor), place(descriptor))
        entry = tarfile.TarInfo("manifest.json")
        entry.size = len(described)
        archive.addfile(entry, io.BytesIO(described))
    return name


def read_blob(layout: Path, digest: str) -> bytes:
    data = (layout / "blobs" / "sha256" / digest[7:]).read_bytes()
    if sha256(data) != digest:
        raise OciError(f"{layout}: blob {digest} is damaged; download the artifact again")
    return data
