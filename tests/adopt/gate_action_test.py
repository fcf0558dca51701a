"""What the actions `publish` and `gate` run, in a repository that has nothing of Slipway's: a real registry; the
engine and packet_bench only note how they are called."""

import os
import subprocess

import pytest

from adopt.published import fetched
from slipway.act.artifacts import write_image
from slipway.act.github import GitHub
from slipway.act.runner import Act
from slipway.ci import oci
from slipway.paths import REPOSITORY
from support import needs
from support.pins import pinned
from workflows.act_world import holds

pytestmark = needs.all_of(
    needs.programs("docker", "docker-registry"), needs.programs("act", "act", "openssl"))

DOCKER = """#!/bin/sh
echo "docker $*" >>"$CALLS"
[ "$1 $2" != "image inspect" ]
"""
WORKFLOW = pinned("""\
on: push
permissions: {}
jobs:
  ship:
    runs-on: ubuntu-24.04
    steps:
      - uses: actions/checkout@PINNED
        with:
          persist-credentials: false
      - id: publish
        uses: acme/slipway/.github/actions/publish@v1
        with:
          digest: ${{ vars.DIGEST }}
      - uses: acme/slipway/.github/actions/gate@v1
        with:
          base: ${{ github.sha }}
          candidate-image: ${{ steps.publish.outputs.name }}@${{ steps.publish.outputs.digest }}
""")
BENCH = """#!/bin/sh
echo "packet_bench $*" >>"$CALLS"
echo verdict >build/gate/duet.md
exit "$(cat "$STATUS")"
"""


class Foreign:
    def __init__(self, folder, registry):
        self.folder, self.work = folder, folder / "prices"
        self.name = f"localhost:{registry.address.rpartition(':')[2]}/eve/prices"
        self.work.mkdir()
        self.git("init", "--quiet", "--initial-branch=trunk")
        self.hub = GitHub("eve/prices")
        self.hub.git = self.work
        (self.work / "slipway.yml").write_text(f"service: prices\nimage: {self.name}\n")
        for name, text in (("docker", DOCKER), ("packet_bench", BENCH)):
            (folder / name).write_text(text)
            (folder / name).chmod(0o755)
        self.calls = folder / "calls"
        self.output = folder / "output"
        self.summary = folder / "summary"
        self.status = folder / "status"
        self.status.write_text("0")

    def git(self, *words: str) -> str:
        return subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@b.invalid", *words], cwd=self.work,
                              check=True, capture_output=True, text=True).stdout.strip()

    def commit(self, what: str) -> str:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "-m", what)
        return self.git("rev-parse", "HEAD")

    def build(self, commit: str) -> str:
        return write_image(self.work / "build/image", "1.0.0", commit)

    def run(self, *words: str, **env: str) -> subprocess.CompletedProcess:
        for file in (self.calls, self.output, self.summary):
            file.write_text("")
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("GITHUB_", "SLIPWAY_"))}
        return subprocess.run([REPOSITORY / "scripts/ci" / words[0], *words[1:]], cwd=self.work, check=False,
                              capture_output=True, text=True, env={
            **clean, "PATH": f"{self.folder}:{os.environ['PATH']}", "CALLS": str(self.calls),
            "STATUS": str(self.status), "GITHUB_OUTPUT": str(self.output), "GITHUB_STEP_SUMMARY": str(self.summary),
            "SLIPWAY_EXECUTABLES": str(self.folder), "GITHUB_REPOSITORY": "eve/prices", "GITHUB_API_URL": self.hub.url,
            **env})

    def publish(self, commit: str, digest: str) -> None:
        for verb in ("push", "tag"):
            done = self.run("publish", verb, DIGEST=digest, GITHUB_SHA=commit, GITHUB_REF="refs/heads/trunk",
                            DEFAULT_BRANCH="trunk")
            assert done.returncode == 0, done.stderr


@pytest.fixture
def w(registry, tmp_path):
    made = Foreign(tmp_path, registry)
    yield made
    made.hub.close()


def test_what_was_published_is_what_the_next_commit_is_compared_with(w):
    first = w.commit("feat: begin")
    digest = w.build(first)
    w.publish(first, digest)
    images = oci.Repository(w.name)
    assert images.digest(first) == images.digest("latest") == digest
    base = w.commit("docs: of which there is no image")
    w.build(w.commit("feat: more"))
    done = w.run("gate", BASE=base, REGISTRY_TOKEN="hidden")
    assert done.returncode == 0, done.stderr
    calls = w.calls.read_text()
    assert (f"packet_bench duet --service slipway.yml --base-image {w.name}@{digest} "
            "--candidate-image slipway-ci:candidate --max-duration 90s") in calls
    assert f"docker pull --quiet {w.name}@{digest}" in calls
    assert "hidden" not in calls
    assert w.output.read_text() == f"base={w.name}@{digest}\nverdict=pass\n"
    assert "verdict" in w.summary.read_text()


def test_latest_never_goes_back_and_a_commit_keeps_its_image(w):
    older = w.commit("feat: begin")
    first = w.build(older)
    w.publish(older, first)
    newer = w.commit("fix: go on")
    second = w.build(newer)
    w.publish(newer, second)
    images = oci.Repository(w.name)
    w.build(older)
    w.publish(older, first)  # its CI is run again
    assert images.digest("latest") == second
    assert "names a newer commit" in w.summary.read_text()
    again = write_image(w.work / "build/image", "1.0.1", newer)  # the same commit, built to other bytes
    w.publish(newer, again)
    assert images.digest(newer) == images.digest("latest") == second
    assert "was published before" in w.summary.read_text()


def test_when_github_does_not_say_which_is_newer_latest_stays_and_the_job_is_red(w):
    first = w.commit("feat: begin")
    w.publish(first, w.build(first))
    commit = w.commit("fix: go on")
    digest = w.build(commit)
    w.hub.fail_once("GET", "/compare/", status=403)
    assert w.run("publish", "push", DIGEST=digest).returncode == 0
    done = w.run("publish", "tag", DIGEST=digest, GITHUB_SHA=commit, GITHUB_REF="refs/heads/trunk",
                 DEFAULT_BRANCH="trunk")
    assert done.returncode != 0 and "403" in done.stderr
    assert oci.Repository(w.name).digest("latest") != digest


@pytest.fixture
def ship(w):
    """(run(), the digest that it ships, its commit) of a workflow that publishes, then judges."""
    (w.work / ".github/workflows").mkdir(parents=True)
    (w.work / ".github/workflows/ship.yml").write_text(WORKFLOW)
    w.calls.write_text("")
    w.git("remote", "add", "origin", "https://github.com/eve/prices.git")
    digest = w.build("a" * 40)
    commit = w.commit("feat: begin")
    act = Act(w.work, w.folder / "state", variables={"DIGEST": digest}, secrets={"GITHUB_TOKEN": "hidden"},
              env={"GITHUB_REPOSITORY": "eve/prices", "GITHUB_API_URL": w.hub.url, "CALLS": w.calls, "STATUS": w.status,
                   "SLIPWAY_EXECUTABLES": w.folder},
              path=str(w.folder), actions={"acme/slipway@v1": fetched(w.folder / "fetched")})
    return lambda: act.run("ship", "push", {"ref": "refs/heads/trunk", "repository": {"default_branch": "trunk"}},
                           commit, ref="refs/heads/trunk"), digest, commit


def test_the_actions_call_them_as_a_workflow_says(w, ship):
    run, digest, commit = ship
    done = run()
    images = oci.Repository(w.name)
    holds(done, {
        "green": done.jobs == {"ship": "success"},
        "named after the commit, and latest": images.digest(commit) == images.digest("latest") == digest,
        "attested": len(list((w.folder / "state/attestations").glob("*/*.json"))) == 1,
        "judged": f"--base-image {w.name}@{digest} --candidate-image {w.name}@{digest} " in w.calls.read_text()})


def test_what_cannot_be_attested_gets_no_name(w, ship):
    run, _, commit = ship
    (w.folder / "openssl").write_text("#!/bin/sh\nexit 1\n")
    (w.folder / "openssl").chmod(0o755)
    done = run()
    holds(done, {
        "red": done.jobs == {"ship": "failure"}, "no name": oci.Repository(w.name).digest(commit) is None,
        "not judged": w.calls.read_text() == ""})


@pytest.mark.parametrize(("left", "verdict", "times"), [(1, "regression", 1), (4, "inconclusive", 2), (3, "", 1)])
def test_a_verdict_is_the_gate_s(w, left, verdict, times):
    w.status.write_text(str(left))
    w.commit("feat: begin")
    done = w.run("gate", BASE_IMAGE="a@sha256:0", CANDIDATE_IMAGE="b")
    assert done.returncode == left
    assert w.calls.read_text().count("packet_bench duet") == times
    assert f"verdict={verdict}" in w.output.read_text() if verdict else "verdict" not in w.output.read_text()


@pytest.mark.parametrize("base", ["0" * 40, "", "HEAD"])
def test_without_a_base_it_passes_and_says_so(w, base):
    w.git("commit", "--quiet", "--allow-empty", "-m", "feat: begin")
    (w.work / "slipway.yml").write_text(f"image: {w.name}-other\n")
    done = w.run("gate", BASE=base)
    assert done.returncode == 0, done.stderr
    assert "nothing to compare with" in w.summary.read_text()
    assert w.output.read_text() == "base=\nverdict=none\n"
    assert w.calls.read_text() == ""


def test_a_registry_that_does_not_answer_is_not_one_without_a_base(w):
    (w.work / "slipway.yml").write_text("image: localhost:1/eve/prices\n")
    done = w.run("gate", BASE=w.commit("feat: begin"))
    assert done.returncode == 1
    assert "is the registry up?" in done.stderr


def test_another_image_than_was_scanned_gets_no_name(w):
    commit = w.commit("feat: begin")
    w.build(commit)
    done = w.run("publish", "push", DIGEST="sha256:" + "0" * 64, GITHUB_SHA=commit)
    assert done.returncode == 1
    assert "nothing was named" in done.stderr
