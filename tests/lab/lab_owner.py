"""lab_owner.py NAME KIND...: owns such capsules of that name until it is ended."""

import contextlib
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts" / "lib"))
from slipway.lab import Cluster, Engine, Host, Registry, interrupt_on_terminate

MAKERS = {"engine": lambda name: Engine(name, keep_data=False), "registry": Registry, "host": Host, "cluster": Cluster}


def all_of(name: str, kinds) -> list:
    return [MAKERS[kind](name) for kind in kinds]


def main(name: str, *kinds: str) -> None:
    with interrupt_on_terminate(), contextlib.ExitStack() as stack:
        for capsule in all_of(name, kinds):
            stack.enter_context(capsule)
        print("up", flush=True)
        signal.pause()


if __name__ == "__main__":
    main(*sys.argv[1:])
