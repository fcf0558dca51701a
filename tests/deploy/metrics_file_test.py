"""The file of metrics that deploy and rollback leave for an exporter, on a real host."""

import subprocess

import pytest

from deploy.site import Site
from support import needs

pytestmark = [needs.hosts("docker-registry"), needs.all_of(needs.programs("metrics", "promtool"))]


@pytest.fixture(scope="module")
def site(executables):
    with Site("metrics", executables) as site:
        (site.state / "metrics").mkdir()
        site.configure(metricsDir=str(site.state / "metrics"))
        for tag in ("v1", "v2"):
            site.publish(tag)
        site.publish("bad", "never_ready")
        yield site


def samples(site) -> dict[str, float]:
    """`name{labels}` -> value, after promtool found nothing to say."""
    text = (site.state / "metrics" / "slipway-slipway.prom").read_text()
    checked = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, ""), text
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


def status(site, operation: str) -> float:
    return samples(site)[f'slipway_operation_exit_status{{operation="{operation}",project="slipway"}}']


def counted(site, operation: str, outcome: str) -> float:
    return samples(site)[f'slipway_operations_total{{operation="{operation}",outcome="{outcome}",project="slipway"}}']


def serving(site) -> list[str]:
    return [name for name in samples(site) if name.startswith("slipway_release_info")]


def test_each_outcome_is_told_and_what_serves(site):
    assert site.deploy("v1").status == 0
    assert (status(site, "deploy"), counted(site, "deploy", "done")) == (0, 1)
    assert site.deploy("bad").status == 4
    assert (status(site, "deploy"), counted(site, "deploy", "rolled-back")) == (4, 1)
    (name,) = serving(site)
    assert site.releases["v1"] in name and 'version="1"' in name
    assert site.rollback("--resume").status == 0
    assert (status(site, "resume"), status(site, "deploy")) == (0, 4)
    assert site.deploy("v2").status == 0
    (name,) = serving(site)
    assert site.releases["v2"] in name
    assert site.rollback().status == 0
    assert (status(site, "rollback"), counted(site, "rollback", "done")) == (0, 1)
    steps = [name for name in samples(site) if "step_duration" in name and 'operation="rollback"' in name]
    assert any('step="flip"' in name for name in steps), steps
    assert samples(site)['slipway_serving{project="slipway"}'] == 1


def test_an_operation_that_was_refused_is_told(site):
    assert site.deploy("v404").status == 7
    assert status(site, "deploy") == 7


def test_a_folder_that_is_not_there_is_a_warning_and_no_other_outcome(site):
    site.configure(metricsDir=str(site.state / "nowhere"))
    done = site.rollback("--resume")
    site.configure(metricsDir=str(site.state / "metrics"))
    assert done.status == 0 and "make the folder that metricsDir of" in done.err, done
