"""`slipway setup` on a fresh host of the lab: what it makes, that it may be repeated, and whom it does not trust."""

import json
import os
import subprocess
import sys

import pytest

from slipway.lab import Host
from support import needs
from support.engines import discard, sweep
from workflows import gh_stand_in

pytestmark = needs.hosts("sudo")


@pytest.fixture(scope="module")
def host():
    sweep("adopt-setup")
    made = Host(f"adopt-setup-{os.getpid()}")
    with made:
        # Its engine has its file and its pid where an engine has them.
        (made.home / "daemon.json").unlink()
        (made.home / "daemon.json").symlink_to("/etc/docker/daemon.json")
        made.run_inside("ln", "-s", made.run_dir / "docker.pid", "/run/docker.pid")
        yield made
    discard(made)


@pytest.fixture(scope="module")
def ci_key(tmp_path_factory):
    key = tmp_path_factory.mktemp("key") / "ci"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "ci", "-f", key], check=True)
    return key


def setup(executables, host, key, known_hosts=None, *more: str, path: str = "") -> subprocess.CompletedProcess:
    return subprocess.run(
        [executables / "slipway", "setup", f"root@{host.ip}", "--known-hosts", known_hosts or host.known_hosts,
         "--key", f"{key}.pub", "--image", "registry.example/acme/price-api", *more],
        env={**os.environ, "SLIPWAY_SSH_KEY": str(host.keys / "id"), "PATH": path + os.environ["PATH"]},
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=300)


def on_host(host, path: str) -> str:
    return host.run_inside("cat", path).stdout


def test_a_host_whose_key_is_not_known_is_not_touched(executables, host, ci_key, tmp_path):
    (tmp_path / "known").write_text(f"{host.ip} {(ci_key.with_suffix('.pub')).read_text()}")
    done = setup(executables, host, ci_key, tmp_path / "known")
    assert done.returncode == 255
    assert "HOST IDENTIFICATION HAS CHANGED" in done.stderr
    assert host.run_inside("sh", "-c", "test ! -e /etc/slipway/deploy.json").returncode == 0


def test_a_host_is_ready_and_a_second_time_changes_nothing(executables, host, ci_key):
    first = setup(executables, host, ci_key)
    assert first.returncode == 0, first.stdout + first.stderr
    assert host.docker("info", "--format", "{{.LiveRestoreEnabled}}").stdout.strip() == "true"
    assert '"image": "registry.example/acme/price-api"' in on_host(host, "/etc/slipway/deploy.json")
    assert f"gh variable set STAGING_HOST --env staging --body {host.ip}" in first.stdout
    assert f"gh secret set STAGING_SSH_KEY --env staging < {ci_key}" in first.stdout
    host.run_inside("sh", "-c", "echo API_KEY=own >/etc/slipway/service.env")
    second = setup(executables, host, ci_key)
    assert second.returncode == 0, second.stdout + second.stderr
    assert "wrote" not in second.stdout
    assert on_host(host, "/etc/slipway/service.env") == "API_KEY=own\n"


def test_github_is_told_by_gh_where_that_is_asked_for(executables, host, ci_key, tmp_path):
    """gh is a stand-in: there is no GitHub here. environments_test looks at what it is asked."""
    gh = tmp_path / "gh"
    gh.write_text(f'#!/bin/sh\nGH_STATE={tmp_path}/state exec {sys.executable} {gh_stand_in.__file__} "$@"\n')
    gh.chmod(0o755)
    (tmp_path / "state").write_text(json.dumps({"environments": {}, "repository": {
        "private": False, "owner": {"login": "eve", "type": "User"}, "default_branch": "main"}}))
    done = setup(executables, host, ci_key, None, "--environment", "production", "--github", path=f"{tmp_path}:")
    assert done.returncode == 0, done.stdout + done.stderr
    state = json.loads((tmp_path / "state").read_text())
    assert set(state["environments"]) == {"production-approval", "production", "production-rollback"}
    told = "\n".join(state["told"])
    assert f"variable set PRODUCTION_HOST --env production --body {host.ip}" in told
    assert f"secret set PRODUCTION_SSH_KEY --env production {ci_key.read_text().strip()}" in told
    assert f"secret set PRODUCTION_SSH_KEY --env production-rollback {ci_key.read_text().strip()}" in told
    assert ci_key.read_text().splitlines()[1] not in done.stdout + done.stderr


def test_the_key_of_ci_may_ask_and_nothing_else(host, ci_key):
    def ask(*words: str) -> subprocess.CompletedProcess:
        command = [*host.ssh(key=ci_key)[:-1], f"deploy@{host.ip}", *words]
        return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
                              timeout=60)

    status = ask("rollback", "--status")
    assert "nothing" in status.stdout + status.stderr
    assert ask("cat", "/etc/shadow").returncode == 2


def test_wrong_words_are_refused_with_what_to_do(executables, host, ci_key):
    for words, says in ((["root@a b"], "which host?"), (["root@a"], "give --known-hosts"),
                        (["root@a", "--kye", "x"], "unknown option '--kye'")):
        done = subprocess.run([executables / "slipway", "setup", *words], capture_output=True, text=True, check=False)
        assert done.returncode == 2
        assert says in done.stderr
