"""The strategy `recreate` on a real engine: one container, no HAProxy; pulls before it stops, puts
the old one back when the new one does not prove itself, and says how long nothing served.

usage: recreate.py BINARIES      Exits 77 where Docker cannot run.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

# pylint: disable=wrong-import-position
from lab import REPOSITORY, Asker, Site, unable


def expect(condition, what) -> None:
    if not condition:
        raise AssertionError(what)


def running(site: Site) -> list[str]:
    return [name for name, state in site.containers().items() if state == "running"]


def trial(site: Site, asker: Asker) -> None:
    first = site.deploy("v1")
    expect(first.status == 0 and site.served() == "v1", first)
    expect(running(site) == ["slipway-blue"], site.containers())

    asker.restart()
    second = site.deploy("v2")
    expect(second.status == 0 and site.served() == "v2", second)
    gap = second.report["secondsWithoutService"]
    expect(0 < gap < 20, second)
    print(f"ok  deploy: {gap:.2f} s without service by its report, {asker.longest_gap_s:.2f} s for "
          "one who asks every 20 ms")

    back = site.rollback()
    expect(back.status == 0 and site.served() == "v1", back)
    expect(len(running(site)) == 1, site.containers())
    print(f"ok  rollback: {back.report['secondsWithoutService']:.2f} s without service")

    asker.restart()
    site.registry.pause()
    unavailable = site.deploy("v3")
    site.registry.resume()
    expect(unavailable.status == 7 and asker.failures == 0, (unavailable, asker.summary()))
    print("ok  registry stopped: 7, and nothing was stopped")

    for tag, manner in (("b1", "lies"), ("b2", "exits"), ("b3", "never_ready")):
        site.publish(tag, manner)
        bad = site.deploy(tag)
        expect(bad.status == 4 and site.served() == "v1", bad)
        expect(bad.report["running"]["digest"] == site.releases["v1"], bad)
        print(f"ok  {manner}: 4, v1 serves again after {bad.report['secondsWithoutService']:.2f} s")

    for number in range(1, 60):
        killed = site.deploy("v2", env={"SLIPWAY_FAILPOINT": str(number)})
        if killed.status != 5:
            break
        resumed = site.rollback("--resume", "--wait")
        served = site.served()
        expect(served in ("v1", "v2") and len(running(site)) == 1, (number, resumed))
        journal = (site.state / "journal").read_bytes()
        expect(site.rollback("--resume").status == 0, "again")
        expect((site.state / "journal").read_bytes() == journal, "a further resume wrote")
        if served == "v2":
            site.rollback("v1")
    expect(number > 20 and site.served() == "v2", (number, killed))
    print(f"ok  SIGKILL at each of {number - 1} points, then resume: one version serves")


def main() -> int:
    if len(sys.argv) != 2:
        print(__doc__)
        return 2
    if reason := unable():
        print(f"recreate: cannot run here: {reason}")
        return 77
    with Site("recreate", Path(sys.argv[1])) as site:
        for tag in ("v1", "v2", "v3"):
            site.publish(tag)
        (site.folder / "compose.yml").write_bytes(
            (REPOSITORY / "host" / "compose.recreate.yml").read_bytes())
        site.configure(strategy="recreate", health={
            "interval": "100ms", "timeout": "1s", "healthyInARow": 3, "minimumHealthy": "300ms",
            "deadline": "4s"})
        with Asker(site) as asker:
            trial(site, asker)
    return 0


if __name__ == "__main__":
    sys.exit(main())
