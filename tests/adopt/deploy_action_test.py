"""The published actions that reach a host, in a repository that has nothing of Slipway's: run by act, on a host that
is an sshd with the contract of deploy and rollback behind it."""

import os
import shutil
import signal
import subprocess
import time

import pytest

from adopt.published import REVISION, Published, new_repository
from slipway.act.runner import Act
from support import needs
from support.pins import pin
from workflows.act_world import Host, holds

pytestmark = needs.all_of(
    needs.root("an sshd of our own"), needs.programs("act", "act", "openssl"),
    needs.programs("docker", "sshd", "ssh-agent"))

CHECKOUT = pin("actions/checkout")
HOST = """
          host: ${{ vars.HOSTS || '127.0.0.1' }}
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
          environments: staging
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


class Foreign:
    """A repository of somebody else, a host, and GitHub with a release of Slipway."""

    def __init__(self, folder):
        self.clone, self.state = folder / "prices", folder / "state"
        workflows = self.clone / ".github/workflows"
        workflows.mkdir(parents=True)
        (workflows / "ship.yml").write_text(SHIP)
        (workflows / "back.yml").write_text(BACK)
        (self.clone / "slipway.yml").write_text("service: price-api\n")
        new_repository(self.clone, "eve/prices")
        key = folder / "user_key"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
        self.key = key.read_text()
        self.host = Host(folder / "host", key)
        self.known = self.host.known_hosts
        self.published = Published(folder, self.state)
        for digest in (FIRST, SECOND):
            self.attest("eve/prices", "ci.yml", SUBJECT_DIGEST=digest)

    def close(self) -> None:
        self.host.stop()
        self.published.close()

    @property
    def attest(self):
        return self.published.attest

    def run(self, workflow: str, digest: str, on_line=None, **variables):
        sha = subprocess.run(["git", "rev-parse", "HEAD"], cwd=self.clone, check=True, capture_output=True,
                             text=True).stdout.strip()
        act = Act(self.clone, self.state, secrets={"SSH_KEY": self.key, "KNOWN_HOSTS": self.known,
                                                   "GITHUB_TOKEN": "t"},
                  variables={"PORT": self.host.port, "DIGEST": digest, "REVISION": REVISION, **variables},
                  env={**self.published.environment("eve/prices"), "SLIPWAY_IMAGE": "localhost:1/eve/price-api"},
                  actions=self.published.actions)
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
        "with the tools of the action's own release": w.host.tools == w.published.version,
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


@pytest.fixture
def two(w, tmp_path):
    """HOST as a list: the host that the others use, and one more."""
    second = Host(tmp_path / "second", w.clone.parent / "user_key")
    known, w.known = w.known, f"{w.known}\n{second.known_hosts}"
    yield second, f"127.0.0.1:{w.host.port},127.0.0.1:{second.port}"
    w.known = known
    second.stop()


def test_several_hosts_are_one_deployment(w, two):
    second, hosts = two
    w.run("ship", FIRST)
    done = w.run("ship", SECOND, HOSTS=hosts)
    holds(done, {"green": done.jobs == {"staging": "success"},
                 "it runs on both": w.host.running == second.running == SECOND,
                 "both have the tools": w.host.tools == second.tools == w.published.version})
    second.faults(bad=[FIRST])
    done = w.run("ship", FIRST, HOSTS=hosts)
    holds(done, {"red": done.jobs == {"staging": "failure"},
                 "the canary was taken back": w.host.running == second.running == SECOND})
