"""How scripts/release/assets joins what two machines built; release_act and release_arm64 prove the build."""

import hashlib
import subprocess

import pytest

from slipway.paths import REPOSITORY

FUNCTIONS = ('set -euo pipefail; die() { echo "$1" >&2; exit 1; }; '
             f'eval "$(sed -n "/^add_others()/,/^}}/p" {REPOSITORY}/scripts/release/assets)"')
ARM, OURS = "slipway-tools-1.2.0-linux-aarch64.tar.gz", "slipway-tools-1.2.0-linux-x86_64.tar.gz"


@pytest.fixture
def folders(tmp_path):
    """(ours, the other machine's, with its SHA256SUMS)."""
    out, beside = tmp_path / "out", tmp_path / "beside"
    for folder, name in ((out, OURS), (beside, ARM)):
        folder.mkdir()
        (folder / name).write_text(name)
    (beside / "SHA256SUMS").write_text(f"{hashlib.sha256(ARM.encode()).hexdigest()}  {ARM}\n")
    return out, beside


def add(out, beside, version="1.2.0"):
    return subprocess.run(["bash", "-c", f"{FUNCTIONS}; add_others {version} {out} {beside}"], capture_output=True,
                          text=True, check=False)


def test_the_other_s_files_join(folders):
    done = add(*folders)
    assert done.returncode == 0 and {f.name for f in folders[0].iterdir()} == {ARM, OURS}, done


def test_what_was_damaged_on_its_way_is_refused(folders):
    (folders[1] / ARM).write_text("other")
    done = add(*folders)
    assert done.returncode == 1 and "damaged" in done.stderr and not (folders[0] / ARM).exists(), done


def test_another_version_s_files_are_refused(folders):
    done = add(*folders, version="1.3.0")
    assert done.returncode == 1 and "another architecture's 1.3.0" in done.stderr, done


def test_files_of_the_same_architecture_are_refused(folders):
    (folders[0] / ARM).write_text("ours")
    assert add(*folders).returncode == 1
    assert (folders[0] / ARM).read_text() == "ours"


def test_a_release_of_one_architecture_is_refused():
    done = subprocess.run([REPOSITORY / "scripts/release/assets", "--version", "1.2.0"], capture_output=True, text=True,
                          check=False)
    assert done.returncode == 1 and "--beside" in done.stderr, done
