"""A fault made for real, and what deploy and rollback must make of it."""

from collections.abc import Callable
from dataclasses import dataclass

from deploy.site import Outcome, Site


@dataclass
class Fault:
    number: int                          # in docs/failure-model.md
    what: str
    status: int                          # of the command that meets it
    serves: str                          # the tag that /health shows afterwards
    run: Callable[[Site], Outcome]
    interrupts: bool                     # the fault itself takes the traffic away for a while

    def __str__(self):
        return f"fault_{self.number}: {self.what}"


FAULTS: list[Fault] = []


def fault(number: int, what: str, status: int, serves: str = "v1", interrupts: bool = False):
    """The decorated function makes the fault, runs the command that meets it and takes the fault
    back; its Outcome is that command's. Before it v1 serves, and v2 waits or is held."""
    def add(function):
        FAULTS.append(Fault(number, what, status, serves, function, interrupts))
        return function
    return add


def expect(condition, what) -> None:
    """As assert, which pytest explains only in a test's own file."""
    if not condition:
        raise AssertionError(what)
