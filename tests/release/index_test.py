"""scripts/ci/index joins the images that were built for each architecture, and a real registry takes the index by its
digest, whole."""

import json
import os
import subprocess

import pytest

from release.registry import Registry
from slipway.act.artifacts import write_image
from slipway.ci import oci
from slipway.paths import REPOSITORY
from support import needs

pytestmark = needs.all_of(needs.programs("docker", "docker-registry"))


@pytest.fixture
def built(tmp_path):
    """architecture -> digest of the image that was built for it."""
    return {name: write_image(tmp_path / "build/images" / name, "1.2.0", "a" * 40, name) for name in ("amd64", "arm64")}


def join(folder, *digests: str) -> subprocess.CompletedProcess:
    return subprocess.run([REPOSITORY / "scripts/ci/index"], cwd=folder, capture_output=True, text=True, check=False,
                          env={"PATH": os.environ["PATH"], "DIGESTS": " ".join(digests),
                               "GITHUB_OUTPUT": str(folder / "output")})


@pytest.fixture
def images(tmp_path):
    registry = Registry(tmp_path / "registry")
    yield oci.Repository(f"{registry.address}/acme/{oci.SERVICE}")
    registry.close()


def test_a_registry_has_it_by_its_digest_with_both_images(built, images, tmp_path):
    done = join(tmp_path, *built.values())
    assert done.returncode == 0, done.stderr
    digest = images.push_layout(tmp_path / "build/image")
    assert (tmp_path / "output").read_text() == f"digest={digest}\n"
    body, kind = images.manifest(digest)
    assert kind == oci.INDEX and oci.sha256(body) == digest
    assert {m["platform"]["architecture"]: m["digest"] for m in json.loads(body)["manifests"]} == built
    assert [images.digest(child) for child in built.values()] == list(built.values())
    assert images.labels(digest)["org.opencontainers.image.revision"] == "a" * 40
    # It is promoted as an image of one architecture is: by another name for the same bytes.
    images.tag(digest, "v1.2.0")
    assert images.digest("v1.2.0") == digest


def test_the_same_images_are_the_same_index(built, tmp_path):
    said = []
    for digests in (built.values(), reversed(built.values())):
        (tmp_path / "output").unlink(missing_ok=True)
        assert join(tmp_path, *digests).returncode == 0
        said.append((tmp_path / "output").read_text())
    assert said[0] == said[1]


def test_an_image_that_nobody_scanned_is_refused(built, tmp_path):
    done = join(tmp_path, built["amd64"], "sha256:" + "0" * 64)
    assert done.returncode == 1 and "scanned" in done.stdout + done.stderr and not (tmp_path / "output").exists(), done


def test_two_images_of_one_architecture_are_refused(built, tmp_path):
    again = write_image(tmp_path / "build/images/zz", "1.2.0", "a" * 40, "arm64")
    done = join(tmp_path, *built.values(), again)
    assert done.returncode == 1 and "second image for arm64" in done.stdout + done.stderr, done


def test_images_of_two_commits_are_refused(built, tmp_path):
    other = write_image(tmp_path / "build/images/arm64", "1.2.0", "b" * 40, "arm64")
    done = join(tmp_path, built["amd64"], other)
    assert done.returncode == 1 and "different things" in done.stdout + done.stderr, done


def test_a_damaged_image_is_refused(built, tmp_path):
    (tmp_path / "build/images/arm64/blobs/sha256" / built["arm64"][7:]).write_text("{}")
    done = join(tmp_path, *built.values())
    assert done.returncode == 1 and "damaged" in done.stdout + done.stderr, done
