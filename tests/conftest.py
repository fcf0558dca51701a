"""What every pytest suite here has: where the executables are, a place for figures, and an end that ctest
and scripts/ci/refuse-skipped understand.

A test that cannot run on this machine is skipped with its reason. A suite with a skipped test ends with
77, ctest's SKIP_RETURN_CODE, also when other tests of it passed: ctest knows a suite only as a whole, and
a proof that was not given must not look like one. A failure outweighs that.
"""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SKIPPED = 77
ENDED_WELL = (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED)
TOLD = "told"


@pytest.fixture(scope="session")
def executables() -> Path:
    """SLIPWAY_EXECUTABLES, which ctest sets, or those of the dev preset."""
    folder = Path(os.environ.get("SLIPWAY_EXECUTABLES", ROOT / "build/dev/bin")).resolve()
    if not folder.is_dir():
        pytest.fail(f"no folder {folder}; build (see HACKING.md), or name it in SLIPWAY_EXECUTABLES")
    return folder


@pytest.fixture
def tell(request):
    """tell(TEXT): a figure that people want to see, whether the test passed or not."""
    return lambda text: request.node.user_properties.append((TOLD, text))


def pytest_terminal_summary(terminalreporter):
    for report in [*terminalreporter.stats.get("passed", []), *terminalreporter.stats.get("failed", [])]:
        test = report.nodeid.partition("::")[2]
        for name, text in report.user_properties:
            if name == TOLD:
                terminalreporter.write_line(f"{report.duration:6.1f} s  {test}: {text}")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session, exitstatus):
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")  # none in a worker of xdist
    if reporter and reporter.stats.get("skipped") and exitstatus in ENDED_WELL:
        session.exitstatus = SKIPPED
