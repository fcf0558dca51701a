#!/usr/bin/env python3
"""The shipped workflows, unchanged, run by act: what a push does from CI to production, and that each
red path ends as it must. --quick: the green path only. The table is job x scenario x result."""

import argparse
import os
import shutil
import signal
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "release"))
import table as release_table
from act_world import ActWorld


class Table:
    def __init__(self):
        self.bad = self.count = 0

    def row(self, what: str, result, facts: dict) -> None:
        """FACTS: what must hold -> whether it does."""
        wrong = [fact for fact, holds in facts.items() if not holds]
        self.count += 1
        self.bad += bool(wrong)
        jobs = {}
        for job, state in result.jobs.items():
            jobs.setdefault(state, []).append(job)
        print(f"{'BAD ' if wrong else 'ok  '} {what}")
        for state in ("success", "failure", "cancelled", "skipped"):
            if jobs.get(state):
                print(f"       {state:<8} {', '.join(jobs[state])}")
        print(f"       holds    {'; '.join(f for f in facts if f not in wrong)}")
        if wrong:
            print(f"       BROKEN   {'; '.join(wrong)}")
            print("\n".join(f"         {line[:200]}" for line in result.log.splitlines()[-60:]))
        sys.stdout.flush()


def only(result, **expected) -> bool:
    return all(result.jobs.get(job.replace("_", "-")) == state for job, state in expected.items())


def digest(w: ActWorld, sha: str) -> str:
    return w.world.images().digest(sha) or ""


def calls(w: ActWorld) -> str:
    file = w.state / "calls"
    text = file.read_text() if file.exists() else ""
    file.unlink(missing_ok=True)
    return text


def green(w: ActWorld, table: Table) -> str:
    sha = w.push("feat: pay by packet")
    ci = w.ci_push(sha)
    image = digest(w, sha)
    table.row("push to main: CI", ci, {
        "every job green": ci.status == 0 and set(ci.jobs.values()) == {"success", "skipped"},
        "only dependency-review was skipped": [j for j, s in ci.jobs.items() if s == "skipped"]
        == ["dependency-review"],
        "the image has the commit's SHA and latest": image != "" and w.world.images().digest(
            "latest") == image,
        "both attestations are there": len(list((w.state / "attestations").glob("*/*.json"))) == 2,
        "Trivy's findings went to the Security tab, Snyk was skipped": calls(w).count("upload-sarif") == 2
        and "Snyk was skipped" in ci.summaries.get("snyk", "")})
    cd = w.cd(sha)
    table.row("... then CD, by digest, to staging and production", cd, {
        "both green": only(cd, staging="success", production="success"),
        "both hosts run the digest that CI built": w.staging.running == w.production.running == image,
        "the summary has digests before and after": image in cd.summaries.get("production", ""),
        "no release yet, so the hosts keep their tools": w.staging.tools == w.production.tools == ""})
    return sha


def released(w: ActWorld, table: Table, sha: str) -> None:
    release = w.release(sha)
    images = w.world.images()
    published = [r for r in w.world.hub.releases.values() if not r["draft"]]
    table.row("... then the release", release, {
        "green": only(release, assets="success", release="success", promote="success"),
        "the tag": w.world.tags() == ["v0.0.0", "v0.1.0"],
        "v0.1.0, 0.1, 0 and latest name the digest that CI built": {
            images.digest(n) for n in ("v0.1.0", "0.1", "0", "latest")} == {digest(w, sha)},
        "one GitHub release with five assets": [len(r["assets"]) for r in published] == [5]})
    again = w.release(sha)
    table.row("the release once more", again, {
        "green, and nothing is released twice": again.status == 0 and len(w.world.tags()) == 2
        and len(w.world.hub.releases) == 1})


def red_ci(w: ActWorld, table: Table, what: str, job: str, arrange) -> None:
    sha = w.push("fix: go wrong")
    before = w.staging.running
    arrange()
    ci = w.ci_push(sha)
    w.fail()
    w.trivy_finds("")
    cd = w.cd(sha, conclusion="failure")
    table.row(f"{what}: CI", ci, {
        f"{job} red, publish skipped, ci-status red": only(ci, publish="skipped", ci_status="failure")
        and ci.jobs.get(job) == "failure",
        "no image has the commit's name": digest(w, sha) == "",
        "CD does not start": cd.jobs.get("resolve") == "skipped" and w.staging.running == before})
    by_hand = w.cd_by_hand(sha, "deploy", "staging", sha)
    table.row(f"{what}: deployed by hand all the same", by_hand, {
        "refused before a host is asked": only(by_hand, resolve="failure", staging="skipped")})


def pull_requests(w: ActWorld, table: Table) -> None:
    (w.world.work / "src" / "outside.hpp").write_text("#pragma once\n")
    sha = w.push("feat: from outside")
    calls(w)
    fork = w.ci_pull_request(sha, fork=True)
    table.row("a fork's pull request", fork, {
        "green without any secret": only(fork, ci_status="success", publish="skipped",
                                         dependency_review="success"),
        "nothing sent to the Security tab": "upload-sarif" not in calls(w),
        "the summary says why": "only reads" in fork.summaries.get("plan", "")
        and "Snyk was skipped" in fork.summaries.get("snyk", ""),
        "shows the next version": "Next version" in fork.summaries.get("next-version", "")})
    (w.world.work / "docs" / "more.md").write_text("more\n")
    docs = w.ci_pull_request(w.push("docs: tell more"), fork=False)
    table.row("a pull request of documents only", docs, {
        "green, nothing built": only(docs, ci_status="success", image="skipped",
                                     build_and_test="skipped", lint="success")})
    act = w.act(sha)
    lost = act.run("ci", "pull_request", {
        "number": 8, "repository": {"full_name": "acme/conn"},
        "pull_request": {"number": 8, "title": "fix: lost", "base": {"sha": "1" * 40, "ref": "main"},
                         "head": {"sha": sha, "ref": "t", "repo": {"full_name": "acme/conn"}}}},
        sha, ref="refs/pull/8/merge")
    table.row("plan cannot tell what changed", lost, {
        "red, although everything else was skipped": only(lost, plan="failure", ci_status="failure")})


def next_image(w: ActWorld) -> tuple:
    sha = w.push("fix: next")
    ci = w.ci_push(sha)
    if ci.status != 0:
        raise RuntimeError(ci.log[-3000:])
    return sha, digest(w, sha)


def red_cd(w: ActWorld, table: Table) -> None:
    before = w.staging.running
    sha, image = next_image(w)
    w.staging.faults(bad=[image])
    cd = w.cd(sha)
    table.row("an unhealthy image on staging", cd, {
        "staging red, production never starts": only(cd, staging="failure", production="skipped"),
        "both hosts run what they ran": w.staging.running == w.production.running == before,
        "proven by digest": before in cd.summaries.get("staging", "")})
    w.staging.faults()

    w.production.faults(bad=[image])
    cd = w.cd(sha)
    table.row("healthy on staging, unhealthy on production", cd, {
        "staging green, production red": only(cd, staging="success", production="failure"),
        "production runs what it ran": w.production.running == before,
        "proven by digest": f"running now | `{before}`" in cd.summaries.get("production", "")})

    w.production.faults(lies=[image])
    cd = w.cd(sha)
    table.row("unhealthy only after deploy said done", cd, {
        "production red": only(cd, production="failure"),
        "taken back to what ran": w.production.running == before
        and any(c.startswith(f"rollback {before}") for c in w.production.commands())})

    w.production.faults(slow=4)
    (w.production.folder / "began").unlink(missing_ok=True)
    cancelled = []

    def cancel(_record, process):
        if (w.production.folder / "began").exists() and not cancelled:
            cancelled.append(True)
            os.kill(process.pid, signal.SIGINT)

    cd = w.cd(sha, on_line=cancel, concurrent=1)
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and w.production.running not in (before, image):
        time.sleep(0.2)
    time.sleep(5)  # what the host had begun is over by now: a deployment takes 4 s
    table.row("cancelled while production is being deployed", cd, {
        "it was cancelled": bool(cancelled),
        "not green": cd.jobs.get("production") != "success",
        "rolled back": w.production.running == before,
        "asked to go back": any(c.startswith(f"rollback {before}")
                                for c in w.production.commands())})
    w.production.faults()

    w.known["PRODUCTION"] = w.staging.known_hosts.replace(str(w.staging.port),
                                                          str(w.production.port))
    asked = len(w.production.commands())
    cd = w.cd(sha)
    table.row("production shows another host key", cd, {
        "refused": only(cd, production="failure"),
        "no command reached it": len(w.production.commands()) == asked
        and w.production.running == before})
    w.known["PRODUCTION"] = w.production.known_hosts

    cd = w.cd(sha)
    table.row("and when all is mended", cd, {
        "green": only(cd, staging="success", production="success") and
        w.production.running == image})
    by_hand = w.cd_by_hand(sha, "rollback", "production")
    table.row("a rollback of production by hand", by_hand, {
        "green, staging and production jobs skipped": only(
            by_hand, rollback="success", staging="skipped", production="skipped"),
        "production runs the version before": w.production.running == before,
        "staging was not touched": w.staging.running == image})


def versions_by_hand(w: ActWorld, table: Table, sha: str) -> None:
    by_hand = w.cd_by_hand(sha, "deploy", "production", "0.1.0")
    table.row("a released version by hand, to production", by_hand, {
        "through staging first": only(by_hand, staging="success", production="success")
        and w.staging.running == w.production.running == digest(w, sha),
        "with the host tools of that release": w.staging.tools == w.production.tools == "0.1.0"})
    w.staging.faults(no_tools=True)
    by_hand = w.cd_by_hand(sha, "deploy", "staging", "0.1.0")
    table.row("a key that may not replace the tools", by_hand, {
        "green, and the summary says so": only(by_hand, staging="success")
        and "may not replace" in by_hand.summaries.get("staging", "")})
    w.staging.faults()
    head = w.world.remote()
    other = digest(w, head)
    w.world.hub.checks[head] = "failure"
    by_hand = w.cd_by_hand(sha, "deploy", "staging", other)
    table.row("a digest whose CI is red by now, by hand", by_hand, {
        "refused": only(by_hand, resolve="failure", staging="skipped")})
    w.world.hub.checks[head] = "success"
    forged = next(p for p in (w.state / "attestations").iterdir() if p.name.endswith(other[7:]))
    shutil.rmtree(forged)
    by_hand = w.cd_by_hand(sha, "deploy", "staging", other)
    table.row("a digest without attestation, by hand", by_hand, {
        "refused before the host is asked": only(by_hand, resolve="success", staging="failure")
        and w.staging.running != other})


def registry_down(w: ActWorld, table: Table) -> None:
    before, sha = w.staging.running, w.push("fix: unlucky")
    w.world.registry.process.kill()
    w.world.registry.process.wait()
    ci = w.ci_push(sha)
    table.row("the registry is down: CI", ci, {
        "publish and ci-status red": only(ci, publish="failure", ci_status="failure")})
    cd = w.cd(sha)
    table.row("the registry is down: CD", cd, {
        "red before a host is asked": only(cd, resolve="failure", staging="skipped")
        and w.staging.running == before})


def missing() -> str:
    for tool, group in (("act", "workflows"), ("sshd", "docker"), ("ssh-agent", "docker"),
                        ("openssl", "test")):
        if shutil.which(tool, path=os.environ["PATH"] + ":/usr/sbin") is None:
            return f"{tool} is not installed; run scripts/setup {group}"
    if os.geteuid() != 0:
        return "an sshd of our own needs root"
    return release_table.missing()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="only what has to be green")
    quick = parser.parse_args().quick
    why = missing()
    if why:
        print(f"skipped: {why}")
        return 77
    table = Table()
    w = ActWorld()
    try:
        sha = green(w, table)
        if not quick:
            released(w, table, sha)
            for what, job, arrange in (
                    ("a failing test", "build-and-test", lambda: w.fail("build-and-test")),
                    ("a benchmark regression", "performance-benchmark", lambda: w.fail("benchmark")),
                    ("a CRITICAL with a fix in the image", "image-scan",
                     lambda: w.trivy_finds("image")),
                    ("a CRITICAL with a fix in the files", "trivy-fs", lambda: w.trivy_finds("fs"))):
                red_ci(w, table, what, job, arrange)
            pull_requests(w, table)
            red_cd(w, table)
            versions_by_hand(w, table, sha)
            registry_down(w, table)
    finally:
        w.close()
    print(f"{table.count - table.bad} of {table.count} scenarios end as they must")
    return 1 if table.bad else 0


if __name__ == "__main__":
    sys.exit(main())
