"""Three services that are not ours go all the way by their slipway.yml alone: `slipway rehearse` on each, from an
empty repository with its Dockerfile (or, for nginx, with nothing but the image's digest)."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from slipway.lab import Engine, Registry, images
from support import needs
from support.engines import discard, sweep

HERE = Path(__file__).parent
pytestmark = needs.hosts("docker-registry")

# What the fixtures' Dockerfiles name, and its stand-in here, where no registry of containers is reached.
BASES = {"go_api": ("golang:1", "golang"), "fastapi": ("python:3-slim", "python")}


@pytest.fixture(scope="module")
def builder():
    sweep("adopt")
    engine = Engine(f"adopt-{os.getpid()}")
    with engine:
        yield engine
    discard(engine)


def archive(builder: Engine, name: str, recipe: str, folder: Path) -> Path:
    """The stand-in as `docker save` writes it, by the name that the Dockerfile uses."""
    builder.docker("tag", images.local_image(builder, recipe, HERE / "bases" / recipe), name)
    file = folder / "base.tar"
    builder.docker("save", "--output", str(file), name)
    return file


def repository(fixture: str, folder: Path) -> Path:
    """An empty repository, what the service's authors wrote, and their first commit."""
    shutil.copytree(HERE / fixture, folder)
    for command in (["init", "--quiet", "--initial-branch=main"], ["add", "--all"],
                    ["-c", "user.name=a", "-c", "user.email=a@b.invalid", "commit", "--quiet", "-m", "feat: begin"]):
        subprocess.run(["git", *command], cwd=folder, check=True)
    return folder


@pytest.fixture(scope="module")
def hub():
    """Where the world's images come from."""
    registry = Registry(f"adopt-{os.getpid()}")
    with registry:
        yield registry
    discard(registry)


def pin(builder: Engine, hub: Registry, folder: Path) -> None:
    """slipway.yml names the image as HUB has it: unchanged, by its digest."""
    local = images.local_image(builder, "nginx", HERE / "bases" / "nginx")
    reference = hub.reference("library/nginx", "stable")
    builder.docker("tag", local, reference)
    builder.docker("push", "--quiet", reference)
    pinned = hub.reference("library/nginx", hub.digest("library/nginx", "stable"))
    file = folder / "slipway.yml"
    file.write_text(re.sub(r"(?m)^image: .*$", f"image: {pinned}", file.read_text()))


@pytest.mark.parametrize("fixture", ["go_api", "fastapi", "nginx"])
def test_a_service_goes_all_the_way_by_one_file(fixture, builder, hub, executables, tmp_path, tell):
    folder = repository(fixture, tmp_path / "service")
    flags = []
    if fixture in BASES:
        flags = ["--load-image", archive(builder, *BASES[fixture], tmp_path)]
    else:
        pin(builder, hub, folder)
    done = subprocess.run([executables / "slipway", "rehearse", folder, *flags, "--output", tmp_path / "results"],
                          capture_output=True, text=True, check=False, timeout=900)
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads((tmp_path / "results" / "report.json").read_text())
    assert report["passed"]
    assert [swap["exitCode"] for swap in report["swaps"]] == [0, 0, 0, 4, 4, 4]
    for swap in report["swaps"][1:]:
        packets = swap["packets"]
        assert packets["sent"] > 2000
        lost = packets["unanswered"] + packets["rejected"]
        assert lost == 0, swap
        tell(f"{fixture}: {swap['operation']}: exit {swap['exitCode']}, {packets['sent']} sent, {lost} lost, "
             f"healthy in {swap['secondsToHealthy']} s, longest gap {packets['longest_gap_ms']:.1f} ms")
