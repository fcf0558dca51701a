"""Two hosts, each with its own engine and sshd, worked on from outside over SSH as operators and CI do;
and a marker in every secret, which must be seen nowhere meanwhile."""

import json
import os
import re
import shutil
import signal
import subprocess
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from deploy.site import NEEDS, Site
from slipway.lab import Registry
from slipway.paths import REPOSITORY
from support.engines import discard
from support.ssh import end_agent, start_agent
from support.waiting import Watcher, await_true

pytestmark = NEEDS

# Long enough that nothing else contains one by chance. The last is part of the webhook's address.
MARKERS = {name: f"{name.lower().replace('_', '-')}-marker-{os.urandom(8).hex()}"
           for name in ("ALICE_TOKEN", "BOB_TOKEN", "PROBE_TOKEN", "REGISTRY_PASSWORD", "WEBHOOK")}


class Watch(Watcher):
    """Looks for the markers in the arguments and environment of every process on the machine, all
    the time. A container's own environment is where its tokens belong; only that may hold them."""

    def __init__(self):
        super().__init__()
        self.pattern = re.compile("|".join(map(re.escape, MARKERS.values())).encode())
        self.found: set[str] = set()
        self.passes = 0
        self.processes: set[str] = set()

    def run(self):
        while not self.ended.wait(0.005):
            for folder in Path("/proc").iterdir():
                if folder.name.isdigit():
                    self.look(folder)
            self.passes += 1

    def is_shown_one(self) -> None:
        """Ends when it found the marker that a process carries in its arguments."""
        with subprocess.Popen(["sh", "-c", "read line", MARKERS["WEBHOOK"]],
                              stdin=subprocess.PIPE) as carrier:
            await_true(lambda: self.found, "the marker shown on purpose")
            carrier.stdin.close()
        time.sleep(0.5)  # a pass that saw it may still be under way
        self.found.clear()

    def look(self, folder: Path) -> None:
        try:
            arguments = (folder / "cmdline").read_bytes()
            environment = (folder / "environ").read_bytes()
            groups = (folder / "cgroup").read_text()
        except OSError:
            return  # it has ended
        self.processes.add(folder.name)
        name = arguments.split(b"\0")[0].decode(errors="replace")
        if self.pattern.search(arguments):
            self.found.add(f"arguments of {name}")
        in_container = re.search(r"[0-9a-f]{64}", groups) is not None
        if self.pattern.search(environment) and not in_container:
            self.found.add(f"environment of {name}")


class Operators:
    """People and CI with keys of their own, outside of the hosts."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.said: list[str] = []

    def key(self, name: str) -> str:
        """A new key; its public part."""
        file = self.folder / f"key-{name}"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", file],
                       check=True)
        return file.with_suffix(".pub").read_text().strip()

    def wrapper(self, who: str, site: Site, user: str, script: str, *arguments: str):
        """Starts scripts/deploy.sh or rollback.sh, with the key of WHO alone in the agent."""
        env = start_agent(self.folder / f"key-{who}")
        process = subprocess.Popen(
            [REPOSITORY / "scripts" / script, "--host", site.host.ip, "--user", user,
             "--known-hosts", str(site.host.known_hosts), "--", *arguments],
            env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, start_new_session=True)
        process.agent = env
        return process

    def end(self, process, timeout: float = 90):
        out, err = process.communicate(timeout=timeout)
        end_agent(process.agent)
        self.said += [out, err]
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def run(self, *arguments):
        return self.end(self.wrapper(*arguments))


def prepare(site: Site, keys: dict[str, str], webhook: str) -> str:
    """As the operators' guide says; the user that may deploy."""
    host = site.host
    host.run_inside("sh", "-c",
                    f"cp {site.binaries}/deploy {site.binaries}/rollback /usr/local/bin/ && "
                    f"mkdir -p /etc/slipway && ln -sf {site.folder}/* /etc/slipway/ && "
                    f"install -D -m 755 {REPOSITORY}/host/ssh-command "
                    "/usr/local/lib/slipway/ssh-command")
    (site.folder / "service.env").write_text(
        "".join(f"{name}={MARKERS[name]}\n" for name in ("ALICE_TOKEN", "BOB_TOKEN", "PROBE_TOKEN")))
    docker = host.home / "docker-config"
    docker.mkdir(exist_ok=True)
    (docker / "config.json").write_text(json.dumps({"auths": {site.registry.address: {
        "username": "puller", "password": MARKERS["REGISTRY_PASSWORD"]}}}))
    host.run_inside("sh", "-c", f"mkdir -p ~root/.docker; mount --bind {docker} ~root/.docker")
    site.configure(webhook=f"{webhook}/{MARKERS['WEBHOOK']}")
    site.slow_proof("20s", "4s")
    lines = [f'restrict,command="/usr/local/lib/slipway/ssh-command {name}" {key}'
             for name, key in keys.items()]
    if shutil.which("sudo") is None:
        for line in lines:
            host.authorize(line)
        return "root"
    script = """
    echo "127.0.0.1 $(hostname)" >> /etc/hosts   # or sudo asks the network for it, and waits
    useradd --create-home --shell /bin/bash deploy
    usermod -p '*' deploy
    echo 'deploy ALL=(root) NOPASSWD: /usr/local/lib/slipway/ssh-command ""' > /etc/sudoers.d/slipway
    echo 'Defaults:deploy env_keep += "SSH_CONNECTION SSH_ORIGINAL_COMMAND SLIPWAY_ACTOR"' >> /etc/sudoers.d/slipway
    chmod 440 /etc/sudoers.d/slipway
    install -d -m 700 -o deploy -g deploy /home/deploy/.ssh
    cat > /home/deploy/.ssh/authorized_keys
    chown deploy:deploy /home/deploy/.ssh/authorized_keys
    """
    host.run_inside("sh", "-ec", script, input="\n".join(lines) + "\n", stdin=None)
    return "deploy"


class Hook(BaseHTTPRequestHandler):
    posted: ClassVar[list[bytes]] = []

    def do_POST(self):
        self.posted.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_arguments):
        pass


@contextmanager
def webhook(address: str):
    server = HTTPServer((address, 0), Hook)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://{address}:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def where_markers_are(sites: list[Site], operators: Operators) -> list[str]:
    """Places that must not hold a marker and do: what was said, journals, reports, logs."""
    pattern = re.compile("|".join(map(re.escape, MARKERS.values())))
    wrong = [f"said to an operator: {text[:200]}" for text in operators.said if pattern.search(text)]
    wrong += ["posted to the webhook" for body in Hook.posted if pattern.search(body.decode())]
    for site in sites:
        for name in site.containers():
            logs = site.host.docker("logs", name, stderr=subprocess.STDOUT,
                                    stdout=subprocess.PIPE, capture_output=False).stdout
            if pattern.search(logs):
                wrong.append(f"docker logs of {name}")
        # What must hold them: copies of service.env (0600), and the webhook's address (0600).
        for file in [*site.state.rglob("*"), *site.host.log_dir.rglob("*")]:
            if not file.is_file() or not pattern.search(file.read_text(errors="replace")):
                continue
            kept = file.name == "service.env" or file.name == "webhook.curl"
            if not kept or file.stat().st_mode & 0o077:
                wrong.append(str(file))
    return wrong


class World:
    """Both hosts as an operator prepared them, the registry's versions, and who works on them."""

    def __init__(self, staging: Site, production: Site, hook: str):
        self.staging, self.production = self.sites = staging, production
        for tag, manner in (("v1", "good"), ("v2", "good"), ("v3", "good"), ("v4", "good"), ("bad", "lies")):
            staging.publish(tag, manner)
        self.operators = Operators(staging.host.home)
        keys = {name: self.operators.key(name) for name in ("ci", "alice", "bob", "carol")}
        (self.user,) = {prepare(site, keys, hook) for site in self.sites}

    def image(self, tag: str) -> str:
        return f"{self.staging.reference()}@{self.staging.releases[tag]}"

    def begin(self, who: str, site: Site, script: str, *arguments: str):
        return self.operators.wrapper(who, site, self.user, script, *arguments)

    def run(self, *arguments):
        return self.operators.end(self.begin(*arguments))


@pytest.fixture(scope="module")
def watch():
    with Watch() as watch:
        watch.is_shown_one()
        yield watch


@pytest.fixture(scope="module")
def shared(executables, watch):
    registry = Registry(f"two-hosts-{os.getpid()}")
    registry.start()
    try:
        with Site("staging", executables, registry=registry) as staging, \
             Site("production", executables, registry=registry) as production, webhook(registry.ip) as hook:
            world = World(staging, production, hook)
            for site in world.sites:
                first = site.deploy("v1")
                assert first.status == 0, first
            yield world
    finally:
        discard(registry)


@pytest.fixture
def world(shared):
    """v1 serves on both, and again afterwards."""
    yield shared
    for site in shared.sites:
        site.rollback("--resume", "--wait")
        if site.served() != "v1":
            site.rollback("v1")


def test_ci_deploys_to_both_at_once_and_each_names_its_digest(world):
    image = world.image("v2")
    runs = [world.begin("ci", site, "deploy.sh", image, "--reason", "both") for site in world.sites]
    for run in runs:
        done = world.operators.end(run)
        assert done.returncode == 0, done
        assert done.stdout.splitlines()[-1].startswith(f"running: {image.split('@')[1]}"), done


@pytest.mark.skipif(shutil.which("sudo") is None, reason="there is no sudo: scripts/setup docker")
def test_the_user_behind_the_key_is_root_in_nothing_but_the_forced_command(world):
    mine = {"verifyCommand": ["touch", "/run/i-am-root"], "stateDir": "/run/mine"}
    script = f"""echo '{json.dumps(mine)}' >/tmp/mine.json
    ssh=/usr/local/lib/slipway/ssh-command
    for try in '/usr/local/bin/deploy --config /tmp/mine.json a:b' '/usr/local/bin/rollback --status' \
      "$ssh ci" "$ssh --allow-tools ci" /bin/sh; do
      sudo -n -- $try && exit 3
    done
    SSH_ORIGINAL_COMMAND='deploy --config /tmp/mine.json a:b' sudo -n -- $ssh && exit 3
    SSH_ORIGINAL_COMMAND='rollback --status' sudo -n -- $ssh"""
    done = world.production.host.run_inside("su", "deploy", "-s", "/bin/sh", "-c", script)
    assert "running: sha256:" in done.stdout, done
    world.production.host.run_inside("test", "!", "-e", "/run/i-am-root")


def test_the_deploy_of_a_killed_session_is_done_and_another_operator_follows_it(world):
    image = world.image("v3")  # one that is not warm, whose proof takes its time
    run = world.begin("alice", world.production, "deploy.sh", image)
    world.production.await_step("prove")
    os.killpg(run.pid, signal.SIGKILL)
    world.operators.end(run)
    followed = world.run("bob", world.production, "rollback.sh", "--status", "--wait", "--json")
    status = json.loads(followed.stdout)
    assert status["running"]["digest"] == image.split("@")[1] and status["healthy"], followed
    assert (world.staging.served(), world.production.served()) == ("v1", "v3")
    history = world.run("bob", world.production, "rollback.sh", "--history").stdout
    assert "by alice from" in history


def test_of_two_operators_the_second_is_told_who_works_and_may_queue(world):
    first = world.begin("alice", world.production, "deploy.sh", world.image("v4"))
    world.production.await_step("prove")
    second = world.run("bob", world.production, "rollback.sh")
    assert second.returncode == 6, second
    for word in ("alice from", "prove", "deploy"):
        assert word in second.stderr
    queued = world.begin("bob", world.production, "rollback.sh", "--wait")
    elsewhere = world.run("carol", world.staging, "rollback.sh", "--status", "--json")
    assert elsewhere.returncode == 0 and json.loads(elsewhere.stdout)["lock"] is None, elsewhere
    assert world.operators.end(first).returncode == 0
    done = world.operators.end(queued)
    assert done.returncode == 0 and world.production.served() == "v1", done


def test_a_bad_release_comes_back_and_leaves_the_other_host_alone(world):
    before = world.staging.containers()
    bad = world.run("ci", world.production, "deploy.sh", world.image("bad"))
    assert bad.returncode == 4, bad
    assert (world.production.served(), world.staging.served()) == ("v1", "v1")
    assert world.staging.containers() == before


@pytest.mark.parametrize("words", [("--break-lock", "x"), ("--config", "/tmp/x"), ("--worker-lock-fd", "3")],
                         ids=" ".join)
def test_an_option_that_the_key_does_not_allow_is_2(world, words):
    refused = world.run("ci", world.staging, "rollback.sh", *words)
    assert refused.returncode == 2 and not refused.stdout, refused


# Last, so that it sees what all the others left.
def test_no_marker_was_seen_in_arguments_environments_outputs_posts_journals_or_logs(world, watch, tell):
    await_true(lambda: len(Hook.posted) >= 5, "the webhook")
    assert sorted(watch.found) + where_markers_are(world.sites, world.operators) == []
    tell(f"as {world.user}: {len(MARKERS)} markers in {len(world.operators.said)} outputs, {len(Hook.posted)} posts, "
         f"journals, logs; {len(watch.processes)} processes in {watch.passes} passes")
