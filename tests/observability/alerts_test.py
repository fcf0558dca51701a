"""The alert table: what is broken on a host, how long until Alertmanager has the alert, how long until it is silent
again. Prometheus, Alertmanager, rules and intervals are those of host/observability."""

import threading
import time
from dataclasses import dataclass

import pytest

from observability.faults import BESIDE, LOAD, OPERATED, Fault
from observability.profile_test import alerts
from observability.watched import NEEDS, Load, Resumer, Watched
from support.waiting import await_true

pytestmark = NEEDS
LONGEST_S = 420


@dataclass
class Row:
    alert: str
    what: str
    fired_s: float
    silent_s: float


class Watching:
    """When each alert came and went, asked twice a second."""

    def __init__(self, watched: Watched):
        self.watched = watched

    def seconds_until(self, names: tuple[str, ...], there: bool) -> dict[str, float]:
        began, found = time.monotonic(), {}

        def changed() -> bool:
            now = self.watched.alerts()
            for name in names:
                if (name in now) == there:
                    found.setdefault(name, time.monotonic() - began)
            return set(found) == set(names)

        await_true(changed, f"{', '.join(names)} {'to fire' if there else 'to be silent'}", LONGEST_S)
        return found


def play(watched: Watched, fault: Fault, rows: list[Row]) -> None:
    watching = Watching(watched)
    assert not watched.alerts() & set(fault.alerts), fault
    with fault.made(watched):
        fired = watching.seconds_until(fault.alerts, there=True)
    silent = watching.seconds_until(fault.alerts, there=False)
    rows += [Row(name, fault.what, fired[name], silent[name]) for name in fault.alerts]


def table(rows: list[Row]) -> str:
    lines = ["| alert | what was broken | fired after s | silent again after s |", "|---|---|---|---|"]
    order = list(alerts())
    lines += [f"| {row.alert} | {row.what} | {row.fired_s:.0f} | {row.silent_s:.0f} |"
              for row in sorted(rows, key=lambda row: order.index(row.alert))]
    return "\n".join(lines)


def side_by_side(watched: Watched, faults: list[Fault], rows: list[Row]) -> tuple[list[threading.Thread], list]:
    failures: list[BaseException] = []

    def run(fault: Fault) -> None:
        try:
            play(watched, fault, rows)
        except BaseException as error:  # told by the test itself
            failures.append(error)

    threads = [threading.Thread(target=run, args=(fault,)) for fault in faults]
    for thread in threads:
        thread.start()
    return threads, failures


@pytest.fixture(scope="module")
def watched(executables):
    with Watched("alerts", executables) as watched:
        watched.site.publish("bad", "never_ready")
        watched.resumer = Resumer(watched.site)
        with Load(watched.site, 500), watched.resumer:
            await_true(lambda: watched.query("sum(result:ilp_packets:rate1m) > 400"), "packets", 120)
            await_true(lambda: not watched.alerts(), "nothing fires", 120)
            yield watched


def test_each_alert_fires_when_its_thing_is_broken_and_no_longer(watched, tell):
    rows: list[Row] = []
    threads, failures = side_by_side(watched, BESIDE, rows)
    for fault in LOAD:
        play(watched, fault, rows)
    for thread in threads:
        thread.join()
    assert failures == []
    for fault in OPERATED:
        play(watched, fault, rows)
    tell("\n" + table(rows))
    assert {row.alert for row in rows} == set(alerts())
