"""A skipped test is seen: its suite ends with ctest's SKIP_RETURN_CODE, also when others of it passed, and
scripts/ci/refuse-skipped fails it with the reason."""

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
