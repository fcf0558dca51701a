"""The end of whoever owns capsules, and what is left of them."""

import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from lab.lab_owner import all_of
from lab.traces import traces

OWNER = Path(__file__).with_name("lab_owner.py")
ENDS = [signal.SIGINT, signal.SIGTERM, signal.SIGKILL]
DEADLINE_S = 60  # by far more than it takes, for a machine that is busy


def owner_ends(number: int, name: str, *kinds: str) -> None:
    """A process that owns capsules of KINDS gets the signal; nothing of them may be left."""
    capsules = all_of(name, kinds)
    owner = subprocess.Popen([sys.executable, OWNER, name, *kinds], stdout=subprocess.PIPE, text=True,
                             stderr=subprocess.PIPE)
    try:
        with owner.stdout:
            up = owner.stdout.readline()
        assert up == "up\n", up or owner.stderr.read()
        assert traces(*capsules), "nothing is seen of capsules that run"
        owner.send_signal(number)
        owner.wait(timeout=DEADLINE_S)
        deadline = time.monotonic() + DEADLINE_S
        while traces(*capsules) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert traces(*capsules) == []
    finally:
        owner.kill()
        owner.stderr.close()
        for capsule in capsules:
            capsule.stop()
            shutil.rmtree(capsule.home, ignore_errors=True)
