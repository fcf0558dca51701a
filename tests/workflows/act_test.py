"""The shipped workflows, unchanged, run by act: what a push does from CI to production, and that each red
path ends as it must. -m quick: the green path only. One world for all, so the tests are in its order."""

import json
import os
import shutil
import signal
import time

import pytest

from workflows.act_world import NEEDS, ActWorld, calls, digest, holds, only

pytestmark = NEEDS


@pytest.fixture(scope="module")
def w():
    world = ActWorld()
    yield world
    world.close()


@pytest.fixture(scope="module")
def shipped(w):
    """(commit, its CI, its CD): the first push, which reaches both hosts."""
    sha = w.push("feat: pay by packet")
    ci = w.ci_push(sha)
    return sha, ci, w.cd(sha)


@pytest.fixture(scope="module")
def released(w, shipped):
    return w.release(shipped[0])


@pytest.mark.quick
def test_a_push_to_main_is_green_and_leaves_image_and_attestations(w, shipped):
    sha, ci, _ = shipped
    image = digest(w, sha)
    holds(ci, {
        "every job green": ci.status == 0 and set(ci.jobs.values()) == {"success", "skipped"},
        "only dependency-review was skipped": [j for j, s in ci.jobs.items() if s == "skipped"]
        == ["dependency-review"],
        "the image has the commit's SHA and latest": image != "" and w.world.images().digest(
            "latest") == image,
        "it is an index of both architectures": [m["platform"]["architecture"] for m in json.loads(
            w.world.images().manifest(image)[0])["manifests"]] == ["amd64", "arm64"],
        "provenance and both SBOMs are attested": len(list((w.state / "attestations").glob("*/*.json"))) == 3,
        "Trivy's findings went to the Security tab, Snyk was skipped": calls(w).count("upload-sarif") == 3
        and "Snyk was skipped" in ci.summaries.get("snyk", "")})


@pytest.mark.quick
def test_then_it_goes_by_digest_to_staging_and_production(w, shipped):
    sha, _, cd = shipped
    image = digest(w, sha)
    holds(cd, {
        "both green": only(cd, staging="success", production="success"),
        "both hosts run the digest that CI built": w.staging.running == w.production.running == image,
        "the summary has digests before and after": image in cd.summaries.get("production", ""),
        "no release yet, so the hosts keep their tools": w.staging.tools == w.production.tools == ""})


def test_then_it_is_released_once(w, shipped, released):
    images = w.world.images()
    published = [r for r in w.world.hub.releases.values() if not r["draft"]]
    holds(released, {
        "green": only(released, assets="success", release="success", promote="success"),
        "the tag, and v0 for those who use the actions": w.world.tags() == ["v0", "v0.0.0", "v0.1.0"],
        "v0.1.0, 0.1, 0 and latest name the digest that CI built": {
            images.digest(n) for n in ("v0.1.0", "0.1", "0", "latest")} == {digest(w, shipped[0])},
        "one GitHub release with ten assets and their attestation": [sorted(
            a["name"].endswith(".intoto.jsonl") for a in r["assets"]) for r in published] == [[False] * 10 + [True]]})
    again = w.release(shipped[0])
    holds(again, {"green, and nothing is released twice": again.status == 0 and len(w.world.tags()) == 3
                  and len(w.world.hub.releases) == 1})


@pytest.mark.usefixtures("shipped")
@pytest.mark.parametrize(("job", "arrange"), [
    pytest.param("build-and-test", lambda w: w.fail("build-and-test"), id="a failing test"),
    pytest.param("performance-benchmark", lambda w: w.fail("benchmark"), id="a rate not reached"),
    pytest.param("gate", lambda w: w.fail("gate"), id="a service grown dearer"),
    pytest.param("image-scan", lambda w: w.trivy_finds("image"), id="a CRITICAL with a fix in the image"),
    pytest.param("trivy-fs", lambda w: w.trivy_finds("fs"), id="a CRITICAL with a fix in the files")])
def test_red_ci_names_no_image_and_nothing_is_deployed_not_even_by_hand(w, job, arrange):
    sha = w.push("fix: go wrong")
    before = w.staging.running
    arrange(w)
    ci = w.ci_push(sha)
    w.fail()
    w.trivy_finds("")
    cd = w.cd(sha, conclusion="failure")
    holds(ci, {
        f"{job} red, publish skipped, ci-status red": only(ci, publish="skipped", ci_status="failure")
        and ci.jobs.get(job) == "failure",
        "no image has the commit's name": digest(w, sha) == "",
        "CD does not start": cd.jobs.get("resolve") == "skipped" and w.staging.running == before})
    by_hand = w.cd_by_hand(sha, "deploy", "staging", sha)
    holds(by_hand, {
        "refused before a host is asked": only(by_hand, resolve="failure", staging="skipped")})


@pytest.fixture(scope="module")
def topic(w, shipped):
    """The head of a pull request."""
    (w.world.work / "src" / "outside.hpp").write_text("#pragma once\n")
    return w.push("feat: from outside")


def test_a_fork_s_pull_request_is_green_without_any_secret(w, topic):
    calls(w)
    fork = w.ci_pull_request(topic, fork=True)
    holds(fork, {
        "green without any secret": only(fork, ci_status="success", publish="skipped",
                                         dependency_review="success"),
        "nothing sent to the Security tab": "upload-sarif" not in calls(w),
        "the summary says why": "only reads" in fork.summaries.get("plan", "")
        and "Snyk was skipped" in fork.summaries.get("snyk", ""),
        "shows the next version": "Next version" in fork.summaries.get("next-version", "")})


@pytest.mark.usefixtures("topic")
def test_a_pull_request_of_documents_only_builds_nothing(w):
    (w.world.work / "docs" / "more.md").write_text("more\n")
    docs = w.ci_pull_request(w.push("docs: tell more"), fork=False)
    holds(docs, {
        "green, nothing built": only(docs, ci_status="success", image="skipped",
                                     build_and_test="skipped", lint="success")})


def test_when_plan_cannot_tell_what_changed_the_run_is_red(w, topic):
    act = w.act(topic)
    w.world.hub.pulls[8] = "fix: lost"
    lost = act.run("ci", "pull_request", {
        "number": 8, "repository": {"full_name": "acme/conn"},
        "pull_request": {"number": 8, "title": "fix: lost", "base": {"sha": "1" * 40, "ref": "main"},
                         "head": {"sha": topic, "ref": "t", "repo": {"full_name": "acme/conn"}}}},
        topic, ref="refs/pull/8/merge")
    holds(lost, {
        "red, although everything else was skipped": only(lost, plan="failure", ci_status="failure")})


@pytest.fixture(scope="module")
def following(w, shipped):
    """(what both hosts ran before, a commit whose CI passed, its digest)."""
    before = w.staging.running
    sha = w.push("fix: next")
    ci = w.ci_push(sha)
    if ci.status != 0:
        raise RuntimeError(ci.log[-3000:])
    return before, sha, digest(w, sha)


@pytest.fixture(autouse=True)
def healthy_hosts(w):
    yield
    for host in (w.staging, w.production):
        host.faults()
    w.known["PRODUCTION"] = w.production.known_hosts


def test_an_unhealthy_image_on_staging_never_reaches_production(w, following):
    before, sha, image = following
    w.staging.faults(bad=[image])
    cd = w.cd(sha)
    holds(cd, {
        "staging red, production never starts": only(cd, staging="failure", production="skipped"),
        "both hosts run what they ran": w.staging.running == w.production.running == before,
        "proven by digest": before in cd.summaries.get("staging", "")})


def test_what_is_healthy_on_staging_and_not_on_production_is_taken_back(w, following):
    before, sha, image = following
    w.production.faults(bad=[image])
    cd = w.cd(sha)
    holds(cd, {
        "staging green, production red": only(cd, staging="success", production="failure"),
        "production runs what it ran": w.production.running == before,
        "proven by digest": f"running now | `{before}`" in cd.summaries.get("production", "")})


def test_what_is_unhealthy_only_after_deploy_said_done_is_taken_back(w, following):
    before, sha, image = following
    w.production.faults(lies=[image])
    cd = w.cd(sha)
    holds(cd, {
        "production red": only(cd, production="failure"),
        "taken back to what ran": w.production.running == before
        and any(c.startswith(f"rollback {before}") for c in w.production.commands())})


def test_a_run_that_is_cancelled_while_production_is_deployed_is_taken_back(w, following):
    before, sha, image = following
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
    holds(cd, {
        "it was cancelled": bool(cancelled),
        "not green": cd.jobs.get("production") != "success",
        "rolled back": w.production.running == before,
        "asked to go back": any(c.startswith(f"rollback {before}")
                                for c in w.production.commands())})


def test_a_production_that_shows_another_host_key_gets_no_command(w, following):
    before, sha, _ = following
    w.known["PRODUCTION"] = w.staging.known_hosts.replace(str(w.staging.port),
                                                          str(w.production.port))
    asked = len(w.production.commands())
    cd = w.cd(sha)
    holds(cd, {
        "refused": only(cd, production="failure"),
        "no command reached it": len(w.production.commands()) == asked
        and w.production.running == before})


def test_and_when_all_is_mended_both_are_green(w, following):
    before, sha, image = following
    cd = w.cd(sha)
    holds(cd, {
        "green": only(cd, staging="success", production="success") and
        w.production.running == image})
    by_hand = w.cd_by_hand(sha, "rollback", "production")
    holds(by_hand, {
        "green, staging and production jobs skipped": only(
            by_hand, rollback="success", staging="skipped", production="skipped"),
        "production runs the version before": w.production.running == before,
        "staging was not touched": w.staging.running == image})


@pytest.mark.usefixtures("released")
def test_a_released_version_by_hand(w, shipped):
    sha = shipped[0]
    newer = w.staging.running
    refused = w.cd_by_hand(sha, "deploy", "production", "0.1.0")
    holds(refused, {
        "it is older than what runs, and nobody said that it is meant": only(
            refused, staging="failure", approval="skipped", production="skipped")
        and w.staging.running == newer and "which runs there, is newer than" in refused.log})
    by_hand = w.cd_by_hand(sha, "deploy", "production", "0.1.0", older="yes")
    holds(by_hand, {
        "through staging first": only(by_hand, staging="success", production="success")
        and w.staging.running == w.production.running == digest(w, sha),
        "with the host tools of that release": w.staging.tools == w.production.tools == "0.1.0"})
    w.staging.faults(no_tools=True)
    by_hand = w.cd_by_hand(sha, "deploy", "staging", "0.1.0", older="yes")
    holds(by_hand, {
        "green, and the summary says so": only(by_hand, staging="success")
        and "may not replace" in by_hand.summaries.get("staging", "")})
    w.staging.faults()
    head = w.world.remote()
    other = digest(w, head)
    w.world.hub.checks[head] = "failure"
    by_hand = w.cd_by_hand(sha, "deploy", "staging", other)
    holds(by_hand, {
        "refused": only(by_hand, resolve="failure", staging="skipped")})
    w.world.hub.checks[head] = "success"
    forged = next(p for p in (w.state / "attestations").iterdir() if p.name.endswith(other[7:]))
    shutil.rmtree(forged)
    by_hand = w.cd_by_hand(sha, "deploy", "staging", other)
    holds(by_hand, {
        "refused before the host is asked": only(by_hand, resolve="success", staging="failure")
        and w.staging.running != other})


@pytest.mark.usefixtures("released")
def test_a_ci_that_is_run_again_later_deploys_nothing(w, shipped):
    """Its commit was overtaken: `latest` names a descendant, and the registry and GitHub say so."""
    sha, before = shipped[0], (w.staging.running, w.production.running)
    ci = w.ci_push(sha)
    newest = w.world.images().labels("latest")["org.opencontainers.image.revision"]
    cd = w.cd(sha)
    holds(cd, {
        "green": ci.status == 0 and cd.status == 0,
        "nothing was done": only(cd, resolve="success", staging="skipped", approval="skipped", production="skipped"),
        "latest did not go back": newest != sha,
        "the summary says why": "was overtaken by" in cd.summaries.get("resolve", ""),
        "both hosts run what they ran": (w.staging.running, w.production.running) == before})


@pytest.mark.usefixtures("shipped")
def test_an_environment_that_nobody_protects_gets_nothing(w, shipped):
    asked = len(w.staging.commands())
    kept = w.world.hub.environments.pop("production-approval")
    cd = w.cd(shipped[0])
    w.world.hub.environments["production-approval"] = kept
    holds(cd, {
        "red before a host is asked": only(cd, resolve="failure", staging="skipped")
        and len(w.staging.commands()) == asked,
        "it says how it comes to be": "production-approval does not exist" in cd.log and "github-setup" in cd.log})


@pytest.mark.usefixtures("shipped")
def test_without_the_registry_ci_and_cd_are_red_before_a_host_is_asked(w):
    before, sha = w.staging.running, w.push("fix: unlucky")
    w.world.registry.process.kill()
    w.world.registry.process.wait()
    ci = w.ci_push(sha)
    holds(ci, {
        "publish and ci-status red": only(ci, publish="failure", ci_status="failure")})
    cd = w.cd(sha)
    holds(cd, {
        "red before a host is asked": only(cd, resolve="failure", staging="skipped")
        and w.staging.running == before})
