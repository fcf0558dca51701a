"""What a roll-out over several hosts decides, without any host: walked through every way that each may end."""

import itertools

import pytest

from slipway.rollout import decisions
from slipway.rollout.__main__ import Report, deploy
from slipway.rollout.decisions import DONE, HUMAN, TAKEN_BACK, Seen
from slipway.rollout.fleet import Fleet, Said

OLD, NEW, OLDER = (f"sha256:{digit * 64}" for digit in "012")
HOSTS = ["a", "b", "c"]


def well(running: str, *proven: str) -> Seen:
    return Seen(running, bool(running), proven)


@pytest.mark.parametrize(("state", "words"), [
    (Seen(error="a: not reached"), "not reached"), (Seen(OLD, True, (), "deploy by ci"), "deploy by ci is going on"),
    (Seen(OLD, False), "does not answer as it should")], ids=["unreachable", "busy", "ill"])
def test_nothing_begins_where_one_host_is_not_fit(state, words):
    found = decisions.problems({"a": well(OLD), "b": state, "c": well("")})
    assert len(found) == 1 and found[0].startswith("b: ") and words in found[0]


def test_an_empty_host_and_one_that_has_it_already_are_fit():
    seen = {"a": well(NEW), "b": well(""), "c": well(OLD)}
    assert decisions.problems(seen) == []
    assert decisions.remaining(HOSTS, seen, NEW) == ["b", "c"]


def test_what_was_done_goes_back_to_what_ran_there_before():
    seen = {"a": well(NEW, NEW, OLDER), "b": well(OLD), "c": well(NEW)}
    back = decisions.to_take_back(HOSTS, seen, NEW, {"a": OLD, "b": OLD, "c": ""})
    assert back == {"a": OLD}, "c ran nothing before, so there is nothing to go back to"


def test_what_a_killed_roll_out_did_goes_back_to_what_the_host_would():
    seen = {"a": well(NEW, NEW, OLD), "b": well(OLD), "c": well(OLD)}
    assert decisions.to_take_back(HOSTS, seen, NEW, {"a": NEW, "b": OLD, "c": OLD}) == {"a": OLD}


class FakeFleet:
    """Hosts that take a version and go back, or do not."""
    hosts = HOSTS
    on_all = staticmethod(Fleet.on_all)

    def __init__(self, takes: dict, goes_back: dict, begun: dict):
        self.takes, self.goes_back = takes, goes_back
        self.seen = {host: well(begun[host], begun[host], OLD, OLDER) for host in HOSTS}

    def ask_all(self, wait=False) -> dict:
        return dict(self.seen)

    def deploy(self, host: str, image: str, *words: str) -> Said:
        if "--dry-run" in words:
            return Said(0, "", "")
        if not self.takes[host]:
            return Said(4, "", "deploy: error: unwell")
        self.seen[host] = well(NEW, NEW, self.seen[host].running, OLD)
        return Said(0, "", "")

    def back(self, host: str, digest: str, *words: str) -> Said:
        if not self.goes_back[host]:
            return Said(5, "", "rollback: error: no")
        self.seen[host] = well(digest, NEW)
        return Said(0, "", "")


def run(takes: dict, goes_back: dict, begun: dict) -> tuple[decisions.Outcome, dict]:
    fleet = FakeFleet(takes, goes_back, begun)
    ended = deploy(fleet, Report(as_json=True), f"registry.test/api@{NEW}", [])
    return ended, {host: state.running for host, state in fleet.seen.items()}


@pytest.mark.parametrize("takes", list(itertools.product([True, False], repeat=3)))
@pytest.mark.parametrize("goes_back", list(itertools.product([True, False], repeat=3)))
@pytest.mark.parametrize("done", range(4))
def test_in_the_end_all_run_the_new_version_or_none_does_or_a_human_is_told(takes, goes_back, done):
    """DONE: how many hosts a roll-out had done that was killed."""
    begun = {host: NEW if number < done else OLD for number, host in enumerate(HOSTS)}
    takes, goes_back = (dict(zip(HOSTS, each, strict=True)) for each in (takes, goes_back))
    ended, running = run(takes, goes_back, begun)
    on_new = {host for host in HOSTS if running[host] == NEW}
    if ended.status == DONE:
        assert on_new == set(HOSTS)
        assert all(takes[host] for host in HOSTS if begun[host] != NEW)
    elif ended.status == TAKEN_BACK:
        assert running == dict.fromkeys(HOSTS, OLD)
    else:
        assert ended.status == HUMAN and on_new and all(not goes_back[host] for host in on_new)
        assert all(host in ended.message for host in on_new)


def test_a_host_that_does_not_serve_at_the_end_needs_a_human_whatever_the_others_do():
    seen = {"a": well(NEW), "b": Seen(OLD, False), "c": Seen(error="not reached")}
    ended = decisions.outcome(HOSTS, seen, NEW, "b: exit 5")
    assert ended.status == HUMAN and [p[0] for p in ended.problems] == ["b", "c"]
