"""A connector on loopback with two accounts, sender and receiver, and packet_bench that pays from one to the other."""

import json
import os
import subprocess
import urllib.request
from pathlib import Path

TOKENS = {"sender": "sender-of-the-test", "receiver": "receiver-of-the-test"}


def config(**more) -> dict:
    accounts = [{"id": name, "relation": "child", "asset": {"code": "USD", "scale": 9}, "token": token,
                 "maximumInFlight": 1 << 18} for name, token in TOKENS.items()]
    return {"address": "test.local", "btp": {"host": "127.0.0.1", "port": 0}, "http": {"host": "127.0.0.1", "port": 0},
            "accounts": accounts, "routes": [{"prefix": "test.local.receiver", "account": "receiver"}],
            "ledger": {"store": "none"}} | more


class Connector:
    """A context manager; all that it said is in `log` once it has ended."""

    def __init__(self, binaries: Path, settings: dict, folder: Path):
        self.binaries = binaries
        environment = {name: value for name, value in os.environ.items() if not name.startswith("CONNECTOR_")}
        environment["CONNECTOR_CONFIG_JSON"] = json.dumps(settings)
        self.process = subprocess.Popen([binaries / "connector"], stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True, cwd=folder, env=environment)
        self.log = ""
        for line in self.process.stdout:
            said = json.loads(line)
            if said.get("event") == "listening":
                self.port, self.http_port, self.pid = said["btpPort"], said["httpPort"], said["pid"]
                return
            self.log += line
        raise RuntimeError(f"the connector did not start: {self.log}")

    def __enter__(self):
        return self

    def __exit__(self, failed, *_exc):
        self.process.terminate()
        self.log += self.process.communicate()[0]
        if self.process.returncode != 0 and not failed:
            raise RuntimeError(f"the connector ended with {self.process.returncode}: {self.log[-2000:]}")

    def pay(self, rate: int, seconds: int, *flags: str) -> dict:
        """The details of packet_bench's results."""
        urls = {name: f"btp+ws://:{token}@127.0.0.1:{self.port}/" for name, token in TOKENS.items()}
        done = subprocess.run(
            [self.binaries / "packet_bench", "run", "--target", urls["sender"], "--receiver", urls["receiver"],
             "--destination", "test.local.receiver.x", "--rate", str(rate), "--duration", f"{seconds}s",
             "--threshold-tps", "0", "--output", "", "--json", *flags],
            capture_output=True, text=True, check=False)
        if done.returncode not in (0, 4):
            raise RuntimeError(f"packet_bench: {done.stderr.strip()}")
        return json.loads(done.stdout)["details"]

    def metrics(self) -> dict[str, float]:
        """The samples of /metrics, by name and labels as they are written."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.http_port}/metrics", timeout=5) as page:
            lines = page.read().decode().splitlines()
        return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if line[0] != "#")}
