#!/usr/bin/env python3
"""host_sim.py FOLDER: what sshd's forced command runs on a host of act_test: `deploy` and `rollback`
by their contract (exit statuses, --status --json, a kernel lock, work that goes on when the caller
goes), without containers, and `install-tools`, which notes the version. tests/deploy and
scripts/rehearse have the real ones.

FOLDER/state.json holds what runs; FOLDER/faults.json what goes wrong: `bad` digests never prove
healthy (exit 4, taken back), `lies` digests pass and are unhealthy afterwards, or all but `honest` ones; `slow` is the
seconds that a deployment takes.
"""

import fcntl
import hashlib
import json
import os
import signal
import sys
import time
from pathlib import Path


def read(file: Path, otherwise: dict) -> dict:
    return json.loads(file.read_text()) if file.exists() else otherwise


def write(folder: Path, state: dict) -> None:
    temporary = folder / "state.new"
    temporary.write_text(json.dumps(state))
    temporary.rename(folder / "state.json")


def status(folder: Path) -> int:
    state = read(folder / "state.json", {"running": "", "history": []})
    faults = read(folder / "faults.json", {})
    # The real one reads it from the image's labels.
    revisions = read(folder / "revisions.json", {})
    digest = state["running"]
    running = {"digest": digest, "revision": revisions.get(digest, "")} if digest else None
    well = state["running"] not in faults.get("lies", []) and state["running"] in faults.get(
        "honest", [state["running"]])
    print(json.dumps({"running": running, "healthy": bool(running) and well}))
    return 9 if running and not well else 0


def swap(folder: Path, digest: str, verb: str) -> int:
    # A caller that hangs up does not end what has begun.
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGPIPE):
        signal.signal(number, signal.SIG_IGN)
    with open(folder / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        state = read(folder / "state.json", {"running": "", "history": []})
        faults = read(folder / "faults.json", {})
        (folder / "began").touch()
        if verb == "rollback" and not digest:
            proven = [d for d in state["history"] if d != state["running"]]
            if not proven:
                return 7
            digest = proven[-1]
        if digest == state["running"]:
            code = 0
        else:
            if verb == "deploy":
                time.sleep(faults.get("slow", 0))
            code = 4 if digest in faults.get("bad", []) else 0
            if code == 0:
                state["running"] = digest
                state["history"].append(digest)
            write(folder, state)
        os.write(1, f"running {state['running']}\n".encode()) if code != 130 else None
        return code


def install(folder: Path, version: str, sum_: str) -> int:
    if read(folder / "faults.json", {}).get("no_tools"):
        return 2
    if hashlib.sha256(sys.stdin.buffer.read()).hexdigest() != sum_:
        return 1
    (folder / "tools").write_text(version)
    return 0


def main() -> int:
    folder = Path(sys.argv[1])
    verb, *words = os.environ.get("SSH_ORIGINAL_COMMAND", "").split()
    with open(folder / "commands", "a") as log:
        log.write(" ".join([verb, *words]) + "\n")
    if words == ["--machine"]:
        print(os.uname().machine)
        return 0
    if verb == "install-tools":
        return install(folder, *words)
    if "--status" in words:
        return status(folder)
    if "--dry-run" in words:
        return 0
    named = [w.rpartition("@")[2] for w in words if "sha256:" in w]
    return swap(folder, named[0] if named else "", verb)


if __name__ == "__main__":
    sys.exit(main())
