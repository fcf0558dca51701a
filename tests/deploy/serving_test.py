"""What the statuses say of who serves, on a real engine: what hangs is paused, what is dead is killed."""

import contextlib
import json
import subprocess

import pytest

from deploy.site import NEEDS

pytestmark = NEEDS


@contextlib.contextmanager
def paused(site, colour: str):
    """The container runs, its port is open, and nothing answers."""
    name = f"slipway-{colour}"
    site.host.docker("pause", name)
    try:
        yield
    finally:
        if site.containers().get(name) == "paused":
            site.host.docker("unpause", name)


def last_line(site, *arguments: str) -> str:
    return subprocess.run(site.command("rollback", *arguments), capture_output=True, text=True,
                          check=False).stdout.splitlines()[-1]


def test_what_hangs_is_started_anew_by_who_asks_for_it_and_never_called_serving(site):
    for ask in (lambda: site.deploy("v1"), lambda: site.rollback("v1")):
        with paused(site, site.running_colour()):
            status = site.rollback("--status")
            assert status.status == 9 and not status.report["healthy"], status
            assert last_line(site, "--status").startswith("running: nothing that serves; "), status
            resumed = site.rollback("--resume")
            assert resumed.status == 5 and resumed.report["serves"] is False, resumed
            done = ask()
        assert done.status == 0 and done.report["serves"] and site.served() == "v1", done
        assert "did not answer" in done.report["warnings"][-1], done


def test_a_bad_release_over_a_dead_version_is_5_and_says_that_nothing_serves(site):
    site.deploy("v2")
    site.publish("liar", "lies")
    colour = site.rollback("v1").report["running"]["colour"]
    for name in ("slipway-blue", "slipway-green"):
        site.host.docker("kill", name)
    bad = site.deploy("liar")
    assert bad.status == 5 and bad.report["serves"] is False, bad
    status = site.rollback("--status")
    assert status.status == 9 and status.report["running"]["colour"] == colour, status
    assert status.report["running"]["exitCode"] == 137 and status.report["last"]["exitCode"] == 5, status
    died = status.report["running"]["ended"]
    assert last_line(site, "--status").endswith(f"should, and does not run: it ended with status 137 at {died}"), died
    assert site.rollback("--resume").status == 0 and site.served() == "v1"
    last = site.rollback("--status").report["last"]
    assert last["operation"] == "resume" and last["exitCode"] == 0 and died in last["message"], last
    assert site.rollback("--resume").status == 0 and site.rollback("--status").report["last"] == last, "nothing to tell"


def test_a_rollback_to_what_never_proved_itself_is_7_and_touches_nothing(site):
    site.publish("ill", "exits")
    assert site.deploy("ill").status == 4
    before = site.containers()
    refused = site.rollback("ill")
    assert refused.status == 7 and "never proved itself" in refused.report["message"], refused
    assert site.containers() == before and site.served() == "v1"


def test_an_hour_later_it_is_told_what_failed_and_why(site):
    site.publish("sick", "exits")
    failed = site.deploy("sick", "--reason", "the new thing")
    assert failed.status == 4, failed
    entry = json.loads(site.rollback("--history").out)[-1]
    assert entry["transaction"] == failed.report["transaction"] and entry["exitCode"] == 4, entry
    assert "status 42" in entry["message"] and entry["reason"] == "the new thing" and entry["seconds"] > 0, entry
    shown = site.rollback("--show", entry["transaction"]).report
    assert any("I exit at once" in step["lastWords"] for step in shown["steps"]), shown
    told = subprocess.run(site.command("rollback", "--show", entry["transaction"]), capture_output=True, text=True,
                          check=False).stdout
    assert "    | stand_in: I exit at once\n" in told, told
    text = subprocess.run(site.command("rollback", "--history"), capture_output=True, text=True, check=False).stdout
    assert "rolled-back: " in text.splitlines()[-1] and "status 42" in text, text
    assert site.rollback("--show", "t0").status == 7


def test_the_cause_of_a_death_is_told_in_words(site):
    cases = (("eats", {"limits": {"memory": "16m"}}, "more memory than its limit of 16 MB"),
             ("forbids", {}, "/health answered 403 without JSON; its last words: <h1>Invalid Host header</h1>"),
             ("probe-hangs", {}, "/stand_in probe did not end within 5s"))
    for manner, more, words in cases:
        site.describe(healthy={"every": "100ms", "timeout": "1s", "times": 3, "for": "300ms", "within": "4s"}, **more)
        site.publish(f"c-{manner}", manner.replace("-", "_"))
        bad = site.deploy(f"c-{manner}")
        assert bad.status == 4 and words in bad.report["message"], bad
        assert site.served() == "v1"


def test_a_worse_release_is_told_by_the_bake_and_not_by_a_drain_that_took_too_long(site):
    site.describe(drain="200ms")
    site.publish("stubborn", "slow_drain")
    assert site.deploy("stubborn").status == 0
    site.describe(drain="200ms", bake={**site.service["bake"], "window": "700ms", "longest": "2s", "requests": 100})
    site.publish("worse", "rejects")
    bad = site.deploy("worse")
    assert bad.status == 4 and any("not drained" in warning for warning in bad.report["warnings"]), bad
    assert "answered badly" in bad.report["message"] and "not drained" not in bad.report["message"], bad


def test_an_engine_that_is_down_is_waited_for_aloud_and_no_longer_than_told(site):
    broken = site.folder / "broken.json"
    config = json.loads((site.folder / "deploy.json").read_text())
    broken.write_text(json.dumps(config | {"dockerSocket": str(site.state / "no-engine.sock")}))
    asked = subprocess.run(site.host.inside(str(site.binaries / "rollback"), "--config", str(broken), "--status",
                                            "--timeout", "2s"), capture_output=True, text=True, check=False, timeout=20)
    assert asked.returncode == 8 and "waiting up to 2s for the engine at" in asked.stderr, asked


@pytest.mark.parametrize("spare", ["removed", "stopped"])
def test_after_a_prune_what_is_gone_is_not_promised(site, spare):
    site.deploy("v2")
    if spare == "removed":
        site.make_cold()
    else:
        site.host.docker("stop", f"slipway-{site.spare_colour()}")
    here = {release["tag"] for release in site.rollback("--status").report["proven"] if release["here"]}
    assert {"v1", "v2"} <= here
    site.host.docker("system", "prune", "-af")
    status = site.rollback("--status")
    gone = {release["tag"] for release in status.report["proven"] if not release["here"]}
    assert "v1" in gone and "v2" not in gone, status
    site.registry.pause()
    try:
        refused = site.rollback("v1")
    finally:
        site.registry.resume()
    assert refused.status == 7 and "not on this host any more" in refused.report["message"], refused
    assert site.rollback("v1").status == 0 and site.served() == "v1"
