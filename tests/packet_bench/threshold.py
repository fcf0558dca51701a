#!/usr/bin/env python3
"""threshold.py BIN [COUNT]: is the gate right at 10,000/s about targets of 9,900 and of 10,100?

Each verdict is a run of its own against a paced target of its own, in turns. An invalid run is
repeated by packet_bench itself, and one that stays invalid counts as wrong here.
"""
import json
import pathlib
import subprocess
import sys
import tempfile


def verdict(folder, rate):
    target = subprocess.Popen([BIN / "paced_target", "--rate", str(rate)], stdout=subprocess.PIPE, text=True)
    try:
        port = json.loads(target.stdout.readline())["btpPort"]
        results = pathlib.Path(folder) / "results.json"
        run = subprocess.run([BIN / "packet_bench", "run", "--target", f"btp+ws://:token@127.0.0.1:{port}/",
                              "--destination", "test.paced.me", "--pid", str(target.pid), "--duration", "4s",
                              "--warmup", "500ms", "--threshold-tps", "10000", "--retries", "6",
                              "--output", results], capture_output=True, text=True, check=False)
        result = json.loads(results.read_text())
        return run.returncode, result["tps"], result["details"]["attempt"]
    finally:
        target.terminate()
        target.wait()


def main():
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 20
    right = {9_900: 0, 10_100: 0}
    with tempfile.TemporaryDirectory() as folder:
        for number in range(count):
            for rate, expected in ((9_900, 1), (10_100, 0)):
                status, tps, attempt = verdict(folder, rate)
                right[rate] += status == expected
                print(f"{number + 1}: a target of {rate}/s: status {status}, {tps:.0f} tps, attempt {attempt}", flush=True)
    for rate, number in right.items():
        print(f"{number} of {count} right at {rate}/s")
    return 0 if all(number == count for number in right.values()) else 1


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    BIN = pathlib.Path(sys.argv[1])
    sys.exit(main())
