#!/usr/bin/env python3
"""The cost of a request: packet_bench, wrk and h2load against the same nginx, in turn.

One processor for the generator and one for nginx, 50 connections, no pipelining, all as fast as
they can at normal priority. A round runs all three one after the other, so that a noisy machine
troubles them alike; ratios of the same round are compared, by their median. Exits 1 when
packet_bench makes fewer requests a second than wrk or needs more processor time for one, 77 when
nginx, wrk or a second processor is missing.
"""

import argparse
import json
import os
import re
import resource
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from support.ports import free_port

GENERATOR_CPU, SERVER_CPU = "0", "1"
CONFIGURATION = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  keepalive_requests 1000000000;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{ listen 127.0.0.1:{port}; location / {{ return 200 "ok"; }} }}
}}
"""


class Nginx:
    def __init__(self, folder):
        self.port = free_port()
        path = os.path.join(folder, "nginx.conf")
        with open(path, "w", encoding="ascii") as file:
            file.write(CONFIGURATION.format(folder=folder, port=self.port))
        self.process = subprocess.Popen(
            ["taskset", "-c", SERVER_CPU, "nginx", "-c", path,
             "-e", os.path.join(folder, "error.log")])
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return
            except OSError:
                time.sleep(0.02)
        raise SystemExit("nginx did not start")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()


def run(name, options, url):
    """One run: (requests a second, microseconds of processor time for a request)."""
    seconds, connections = str(options.seconds), "50"
    argv = {
        "packet_bench": [os.path.join(options.bin, "packet_bench"), "run", "--target", url,
                         "--rate", "max", "--duration", seconds + "s", "--warmup", "0s",
                         "--connections", connections, "--priority", "normal", "--output", "",
                         "--json"],
        "wrk": ["wrk", "-t1", "-c" + connections, "-d" + seconds + "s", url],
        "h2load": ["h2load", "--h1", "-t1", "-c" + connections, "-D" + seconds, url],
    }[name]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    output = subprocess.run(["taskset", "-c", GENERATOR_CPU] + argv, check=True, text=True,
                            capture_output=True).stdout
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    if name == "packet_bench":
        results = json.loads(output)
        requests = results["details"]["packets"]["fulfilled"]
        assert requests == results["details"]["packets"]["planned"]
        rate = results["tps"]
    elif name == "wrk":
        requests = int(re.search(r"(\d+) requests in", output)[1])
        rate = float(re.search(r"Requests/sec:\s+([\d.]+)", output)[1])
    else:
        requests = int(re.search(r"requests: \d+ total, \d+ started, (\d+) done", output)[1])
        rate = float(re.search(r"finished in [\d.]+s, ([\d.]+) req/s", output)[1])
    return rate, 1e6 * cpu / requests


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bin", help="folder of packet_bench")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=int, default=5)
    options = parser.parse_args()
    missing = [tool for tool in ("nginx", "wrk", "taskset") if not shutil.which(tool)]
    if missing or os.cpu_count() < 2:
        print("skipped: needs a second processor and " + ", ".join(missing or ["nothing else"]))
        sys.exit(77)
    names = ["packet_bench", "wrk"] + (["h2load"] if shutil.which("h2load") else [])
    rows = {name: [] for name in names}
    with tempfile.TemporaryDirectory() as folder:
        nginx = Nginx(folder)
        try:
            for number in range(options.rounds):
                turn = number % len(names)
                for name in names[turn:] + names[:turn]:
                    rows[name].append(run(name, options, f"http://127.0.0.1:{nginx.port}/"))
                print(f"round {number + 1}: " + "; ".join(
                    f"{name} {rows[name][-1][0]:.0f}/s, {rows[name][-1][1]:.2f} us"
                    for name in names), flush=True)
        finally:
            nginx.stop()
    print(f"medians of {options.rounds} rounds of {options.seconds} s:")
    for name in names:
        print(f"  {name:12} {statistics.median(r for r, _ in rows[name]):9.0f} requests/s, "
              f"{statistics.median(c for _, c in rows[name]):6.2f} us of processor a request")
    broken = False
    for other in names[1:]:
        pairs = list(zip(rows["packet_bench"], rows[other], strict=True))
        rate = statistics.median(mine[0] / its[0] for mine, its in pairs)
        cost = statistics.median(mine[1] / its[1] for mine, its in pairs)
        held = rate >= 1 and cost <= 1
        broken = broken or (other == "wrk" and not held)
        print(f"  {'held    ' if held else 'NOT HELD'} packet_bench / {other}: "
              f"{rate:.3f} of its requests/s (>= 1), {cost:.3f} of its cost (<= 1)")
    sys.exit(1 if broken else 0)


if __name__ == "__main__":
    main()
