"""What the published actions run for a cluster: scripts/ci/host with a kubeconfig in place of a host."""

import itertools
import os
import subprocess

import pytest

from cluster.ground import NEEDS
from cluster.place import Place
from slipway import paths

pytestmark = NEEDS


class Job:
    """The steps of one job."""

    numbers = itertools.count(1)

    def __init__(self, place: Place):
        self.place = place
        self.number = next(self.numbers)
        self.temp = place.folder / "runner"
        self.temp.mkdir(exist_ok=True)
        self.config = place.folder / "deploy.json"

    def step(self, verb: str, tag: str = "", **environment: str) -> subprocess.CompletedProcess:
        self.output = self.temp / "output"
        self.output.write_text("")
        return subprocess.run(
            [paths.REPOSITORY / "scripts" / "ci" / "host", verb], cwd=self.place.folder, capture_output=True, text=True,
            check=False, stdin=subprocess.DEVNULL, env={
                **os.environ, "HOME": self.place.env["HOME"], "SLIPWAY_KUBECONFIG": self.place.account.read_text(),
                "SLIPWAY_CONFIG": str(self.config), "SLIPWAY_EXECUTABLES": str(self.place.ground.binaries),
                "SLIPWAY_IMAGE": f"{self.place.ground.registry}/{self.place.name}",
                "DIGEST": self.place.digests.get(tag, ""), "RUNNER_TEMP": str(self.temp),
                "GITHUB_RUN_ID": str(self.number),
                "GITHUB_OUTPUT": str(self.output), "GITHUB_STEP_SUMMARY": str(self.temp / "summary"), **environment})

    def said(self) -> dict[str, str]:
        return dict(line.split("=", 1) for line in self.output.read_text().splitlines())


@pytest.fixture
def place(cluster, namespace):
    with Place(cluster, namespace) as place:
        for tag in ("v1", "v2"):
            place.publish(tag)
        yield place


def ship(place: Place, tag: str) -> Job:
    job = Job(place)
    before = job.step("before", tag)
    assert before.returncode == 0, before
    digest = job.said()["digest"]
    for verb, told in (("tools", {}), ("deploy", {}), ("prove", {"BEFORE": digest, "DEPLOYED": "success"})):
        done = job.step(verb, tag, **told)
        assert done.returncode == 0, (verb, done)
    return job


def test_a_digest_is_deployed_proven_and_undone_and_the_credentials_leave_no_trace(place):
    ship(place, "v1")
    assert place.served() == "v1"
    job = ship(place, "v2")
    assert place.served() == "v2"
    undone = job.step("undo", "v2")
    assert undone.returncode == 0 and place.served() == "v1", undone
    back = Job(place).step("rollback", "v2")
    assert back.returncode == 0 and place.served() == "v2", back
    token = place.account.read_text().split('"token": "')[1].split('"')[0]
    for done in (undone, back):
        assert token not in done.stdout + done.stderr
    left = [path for path in place.folder.rglob("*") if path.is_file() and path != place.account
            and token in path.read_text(errors="replace")]
    assert left == []


def test_what_is_bad_is_red_and_what_ran_before_runs(place):
    ship(place, "v1")
    place.publish("bad", "exits")
    job = Job(place)
    assert job.step("before", "bad").returncode == 0
    before = job.said()["digest"]
    bad = job.step("deploy", "bad")
    assert bad.returncode == 4, bad
    proof = job.step("prove", "bad", BEFORE=before, DEPLOYED="failure")
    assert proof.returncode == 0 and place.served() == "v1", proof
