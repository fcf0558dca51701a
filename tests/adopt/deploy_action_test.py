"""The published actions that reach a host, in a repository that has nothing of Slipway's: run by act, on a host that
is an sshd with the contract of deploy and rollback behind it."""

import os
import shutil
import signal
import subprocess
import time

import pytest

from adopt.published import fetched
from slipway.act.artifacts import write_assets
from slipway.act.github import GitHub
from slipway.act.runner import STANDINS, Act
from slipway.ci import github
from slipway.paths import REPOSITORY
from support import needs
from workflows.act_world import Host, holds

pytestmark = needs.all_of(
    needs.root("an sshd of our own"), needs.programs("act", "act", "openssl"),
    needs.programs("docker", "sshd", "ssh-agent"))

CHECKOUT = "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1"
HOST = """
          host: 127.0.0.1
          user: root
          port: ${{ vars.PORT }}
          ssh-key: ${{ secrets.SSH_KEY }}
          known-hosts: ${{ secrets.KNOWN_HOSTS }}"""
SHIP = f"""\
on: push
permissions: {{}}
jobs:
  staging:
    runs-on: ubuntu-24.04
    steps:
      - uses: {CHECKOUT}
        with:
          persist-credentials: false
      - id: deploy
        uses: acme/slipway/.github/actions/deploy@v1
        with:{HOST}
          digest: ${{{{ vars.DIGEST }}}}
          revision: ${{{{ vars.REVISION }}}}
          health-seconds: '3'
      - if: vars.BREAKS_LATER == 'true'
        run: exit 1
      - if: failure() || cancelled()
        uses: acme/slipway/.github/actions/rollback@v1
        with:{HOST}
          undo: true
"""
BACK = f"""\
on: push
permissions: {{}}
jobs:
  rollback:
    runs-on: ubuntu-24.04
    steps:
      - uses: acme/slipway/.github/actions/rollback@v1
        with:{HOST}
          digest: ${{{{ vars.DIGEST }}}}
"""
FIRST, SECOND, STRANGE = (f"sha256:{digit * 64}" for digit in "123")
REVISION = "a" * 40


class Foreign:
    """A repository of somebody else, a host, and GitHub with a release of Slipway."""

    def __init__(self, folder):
        self.clone, self.state = folder / "prices", folder / "state"
        workflows = self.clone / ".github/workflows"
        workflows.mkdir(parents=True)
        (workflows / "ship.yml").write_text(SHIP)
        (workflows / "back.yml").write_text(BACK)
        (self.clone / "slipway.yml").write_text("service: price-api\n")
        for command in (["init", "--quiet", "--initial-branch=main"], ["add", "--all"],
                        ["remote", "add", "origin", "https://github.com/eve/prices.git"],
                        ["-c", "user.name=a", "-c", "user.email=a@b.invalid", "commit", "--quiet", "-m", "feat: a"]):
            subprocess.run(["git", *command], cwd=self.clone, check=True)
        key = folder / "user_key"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
        self.key = key.read_text()
        self.host = Host(folder / "host", key)
        self.known = self.host.known_hosts
        self.state.mkdir()
        self.fetched = fetched(folder / "fetched")
        self.hub = GitHub("acme/slipway")
        self._release(folder / "assets")
        for digest in (FIRST, SECOND):
            self.attest("eve/prices", "ci.yml", SUBJECT_DIGEST=digest)

    def close(self) -> None:
        self.host.stop()
        self.hub.close()

    def _release(self, assets) -> None:
        version = (REPOSITORY / "VERSION").read_text().strip()
        write_assets(assets, version, REVISION)
        client = github.GitHub("acme/slipway", "t", self.hub.url)
        release = client.post("/releases", {"tag_name": f"v{version}", "draft": False})
        for file in assets.iterdir():
            client.upload(release, file.name, file.read_bytes())
        self.version = version
        self.attest("acme/slipway", "release.yml", SUBJECT_CHECKSUMS=str(assets / "SHA256SUMS"))

    def attest(self, repository: str, workflow: str, ref: str = "refs/heads/main", **subject: str) -> None:
        subprocess.run([STANDINS / "bin/attest", "sign"], check=True, stderr=subprocess.DEVNULL, env={
            "PATH": os.environ["PATH"], "STANDIN_STATE": str(self.state), "GITHUB_REPOSITORY": repository,
            "GITHUB_SHA": REVISION, "GITHUB_REF": ref, "STANDIN_WORKFLOW": f".github/workflows/{workflow}", **subject})

    def run(self, workflow: str, digest: str, on_line=None, **variables):
        sha = subprocess.run(["git", "rev-parse", "HEAD"], cwd=self.clone, check=True, capture_output=True,
                             text=True).stdout.strip()
        act = Act(self.clone, self.state, secrets={"SSH_KEY": self.key, "KNOWN_HOSTS": self.known,
                                                   "GITHUB_TOKEN": "t"},
                  variables={"PORT": self.host.port, "DIGEST": digest, "REVISION": REVISION, **variables},
                  env={"GITHUB_REPOSITORY": "eve/prices", "GITHUB_REPOSITORY_OWNER": "eve",
                       "GITHUB_API_URL": self.hub.url, "SLIPWAY_REPOSITORY": "acme/slipway",
                       "SLIPWAY_IMAGE": "localhost:1/eve/price-api"},
                  actions={"acme/slipway@v1": self.fetched})
        return act.run(workflow, "push", {"ref": "refs/heads/main", "repository": {
            "full_name": "eve/prices", "default_branch": "main"}}, sha, on_line=on_line)


@pytest.fixture(scope="module")
def w(tmp_path_factory):
    folder = tmp_path_factory.mktemp("deploy")
    made = Foreign(folder)
    yield made
    made.close()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(autouse=True)
def healthy(w):
    yield
    w.host.faults()


def test_a_digest_is_verified_deployed_and_proven(w):
    done = w.run("ship", FIRST)
    holds(done, {
        "green": done.jobs == {"staging": "success"},
        "it runs": w.host.running == FIRST,
        "with the tools of the action's own release": w.host.tools == w.version,
        "the image is the caller's": any(f"price-api@{FIRST}" in c for c in w.host.commands()),
        "people read what ran": f"running now | `{FIRST}`" in done.summaries["staging"]})


def test_what_is_not_healthy_afterwards_is_undone_and_proven(w):
    w.host.faults(lies=[SECOND])
    done = w.run("ship", SECOND)
    holds(done, {
        "red": done.jobs == {"staging": "failure"},
        "what ran before runs": w.host.running == FIRST,
        "asked to": f"rollback {FIRST} --wait --timeout 10m" in w.host.commands()[-4:],
        "proven": f"running now | `{FIRST}`" in done.summaries["staging"]})


def test_what_a_later_step_finds_wrong_is_undone_too(w):
    done = w.run("ship", SECOND, BREAKS_LATER="true")
    holds(done, {"red": done.jobs == {"staging": "failure"}, "what ran before runs": w.host.running == FIRST,
                 "it had run": f"running now | `{SECOND}`" in done.summaries["staging"]})


def test_a_run_that_is_cancelled_is_undone(w):
    w.host.faults(slow=4)
    (w.host.folder / "began").unlink(missing_ok=True)
    cancelled = []

    def cancel(_record, process):
        if (w.host.folder / "began").exists() and not cancelled:
            cancelled.append(True)
            os.kill(process.pid, signal.SIGINT)

    done = w.run("ship", SECOND, on_line=cancel)
    time.sleep(5)  # what the host had begun is over by now
    holds(done, {"it was cancelled": bool(cancelled), "not green": done.jobs != {"staging": "success"},
                 "what ran before runs": w.host.running == FIRST})


@pytest.mark.parametrize("how", ["nobody attested it", "another branch's", "another workflow's"])
def test_what_is_not_attested_as_it_must_be_reaches_no_host(w, how):
    if how == "another branch's":
        w.attest("eve/prices", "ci.yml", ref="refs/heads/evil", SUBJECT_DIGEST=STRANGE)
    if how == "another workflow's":
        w.attest("eve/prices", "evil.yml", SUBJECT_DIGEST=STRANGE)
    asked = len(w.host.commands())
    done = w.run("ship", STRANGE)
    holds(done, {"red": done.jobs == {"staging": "failure"}, "no command reached it": len(w.host.commands()) == asked,
                 "and there was nothing to undo": "nothing to undo" in done.summaries["staging"]})


def test_by_hand_without_a_checkout(w):
    green = w.run("ship", SECOND)
    holds(green, {"green": w.host.running == SECOND})
    back = w.run("back", "")
    holds(back, {"green": back.jobs == {"rollback": "success"}, "the last proven runs": w.host.running == FIRST})
    there = w.run("back", SECOND)
    holds(there, {"green": there.jobs == {"rollback": "success"}, "what was named runs": w.host.running == SECOND})
