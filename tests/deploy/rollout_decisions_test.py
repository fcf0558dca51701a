"""What a roll-out over several hosts decides, without any host: walked through every way that each may end."""

import itertools
import json
import signal

import pytest

from slipway.rollout import decisions
from slipway.rollout.__main__ import Report, deploy, main
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


def answered(monkeypatch, capsys, words: list, answers: dict, verb: str = "rollback") -> tuple[int, str, list]:
    """The exit code of VERB with WORDS over hosts of ANSWERS, what was printed, and with which words each was asked."""
    asked = []

    def answer(self, script: str, host: str, *given: str) -> Said:
        asked.append((script, host, *given))
        if "--status" in given and "--json" in given and "--status" not in words:
            return Said(0, json.dumps({"running": {"digest": OLD}, "healthy": True}) + "\n", "")
        return answers[host]

    monkeypatch.setattr(Fleet, "run", answer)
    monkeypatch.setattr(signal, "signal", lambda *_what: None)  # those of this process stay
    status = main([verb, "--hosts", ",".join(answers), "--known-hosts", "x", "--", *words])
    return status, capsys.readouterr().out, asked


@pytest.mark.parametrize("words", [["--show", "t41"], ["--show=t41"], ["--dry-run"], ["v1", "--dry-run"],
                                   ["--resume", "--dry-run"], ["--status"], ["--history"]], ids=" ".join)
def test_what_only_looks_shows_what_each_host_said_and_takes_nothing_back(monkeypatch, capsys, words):
    answers = {"a": Said(0, "t41 deploy v3: done\n", ""), "b": Said(3, "", "rollback: error: no operation 't41'\n")}
    status, out, asked = answered(monkeypatch, capsys, words, answers)
    assert (status, out) == (3, "==== a\nt41 deploy v3: done\n==== b\nrollback: error: no operation 't41'\n")
    assert asked == [("rollback.sh", host, *words) for host in answers]


def test_what_a_host_says_that_is_no_json_is_an_error_of_that_host(monkeypatch, capsys):
    answers = {"a": Said(0, '{"event": "done"}\n', ""), "b": Said(1, "motd\n", "rollback: error: full disk")}
    status, out, _ = answered(monkeypatch, capsys, ["--show", "t41", "--json"], answers)
    assert (status, json.loads(out)) == (1, {"a": {"event": "done"}, "b": {"error": "rollback: error: full disk"}})


def test_to_resume_is_not_to_go_back(monkeypatch, capsys):
    status, out, asked = answered(monkeypatch, capsys, ["--resume"], {host: Said(0, "", "") for host in "ab"})
    assert status == 0 and "went back" not in out and "nothing is left cut short on all 2 hosts" in out, out
    assert ("rollback.sh", "a", "--resume", "--wait") in asked
    answers = {"a": Said(0, "", ""), "b": Said(5, "", "rollback: error: no")}
    status, out, _ = answered(monkeypatch, capsys, ["--resume"], answers)
    assert status == HUMAN and "1 of 2 hosts could not finish what was cut short" in out, out


def test_a_dry_run_of_a_deployment_is_done_says_what_would_be_and_deploys_nothing(monkeypatch, capsys):
    words = [f"registry.test/api@{NEW}", "--dry-run"]
    status, out, asked = answered(monkeypatch, capsys, words, {host: Said(0, "", "") for host in "ab"}, "deploy")
    assert status == DONE and f"{NEW} would go to a, then b" in out and "ran before" not in out, out
    deployed = [call for call in asked if call[0] == "deploy.sh"]
    assert len(deployed) == 2 and all("--dry-run" in call for call in deployed)
    words[0] = f"registry.test/api@{OLD}"
    status, out, asked = answered(monkeypatch, capsys, words, {host: Said(0, "", "") for host in "ab"}, "deploy")
    assert status == DONE and "every host runs it already" in out and not any(c[0] == "deploy.sh" for c in asked), out


def test_a_dry_run_that_a_host_refuses_is_no_dry_run_that_went_well(monkeypatch, capsys):
    answers = {"a": Said(0, "", ""), "b": Said(3, "", "deploy: error: no room")}
    status, out, _ = answered(monkeypatch, capsys, [f"registry.test/api@{NEW}", "--dry-run"], answers, "deploy")
    assert status == 3 and "b: deploy: error: no room" in out, out
