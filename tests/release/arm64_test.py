"""arm64 on a machine that is x86-64: tools and image are cross-compiled, run by QEMU, and the image is joined with
amd64's to an index, which `deploy` takes by its digest to a host of the lab."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from deploy.site import Site
from release.ubuntu import Ubuntu
from slipway.ci import oci
from slipway.lab import Engine, images, roots
from slipway.paths import REPOSITORY
from support import needs

BINFMT = Path("/proc/sys/fs/binfmt_misc/qemu-aarch64")
pytestmark = [needs.hosts("docker-registry"), needs.all_of(
    needs.programs("arm64", "debootstrap", "qemu-aarch64-static"), needs.programs("test", "lintian"),
    "" if BINFMT.exists() else f"no {BINFMT}: run scripts/setup arm64")]


@pytest.fixture(scope="module")
def clone(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("arm64") / "slipway"
    subprocess.run(["git", "clone", "--quiet", REPOSITORY, folder], check=True)
    return folder


@pytest.fixture(scope="module")
def tools(clone, tmp_path_factory) -> Path:
    """What scripts/release/assets leaves for arm64."""
    folder = tmp_path_factory.mktemp("tools")
    subprocess.run([clone / "scripts/release/cross", "scripts/release/assets", "--cross", "--version", "0.1.0", "--out",
                    folder / "assets"], check=True)
    subprocess.run(["tar", "-xzf", folder / "assets/slipway-tools-0.1.0-linux-aarch64.tar.gz", "-C", folder,
                    "--strip-components=1"], check=True)
    return folder


@pytest.fixture(scope="module")
def engine():
    with Engine("arm64") as one:
        yield one


@pytest.fixture(scope="module")
def built(clone, engine) -> dict:
    """architecture -> digest of the image, each built by scripts/ci/image, and the index of both in build/image."""
    base = images.local_base(engine)
    digests = {}
    for architecture in ("amd64", "arm64"):
        bases = {"BUILDER_BASE": base, "RUNTIME_BASE": images.local_base(engine, architecture=architecture)
                 if architecture == "arm64" else base}
        digests[architecture] = said(clone, "image", {**engine.env, **bases, "PLATFORM": f"linux/{architecture}",
                                                      "BUILD_NETWORK": "host"})
        (clone / "build/images").mkdir(exist_ok=True)
        (clone / "build/image").rename(clone / "build/images" / architecture)
    digests["index"] = said(clone, "index", {**os.environ, "DIGESTS": " ".join(digests.values())})
    return digests


def said(clone: Path, script: str, env: dict) -> str:
    """The output `digest` of one of scripts/ci."""
    output = clone / "build" / f"{script}.output"
    output.parent.mkdir(exist_ok=True)
    output.unlink(missing_ok=True)
    subprocess.run([clone / "scripts/ci" / script], cwd=clone, check=True, env={**env, "GITHUB_OUTPUT": str(output)})
    return output.read_text().strip().removeprefix("digest=")


def machine(file: Path) -> str:
    return subprocess.run(["readelf", "--file-header", file], check=True, capture_output=True, text=True,
                          env={**os.environ, "LC_ALL": "C"}).stdout.partition("Machine:")[2].split("\n")[0].strip()


def test_the_tools_are_of_that_machine_and_say_their_version(tools):
    for name in ("deploy", "rollback", "connector", "packet_bench", "slipway"):
        assert machine(tools / "bin" / name) == "AArch64"
        done = subprocess.run([tools / "bin" / name, "--version"], capture_output=True, text=True, check=True)
        assert "0.1.0" in done.stdout, done


TRY = """
. /etc/os-release && echo "$ID-$VERSION_ID" && cat /etc/apt/sources.list
echo 'int main() { return sizeof(void *) == 8 ? 42 : 1; }' >"$1/try.cpp"
aarch64-linux-gnu-g++ -static -o "$1/try" "$1/try.cpp" && "$1/try"
"""


def test_a_machine_that_says_that_it_is_an_ubuntu_builds_for_arm64_in_a_root_of_debian(clone, tmp_path):
    """Debian's archive is the one that this machine has."""
    ubuntu = Ubuntu(tmp_path)
    archive = roots.sources("bookworm", roots.listed())[0].split()[1].removesuffix("-security")
    done = ubuntu.run(clone / "scripts/release/cross", "sh", "-ec", TRY, "sh", tmp_path,
                      SLIPWAY_CACHE=str(tmp_path / "cache"), SLIPWAY_DEBIAN_MIRROR=archive)
    shutil.rmtree(tmp_path / "cache")
    said = done.stdout.splitlines()
    assert done.returncode == 42 and said[0] == "debian-12", (done.stdout, done.stderr[-3000:])
    assert len(said) == 4 and all(line.split()[1] in (archive, f"{archive}-security") for line in said[1:]), said
    assert machine(tmp_path / "try") == "AArch64"


def test_a_machine_of_arm64_finds_the_version_that_this_one_finds(clone, tmp_path):
    """With its own Node, by QEMU. It has an npm; here this machine's installs for it."""
    release, uname = clone / "scripts/release", tmp_path / "uname"
    subprocess.run(["npm", "ci", "--prefix", release, "--cpu=arm64", "--os=linux", "--ignore-scripts", "--no-audit",
                    "--no-fund", "--loglevel=error"], check=True)
    shutil.copy(release / "package-lock.json", release / "node_modules/.installed")
    uname.write_text("#!/bin/sh\necho aarch64\n")
    uname.chmod(0o755)
    ours = subprocess.run([REPOSITORY / "scripts/release/next-version"], cwd=clone, check=True, capture_output=True,
                          text=True, env={**os.environ, "GITHUB_OUTPUT": os.devnull})
    theirs = subprocess.run([release / "cross", "env", f"PATH={tmp_path}:/usr/bin:/bin", "GITHUB_OUTPUT=/dev/null",
                             "scripts/release/next-version"], check=True, capture_output=True, text=True)
    assert theirs.stdout == ours.stdout != "", theirs


def test_a_distribution_s_checker_finds_nothing_in_the_package(tools):
    package = tools / "assets/slipway-tools_0.1.0_arm64.deb"
    done = subprocess.run(["lintian", "--allow-root", "--display-info", "--fail-on", "error,warning", package],
                          capture_output=True, text=True, check=False)
    found = [line for line in done.stdout.splitlines() if line[:2] not in ("I:", "N:") or " unused-override " in line]
    assert (done.returncode, found) == (0, []), done


@pytest.mark.usefixtures("built")
def test_the_image_s_connector_answers_every_packet(engine, clone, executables, tmp_path, tell):
    """From this machine's own packet_bench: Debian 12's QEMU does not know epoll_pwait2, which it waits by."""
    reference = oci.write_archive(clone / "build/images/arm64", clone / "build/arm64.tar", "slipway-arm64:1")
    engine.docker("load", "--quiet", "--input", str(clone / "build/arm64.tar"))
    container = engine.docker("create", "--platform", "linux/arm64", reference).stdout.strip()
    root = tmp_path / "root"
    root.mkdir()
    with subprocess.Popen(["docker", "export", container], env=engine.env, stdout=subprocess.PIPE) as export:
        subprocess.run(["tar", "-x", "-C", root], stdin=export.stdout, check=True)
    engine.docker("rm", container)
    # packet_bench starts the connector that is beside it: the image's, with the image's libraries.
    shutil.copy(executables / "packet_bench", tmp_path)
    beside = tmp_path / "connector"
    beside.write_text(f'#!/bin/sh\nexec qemu-aarch64-static -L {root} {root}/usr/local/bin/connector "$@"\n')
    beside.chmod(0o755)
    subprocess.run([tmp_path / "packet_bench", "run", "--rate", "500", "--threshold-tps", "1", "--duration", "4s",
                    "--warmup", "1s", "--output", tmp_path / "results.json"], check=True)
    packets = json.loads((tmp_path / "results.json").read_text())["details"]["packets"]
    tell(f"arm64 by QEMU: {packets}")
    assert packets["fulfilled"] == packets["planned"] == 2000
    assert machine(root / "usr/local/bin/connector") == "AArch64"


def test_a_host_takes_the_index_by_its_digest(built, clone, executables):
    service = yaml.safe_load((REPOSITORY / "slipway.yml").read_text()) | {"bake": {"window": "0s"}}
    with Site("arm64", executables, service=service) as site:
        shutil.copytree(REPOSITORY / "src/connector/host", site.folder / "config/connector",
                        ignore=shutil.ignore_patterns("*.example"))
        assert oci.Repository(site.reference()).push_layout(clone / "build/image") == built["index"]
        done = site.run("deploy", f"{site.reference()}@{built['index']}", "--timeout", "3m", timeout=240)
        assert done.status == 0 and done.report["to"]["digest"] == built["index"], done
        running = site.rollback("--status").report["running"]
        assert running["digest"] == built["index"], running
        (image,) = json.loads(site.host.docker("image", "inspect", f"{site.reference()}@{built['index']}").stdout)
        assert image["Architecture"] == "amd64", image
        revision = subprocess.run(["git", "rev-parse", "HEAD"], cwd=clone, check=True, capture_output=True, text=True)
        assert json.loads(site.get("/health"))["releaseId"] == revision.stdout.strip()
