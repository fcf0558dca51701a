"""The dashboards' JSON, read by Grafana's own types, which take no key that they do not know."""

import os
import subprocess
from pathlib import Path

import pytest

from slipway.watch.dashboards import FILES
from support import needs

pytestmark = needs.all_of(needs.programs("go", "go"))
SOURCE = Path(__file__).parent / "dashcheck"


@pytest.fixture(scope="module")
def dashcheck(tmp_path_factory) -> Path:
    """Built from its pinned modules: a minute at first."""
    program = tmp_path_factory.mktemp("go") / "dashcheck"
    subprocess.run(["go", "build", "-mod=readonly", "-o", program, "."], cwd=SOURCE, check=True,
                   env={**os.environ, "GOFLAGS": ""})
    return program


def test_the_dashboards_are_what_grafana_reads(dashcheck):
    done = subprocess.run([dashcheck, *FILES], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.count(": ok")) == (0, len(FILES)), done.stdout


@pytest.mark.parametrize(("right", "wrong"), [('"fieldConfig"', '"feildConfig"'), ('"panels": [', '"panels": ["x", '),
                                              ('"h": 8', '"h": "8"')])
def test_a_planted_fault_is_found(dashcheck, tmp_path, right, wrong):
    text = FILES[0].read_text()
    assert right in text
    (tmp_path / "bad.json").write_text(text.replace(right, wrong, 1))
    done = subprocess.run([dashcheck, tmp_path / "bad.json"], capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stdout
