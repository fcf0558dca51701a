#!/usr/bin/env python3
"""packet_bench and other generators, in turn: wrk, h2load, oha and k6, those that are installed.

One processor for the generator and one for the server, 50 connections, no pipelining, normal priority
for all. As fast as they can, against nginx: requests a second, processor seconds for a million of them,
memory. At 10,000 a second, against a server of ours that notes when each request arrives: processor
seconds for 20 s, and how late the arrivals are by the strictest schedule that they allow. A round runs
all, one after the other, so that a noisy machine troubles them alike; medians are shown, and ratios of
the same round compared. Exits 1 when packet_bench makes fewer requests a second than wrk or needs more
processor time for one, 77 when nginx, wrk or a second processor is missing.
"""

import argparse
import json
import os
import re
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
from packet_bench.precision import RATE, Recorder, deviations, percentile
from support.ports import free_port

DIGITS = {"cpu": 2, "cpu20": 2, "rss": 2}  # in the table
GENERATOR_CPU, SERVER_CPU = "0", "1"
CONNECTIONS = 50
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


def peak_mb(pid):
    try:
        with open(f"/proc/{pid}/status", encoding="ascii") as status:
            found = re.search(r"VmHWM:\s+(\d+) kB", status.read())
    except OSError:
        found = None
    return int(found[1]) / 1024 if found else 0


def timed(argv):
    """(output, processor seconds, MB at most) of a program on the generator's processor."""
    with tempfile.TemporaryFile("w+", encoding="utf-8") as output:
        process = subprocess.Popen(["taskset", "-c", GENERATOR_CPU, *argv], stdout=output,
                                   stderr=subprocess.DEVNULL, text=True)
        memory, ended = 0, 0
        # Not ru_maxrss, which begins with this program's own: a child is a copy until it is another program.
        while not ended:
            memory = max(memory, peak_mb(process.pid))
            ended, status, used = os.wait4(process.pid, os.WNOHANG)
            time.sleep(0.05)
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        assert process.returncode == 0, f"{argv[0]} left {process.returncode}: {output.read()[-400:]}"
        output.seek(0)
        return output.read(), used.ru_utime + used.ru_stime, memory


def forget_pages(program):
    """As after a restart: a file that was just written lies in larger pieces in memory, and more of it counts."""
    with open(shutil.which(program), "rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def k6_script(folder, url, rate, seconds):
    """k6 is told in JavaScript; without a rate its 50 users go as fast as they can."""
    scenario = ({"executor": "constant-arrival-rate", "rate": rate, "timeUnit": "1s",
                 "preAllocatedVUs": CONNECTIONS} if rate else {"executor": "constant-vus", "vus": CONNECTIONS})
    scenario["duration"] = f"{seconds}s"
    script = os.path.join(folder, "k6.js")
    with open(script, "w", encoding="utf-8") as file:
        told = json.dumps({"discardResponseBodies": True, "scenarios": {"all": scenario}})
        file.write(f"import http from 'k6/http';\n"
                   f"export const options = {told};\n"
                   f"export default () => {{ http.get('{url}'); }};\n")
    return script


def command(name, options, url, folder, rate=None):
    """NAME against URL, at RATE or as fast as it can."""
    seconds, connections = str(options.seconds), str(CONNECTIONS)
    each = rate // CONNECTIONS if rate else 0
    return {
        "packet_bench": [options.packet_bench, "run", "--target", url,
                         "--rate", str(rate or "max"), "--duration", seconds + "s",
                         "--warmup", "0s", "--connections", connections,
                         "--priority", options.priority, "--threshold-tps", "0", "--output", "", "--json"],
        "wrk": ["wrk", "-t1", "-c" + connections, "-d" + seconds + "s", url],
        "h2load": ["h2load", "--h1", "-t1", "-c" + connections, "-D" + seconds,
                   *([f"--rps={each}"] if rate else []), url],
        "oha": ["oha", "--no-tui", "--output-format", "json", "-c", connections, "-z", seconds + "s",
                *(["-q", str(rate)] if rate else []), url],
        "k6": ["k6", "run", "--quiet", "--summary-export", os.path.join(folder, "k6.json"),
               k6_script(folder, url, rate, options.seconds)],
    }[name]


def requests_of(name, output, folder):
    if name == "packet_bench":
        return json.loads(output)["details"]["packets"]["fulfilled"]
    if name == "wrk":
        return int(re.search(r"(\d+) requests in", output)[1])
    if name == "h2load":
        return int(re.search(r"requests: \d+ total, \d+ started, (\d+) done", output)[1])
    if name == "oha":
        return sum(json.loads(output)["statusCodeDistribution"].values())
    with open(os.path.join(folder, "k6.json"), encoding="utf-8") as file:
        return json.load(file)["metrics"]["http_reqs"]["count"]


def full_speed(name, options, url, folder):
    output, cpu, rss = timed(command(name, options, url, folder))
    requests = requests_of(name, output, folder)
    return {"rate": requests / options.seconds, "cpu": 1e6 * cpu / requests, "rss": rss}


def paced(name, options, folder):
    recorder = Recorder(os.path.join(options.bin, "arrival_recorder"), folder)
    _, cpu, _ = timed(command(name, options, f"http://127.0.0.1:{recorder.port}/", folder, RATE))
    late = deviations(recorder.arrivals_us())
    return {"cpu20": 20 * cpu / options.seconds, "p50": percentile(late, 50), "p99": percentile(late, 99),
            "arrived": len(late) / (RATE * options.seconds)}


def print_table(rows):
    def median(name, key):
        values = [row[key] for row in rows[name] if key in row]
        return f"{statistics.median(values):,.{DIGITS.get(key, 0)}f}" if values else "-"
    print("| | requests/s | CPU s per million | memory, MB | CPU s for 20 s at 10,000/s | late by p50, us | p99, us |")
    print("|---|---|---|---|---|---|---|")
    for name in rows:
        columns = [median(name, key) for key in ("rate", "cpu", "rss", "cpu20", "p50", "p99")]
        print(f"| {name} | " + " | ".join(columns) + " |")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bin", help="folder of packet_bench and arrival_recorder")
    parser.add_argument("--packet-bench", help="another, e.g. that of the preset tools, which is what is shipped")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--priority", choices=("normal", "high"), default="normal", help="of packet_bench")
    options = parser.parse_args()
    options.packet_bench = options.packet_bench or os.path.join(options.bin, "packet_bench")
    missing = [tool for tool in ("nginx", "wrk", "taskset") if not shutil.which(tool)]
    if missing or os.cpu_count() < 2:
        print("skipped: needs a second processor and " + ", ".join(missing or ["nothing else"]))
        sys.exit(77)
    names = ["packet_bench", "wrk"] + [tool for tool in ("h2load", "oha", "k6") if shutil.which(tool)]
    rows = {name: [] for name in names}
    for name in names:
        forget_pages(options.packet_bench if name == "packet_bench" else name)
    with tempfile.TemporaryDirectory() as folder:
        nginx = Nginx(folder)
        try:
            for number in range(options.rounds):
                turn = number % len(names)
                for name in names[turn:] + names[:turn]:
                    row = full_speed(name, options, f"http://127.0.0.1:{nginx.port}/", folder)
                    if name != "wrk":  # which has no rate
                        row |= paced(name, options, folder)
                    rows[name].append(row)
                    figures = ", ".join(f"{key} {value:.4g}" for key, value in row.items())
                    print(f"round {number + 1}: {name}: {figures}", flush=True)
        finally:
            nginx.stop()
    print(f"medians of {options.rounds} rounds of {options.seconds} s:")
    print_table(rows)
    broken = False
    for other in names[1:]:
        pairs = list(zip(rows["packet_bench"], rows[other], strict=True))
        rate = statistics.median(mine["rate"] / its["rate"] for mine, its in pairs)
        cost = statistics.median(mine["cpu"] / its["cpu"] for mine, its in pairs)
        held = rate >= 1 and cost <= 1
        broken = broken or (other == "wrk" and not held)
        print(f"  {'held    ' if held else 'NOT HELD'} packet_bench / {other}: "
              f"{rate:.3f} of its requests/s (>= 1), {cost:.3f} of its cost (<= 1)")
    sys.exit(1 if broken else 0)


if __name__ == "__main__":
    main()
