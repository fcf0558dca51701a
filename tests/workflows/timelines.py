#!/usr/bin/env python3
"""Timelines on a model of GitHub's scheduler: what becomes of commits, releases and hosts while people and machines
cross one another. Prints each on the workflows of fe8a58b and on ours. Exit: 0 ours harmless and the others not."""

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[2] / folder) for folder in ("scripts/lib", "tests")]
from slipway import cli
from workflows.model import tree
from workflows.model.scheduler import Hub

DAY = 24 * 60


def first_version(hub: Hub) -> None:
    """A runs everywhere, B as well; so there is something to go back to."""
    for at, commit in ((0, "A"), (60, "B")):
        hub.at(at, hub.push, commit)
        hub.at(at + 40, hub.approve, commit)


def rollback_while_production_waits(hub: Hub) -> str:
    first_version(hub)
    hub.at(200, hub.push, "C")
    hub.at(300, lambda: hub.dispatch("cd", action="rollback", environment="production", image=""))
    hub.play(300 + 2 * 60)
    return "" if hub.world.runs("production") == "A" else "two hours after somebody asked, production is not back"


def push_after_a_rollback_that_waits(hub: Hub) -> str:
    first_version(hub)
    hub.at(200, hub.push, "C")
    hub.at(300, lambda: hub.dispatch("cd", action="rollback", environment="production", image=""))
    hub.at(310, hub.push, "D")
    hub.play(40 * DAY)
    back = [at for at, line in enumerate(hub.log) if "production is back at A" in line]
    return "" if back else "the rollback was cancelled by the next push"


def failed_ci_beside_a_pending_release(hub: Hub) -> str:
    hub.world.failing = {"C"}
    hub.at(0, hub.push, "A")
    hub.at(1, hub.push, "B")
    hub.at(15, hub.push, "C")
    hub.at(15, hub.world.branches["main"].remove, "C")  # taken off main at once, so that B is its head; its CI goes on
    hub.play(DAY)
    made = any("B" in group for _, group in hub.world.released)
    return "" if made else "B's release was cancelled by a CI that failed"


def dry_run_beside_a_pending_release(hub: Hub) -> str:
    hub.at(0, hub.push, "A")
    hub.at(1, hub.push, "B")
    hub.at(35, lambda: hub.dispatch("release", mode="dry-run"))
    hub.play(DAY)
    return "" if any("B" in group for _, group in hub.world.released) else "B's release was cancelled by a dry run"


def two_release_lines_at_once(hub: Hub) -> str:
    hub.at(0, hub.push, "A")
    hub.at(1, lambda: hub.push("X", "1.x"))
    hub.at(2, hub.push, "B")
    hub.play(DAY)
    return "" if any(branch == "1.x" for branch, _ in hub.world.released) else "1.x was never released"


def an_old_ci_that_ends_last(hub: Hub) -> str:
    hub.at(0, lambda: hub.push("A", ci_minutes=50))
    hub.at(5, hub.push, "B")
    hub.at(40, hub.approve, "B")
    hub.at(100, hub.approve, "A")
    hub.play(DAY)
    now = {hub.world.runs("staging"), hub.world.runs("production"), hub.world.latest}
    return "" if now == {"B"} else f"A went over B: {sorted(now)}"


def a_run_again_a_week_later(hub: Hub) -> str:
    first_version(hub)
    hub.at(7 * DAY, hub.run_again, "A")
    hub.at(7 * DAY + 60, hub.approve, "A")
    hub.play(8 * DAY)
    now = {hub.world.runs("staging"), hub.world.runs("production"), hub.world.latest}
    return "" if now == {"B"} else f"A went over B: {sorted(now)}"


def a_fork_that_synchronises(hub: Hub) -> str:
    hub.at(0, hub.push, "A")
    hub.play(DAY)
    return f"the fork released {hub.world.released} and published {sorted(hub.world.images)}" \
        if hub.world.released or hub.world.images else ""


# What only must go well, on ours.

def three_pushes_and_a_rollback(hub: Hub) -> str:
    first_version(hub)
    for at, commit in ((200, "C"), (210, "D"), (220, "E")):
        hub.at(at, hub.push, commit)
    hub.at(280, lambda: hub.dispatch("cd", action="rollback", environment="production", image=""))
    hub.at(300, hub.approve, "E")
    hub.at(330, hub.approve, "C")
    hub.play(DAY)
    cancelled = [line for line in hub.log if "CANCELLED" in line]
    if cancelled or hub.world.runs("production") != "E" or hub.world.runs("staging") != "E":
        return f"production runs {hub.world.runs('production')}, staging {hub.world.runs('staging')}; {cancelled}"
    return "" if any("which runs there, is newer than C" in line for line in hub.log) else "C was not refused"


def a_merge_queue(hub: Hub) -> str:
    hub.at(0, hub.queue, "Q1")
    hub.at(1, hub.queue, "Q2")
    hub.play(DAY)
    runs = [run for run in hub.runs if run.workflow == "ci"]
    skipped = {name for run in runs for name, job in run.jobs.items() if job.state == "skipped"}
    return "" if [run.state for run in runs] == ["success", "success"] and skipped == {"publish", "dependency-review"} \
        and not hub.world.images else f"{[run.state for run in runs]}, skipped {skipped}"


def a_fork_s_and_dependabot_s_pull_request(hub: Hub) -> str:
    hub.at(0, lambda: hub.pull_request("P", 7, head="eve/conn"))
    hub.at(1, lambda: hub.pull_request("Q", 8, actor="dependabot[bot]"))
    hub.at(3, lambda: hub.pull_request("R", 7, head="eve/conn"))
    hub.play(DAY)
    states = [run.state for run in hub.runs if run.workflow == "ci"]
    followers = {run.workflow: run.state for run in hub.runs
                 if run.workflow in ("cd", "release") and run.state != "skipped"}
    return "" if states == ["cancelled", "success", "success"] and not hub.world.images and not followers \
        else f"{states}, {hub.world.images}, {followers}"


def an_environment_that_is_missing(hub: Hub) -> str:
    hub.world.environments.discard("production-approval")
    hub.at(0, hub.push, "A")
    hub.play(DAY)
    return "" if not hub.world.runs("staging") else "deployed to what nobody protects"


DISASTERS = (rollback_while_production_waits, push_after_a_rollback_that_waits, failed_ci_beside_a_pending_release,
             dry_run_beside_a_pending_release, two_release_lines_at_once, an_old_ci_that_ends_last,
             a_run_again_a_week_later)
# Also red before, and not among the seven.
OTHERS = (a_fork_that_synchronises,)
GOES_WELL = (three_pushes_and_a_rollback, a_merge_queue, a_fork_s_and_dependabot_s_pull_request,
             an_environment_that_is_missing)


def play(timeline, of: tree.Tree) -> tuple:
    """(what is wrong at its end, or empty; the log)."""
    hub = Hub(of, fork=timeline is a_fork_that_synchronises)
    return timeline(hub), hub.log


def main() -> int:
    cli.parser(__doc__).parse_args()
    bad = 0
    for timeline in (*DISASTERS, *OTHERS, *GOES_WELL):
        for of in (tree.before(), tree.ours()):
            if timeline in GOES_WELL and of.name != "ours":
                continue
            wrong, log = play(timeline, of)
            print(f"== {timeline.__name__.replace('_', ' ')}, {of.name}: {wrong or 'harmless'}")
            print("\n".join(f"   {line}" for line in log))
            bad += bool(wrong) == (of.name == "ours")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
