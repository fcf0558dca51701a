"""Hosts as the roll-out reaches them: over plain ssh, by scripts/deploy.sh and scripts/rollback.sh."""

import json
import subprocess
import threading
from dataclasses import dataclass

from ..paths import REPOSITORY
from .decisions import Seen

ASK = ("--status", "--json")


@dataclass
class Said:
    status: int
    out: str
    err: str

    @property
    def reason(self) -> str:
        """The last line of what it said that is an error; deploy and ssh show nothing foreign raw."""
        lines = [line for line in (self.err or self.out).splitlines() if line.strip()]
        errors = [line for line in lines if "error:" in line]
        return (errors or lines or [f"status {self.status}"])[-1].strip()[:400]


@dataclass
class Fleet:
    """HOSTS: ADDRESS or ADDRESS:PORT, in the order of the roll-out."""
    hosts: list
    user: str
    port: str
    known_hosts: str

    def run(self, script: str, host: str, *words: str) -> Said:
        # An IPv6 address has colons of its own and takes the common port.
        address, _, port = host.partition(":") if host.count(":") == 1 else (host, "", "")
        # Of its own session: what interrupts the roll-out ends no operation that has begun.
        done = subprocess.run(
            [REPOSITORY / "scripts" / script, "--host", address, "--user", self.user, "--port", port or self.port,
             "--known-hosts", self.known_hosts, "--", *words],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
            start_new_session=True, check=False)
        return Said(done.returncode, done.stdout, done.stderr)

    def ask(self, host: str, wait: bool = False) -> Seen:
        """WAIT: until what is going on there has ended."""
        said = self.run("rollback.sh", host, *ASK, *(("--wait", "--timeout", "15m") if wait else ()))
        try:
            state = json.loads(said.out.splitlines()[-1])
        except (ValueError, IndexError):
            return Seen(error=said.reason if said.status else "it did not say what runs there")
        lock = state.get("lock")
        return Seen(running=(state["running"] or {}).get("digest", ""), healthy=state["healthy"] is True,
                    proven=tuple(each["digest"] for each in state.get("proven", []) if each.get("here", True)),
                    operation=f"{lock['operation']} by {lock['actor']}" if lock else "")

    def ask_all(self, wait: bool = False) -> dict:
        return self.on_all(self.hosts, lambda host: self.ask(host, wait))

    def deploy(self, host: str, image: str, *words: str) -> Said:
        """A lost connection ends nothing there: what came of it is then asked."""
        return self.run("deploy.sh", host, image, "--wait", *words)

    def back(self, host: str, digest: str, *words: str) -> Said:
        return self.run("rollback.sh", host, digest, "--wait", *words)

    @staticmethod
    def on_all(hosts, work) -> dict:
        """host -> what WORK says of it, all at once."""
        results = {}

        def one(host):
            results[host] = work(host)

        threads = [threading.Thread(target=one, args=(host,)) for host in hosts]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return {host: results[host] for host in hosts}
