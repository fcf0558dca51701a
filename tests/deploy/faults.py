"""The failure model, fault by fault, each made for real on an engine, registry and HAProxy of its
own: what the command that meets it answers, what serves then, how long it took, and how long
/health did not answer through HAProxy.

usage: faults.py BINARIES [NUMBER...]    all faults, or those of these numbers
Exits 1 if one does not end as the failure model says, 77 where Docker cannot run.
"""

import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

# pylint: disable=wrong-import-position
import faults_candidate  # noqa: F401
import faults_host  # noqa: F401
import faults_supply  # noqa: F401
from fault import FAULTS, Fault
from faults_supply import small_disks
from lab import Asker, LabError, Site, unable


def reset(site: Site) -> None:
    """v1 serves and v2 waits, with the configuration that rows begin with."""
    site.write_configuration()
    site.rollback("--resume", "--wait")
    for tag in ("v2", "v1"):
        if site.served() != "v1":
            outcome = site.rollback("v1")
        elif tag == "v2":
            outcome = site.deploy("v2")
    if site.served() != "v1":
        site.deploy("v1")


def meet(site: Site, asker: Asker, fault: Fault) -> bool:
    """Makes one fault and prints its row; whether it ended as it must."""
    if fault.number == 5:
        small_disks(site)
    reset(site)
    asker.restart()
    wrong, outcome = [], None
    try:
        outcome = fault.run(site)
    except (AssertionError, OSError, KeyError, IndexError, TypeError, ValueError, LabError,
            subprocess.SubprocessError) as error:
        wrong.append(repr(error))
    serves = site.served()
    if outcome is None and not wrong:
        print(f"{fault.number:3}  {fault.what:66} cannot be made here", flush=True)
        return True
    if outcome is not None and outcome.status != fault.status:
        wrong.append(f"must exit {fault.status}: {outcome}")
    if (serves or "").split("-")[0] != fault.serves:
        wrong.append(f"{fault.serves} must serve")
    if asker.failures and not fault.interrupts:
        wrong.append(f"/health failed {asker.failures} times: {dict(asker.answers)}")
    status, seconds = (outcome.status, outcome.seconds) if outcome else ("-", 0.0)
    print(f"{fault.number:3}  {fault.what:66} {status!s:>4}  {serves!s:7} {seconds:6.1f}  "
          f"{asker.longest_gap_s:5.2f}  {'FAILED' if wrong else 'ok'}", flush=True)
    for line in wrong:
        print(f"     {line}", flush=True)
    return not wrong


def main() -> int:
    if len(sys.argv) < 2:
        print(__doc__)
        return 2
    if reason := unable():
        print(f"faults: cannot run here: {reason}")
        return 77
    numbers = [int(word) for word in sys.argv[2:]]
    chosen = [fault for fault in FAULTS if fault.number in numbers or not numbers]
    # The disks are made small for fault 5, and stay so.
    chosen.sort(key=lambda fault: (fault.number == 5, fault.number))
    with Site("deploy-faults", Path(sys.argv[1])) as site:
        site.keep_alive()
        site.publish("v1")
        site.publish("v2")
        site.deploy("v1")
        print("  #  fault                                                              exit  "
              "serves  seconds  gap s")
        with Asker(site) as asker:
            good = [meet(site, asker, fault) for fault in chosen]
    print(f"{len(good)} faults of {len({fault.number for fault in chosen})} numbers, "
          f"{good.count(False)} ended other than they must")
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
