"""The failure model (docs/failure-model.md), fault by fault, each made for real on an engine, registry and
HAProxy of its own: what the command that meets it answers, what serves then, how long it took, and how
long /health did not answer through HAProxy. One number: -k fault_5:
"""

import pytest

from deploy import faults_candidate, faults_host, faults_supply  # noqa: F401  (they register their faults)
from deploy.fault import FAULTS
from deploy.site import NEEDS, Asker, Site

pytestmark = NEEDS


@pytest.fixture(scope="module")
def site(executables):
    with Site("deploy-faults", executables) as site:
        site.keep_alive()
        for tag in ("v1", "v2"):
            site.publish(tag)
        site.deploy("v1")
        yield site


@pytest.fixture(scope="module")
def asker(site):
    with Asker(site) as asker:
        yield asker


def reset(site: Site) -> None:
    """v1 serves and v2 waits, with the configuration that every fault begins with."""
    site.write_configuration()
    site.rollback("--resume", "--wait")
    for tag in ("v2", "v1"):
        if site.served() != "v1":
            site.rollback("v1")
        elif tag == "v2":
            site.deploy("v2")
    if site.served() != "v1":
        site.deploy("v1")


# The disks are made small for fault 5, and stay so: it comes last.
@pytest.mark.parametrize("fault", sorted(FAULTS, key=lambda fault: (fault.number == 5, fault.number)), ids=str)
def test_ends_as_the_failure_model_says(site, asker, fault, tell):
    if fault.number == 5:
        faults_supply.small_disks(site)
    reset(site)
    asker.restart()
    outcome = fault.run(site)
    serves = site.served() or ""
    assert outcome.status == fault.status, outcome
    assert serves.split("-")[0] == fault.serves
    assert fault.interrupts or not asker.failures, asker.summary()
    tell(f"exit {outcome.status}, {serves} serves, {outcome.seconds:.1f} s, gap {asker.longest_gap_s:.2f} s")
