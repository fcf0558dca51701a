"""deploy or rollback on several hosts, as scripts/deploy.sh and scripts/rollback.sh call it for a list of them.

deploy: asks all hosts first, and changes none unless all can be deployed to; then one after the other, the first
being the canary; stops at the first that does not take the version, and takes back those that did. Killed, it is
called again, from anywhere: it goes on from what the hosts say.
rollback: all at once. --status, --history, --show and a rollback's --dry-run: what each says.

Exit: as deploy and rollback: 0 all, 3 nothing was begun, 4 failed and every host runs what it ran before, 5 a human
is needed, 130 interrupted; of several rollbacks the worst.
"""

import json
import re
import signal
import sys
import time

from .. import cli
from .decisions import (
    DONE,
    HUMAN,
    INTERRUPTED,
    LOST,
    UNCHANGED,
    USAGE,
    Outcome,
    outcome,
    problems,
    remaining,
    to_take_back,
)
from .fleet import Fleet, Said

DIGEST = re.compile(r"sha256:[0-9a-f]{64}$")


class Interrupted(Exception):
    pass


class Report:
    """One line a host while it goes on, on stderr; one table, or JSON, on stdout at the end."""

    def __init__(self, as_json: bool):
        self.as_json = as_json
        self.began = time.monotonic()
        self.hosts: dict = {}

    def tell(self, host: str, text: str) -> None:
        print(f"{time.monotonic() - self.began:6.1f} s  {host}: {text}", file=sys.stderr, flush=True)

    def note(self, host: str, **what) -> None:
        self.hosts.setdefault(host, {}).update(what)

    def end(self, ended: Outcome) -> int:
        seconds = round(time.monotonic() - self.began, 1)
        if self.as_json:
            print(json.dumps({"schemaVersion": 1, "exitCode": ended.status, "message": ended.message,
                              "problems": ended.problems, "seconds": seconds, "hosts": self.hosts}))
            return ended.status
        for problem in ended.problems:
            print(f"  {problem}")
        width = max(map(len, self.hosts), default=4)
        for host, what in self.hosts.items():
            short = {key: (what.get(key) or "nothing")[:19] for key in ("before", "after")}
            print(f"  {host:<{width}}  {short['before']} -> {short['after']}  {what.get('seconds', 0):.1f} s  "
                  f"{what.get('what', '')}")
        print(f"{ended.message} ({seconds} s)")
        return ended.status


def timed(report: Report, host: str, what: str, work):
    began = time.monotonic()
    report.tell(host, what)
    said = work()
    spent = round(time.monotonic() - began, 1)
    earlier = report.hosts.get(host, {}).get("seconds", 0)
    report.note(host, seconds=round(earlier + spent, 1))
    report.tell(host, f"{what}: {'done' if said.status == DONE else said.reason}")
    return said


def deploy(fleet: Fleet, report: Report, image: str, words: list) -> Outcome:
    target = image.rpartition("@")[2]
    if not DIGEST.match(target):
        return Outcome(USAGE, f"{image} names no digest: of several hosts all must get the same bytes; give "
                              "REPOSITORY@sha256:...")
    # What a runner that was killed has begun on a host ends there by itself.
    seen = fleet.ask_all(wait=True)
    before = {host: state.running for host, state in seen.items()}
    for host in fleet.hosts:
        report.note(host, before=before[host], after=before[host], what="")
    unfit = problems(seen)
    todo = remaining(fleet.hosts, seen, target)
    if not unfit:
        tried = fleet.on_all(todo, lambda host: fleet.deploy(host, image, "--dry-run"))
        unfit = [f"{host}: {said.reason}" for host, said in tried.items() if said.status != DONE]
    if unfit:
        return Outcome(UNCHANGED, "nothing was begun: not every host can be deployed to", unfit)
    if "--dry-run" in words:
        return Outcome(DONE, f"nothing was changed: {target} would go to {', then '.join(todo)}" if todo else
                       f"nothing was changed, nor would it be: every host runs it already, {target}")
    failed = ""
    for host in todo:
        said = timed(report, host, "deploy", lambda host=host: fleet.deploy(host, image, *words))
        if said.status == DONE:
            continue
        state = fleet.ask(host, wait=True) if said.status == LOST else None
        if state and state.running == target and state.healthy:
            continue
        failed = f"{host}: {said.reason}"
        report.note(host, what="did not take it")
        break
    seen = fleet.ask_all(wait=True)
    if failed:
        seen = take_back(fleet, report, seen, target, before, words)
    for host in fleet.hosts:
        report.note(host, after=seen[host].running)
    return outcome(fleet.hosts, seen, target, failed)


def take_back(fleet: Fleet, report: Report, seen: dict, target: str, before: dict, words: list) -> dict:
    back = to_take_back(fleet.hosts, seen, target, before)
    kept = [word for word in words if word != "--image-only"]
    for host in back:
        report.note(host, what="taken back")
    fleet.on_all(back, lambda host: timed(report, host, "rollback",
                                          lambda: fleet.back(host, back[host], *kept)))
    return fleet.ask_all(wait=True)


def rollback(fleet: Fleet, report: Report, words: list) -> Outcome:
    resumes = "--resume" in words
    seen = fleet.ask_all()
    for host in fleet.hosts:
        report.note(host, before=seen[host].running, what=seen[host].error)
    said = fleet.on_all(fleet.hosts, lambda host: timed(report, host, "resume" if resumes else "rollback",
                                                        lambda: fleet.run("rollback.sh", host, *words, "--wait")))
    after = fleet.ask_all()
    for host in fleet.hosts:
        report.note(host, after=after[host].running)
    wrong = [f"{host}: {each.reason}" for host, each in said.items() if each.status != DONE]
    count = len(fleet.hosts)
    if not wrong:
        return Outcome(DONE, f"nothing is left cut short on all {count} hosts" if resumes else
                       f"all {count} hosts went back")
    # 5 says that a host does not serve; what else went wrong left it serving what it did.
    status = HUMAN if any(each.status == HUMAN for each in said.values()) else max(
        each.status for each in said.values())
    return Outcome(status, f"{len(wrong)} of {count} hosts " + (
        "could not finish what was cut short" if resumes else "did not go back"), wrong)


def only_looks(words: list) -> bool:
    """Is it a rollback that changes nothing, and whose answer is what each host says?"""
    return any(word.partition("=")[0] in ("--status", "--history", "--show", "--dry-run") for word in words)


def document(said: Said):
    """What a host said with --json; where it said none, why."""
    try:
        return json.loads(said.out)
    except ValueError:
        return {"error": said.reason}


def status(fleet: Fleet, words: list) -> int:
    said = fleet.on_all(fleet.hosts, lambda host: fleet.run("rollback.sh", host, *words))
    if "--json" in words:
        print(json.dumps({host: document(each) for host, each in said.items()}))
    else:
        for host, each in said.items():
            print(f"==== {host}", (each.out or each.err).rstrip(), sep="\n")
    return max(each.status for each in said.values())


def parse(argv: list):
    parser = cli.parser(__doc__, prog="roll-out")
    parser.add_argument("verb", choices=["deploy", "rollback"])
    parser.add_argument("--hosts", required=True, metavar="A,B[:PORT]", help="in this order; the first is the canary")
    parser.add_argument("--user", default="deploy")
    parser.add_argument("--port", default="22")
    parser.add_argument("--known-hosts", required=True, metavar="FILE")
    # What comes after -- is meant for the hosts, and has flags of its own.
    end = argv.index("--") if "--" in argv else len(argv)
    options = parser.parse_args(argv[:end])
    options.words = argv[end + 1:]
    return options


def main(argv: list | None = None) -> int:
    options = parse(sys.argv[1:] if argv is None else argv)
    hosts = [host for host in options.hosts.split(",") if host]
    twice = {host for host in hosts if hosts.count(host) > 1}
    if twice:
        print(f"roll-out: error: {', '.join(sorted(twice))} is named twice", file=sys.stderr)
        return USAGE
    fleet = Fleet(hosts, options.user, options.port, options.known_hosts)
    # A host is always waited for, and its own report is not asked for.
    words = [word for word in options.words if word not in ("--json", "--wait")]
    report = Report("--json" in options.words)

    def interrupt(_number, _frame):
        raise Interrupted

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, interrupt)
    try:
        if options.verb == "rollback" and only_looks(words):
            return status(fleet, options.words)
        if options.verb == "rollback":
            return report.end(rollback(fleet, report, words))
        if not words or words[0].startswith("-"):
            print("roll-out: error: which image? give REPOSITORY@sha256:... first", file=sys.stderr)
            return USAGE
        return report.end(deploy(fleet, report, words[0], words[1:]))
    except Interrupted:
        print("roll-out: interrupted; what has begun on a host ends there by itself. The same command goes on from "
              "what the hosts say, and takes back what cannot be finished", file=sys.stderr)
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
