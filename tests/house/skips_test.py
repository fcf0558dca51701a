"""A skipped test is seen: its suite ends with ctest's SKIP_RETURN_CODE, also when others of it passed, and
scripts/ci/refuse-skipped fails it with the reason."""

import re
import subprocess
import sys

import pytest

from slipway.paths import REPOSITORY

PASSES = "def test_passes():\n    pass\n"
SKIPS = "import pytest\n\n\ndef test_skips():\n    pytest.skip('no such machine')\n"
FAILS = "def test_fails():\n    assert False\n"


@pytest.mark.parametrize(("suite", "status"), [
    (PASSES, 0), (SKIPS, 77), (SKIPS + PASSES, 77), (SKIPS + FAILS, 1), (FAILS, 1), ("", 5)],
    ids=["all passed", "all skipped", "one skipped", "one failed", "all failed", "no test"])
def test_a_suite_ends_with(tmp_path, suite, status):
    (tmp_path / "conftest.py").write_bytes((REPOSITORY / "tests/conftest.py").read_bytes())
    (tmp_path / "some_test.py").write_text(suite)
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = -ra -p no:cacheprovider\n")
    done = subprocess.run([sys.executable, "-m", "pytest", "some_test.py"], cwd=tmp_path, capture_output=True,
                          text=True, check=False)
    assert done.returncode == status, done.stdout
    assert ("no such machine" in done.stdout) == ("skip" in suite)


JUNIT = """<testsuite><testcase name="deploy_docker" status="{}">{}
<system-out>SKIPPED [1]: no such machine</system-out></testcase></testsuite>"""


@pytest.mark.parametrize(("junit", "status"), [
    (JUNIT.format("run", ""), 0), (JUNIT.format("notrun", '<skipped message="SKIP_RETURN_CODE=77"/>'), 1),
    ("<testsuite/>", 1)], ids=["run", "skipped", "none"])
def test_refuse_skipped_ends_with(tmp_path, junit, status):
    file = tmp_path / "tests.xml"
    file.write_text(junit)
    done = subprocess.run([REPOSITORY / "scripts/ci/refuse-skipped", file], capture_output=True, text=True,
                          check=False)
    assert done.returncode == status, done.stderr
    assert "skipped" not in junit or "no such machine" in done.stderr


def test_what_a_failed_test_said_last_is_repeated(tmp_path):
    said = "\n".join(f"line {number}" for number in range(100))
    file = tmp_path / "tests.xml"
    file.write_text(f'<testsuite><testcase name="red" status="fail"><system-out>{said}</system-out></testcase>'
                    '<testcase name="green" status="run"/></testsuite>')
    done = subprocess.run([REPOSITORY / "scripts/ci/failed-tests", "--lines", "2", file], capture_output=True,
                          text=True, check=False)
    assert (done.returncode, done.stdout.splitlines()) == (
        1, ["==== red failed; its last words:", "line 98", "line 99"])


def unregistered(listings: dict[str, str], suites: list[str]) -> list[str]:
    """Those of SUITES that their folder's CMakeLists.txt names neither so nor, in a loop, by their subject."""
    return [suite for suite in suites
            if not re.search(rf"\b{re.escape(suite.rpartition('/')[2])}\b|foreach\(.*\b"
                             rf"{re.escape(suite.rpartition('/')[2].rpartition('_test.')[0])}\b",
                             listings.get(suite.rpartition("/")[0], ""))]


def test_every_suite_is_registered():
    listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard", "tests"], cwd=REPOSITORY,
                            check=True, capture_output=True, text=True).stdout.splitlines()
    suites = [name for name in listed if re.search(r"_test\.(py|cpp)$", name)]
    listings = {name.rpartition("/")[0]: (REPOSITORY / name).read_text() for name in listed
                if name.endswith("/CMakeLists.txt")}
    assert len(suites) > 150
    assert unregistered(listings, suites) == []


def test_a_suite_that_nobody_runs_is_told():
    listings = {"tests/a": "slipway_pytest(a FILES one_test.py)\nforeach(suite two three)\n"}
    assert unregistered(listings, [f"tests/a/{name}_test.py" for name in ("one", "two", "four", "ne")]) == [
        "tests/a/four_test.py", "tests/a/ne_test.py"]
