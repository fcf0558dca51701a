"""Two hosts, each with its own engine and sshd, worked on from outside over SSH as operators and CI
do; and a marker in every secret, which must be seen nowhere meanwhile.

usage: two_hosts.py BINARIES
Exits 77 where Docker cannot run.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

# pylint: disable=wrong-import-position
from lab import REPOSITORY, Registry, Site, Watcher, await_true, discard, unable

# Long enough that nothing else contains one by chance. The last is part of the webhook's address.
MARKERS = {name: f"{name.lower().replace('_', '-')}-marker-{os.urandom(8).hex()}"
           for name in ("ALICE_TOKEN", "BOB_TOKEN", "PROBE_TOKEN", "REGISTRY_PASSWORD", "WEBHOOK")}


def expect(condition, what) -> None:
    if not condition:
        raise AssertionError(what)


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

    def sees(self) -> bool:
        """Whether it would find one: it is shown a process that carries one in its arguments."""
        with subprocess.Popen(["sh", "-c", "read line", MARKERS["WEBHOOK"]],
                              stdin=subprocess.PIPE) as carrier:
            await_true(lambda: self.found, "the marker shown on purpose")
            carrier.stdin.close()
        time.sleep(0.5)  # a pass that saw it may still be under way
        self.found.clear()
        return True

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
        agent = subprocess.run(["ssh-agent", "-s"], capture_output=True, text=True, check=True).stdout
        env = {**os.environ, **dict(line.split(";")[0].split("=") for line in agent.splitlines()[:2])}
        subprocess.run(["ssh-add", "-q", self.folder / f"key-{who}"], env=env, check=True)
        process = subprocess.Popen(
            [REPOSITORY / "scripts" / script, "--host", site.host.ip, "--user", user,
             "--known-hosts", str(site.host.known_hosts), "--", *arguments],
            env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, start_new_session=True)
        process.agent = int(env["SSH_AGENT_PID"])
        return process

    def end(self, process, timeout: float = 90):
        out, err = process.communicate(timeout=timeout)
        os.kill(process.agent, signal.SIGTERM)
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
    (site.folder / "connector.env").write_text(
        "".join(f"{name}={MARKERS[name]}\n" for name in ("ALICE_TOKEN", "BOB_TOKEN", "PROBE_TOKEN")))
    docker = host.home / "docker-config"
    docker.mkdir(exist_ok=True)
    (docker / "config.json").write_text(json.dumps({"auths": {site.registry.address: {
        "username": "puller", "password": MARKERS["REGISTRY_PASSWORD"]}}}))
    host.run_inside("sh", "-c", f"mkdir -p ~root/.docker; mount --bind {docker} ~root/.docker")
    site.configure(webhook=f"{webhook}/{MARKERS['WEBHOOK']}",
                   health={"interval": "100ms", "timeout": "1s", "healthyInARow": 3,
                           "minimumHealthy": "4s", "deadline": "20s"})
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
    echo 'deploy ALL=(root) NOPASSWD: /usr/local/bin/deploy, /usr/local/bin/rollback' > /etc/sudoers.d/slipway
    echo 'Defaults:deploy env_keep += "SSH_CONNECTION SLIPWAY_ACTOR"' >> /etc/sudoers.d/slipway
    chmod 440 /etc/sudoers.d/slipway
    install -d -m 700 -o deploy -g deploy /home/deploy/.ssh
    cat > /home/deploy/.ssh/authorized_keys
    chown deploy:deploy /home/deploy/.ssh/authorized_keys
    """
    host.run_inside("sh", "-ec", script, input="\n".join(lines) + "\n", stdin=None)
    return "deploy"


class Hook(BaseHTTPRequestHandler):
    posted: list[bytes] = []

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


def both(operators, sites, user, digest) -> str:
    """CI deploys to both at once."""
    runs = [operators.wrapper("ci", site, user, "deploy.sh", digest, "--reason", "both")
            for site in sites]
    for site, run in zip(sites, runs):
        done = operators.end(run)
        expect(done.returncode == 0, done)
        expect(done.stdout.splitlines()[-1].startswith(f"running: {digest.split('@')[1]}"), done)
    return "both exit 0, each names the digest that it runs"


def session_killed(operators, sites, user, digest) -> str:
    """The operator's session is killed in the middle of a deploy; another looks at it."""
    staging, production = sites
    run = operators.wrapper("alice", production, user, "deploy.sh", digest)
    production.await_step("prove")
    os.killpg(run.pid, signal.SIGKILL)
    operators.end(run)
    followed = operators.run("bob", production, user, "rollback.sh", "--status", "--wait", "--json")
    status = json.loads(followed.stdout)
    expect(status["running"]["digest"] == digest.split("@")[1] and status["healthy"], followed)
    expect(staging.served() == "v1" and production.served() == "v2", "only production moves")
    history = operators.run("bob", production, user, "rollback.sh", "--history").stdout
    expect("by alice from" in history, history)
    return "ssh SIGKILLed at prove: the deploy was done, --status --wait followed it"


def two_operators(operators, sites, user, digest) -> str:
    """Two on one host: the second is told who is at work, and may queue; another host is free."""
    staging, production = sites
    first = operators.wrapper("alice", production, user, "deploy.sh", digest)
    production.await_step("prove")
    second = operators.run("bob", production, user, "rollback.sh")
    expect(second.returncode == 6, second)
    for word in ("alice from", "prove", "deploy"):
        expect(word in second.stderr, second.stderr)
    queued = operators.wrapper("bob", production, user, "rollback.sh", "--wait")
    elsewhere = operators.run("carol", staging, user, "rollback.sh", "--status", "--json")
    expect(elsewhere.returncode == 0 and json.loads(elsewhere.stdout)["lock"] is None, elsewhere)
    expect(operators.end(first).returncode == 0, "the first")
    done = operators.end(queued)
    expect(done.returncode == 0 and production.served() == "v2", done)
    return "6 naming owner, age, step; --wait queued and went back; the other host was free"


def bad_release(operators, sites, user, digest) -> str:
    staging, production = sites
    bad = operators.run("ci", production, user, "deploy.sh", digest)
    expect(bad.returncode == 4 and production.served() == "v2" and staging.served() == "v1", bad)
    return "4, v2 serves on, the other host untouched"


def forbidden(operators, sites, user, _digest) -> str:
    site = sites[0]
    for words in (("--break-lock", "x"), ("--config", "/tmp/x"), ("--worker-lock-fd", "3")):
        refused = operators.run("ci", site, user, "rollback.sh", *words)
        expect(refused.returncode == 2 and not refused.stdout, refused)
    return "3 options that the key does not allow: 2"


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
        # What must hold them: copies of connector.env (0600), and the webhook's address (0600).
        for file in [*site.state.rglob("*"), *site.host.log_dir.rglob("*")]:
            if not file.is_file() or not pattern.search(file.read_text(errors="replace")):
                continue
            kept = file.name == "connector.env" or file.name == "webhook.curl"
            if not kept or file.stat().st_mode & 0o077:
                wrong.append(str(file))
    return wrong


def main() -> int:
    if len(sys.argv) != 2:
        print(__doc__)
        return 2
    if reason := unable():
        print(f"two hosts: cannot run here: {reason}")
        return 77
    binaries = Path(sys.argv[1])
    registry = Registry(f"two-hosts-{os.getpid()}")
    registry.start()
    try:
        with Site("staging", binaries, registry=registry) as staging, \
             Site("production", binaries, registry=registry) as production:
            operators = Operators(staging.host.home)
            sites = [staging, production]
            for tag, manner in (("v1", "good"), ("v2", "good"), ("v3", "good"), ("bad", "lies")):
                staging.publish(tag, manner)
            keys = {name: operators.key(name) for name in ("ci", "alice", "bob", "carol")}
            with webhook(registry.ip) as hook, Watch() as watch:
                expect(watch.sees(), "the watch")
                users = {prepare(site, keys, hook) for site in sites}
                (user,) = users
                print(f"user {user}, over {'sudo' if user != 'root' else 'root itself'}")
                for trial, tag in ((both, "v1"), (session_killed, "v2"), (two_operators, "v3"),
                                   (bad_release, "bad"), (forbidden, "v1")):
                    began = time.monotonic()
                    digest = f"{staging.reference()}@{staging.releases[tag]}"
                    said = trial(operators, sites, user, digest)
                    print(f"ok  {trial.__name__:16} {time.monotonic() - began:5.1f} s  {said}",
                          flush=True)
                await_true(lambda: len(Hook.posted) >= 5, "the webhook")
            wrong = sorted(watch.found) + where_markers_are(sites, operators)
            expect(not wrong, wrong)
            print(f"ok  secrets          {len(MARKERS)} markers in {len(operators.said)} outputs, "
                  f"{len(Hook.posted)} webhook posts, journals, logs; {len(watch.processes)} "
                  f"processes' arguments and environments in {watch.passes} passes: none seen")
    finally:
        discard(registry)
    return 0


if __name__ == "__main__":
    sys.exit(main())
