"""Two connectors as processes behind an HAProxy, swapped in deploy's order and without an engine, so that a swap
costs a second and any number of peers can be there."""

import json
import os
import resource
import shutil
import signal
import socket
import subprocess
import urllib.request
from pathlib import Path

from support.ports import free_port
from support.waiting import await_true

PROXY = """\
global
  stats socket {folder}/haproxy.sock mode 600 level admin
  fd-hard-limit 50000
defaults
  timeout connect 2s
  timeout client 24h
  timeout server 24h
  timeout tunnel 24h
  timeout client-fin 10s
  timeout server-fin 10s
frontend tcp
  mode tcp
  bind 127.0.0.1:{port}
  use_backend tcp_%[str(active),map({folder}/active.map,none)]
backend tcp_blue
  mode tcp
  server blue 127.0.0.1:{blue}
backend tcp_green
  mode tcp
  server green 127.0.0.1:{green}
backend tcp_none
  mode tcp
"""
HAPROXY = shutil.which("haproxy", path=os.environ["PATH"] + ":/usr/sbin")


def configuration(peers: int) -> dict:
    """Accounts s1, s2, ... who send, with tokens tok-1, ..., and bob."""
    asset = {"code": "USD", "scale": 9}
    listens = {"host": "127.0.0.1", "port": 0}
    senders = [{"id": f"s{n}", "asset": asset, "token": f"tok-{n}", "minimumBalance": "-1000000000000"}
               for n in range(1, peers + 1)]
    return {"address": "test.slipway", "btp": listens, "http": listens, "ledger": {"store": "none"},
            "accounts": [*senders, {"id": "bob", "asset": asset, "token": "tok-bob"}],
            "limits": {"maximumUnauthenticated": 6000, "maximumConnections": 6000}}


class Connector:
    def __init__(self, executable: Path, config: Path, log: Path):
        with open(log, "w", encoding="utf-8") as file:
            self.process = subprocess.Popen(
                [executable, "run"], stdout=subprocess.PIPE, stderr=file, text=True,
                env={**os.environ, "CONNECTOR_CONFIG": str(config), "CONNECTOR_ROLE": "standby"})
        listening = json.loads(self.process.stdout.readline())
        self.btp_port, self.http_port = listening["btpPort"], listening["httpPort"]

    def ask(self, path: str) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.http_port}{path}", timeout=30) as answer:
            return answer.read().decode()

    def role(self) -> str:
        return json.loads(self.ask("/health"))["role"]

    def become(self, number: signal.Signals, role: str):
        self.process.send_signal(number)
        await_true(lambda: self.role() == role, f"a connector that is {role}", 60)

    def end(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


class Colours:
    """A context manager; `port` is HAProxy's."""

    def __init__(self, executables: Path, folder: Path, peers: int):
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        self.folder, self.port = folder, free_port()
        config = folder / "connector.json"
        config.write_text(json.dumps(configuration(peers)))
        self.connectors = {colour: Connector(executables / "connector", config, folder / f"{colour}.log")
                           for colour in ("blue", "green")}
        self.active = "blue"
        self.connectors["blue"].become(signal.SIGUSR2, "active")

    def __enter__(self):
        (self.folder / "active.map").write_text("active blue\n")
        file = self.folder / "haproxy.cfg"
        file.write_text(PROXY.format(folder=self.folder, port=self.port, **{
            colour: connector.btp_port for colour, connector in self.connectors.items()}))
        with open(self.folder / "haproxy.log", "w", encoding="utf-8") as log:
            self.proxy = subprocess.Popen([HAPROXY, "-f", file], stdout=log, stderr=log)
        try:
            await_true((self.folder / "haproxy.sock").exists, "HAProxy")
        except AssertionError:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_exc):
        self.proxy.kill()
        self.proxy.wait()
        for connector in self.connectors.values():
            connector.end()

    def await_peers(self, count: int):
        """Connected over BTP, at least so many."""
        def connected() -> int:
            health = json.loads(self.connectors[self.active].ask("/health"))
            return health["checks"]["accounts:connected"][0]["observedValue"]

        await_true(lambda: connected() >= count, f"{count} peers that are connected", 60)

    def swap(self):
        """As deploy does: the other one becomes active, new connections go there, and this one drains."""
        old, new = self.active, {"blue": "green", "green": "blue"}[self.active]
        self.connectors[new].become(signal.SIGUSR2, "active")
        with socket.socket(socket.AF_UNIX) as runtime:
            runtime.connect(str(self.folder / "haproxy.sock"))
            runtime.sendall(f"set map {self.folder}/active.map active {new}\n".encode())
            runtime.shutdown(socket.SHUT_WR)
            while runtime.recv(4096):
                pass
        self.active = new
        self.connectors[old].become(signal.SIGUSR1, "drained")
