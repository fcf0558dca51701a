"""deploy and rollback against a real engine, registry and HAProxy, with the stand-in as service.

usage: docker_suite.py BINARIES [NAME...]   runs the quick cases, those whose name contains a NAME
                                            or, with NAME all, every case
Exits 77 with the reason where Docker cannot run.
"""

import json
import os
import pty
import signal
import socket as socket_module
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

# pylint: disable=wrong-import-position
from lab import REPOSITORY, Site, await_true, unable

QUICK_MANNERS = ("exits", "never_ready", "lies", "packet_fails")
ALL_MANNERS = QUICK_MANNERS + ("crashes_later", "hangs", "drips", "gigabyte",
                               "redirects", "flaps", "dies_when_promoted")


def expect(condition, what) -> None:
    if not condition:
        raise AssertionError(what)


def forward_and_back(site: Site) -> str:
    """Deploy v1, deploy v2, rollback: v1's digest runs, through HAProxy, on exactly one colour."""
    first = site.deploy("v1")
    expect(first.status == 0 and site.served() == "v1", first)
    second = site.deploy("v2")
    expect(second.status == 0 and site.served() == "v2", second)
    expect(second.report["from"]["digest"] == site.releases["v1"], second)
    back = site.rollback()
    expect(back.status == 0 and back.report["warm"], back)
    expect(back.report["running"]["digest"] == site.releases["v1"], back)
    expect(site.served() == "v1", "v1 must serve")
    roles = site.rollback("--status").report
    expect((roles["running"]["role"], roles["standby"]["role"]) == ("active", "drained"), roles)
    expect(back.report["secondsToSwitched"] < 1.0, back.report["secondsToSwitched"])
    return (f"command to switched {back.report['secondsToSwitched'] * 1e3:.0f} ms, "
            f"flip {back.report['secondsOfFlip'] * 1e3:.1f} ms")


def last_line_and_text(site: Site) -> str:
    """For people: the last line on stdout says what runs now, by digest."""
    done = subprocess.run(site.command("deploy", site.reference("v1")), capture_output=True,
                          text=True, check=False)
    expect(done.returncode == 0, done)
    expect(done.stdout.splitlines()[-1].startswith(f"running: {site.releases['v1']}"), done.stdout)
    return done.stdout.splitlines()[-1]


def missing_tag(site: Site) -> str:
    before = site.containers()
    missing = site.deploy("v404")
    expect(missing.status == 7 and site.containers() == before, missing)
    return "7"


def registry_stopped(site: Site) -> str:
    site.deploy("v2")
    site.registry.pause()
    try:
        back = site.rollback("v1")
        expect(back.status == 0 and site.served() == "v1", back)
        local = site.run("deploy", f"{site.reference()}@{site.releases['v2']}")
        expect(local.status == 0 and site.served() == "v2", local)
        gone = site.deploy("v1")
        expect(gone.status == 7 and site.served() == "v2", gone)
    finally:
        site.registry.resume()
    site.rollback("v1")
    return "rollback 0, deploy of a local digest 0, deploy of a tag 7"


def cold_rollback(site: Site) -> str:
    """The old colour's container is gone and unused images are pruned: held, so started anew."""
    site.deploy("v2")
    site.host.docker("rm", "-f", "slipway-blue")
    site.host.docker("image", "prune", "-af")
    site.registry.pause()
    try:
        back = site.rollback("v1")
    finally:
        site.registry.resume()
    expect(back.status == 0 and site.served() == "v1", back)
    return f"command to switched {back.report['secondsToSwitched']:.2f} s"


def dead_after_rollback(site: Site) -> str:
    """What serves dies after a rollback: the next one goes to what lives, the version fled from."""
    site.deploy("v2")
    colour = site.rollback("v1").report["running"]["colour"]
    site.host.docker("kill", f"slipway-{colour}")
    expect(site.served() is None, "nothing serves")
    back = site.rollback()
    expect(back.status == 0 and site.served() == "v2" and back.report["warm"], back)
    expect("rolled back from" in back.report["warnings"][0], back)
    expect(site.rollback("v1").status == 0 and site.served() == "v1", "back")
    return f"v2 serves {back.report['secondsToSwitched']:.2f} s after the command"


def missing_environment(site: Site) -> str:
    """A file that deploy.json names is missing: 2, and which one."""
    (site.folder / "connector.env").rename(site.folder / "connector.env.gone")
    try:
        refused = site.deploy("v2")
    finally:
        (site.folder / "connector.env.gone").rename(site.folder / "connector.env")
    expect(refused.status == 2 and "connector.env" in refused.report["message"], refused)
    expect(site.served() == "v1" and refused.report["serves"], refused)
    return "2, v1 serves on"


def prune_everything(site: Site) -> str:
    """Current and previous both run, also after a failed deploy: a full prune takes neither."""
    site.deploy("v2")
    site.publish("bad", "lies")
    expect(site.deploy("bad").status == 4, "a liar must be taken back")
    site.host.docker("system", "prune", "-af")
    site.registry.pause()
    try:
        back = site.rollback()
    finally:
        site.registry.resume()
    expect(back.status == 0 and back.report["warm"] and site.served() == "v1", back)
    return "system prune -af, registry stopped: rollback 0, warm"


def two_at_once(site: Site) -> str:
    site.publish("slow", "never_ready")
    with subprocess.Popen(site.command("deploy", site.reference("slow"), "--reason", "first"),
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                          env={**os.environ, "SLIPWAY_ACTOR": "first-operator"}) as first:
        await_true(lambda: site.lock_holder().get("step") == "prove", "the first at prove")
        second = site.deploy("v2")
        expect(second.status == 6, second)
        for word in ("first-operator", "prove", "slow"):
            expect(word in second.err, second.err)
        waiting = site.rollback("--resume", "--wait")
        expect(waiting.status == 0, waiting)
        expect(first.wait(60) == 4, first.returncode)
    return "6, naming owner, age and step; --wait queued"


def slow_proof(site: Site) -> None:
    """Time enough to do something to a deploy while it proves its candidate."""
    site.configure(health={"interval": "100ms", "timeout": "1s", "healthyInARow": 3,
                           "minimumHealthy": "2s", "deadline": "8s"})


def caller_is_killed(site: Site) -> str:
    """The session that asked goes away: the work is done all the same, and --status follows it."""
    slow_proof(site)
    site.publish("v5")
    with subprocess.Popen(site.command("deploy", site.reference("v5")), start_new_session=True,
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as caller:
        await_true(lambda: site.lock_holder().get("step") in ("start", "prove"), "at start")
        os.killpg(caller.pid, signal.SIGKILL)
    followed = site.rollback("--status", "--wait")
    expect(followed.report["running"]["tag"] == "v5" and followed.report["healthy"], followed)
    expect(site.rollback().status == 0 and site.served() == "v1", "back")
    return "caller SIGKILLed at start: v5 serves, --status --wait followed it"


def caller_is_cancelled(site: Site) -> str:
    """SIGINT without a terminal, as CI cancels: the deploy is turned back."""
    slow_proof(site)
    site.publish("v6")
    with subprocess.Popen(site.command("deploy", site.reference("v6")), text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          stdin=subprocess.DEVNULL) as caller:
        await_true(lambda: site.lock_holder().get("step") in ("start", "prove"), "at start")
        # The deploy itself, a child of nsenter.
        children = Path(f"/proc/{caller.pid}/task/{caller.pid}/children").read_text()
        os.kill(int(children), signal.SIGINT)
        said = caller.communicate(timeout=60)[0]
    expect(caller.returncode == 130, (caller.returncode, said))
    expect(said.splitlines()[-1].startswith(f"running: {site.releases['v1']}"), said)
    expect(site.served() == "v1", "v1 must serve")
    return "130, v1 serves"


def interrupted_on_terminal(site: Site) -> str:
    """SIGINT on a terminal asks what is meant, and does that."""
    slow_proof(site)
    said = {}
    for number, (letter, tag, after) in enumerate((("l", "v5t", "v5t"), ("r", "v6t", "v1"))):
        site.publish(tag)
        pid, terminal = pty.fork()
        if pid == 0:
            command = site.command("deploy", site.reference(tag))
            os.execvp(command[0], command)
        try:
            await_true(lambda: site.lock_holder().get("step") == "prove"
                       and tag in site.lock_holder().get("operation", ""), "at prove")
            # Not the key Ctrl-C: it would end nsenter, which stands between, as well.
            inner = Path(f"/proc/{pid}/task/{pid}/children").read_text()
            os.kill(int(inner), signal.SIGINT)
            shown = read_terminal(terminal, b"eave it going? ")
            os.write(terminal, letter.encode() + b"\n")
            shown += read_terminal(terminal, None)
        finally:
            os.close(terminal)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        expect(status == 130, (status, shown))
        site.rollback("--status", "--wait")
        await_true(lambda: site.served() == after, f"{after} serves after '{letter}'", 15)
        said[letter] = status
        if number == 0:
            expect(site.rollback("v1").status == 0, "back")
    return "SIGINT asks; l: 130 and the new version serves, r: 130 and the old one does"


def read_terminal(terminal: int, until: bytes | None) -> bytes:
    """What it shows, up to and with UNTIL, or to its end."""
    shown = b""
    while until is None or until not in shown:
        try:
            block = os.read(terminal, 4096)
        except OSError:  # the other end is closed
            block = b""
        if not block:
            expect(until is None, shown)
            break
        shown += block
    return shown


def broken_lock(site: Site) -> str:
    """A holder that hangs is ended by name, and the next run takes its work back."""
    site.publish("hanging", "hangs")
    with subprocess.Popen(site.command("deploy", site.reference("hanging")),
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as caller:
        await_true(lambda: site.lock_holder().get("step") == "prove", "at prove")
        broken = site.rollback("--resume", "--break-lock", "it-hangs")
        expect(broken.status == 3 and site.served() == "v1", broken)
        expect(caller.wait(30) == 5, caller.returncode)
    expect("it-hangs" in (site.state / "journal").read_text(), "an audit record")
    return "holder ended, recorded; its deploy taken back"


def over_ssh(site: Site) -> str:
    """By the wrappers and a key whose forced command lets it deploy, roll back and ask, no more."""
    host = site.host
    host.run_inside("sh", "-c", f"cp {site.binaries}/deploy {site.binaries}/rollback /usr/local/bin/"
                    f" && mkdir -p /etc/slipway && ln -sf {site.folder}/* /etc/slipway/")
    key = site.folder / "ci_key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    command = REPOSITORY / "host" / "ssh-command"
    host.authorize(f'restrict,command="{command}" {key.with_suffix(".pub").read_text()}')
    agent = dict(line.split(";")[0].split("=") for line in subprocess.run(
        ["ssh-agent", "-s"], capture_output=True, text=True, check=True).stdout.splitlines()[:2])
    env = {**os.environ, **agent, "SLIPWAY_HOST": host.ip, "SLIPWAY_USER": "root",
           "SLIPWAY_KNOWN_HOSTS": str(host.known_hosts)}

    def wrapper(script, *arguments):
        return subprocess.run([REPOSITORY / "scripts" / script, "--", *arguments], env=env,
                              capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    try:
        subprocess.run(["ssh-add", "-q", key], env=env, check=True)
        done = wrapper("deploy.sh", f"{site.reference()}@{site.releases['v2']}", "--wait",
                       "--timeout", "1m")
        expect(done.returncode == 0 and site.served() == "v2", done)
        expect(done.stdout.splitlines()[-1].startswith(f"running: {site.releases['v2']}"), done)
        back = wrapper("rollback.sh", site.releases["v1"], "--wait")
        expect(back.returncode == 0 and site.served() == "v1", back)
        again = wrapper("rollback.sh", site.releases["v1"])
        expect(again.returncode == 0 and "nothing was changed" in again.stdout, again)
        asked = json.loads(wrapper("rollback.sh", "--status", "--json").stdout)
        expect(asked["healthy"] and asked["running"]["digest"] == site.releases["v1"], asked)
        for bad in (("sh",), ("deploy", "--config", "/tmp/x", "a"), ("rollback;id",), ("deploy", "$(id)"),
                    ("rollback", "--break-lock", "x"), ("deploy", "a", "--status")):
            refused = subprocess.run(["ssh", "-F", "none", "-n", "-T", "-o", "BatchMode=yes", "-o",
                                      f"UserKnownHostsFile={host.known_hosts}", f"root@{host.ip}",
                                      *bad], env=env, capture_output=True, text=True, check=False)
            expect(refused.returncode == 2 and not refused.stdout, (bad, refused))
        site.publish("v7")
        slow_proof(site)
        with subprocess.Popen(["ssh", "-F", "none", "-n", "-T", "-o", "BatchMode=yes", "-o",
                               f"UserKnownHostsFile={host.known_hosts}", f"root@{host.ip}", "deploy",
                               site.reference("v7")], env=env, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL) as session:
            await_true(lambda: site.lock_holder().get("step") == "prove", "at prove")
            second = wrapper("rollback.sh", "v1")
            expect(second.returncode == 6 and "prove" in second.stderr, second)
            session.kill()
        site.rollback("--status", "--wait")
        expect(site.served() == "v7", "the deploy whose session was killed")
        expect(site.rollback("v1").status == 0, "back")
    finally:
        os.kill(int(agent["SSH_AGENT_PID"]), signal.SIGTERM)
    return "deploy, rollback, status; 6 forbidden commands refused; killed session's deploy done; second 6"


def damaged_journal(site: Site) -> str:
    """Set aside and rebuilt from labels; with a map that names nothing of ours, 8."""
    site.deploy("v2")
    journal = site.state / "journal"
    bytes_before = bytearray(journal.read_bytes())
    bytes_before[40] ^= 1
    journal.write_bytes(bytes_before)
    back = site.rollback("v1")
    expect(back.status == 0 and site.served() == "v1", back)
    expect((site.state / "journal.damaged-1").exists(), "set aside")
    bytes_before = bytearray(journal.read_bytes())
    bytes_before[40] ^= 1
    journal.write_bytes(bytes_before)
    socket = site.state / "proxy" / "run" / "haproxy.sock"
    set_map = "set map /var/lib/slipway-proxy/active.map active {}\n"
    ask_haproxy(socket, set_map.format("purple"))
    before = site.containers()
    ambiguous = site.rollback("v2")
    expect(ambiguous.status == 8 and site.containers() == before, ambiguous)
    for colour in ("blue", "green"):
        ask_haproxy(socket, set_map.format(colour))
        if site.served() == "v1":
            break
    expect(site.rollback("--resume").status == 0 and site.served() == "v1", "recovered")
    return "one byte flipped: rebuilt from labels; map of no colour of ours: 8"


def ask_haproxy(path: Path, command: str) -> str:
    with socket_module.socket(socket_module.AF_UNIX) as connection:
        connection.connect(str(path))
        connection.sendall(command.encode())
        return connection.recv(65536).decode()


def taken_port(site: Site) -> str:
    """Found before HAProxy is started, with the name of who has it."""
    site.host.docker("rm", "-f", "slipway-haproxy")
    site.publish("v8")
    with subprocess.Popen(site.host.inside("python3", "-m", "http.server", "8080"),
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as squatter:
        await_true(lambda: subprocess.run(site.host.inside("curl", "-s", "127.0.0.1:8080"),
                                          capture_output=True, check=False).returncode == 0, "squat")
        refused = site.deploy("v8")
        child = Path(f"/proc/{squatter.pid}/task/{squatter.pid}/children").read_text()
        os.kill(int(child), signal.SIGTERM)
    expect(refused.status == 3 and "port 8080 is taken by python" in refused.report["message"], refused)
    expect(site.deploy("v8").status == 0 and site.served() == "v8", "after the squatter left")
    expect(site.rollback("v1").status == 0, "back")
    return refused.report["message"].split(": ")[-1]


def full_disk(site: Site) -> str:
    site.configure(minimumFreeMb=999_000)
    refused = site.deploy("v2")
    site.configure(minimumFreeMb=100)
    expect(refused.status == 3 and "free" in refused.report["message"], refused)
    return "too little space: 3, before anything is touched"


def secrets(site: Site) -> str:
    """The marker in connector.env is in no journal, report, log of ours or output."""
    marker = "marker-5f2a"
    found = subprocess.run(["grep", "-rl", marker, str(site.state)], capture_output=True, text=True,
                           check=False).stdout.split()
    outside = [name for name in found if "/snapshots/" not in name]
    expect(not outside, outside)
    modes = {oct(Path(name).stat().st_mode & 0o777) for name in found}
    expect(modes == {"0o600"}, modes)
    for arguments in (("--status",), ("--history",)):
        expect(marker not in site.rollback(*arguments).out, arguments)
    return f"only in {len(found)} snapshots, 0600"


def bad_images(site: Site, manners=QUICK_MANNERS) -> str:
    site.configure(health={"interval": "100ms", "timeout": "1s", "healthyInARow": 5,
                           "minimumHealthy": "500ms", "deadline": "3s"})
    table = []
    for manner in manners:
        site.publish(f"b-{manner}".replace("_", "-"), manner)
        began = time.monotonic()
        bad = site.deploy(f"b-{manner}".replace("_", "-"))
        expect(bad.status == 4, (manner, bad))
        expect(site.served() == "v1", (manner, "v1 must serve"))
        if manner == "packet_fails":  # what the probe said, and the token in it hidden
            expect("stand_in: *** was rejected" in bad.report["message"], bad)
        expect(bad.report["running"]["digest"] == site.releases["v1"], bad)
        table.append(f"{manner} {time.monotonic() - began:.1f} s")
    return "exit 4 each: " + ", ".join(table)



def all_bad_images(site: Site) -> str:
    return bad_images(site, ALL_MANNERS)


CASES = (last_line_and_text, forward_and_back, missing_tag, registry_stopped, cold_rollback,
         dead_after_rollback, missing_environment, prune_everything, two_at_once, caller_is_killed,
         caller_is_cancelled, interrupted_on_terminal, broken_lock, over_ssh, damaged_journal,
         taken_port, full_disk, bad_images, secrets)
SLOW_CASES = (all_bad_images,)


def main() -> int:
    if reason := unable():
        print(f"docker suite: cannot run here: {reason}")
        return 77
    chosen = [case for case in CASES + SLOW_CASES
              if any(name in case.__name__ or name == "all" for name in sys.argv[2:])] or CASES
    failed = 0
    with Site("deploy-suite", Path(sys.argv[1])) as site:
        site.publish("v1")
        site.publish("v2")
        site.deploy("v1")
        for case in chosen:
            began = time.monotonic()
            try:
                said, verdict = case(site), "ok"
            except (AssertionError, OSError, KeyError) as error:
                said, verdict, failed = error, "FAILED", failed + 1
            print(f"{verdict:6} {case.__name__:20} {time.monotonic() - began:6.1f} s  {said}",
                  flush=True)
            site.rollback("--resume", "--wait")
            if site.served() != "v1":
                site.rollback("v1")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
