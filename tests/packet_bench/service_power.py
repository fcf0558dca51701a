#!/usr/bin/env python3
"""What the verdicts of `packet_bench duet` on web services are worth on this machine.

usage: tests/packet_bench/service_power.py EXECUTABLES FOLDER MINUTES [SERVICE...]

A small service of Go's HTTP server and one of Python's (services/), or those that are named (go,
python), are each compared with themselves and with themselves made 5 % dearer, in an order drawn anew,
as containers of an engine of this run's own, 2,000 requests/s to each side. MINUTES are a service's.
FOLDER keeps the recordings, to which another call appends; 0 MINUTES only judge them. Exit: 0 told,
2 usage, 3 a service could not be measured.
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "scripts/lib"), str(ROOT / "tests")]

from packet_bench.services.images import SCRIPT, import_web_server
from slipway.lab import Host
from support.engines import discard, import_image

RATE = "2000"


def import_go(host: Host, reference: str) -> None:
    program = host.home / "web_server"
    subprocess.run(["go", "build", "-o", program, SCRIPT.with_suffix(".go")], check=True,
                   env={**os.environ, "CGO_ENABLED": "0"})
    import_image(host, reference, {"web_server": program}, ['ENTRYPOINT ["/web_server"]'])


SERVICES = {"go": import_go, "python": import_web_server}


def record(bench: Path, folder: Path, minutes: str, services: list[str]) -> int:
    host = Host(f"service-power-{os.getpid()}")
    try:
        with host:
            for name in services:
                SERVICES[name](host, f"{name}:v1")
                command = (str(bench), "power", "record", "--image", f"{name}:v1", "--path", "/price", "--rate", RATE,
                           "--percents", "0,5", "--minutes", minutes, "--file", str(folder / f"{name}.jsonl"))
                done = subprocess.run(host.inside(*command), env=host.env, check=False)
                if done.returncode:
                    return 3
    finally:
        discard(host)
    return 0


def main() -> int:
    if len(sys.argv) < 4 or set(sys.argv[4:]) - set(SERVICES):
        print(__doc__, file=sys.stderr)
        return 2
    bench, folder, minutes = Path(sys.argv[1]).resolve() / "packet_bench", Path(sys.argv[2]).resolve(), sys.argv[3]
    services = sys.argv[4:] or list(SERVICES)
    folder.mkdir(parents=True, exist_ok=True)
    status = record(bench, folder, minutes, services) if float(minutes) > 0 else 0
    for name in services:
        if (folder / f"{name}.jsonl").exists():
            print(f"\n{name}", flush=True)
            subprocess.run([bench, "power", "replay", "--file", folder / f"{name}.jsonl"], check=False)
    return status


if __name__ == "__main__":
    sys.exit(main())
