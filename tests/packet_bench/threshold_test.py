"""Is the gate right at 10,000/s about targets of 9,900 and of 10,100? ROUNDS [20] verdicts each.

Each verdict is a run of its own against a paced target of its own, in turns. An invalid run is
repeated by packet_bench itself, and one that stays invalid counts as wrong here.
"""

import json
import os
import subprocess

ROUNDS = int(os.environ.get("ROUNDS", "20"))


def verdict(executables, folder, rate):
    target = subprocess.Popen([executables / "paced_target", "--rate", str(rate)], stdout=subprocess.PIPE, text=True)
    try:
        port = json.loads(target.stdout.readline())["btpPort"]
        results = folder / "results.json"
        run = subprocess.run([executables / "packet_bench", "run", "--target", f"btp+ws://:token@127.0.0.1:{port}/",
                              "--destination", "test.paced.me", "--pid", str(target.pid), "--duration", "4s",
                              "--warmup", "500ms", "--threshold-tps", "10000", "--retries", "6",
                              "--output", results], capture_output=True, text=True, check=False)
        result = json.loads(results.read_text())
        return run.returncode, result["tps"], result["details"]["attempt"]
    finally:
        target.terminate()
        target.wait()


def test_every_verdict_is_right(executables, tmp_path, tell):
    expected = {9_900: 1, 10_100: 0}
    right = dict.fromkeys(expected, 0)
    for number in range(ROUNDS):
        for rate, status in expected.items():
            found, tps, attempt = verdict(executables, tmp_path, rate)
            right[rate] += found == status
            print(f"{number + 1}: a target of {rate}/s: status {found}, {tps:.0f} tps, attempt {attempt}")
    tell(", ".join(f"{number} of {ROUNDS} right at {rate}/s" for rate, number in right.items()))
    assert right == dict.fromkeys(expected, ROUNDS)
