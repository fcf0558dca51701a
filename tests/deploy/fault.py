"""A fault made for real, and what deploy and rollback must make of it."""

from dataclasses import dataclass
from typing import Callable

from lab import Outcome, Site


@dataclass
class Fault:
    number: int                          # in the failure model
    what: str
    status: int                          # of the command that meets it
    serves: str                          # the tag that /health shows afterwards
    run: Callable[[Site], Outcome]
    interrupts: bool                     # the fault itself takes the traffic away for a while


FAULTS: list[Fault] = []


def fault(number: int, what: str, status: int, serves: str = "v1", interrupts: bool = False):
    """The decorated function makes the fault, runs the command that meets it and takes the fault
    back; its Outcome is that command's. Before it v1 serves, and v2 waits or is held."""
    def add(function):
        FAULTS.append(Fault(number, what, status, serves, function, interrupts))
        return function
    return add


def expect(condition, what) -> None:
    if not condition:
        raise AssertionError(what)


def running_colour(site: Site) -> str:
    return site.rollback("--status").report["running"]["colour"]


def spare_colour(site: Site) -> str:
    return "green" if running_colour(site) == "blue" else "blue"


def make_cold(site: Site) -> None:
    """Nothing waits on the idle colour; the image of what waited is held."""
    site.host.docker("rm", "-f", f"slipway-{spare_colour(site)}")


def slow_proof(site: Site, **changes) -> None:
    """Time enough to do something to a deploy while it proves its candidate."""
    site.configure(health={"interval": "100ms", "timeout": "1s", "healthyInARow": 3,
                           "minimumHealthy": "2s", "deadline": "15s"}, **changes)
