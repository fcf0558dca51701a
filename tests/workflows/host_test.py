"""scripts/ci/host, with what it calls replaced by stand-ins that note how they were called: what it decides where hosts
differ or one is dead, and whose tools work on a cluster."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from slipway.paths import REPOSITORY

OLD, NEW = (f"sha256:{digit * 64}" for digit in "12")
OLD_SHA, NEW_SHA = "a" * 40, "b" * 40
TOOL = """#!/bin/sh
echo "$(basename "$0" .sh) $*" >>"$WORLD/called"
case "$*" in
*--status*) cat "$WORLD/status.json"; exit "$(cat "$WORLD/status-code")" ;;
*) [ ! -e "$WORLD/after.json" ] || mv "$WORLD/after.json" "$WORLD/status.json"; exit "$(cat "$WORLD/code")" ;;
esac
"""
# What it finds is release-tools' own business (own_release_test): here whose tools it was asked for.
RELEASE_TOOLS = """#!/bin/bash
echo "release-tools ${DIGEST-none} $*" >>"$WORLD/called"
[[ ${REFUSED:-} != yes ]] || { echo '::error::GitHub answered 502'; exit 1; }
version=
case "$*" in
*"--own  --"*) version=1.4.0 ;;
*"--own v1 "*) version=1.5.0 ;;
*--newest*) version=1.6.0 ;;
*) exit 0 ;;
esac
mkdir -p "$1" "$WORLD/pack/slipway/bin"
for tool in deploy rollback; do cp "$WORLD/tool" "$WORLD/pack/slipway/bin/$tool"; done
echo "$version" >"$WORLD/pack/slipway/version"
tar -czf "$1/slipway-tools-$version-linux-$(uname -m).tar.gz" -C "$WORLD/pack" slipway
echo "$version c0ffee"
"""
STAND_INS = {"ssh-agent": "true", "ssh-add": "cat >/dev/null", "kubectl": "echo here",
             "skopeo": 'echo "skopeo $*" >>"$WORLD/called"', "gh": "echo c0ffee"}


def state(digest: str, revision: str) -> dict:
    return {"running": {"digest": digest, "revision": revision}, "healthy": True, "lock": None, "proven": []}


class World:
    def __init__(self, folder: Path):
        self.folder = folder
        self.slipway, self.service, programs = folder / "slipway", folder / "service", folder / "bin"
        scripts = self.slipway / "scripts"
        (scripts / "ci").mkdir(parents=True)
        (scripts / "lib").mkdir()
        for name in ("ci/host", "lib/shell.sh", "lib/tools.sh"):
            shutil.copy(REPOSITORY / "scripts" / name, scripts / name)
        (self.slipway / "VERSION").write_text("1.4.0\n")
        self.service.mkdir()
        self.program(scripts / "rollback.sh", TOOL)
        self.program(scripts / "deploy.sh", TOOL)
        self.program(folder / "tool", TOOL)
        self.program(scripts / "ci/release-tools", RELEASE_TOOLS)
        self.program(scripts / "ci/oci", '#!/bin/sh\necho "${SLIPWAY_IMAGE:?}"\n')
        programs.mkdir()
        for name, does in STAND_INS.items():
            self.program(programs / name, f"#!/bin/sh\n{does}\n")
        self.ends(0)
        self.says(state(OLD, OLD_SHA))

    @staticmethod
    def program(file: Path, content: str) -> None:
        file.write_text(content)
        file.chmod(0o755)

    def says(self, status: dict, code: int = 0) -> None:
        (self.folder / "status.json").write_text(json.dumps(status))
        (self.folder / "status-code").write_text(str(code))

    def then_says(self, status: dict) -> None:
        """From the next operation on."""
        (self.folder / "after.json").write_text(json.dumps(status))

    def ends(self, code: int) -> None:
        (self.folder / "code").write_text(str(code))

    def called(self) -> list[str]:
        file = self.folder / "called"
        return file.read_text().splitlines() if file.exists() else []

    def run(self, verb: str, folder: Path | None = None, **environment: str) -> subprocess.CompletedProcess:
        output = self.folder / "output"
        output.write_text("")
        done = subprocess.run(
            [self.slipway / "scripts/ci/host", verb], cwd=folder or self.service, capture_output=True, text=True,
            check=False, stdin=subprocess.DEVNULL, env={
                "PATH": f"{self.folder}/bin:{os.environ['PATH']}", "HOME": str(self.folder), "WORLD": str(self.folder),
                "GITHUB_OUTPUT": str(output), "GITHUB_REPOSITORY": "acme/prices", "SLIPWAY_REPOSITORY": "acme/prices",
                **environment})
        self.output = dict(line.split("=", 1) for line in output.read_text().splitlines())
        return done

    def on_hosts(self, verb: str, **environment: str) -> subprocess.CompletedProcess:
        return self.run(verb, HOST="a,b", SSH_KEY="k", KNOWN_HOSTS="a k", **environment)

    def on_cluster(self, verb: str, folder: Path | None = None, **environment: str) -> subprocess.CompletedProcess:
        return self.run(verb, folder, **{"SLIPWAY_KUBECONFIG": "{}", "SLIPWAY_IMAGE": "registry.example/acme/api",
                                         "DIGEST": NEW, **environment})

    def tools_that_worked(self, folder: Path) -> str:
        return (folder / "build/cluster-tools/version").read_text().strip()


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


# Several hosts.

DEAD = {"a": state(NEW, NEW_SHA), "b": {"error": "b, port 22, was not reached"}}


def test_a_rollback_is_sent_also_where_one_host_is_dead_and_its_own_exit_code_is_told(world):
    world.says(DEAD, 255)
    world.ends(255)
    done = world.on_hosts("rollback")
    assert any(call.startswith("rollback ") and "--wait" in call for call in world.called()), done
    assert done.returncode == 255 and "ended with 255" in done.stderr, done
    assert "not to be told" in done.stderr


def test_after_a_rollback_a_host_that_does_not_say_what_runs_is_red_in_words(world):
    world.says(DEAD, 255)
    done = world.on_hosts("rollback")
    assert done.returncode == 1 and "a,b: cannot be asked what runs" in done.stderr, done
    assert "b, port 22, was not reached" in done.stderr


def test_a_rollback_that_failed_tells_its_own_code_before_it_looks_at_what_runs(world):
    world.says({host: state(NEW, NEW_SHA) for host in "ab"})
    world.ends(5)
    done = world.on_hosts("rollback", DIGEST=OLD)
    assert done.returncode == 5 and f"what runs now: {NEW}" in done.stderr, done


def test_a_rollback_of_all_that_went_well_is_green(world):
    world.says({host: state(NEW, NEW_SHA) for host in "ab"})
    world.then_says({host: state(OLD, OLD_SHA) for host in "ab"})
    done = world.on_hosts("rollback")
    assert done.returncode == 0 and f"before | `{NEW}`" in done.stderr and f"running now | `{OLD}`" in done.stderr, done


@pytest.mark.parametrize("verb", ["before", "prove"])
def test_who_asks_what_runs_and_is_not_told_says_so(world, verb):
    world.says(DEAD, 255)
    done = world.on_hosts(verb, DIGEST=NEW)
    assert done.returncode == 1 and "cannot be asked what runs" in done.stderr, done
    assert "b, port 22, was not reached" in done.stderr


def test_before_tells_each_commit_that_runs_so_that_a_killed_roll_out_can_be_gone_on_with(world):
    world.says({"a": state(NEW, NEW_SHA), "b": state(OLD, OLD_SHA), "c": state(OLD, OLD_SHA)})
    assert world.on_hosts("before").returncode == 0
    assert world.output == {"digest": "different", "revision": f"{OLD_SHA} {NEW_SHA}"}
    world.says({"a": state(NEW, NEW_SHA), "b": {"running": None, "healthy": None}})
    assert world.on_hosts("before").returncode == 0
    assert world.output["revision"] == NEW_SHA
    world.says(state(OLD, OLD_SHA))
    assert world.on_hosts("before").returncode == 0
    assert world.output == {"digest": OLD, "revision": OLD_SHA}


# A cluster: whose tools work on it.

@pytest.mark.parametrize("digest", [NEW, ""], ids=["a deployment", "a rollback to the last one"])
def test_slipway_itself_takes_the_tools_of_its_newest_release_to_a_cluster(world, digest):
    done = world.on_cluster("before", world.slipway, DIGEST=digest)
    assert done.returncode == 0, done
    assert world.tools_that_worked(world.slipway) == "1.6.0"


@pytest.mark.parametrize(("reference", "used"), [("v1", "1.5.0"), ("", "1.4.0")])
def test_another_service_takes_those_of_the_action_s_own_release(world, reference, used):
    done = world.on_cluster("before", GITHUB_REPOSITORY="eve/api", SLIPWAY_REFERENCE=reference)
    assert done.returncode == 0, done
    assert world.tools_that_worked(world.service) == used


@pytest.mark.parametrize("verb", ["before", "rollback", "undo", "take-back"])
@pytest.mark.parametrize("own", [True, False], ids=["Slipway", "another service"])
def test_tools_that_cannot_be_had_end_the_step_in_words_and_nothing_goes_on(world, verb, own):
    done = world.on_cluster(verb, world.slipway if own else None, REFUSED="yes", BEFORE=OLD)
    assert done.returncode == 1 and "no tools for a cluster" in done.stderr and "502" in done.stderr, done
    assert [call for call in world.called() if not call.startswith("release-tools")] == []


def test_a_kubeconfig_that_names_no_context_ends_the_step(world):
    World.program(world.folder / "bin/kubectl", "#!/bin/sh\necho 'error: current-context is not set' >&2; exit 1\n")
    done = world.on_cluster("rollback")
    assert done.returncode == 1 and not world.called(), done


@pytest.mark.parametrize("digest", [{"DIGEST": ""}, {}], ids=["empty", "none"])
def test_no_digest_is_no_release_and_no_registry_is_asked(tmp_path, digest):
    done = subprocess.run([REPOSITORY / "scripts/ci/release-tools", tmp_path, "--repository", "acme/prices"],
                          env={"PATH": os.environ["PATH"], "SLIPWAY_IMAGE": "127.0.0.1:1/acme/prices", **digest},
                          capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, ""), done


def test_each_step_of_the_actions_that_may_be_the_first_has_what_fetching_needs():
    for action in ("deploy", "rollback"):
        steps = yaml.safe_load((REPOSITORY / f".github/actions/{action}/action.yml").read_text())["runs"]["steps"]
        found = [step for step in steps if step["run"].endswith(('host" before', 'host" rollback', 'host" undo'))]
        assert found
        for step in found:
            lacks = {"SLIPWAY_IMAGE", "ATTESTED", "REGISTRY_TOKEN", "GH_TOKEN", "SLIPWAY_KUBECONFIG"} - set(step["env"])
            assert not lacks, (action, step["run"], lacks)
