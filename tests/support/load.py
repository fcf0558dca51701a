"""Load from when it is entered to when it is left, and what became of it."""

import json
import os
import signal
import subprocess
import threading
import time
import urllib.request
from pathlib import Path

from support.waiting import Watcher


class Generator:
    """packet_bench, an executable among BINARIES, which keeps its results in FOLDER; a context manager."""

    def __init__(self, binaries: Path, folder: Path, *flags: str, **environment: str):
        self.flags, self.environment = flags, environment
        self.program = str(binaries / "packet_bench")
        self.results = folder / "load.json"
        self.log_file = folder / "load.log"

    def __enter__(self):
        self.results.unlink(missing_ok=True)
        self.log = open(self.log_file, "w+", encoding="utf-8")
        self.process = subprocess.Popen(
            [self.program, "run", *self.flags, "--duration", "10m", "--warmup", "0s", "--threads", "1",
             "--output", str(self.results)],
            env={**os.environ, **self.environment}, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        return self

    def __exit__(self, *_exc):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.seek(0)
        said = self.log.read()[-1500:]
        self.log.close()
        if not self.results.exists():
            raise AssertionError(f"packet_bench wrote no results: {said}")

    def document(self) -> dict:
        return json.loads(self.results.read_text())


class NewConnections(Watcher):
    """So many HTTP requests a second, each on a connection of its own and sent whatever became of those before."""

    TIMEOUT_S = 3

    def __init__(self, url: str, rate: int = 100):
        super().__init__()
        self.url, self.rate = url, rate
        self.sent, self.lost = 0, 0
        self.longest_gap_s, self.answered_at = 0.0, time.monotonic()
        self.lock = threading.Lock()

    def run(self):
        began, requests = time.monotonic(), []
        while not self.ended.wait(max(0, began + self.sent / self.rate - time.monotonic())):
            requests.append(threading.Thread(target=self._request))
            requests[-1].start()
            self.sent += 1
        for request in requests:
            request.join()

    def _request(self):
        try:
            with urllib.request.urlopen(self.url, timeout=self.TIMEOUT_S) as answer:
                answer.read()
        except OSError:
            with self.lock:
                self.lost += 1
            return
        with self.lock:
            now = time.monotonic()
            self.longest_gap_s = max(self.longest_gap_s, now - self.answered_at)
            self.answered_at = now
