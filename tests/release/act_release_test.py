"""release.yml, unchanged, under act, with the real scripts/release/assets, the real semantic-release and a
real registry: the image tags name the digest that CI built, the published assets verify, the downloaded
tarball runs where nothing is installed, and an older line does not move `latest`.

ASSETS=DIR in the environment releases what scripts/release/assets --version 0.1.0 left in DIR, instead of
building it once more; without its benchmark-results.json a stand-in for that is released, and not judged."""

import hashlib
import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from release import bare_hosts
from slipway.act.runner import QUICK_SCRIPT, STANDINS
from slipway.paths import REPOSITORY as ROOT
from support import needs
from workflows.act_world import NEEDS, ActWorld, digest, holds, only

pytestmark = [*NEEDS, needs.all_of(bare_hosts.missing())]
GIVEN = os.environ.get("ASSETS", "")
# What an operator does with it, and a real run: 1,000 packets a second through a real connector.
USE = ("tar -xzf /tools.tar.gz && cd slipway-tools-*/bin && ./deploy --version && ./rollback --version "
       "&& ./connector --version && ./packet_bench run --rate 1000 --threshold-tps 900 --duration 2s "
       "--warmup 1s --retries 3 --output /results.json >&2 && cat /results.json")


def download(w: ActWorld, tag: str, folder: Path) -> dict:
    """The assets of the published release TAG, as anybody gets them: name -> file."""
    release = next(r for r in w.world.hub.releases.values() if r["tag_name"] == tag and not r["draft"])
    for asset in release["assets"]:
        (folder / asset["name"]).write_bytes(w.world.hub.contents[asset["id"]])
    return {file.name: file for file in folder.iterdir()}


def sums_hold(files: dict) -> bool:
    lines = [line.split() for line in files["SHA256SUMS"].read_text().splitlines()]
    listed = {name: hashlib.sha256(files[name].read_bytes()).hexdigest() == expected
              for expected, name in lines}
    return all(listed.values()) and {
        name for name in set(files) - set(listed) if not name.endswith(".intoto.jsonl")} == {
        "SHA256SUMS", "benchmark-results.json"}


def give(w: ActWorld, folder: str) -> None:
    """In place of a build of many minutes: the assets that one left in FOLDER."""
    (w.world.work / "scripts/release/assets").write_text(
        "#!/bin/sh\nset -eu\nmkdir -p build/assets\n"
        f"cp '{Path(folder).resolve()}'/* build/assets\n"
        "[ -e build/assets/benchmark-results.json ] ||\n"
        "  echo '{\"passed\": true}' >build/assets/benchmark-results.json\n"
        "echo version=0.1.0 >>\"$GITHUB_OUTPUT\"\n")


def cross_compile(w: ActWorld) -> None:
    """In place of the machine of arm64 that one of the jobs runs on; the root has no Node for the version."""
    script = w.world.work / "scripts/release/assets"
    script.rename(script.with_name("assets.real"))
    script.write_text(
        "#!/bin/sh\nset -eu\n"
        '[ "$GITHUB_JOB" = tools-arm64 ] || exec scripts/release/assets.real "$@"\n'
        "version=$(GITHUB_OUTPUT=/dev/null scripts/release/next-version)\n"
        'exec scripts/release/cross scripts/release/assets.real --cross --version "$version" "$@"\n')
    script.chmod(0o755)


@pytest.fixture(scope="module")
def w():
    world = ActWorld(real=() if GIVEN else ("scripts/release/assets", "scripts/setup"))
    try:
        give(world, GIVEN) if GIVEN else cross_compile(world)
        yield world
    finally:
        world.close()


@pytest.fixture(scope="module")
def released(w):
    """(the commit, its release)."""
    sha = w.push("feat: pay by packet")
    w.ci_push(sha)
    return sha, w.release(sha, env={"BENCHMARK_DURATION": "5s"})


@pytest.fixture(scope="module")
def files(w, released, tmp_path_factory) -> dict:
    if released[1].status != 0:
        pytest.fail("nothing was released")
    return download(w, "v0.1.0", tmp_path_factory.mktemp("assets"))


def test_a_release_names_the_digest_that_ci_built(w, released):
    sha, result = released
    images = w.world.images()
    holds(result, {
        "green": only(result, assets="success", release="success", promote="success"),
        "v0.1.0, 0.1, 0 and latest name the digest that CI built": {
            images.digest(n) for n in ("v0.1.0", "0.1", "0", "latest")} == {digest(w, sha)}})


def test_its_assets_are_whole_attested_and_passed_the_benchmark(w, released, files):
    holds(released[1], {
        "of both architectures": {n.split("linux-")[1] for n in files if "linux-" in n} == {
            f"{m}.{kind}" for m in ("aarch64", "x86_64") for kind in ("buildinfo", "cdx.json", "tar.gz")},
        "tarball, package, SBOM, buildinfo, benchmark, attestation": len(tarballs(files)) == 1 and {
            Path(n).suffix for n in files} == {".gz", ".deb", ".json", ".buildinfo", ".jsonl", ""},
        "the downloaded checksums verify": sums_hold(files),
        "the benchmark passed": bool(GIVEN) or json.loads(files["benchmark-results.json"].read_text())["passed"],
        "every asset is attested": all(
            (w.state / "attestations" / f"sha256-{hashlib.sha256(f.read_bytes()).hexdigest()}").is_dir()
            for n, f in files.items() if n.endswith((".gz", ".deb", ".cdx.json", ".buildinfo")))})


def blocks(text: str, heading: str) -> list:
    """The shell commands that stand in TEXT under HEADING."""
    return re.findall(r"```sh\n(.*?)```", text.partition(f"{heading}\n")[2].partition("\n## ")[0], re.DOTALL)


def test_anybody_verifies_the_download_as_its_notes_and_the_page_say(w, released, files):
    image = f"{w.world.images().name}@{digest(w, released[0])}"
    page = (ROOT / "docs/operators/releasing.md").read_text()
    for name, value in (("X.Y.Z", "0.1.0"), ("OWNER/NAME", "acme/conn"), ("IMAGE@DIGEST", image)):
        page = page.replace(name, value)
    notes = next(r["body"] for r in w.world.hub.releases.values() if r["tag_name"] == "v0.1.0")
    commands = blocks(page, "## Verifying a download") + blocks(notes, "### Verify")
    env = {**os.environ, "PATH": f"{STANDINS / 'bin'}:{os.environ['PATH']}", "STANDINS": str(STANDINS),
           "STANDIN_STATE": str(w.state)}
    folder = files["SHA256SUMS"].parent

    def holds_of(line: str) -> bool:
        return subprocess.run(["sh", "-c", line], cwd=folder, env=env, check=False).returncode == 0

    def verify() -> list:
        return [holds_of(line) for block in commands for line in block.replace("\\\n", "").splitlines()]

    assert len(commands) == 2 and verify() == [True] * 6, commands
    tarball, *_ = tarballs(files)
    whole = tarball.read_bytes()
    tarball.write_bytes(whole + b"more")
    try:
        assert verify() == [False, False, True, False, True, False], "sums and tools of others; the image is the same"
    finally:
        tarball.write_bytes(whole)


def tarballs(files: dict) -> list:
    return [file for name, file in files.items() if name.endswith("x86_64.tar.gz")]


@pytest.mark.parametrize("suite", bare_hosts.SUITES)
def test_the_downloaded_tarball_runs_on_a_bare_host(files, suite):
    done = bare_hosts.run_in(suite, {"/tools.tar.gz": tarballs(files)[0]}, USE)
    said = done.stdout.splitlines()
    assert ["0.1.0" in line for line in said[:3]] == [True] * 3, done
    assert done.returncode == 0, done


@pytest.mark.usefixtures("released")
def test_a_fix_of_an_older_line_leaves_latest_alone(w):
    """Assets are small files from here on: they are not what is shown."""
    script = w.world.work / "scripts/release/assets"
    script.write_bytes(QUICK_SCRIPT.read_bytes())
    for message in ("feat!: speak anew", "feat!: speak anew once more"):
        sha = w.push(message)
        w.ci_push(sha)
        result = w.release(sha)
    images = w.world.images()
    newest = digest(w, sha)
    holds(result, {"v2.0.0, 2 and latest name its digest": {
        images.digest(n) for n in ("v2.0.0", "2", "latest")} == {newest}})
    w.world.git("checkout", "--quiet", "-b", "1.x", "v1.0.0")
    w.world.git("push", "--quiet", "origin", "1.x")
    script.write_bytes(QUICK_SCRIPT.read_bytes())
    old = w.push("fix: for those who stay", branch="1.x")
    ci = w.ci_push(old, branch="1.x")
    holds(ci, {
        "green": only(ci, publish="success", ci_status="success"),
        "latest stays": images.digest("latest") == newest != digest(w, old)})
    result = w.release(old, branch="1.x")
    marked = [r["tag_name"] for r in w.world.hub.releases.values() if r["latest"]]
    holds(result, {
        "green": only(result, assets="success", release="success", promote="success"),
        "v1.0.1, 1.0 and 1 name the digest that CI built": {
            images.digest(n) for n in ("v1.0.1", "1.0", "1")} == {digest(w, old)},
        "latest and 2 stay": images.digest("latest") == images.digest("2") == newest,
        "GitHub's latest release stays": marked[-1:] == ["v2.0.0"]})
