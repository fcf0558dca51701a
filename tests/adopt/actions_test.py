"""The published actions in a repository that has nothing of Slipway's: run by act as its workflow calls them, and
their scripts by hand."""

import json
import os
import subprocess

import pytest

from adopt.published import fetched
from slipway.act.runner import Act
from slipway.lab import Engine
from slipway.paths import REPOSITORY
from support import needs
from support.engines import discard, sweep
from support.pins import pinned

pytestmark = needs.all_of(
    needs.root("an engine"), needs.programs("docker", "docker", "dockerd"), needs.programs("act", "act", "openssl"))

SERVICE = "service: price-api # its name\ngate:\n  request: GET /price\n"
WORKFLOW = pinned("""\
on: push
permissions: {}
jobs:
  image:
    runs-on: ubuntu-24.04
    outputs:
      digest: ${{ steps.image.outputs.digest }}
    steps:
      - uses: actions/checkout@PINNED
        with:
          persist-credentials: false
      - id: image
        uses: acme/slipway/.github/actions/image@v1
        with:
          version: 1.2.3
      - uses: actions/upload-artifact@PINNED
        with:
          name: image
          path: build/image
""")
WHERE = {"GITHUB_REPOSITORY": "eve/prices", "GITHUB_REPOSITORY_OWNER": "Eve", "GITHUB_SERVER_URL": "https://github.com"}


@pytest.fixture(scope="module")
def engine():
    sweep("adopt-actions")
    made = Engine(f"adopt-actions-{os.getpid()}", keep_data=False)
    with made:
        yield made
    discard(made)


def git(folder, *words: str) -> str:
    return subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@b.invalid", *words], cwd=folder, check=True,
                          capture_output=True, text=True).stdout.strip()


@pytest.fixture
def foreign(tmp_path):
    """A repository of somebody else, with a Dockerfile that needs no base, and its first commit."""
    folder = tmp_path / "prices"
    (folder / ".github/workflows").mkdir(parents=True)
    (folder / "Dockerfile").write_text("FROM scratch\nARG REVISION\nENV REVISION=${REVISION}\nCOPY data /data\n")
    (folder / "data").write_text("of eve\n")
    (folder / "slipway.yml").write_text(SERVICE)
    (folder / ".github/workflows/ship.yml").write_text(WORKFLOW)
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "remote", "add", "origin", "https://github.com/eve/prices.git")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "-m", "feat: begin")
    return folder


def script(folder, *words: str, **env: str) -> subprocess.CompletedProcess:
    settings = {k: v for k, v in os.environ.items() if not k.startswith(("GITHUB_", "SLIPWAY_"))}
    return subprocess.run([REPOSITORY / "scripts/ci" / words[0], *words[1:]], cwd=folder, capture_output=True,
                          text=True, check=False, env={**settings, **WHERE, **env})


def image(layout) -> tuple:
    """(digest of the one image of LAYOUT, its configuration)."""
    def blob(digest: str) -> dict:
        return json.loads((layout / "blobs/sha256" / digest.removeprefix("sha256:")).read_text())

    (entry,) = json.loads((layout / "index.json").read_text())["manifests"]
    return entry["digest"], blob(blob(entry["digest"])["config"]["digest"])["config"]


def labels(revision: str, version: str) -> dict:
    return {"org.opencontainers.image.revision": revision, "org.opencontainers.image.version": version,
            "org.opencontainers.image.source": "https://github.com/eve/prices", "io.slipway.service": SERVICE.strip()}


def test_the_action_builds_what_the_caller_wrote(engine, foreign, tmp_path):
    revision = git(foreign, "rev-parse", "HEAD")
    act = Act(foreign, tmp_path / "state", env={**WHERE, "DOCKER_HOST": engine.env["DOCKER_HOST"],
                                                "DOCKER_CONFIG": engine.env["DOCKER_CONFIG"]},
              actions={"acme/slipway@v1": fetched(tmp_path / "fetched")})
    done = act.run("ship", "push", {"ref": "refs/heads/main"}, revision)
    assert done.jobs == {"image": "success"}, done.log[-3000:]
    (layout,) = {file.parent for file in (tmp_path / "state").rglob("oci-layout")}
    digest, config = image(layout)
    assert config["Labels"] == labels(revision, "1.2.3")
    assert f"REVISION={revision}" in config["Env"]
    assert f"`{digest}` of version 1.2.3" in done.summaries["image"]


def test_twice_the_same_commit_is_the_same_digest(engine, foreign, tmp_path):
    deeper = foreign / "deeper"
    deeper.mkdir()
    said = []
    for folder in (foreign, deeper):
        output = tmp_path / "output"
        output.unlink(missing_ok=True)
        done = script(folder, "image", GITHUB_OUTPUT=str(output), DOCKER_HOST=engine.env["DOCKER_HOST"],
                      DOCKER_CONFIG=engine.env["DOCKER_CONFIG"])
        assert done.returncode == 0, done.stderr
        said.append(output.read_text())
    digest, config = image(foreign / "build/image")
    assert said == [f"digest={digest}\n"] * 2
    revision = git(foreign, "rev-parse", "HEAD")
    assert config["Labels"] == labels(revision, f"0.0.0+{revision}")
    assert not (REPOSITORY / "build/image").exists()
    # The gate takes it from the layout back into an engine.
    assert script(foreign, "oci", "archive", "build/image", str(tmp_path / "a.tar"), "again:1").returncode == 0
    engine.docker("load", "--quiet", "--input", str(tmp_path / "a.tar"))
    (again,) = json.loads(engine.docker("image", "inspect", "again:1").stdout)
    assert again["Config"]["Labels"] == labels(revision, f"0.0.0+{revision}")


def test_without_a_dockerfile_it_says_so(foreign):
    (foreign / "Dockerfile").unlink()
    done = script(foreign, "image")
    assert done.returncode == 2
    assert "has no Dockerfile" in done.stderr


@pytest.mark.parametrize(("text", "more", "name"), [
    (SERVICE, {}, "ghcr.io/eve/price-api"), ("port: 80\n", {}, "ghcr.io/eve/prices"), (None, {}, "ghcr.io/eve/prices"),
    ("image: registry.example/a/b\nservice: c\n", {}, "registry.example/a/b"),
    ("service: c\nimage: 'registry.example/a/b@sha256:00' # pinned\n", {}, "registry.example/a/b"),
    (SERVICE, {"SLIPWAY_IMAGE": "localhost:5000/x"}, "localhost:5000/x")])
def test_a_foreign_repository_names_its_own_image(foreign, text, more, name):
    (foreign / "slipway.yml").unlink()
    if text is not None:
        (foreign / "slipway.yml").write_text(text)
    done = script(foreign, "oci", "name", **more)
    assert (done.stdout, done.returncode) == (name + "\n", 0), done.stderr


def test_a_name_that_cannot_be_read_is_not_guessed(foreign):
    (foreign / "slipway.yml").write_text("service: >\n  c\n")
    done = script(foreign, "oci", "name")
    assert done.returncode == 1
    assert "service is not a plain word" in done.stderr
