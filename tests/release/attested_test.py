"""No bytes become a release's that no run of its repository attested, or that are not what its SHA256SUMS lists."""

import hashlib
import shutil
from pathlib import Path

import pytest

from release.world import NEEDS, World
from slipway.act.artifacts import write_assets

pytestmark = NEEDS


def draft(world: World, **assets: bytes) -> dict:
    """The published release of v0.1.0 becomes a draft with these assets, as a failure could have left it."""
    release = next(iter(world.hub.releases.values()))
    release["draft"], release["assets"] = True, []
    for name, data in assets.items():
        world.hub.add_asset(release, name, data)
    return release


@pytest.mark.quick
def test_a_draft_with_a_tarball_and_no_checksums_is_never_published_with_other_bytes(released):
    name = "slipway-tools-0.1.0-linux-x86_64.tar.gz"
    release = draft(released, **{name: b"built elsewhere"})
    done, made = released.reconcile()
    assert done.status == 1 and "other bytes" in done.said and name in done.said, done.said
    assert release["draft"] and [asset["name"] for asset in release["assets"]] == [name], made


def test_tools_that_were_built_again_and_never_attested_are_not_published(released):
    release = draft(released)
    attested, released.hub.attested = released.hub.attested, set()
    done, _ = released.reconcile()
    assert done.status == 1 and "attested" in done.said and release["draft"] and not release["assets"], done.said
    released.hub.attested = attested
    done, _ = released.reconcile()
    assert done.status == 0 and not release["draft"] and len(release["assets"]) == 10, done.said


@pytest.fixture
def given(released):
    """The release of v0.1.0 is a draft without its assets; gives a folder with files as built from COMMIT, and what
    reconcile --assets says of it."""
    release, folder = draft(released), released.folder / "given"

    def give(commit: str) -> Path:
        write_assets(folder, "0.1.0", commit)
        return folder

    def reconcile():
        return released._reconcile(released.checkout(released.remote()), "v0.1.0", "--assets", str(folder))
    return release, give, reconcile


@pytest.mark.quick
def test_files_that_are_given_and_that_nobody_attested_are_not_published(released, given):
    release, give, reconcile = given
    folder = give("a commit of somebody else")
    done = reconcile()
    assert done.status == 1 and release["draft"] and not release["assets"], done.said
    assert "no attestation" in done.said and "remedy: " in done.said, done.said
    shutil.rmtree(folder)
    give(released.remote("v0.1.0^"))
    done = reconcile()
    assert done.status == 0 and not release["draft"] and len(release["assets"]) == 10, done.said


@pytest.mark.parametrize("harm", ["one that its SHA256SUMS does not list", "one that is damaged", "one that is away",
                                  "no SHA256SUMS"])
def test_files_that_are_given_and_are_not_whole_are_not_published(released, given, harm):
    release, give, reconcile = given
    folder = give(released.remote("v0.1.0^"))
    tarball = folder / "slipway-tools-0.1.0-linux-x86_64.tar.gz"
    if harm == "one that is damaged":
        tarball.write_bytes(b"half")
    elif harm == "one that is away":
        tarball.unlink()
    elif harm == "no SHA256SUMS":
        (folder / "SHA256SUMS").unlink()
    else:
        (folder / "core").write_bytes(b"dumped")
    done = reconcile()
    assert done.status == 1 and release["draft"] and not release["assets"], done.said
    assert "Traceback" not in done.said and "SHA256SUMS" in done.said and "nothing was uploaded" in done.said, done.said


def test_a_draft_that_is_whole_by_its_own_checksums_and_that_nobody_attested_is_not_published(released, given):
    release, give, _ = given
    for file in sorted(give("a commit of somebody else").iterdir()):
        released.hub.add_asset(release, file.name, file.read_bytes())
    done, made = released.reconcile()
    assert done.status == 1 and release["draft"] and made == [], done.said
    assert "no attestation" in done.said and "remedy: " in done.said, done.said


@pytest.mark.parametrize("sums", [b"<html>Sign in</html>", b"caf\xe9  name\n", b""],
                         ids=["a page", "no text", "nothing"])
def test_checksums_that_are_none_are_told_and_nothing_is_published(released, sums):
    release = draft(released, SHA256SUMS=sums, **{"benchmark-results.json": b"{}"})
    done, made = released.reconcile()
    assert done.status == 1 and release["draft"] and made == [] and len(release["assets"]) == 2, done.said
    assert "SHA256SUMS is no list of checksums" in done.said and "Traceback" not in done.said, done.said


def test_where_the_plan_has_no_attestations_the_files_that_are_given_are_published(released, given):
    release, give, _ = given
    released.hub.attested.clear()
    folder = give(released.remote("v0.1.0^"))
    done = released._run(released.checkout(released.remote()), ["scripts/release/reconcile", "--assets", str(folder)],
                         ATTESTED="false")
    assert done.status == 0 and not release["draft"], done.said


def test_missing_tools_of_two_architectures_are_refused_with_what_to_do(released):
    """One machine makes those of one."""
    release = draft(released)
    done = released._reconcile(released.checkout(released.remote()), "--rebuild-assets")
    assert done.status == 1 and release["draft"] and not release["assets"], done.said
    assert "remedy: run its release's failed job again" in done.said and "--assets DIR" in done.said, done.said


def test_the_assets_of_a_release_are_those_that_were_attested(released):
    release = next(iter(released.hub.releases.values()))
    tools = [a for a in release["assets"] if a["name"].endswith((".gz", ".deb"))]
    assert len(tools) == 4, "a tarball and a package of each architecture"
    digests = {"sha256:" + hashlib.sha256(released.hub.contents[a["id"]]).hexdigest() for a in tools}
    assert digests <= released.hub.attested
