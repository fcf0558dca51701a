"""When scripts/other-compilers is green, and what its table says: with a root in which nothing is built."""

import os
import shutil
import subprocess

import pytest

from slipway.paths import REPOSITORY

# In place of a root of Debian 13: what its programs say.
ROOT = """
root_with() { root=$slipway/root; }
within() {
  shift
  case $* in
    *-dumpfullversion) echo 13.4.0 ;;
    *-print-file-name=*) echo /14/libstdc++.a ;;
    dpkg-query*) echo 1.83.0 ;;
    'cmake --build'*) cat "$slipway/build-says"; [ ! -e "$slipway/build-fails" ] ;;
    cmake*) ;;
    ctest*)
      while [ "$1" != --output-junit ]; do shift; done
      cp "$slipway/junit" "$2"
      cat "$slipway/tests-say"
      grep -q '^100%' "$slipway/tests-say"
      ;;
  esac
}
"""
JUNIT = '<testsuite><testcase name="wire:a case" status="{}"/></testsuite>'
PASSED = "100% tests passed, 0 tests failed out of 900\n"
WARNED = "a.cpp:1:1: warning: unused variable 'x' [-Wunused-variable]\n"


@pytest.fixture
def checkout(tmp_path):
    for name in ("scripts/other-compilers", "scripts/lib/shell.sh", "scripts/ci/refuse-skipped"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(REPOSITORY / name, tmp_path / name)
    shutil.copytree(REPOSITORY / "scripts/lib/slipway", tmp_path / "scripts/lib/slipway")
    (tmp_path / "scripts/lib/root.sh").write_text(ROOT)
    return tmp_path


def run(checkout, *compilers, build="", fails=False, tests=PASSED, status="run"):
    (checkout / "build-says").write_text(build)
    (checkout / "tests-say").write_text(tests)
    (checkout / "junit").write_text(JUNIT.format(status))
    if fails:
        (checkout / "build-fails").touch()
    return subprocess.run([checkout / "scripts/other-compilers", *compilers], capture_output=True, text=True,
                          check=False, env=os.environ)


@pytest.mark.parametrize(("world", "status", "ends"), [
    ({}, 0, "| 0 | 900 of 900 |"), ({"build": WARNED * 2}, 1, "| 2 | 900 of 900 |"),
    ({"tests": "99% tests passed, 3 tests failed out of 900\n"}, 1, "| 0 | 897 of 900 |"),
    ({"status": "notrun"}, 1, "| 0 | 900 of 900 |"), ({"fails": True}, 1, "| 0 | none |")],
    ids=["green", "a warning", "a failed case", "a skipped case", "it does not compile"])
def test_each_compiler_has_a_row_and_one_that_is_not_whole_is_red(checkout, world, status, ends):
    done = run(checkout, **world)
    assert done.returncode == status, done.stderr
    rows = done.stdout.splitlines()[2:]
    assert [row.split(" |")[0] for row in rows] == ["| g++-13", "| g++-14"]
    assert all("| 13.4.0 | Boost 1.83.0, Catch2 1.83.0, fmt 1.83.0 |" in row for row in rows), rows
    assert all(row.endswith(ends) for row in rows), rows


def test_one_compiler_can_be_asked_for_and_another_is_not_known(checkout):
    assert run(checkout, "g++-14").stdout.count("g++-") == 1
    refused = run(checkout, "g++-12")
    assert (refused.returncode, refused.stdout) == (2, "") and "g++-12 is not known here" in refused.stderr
