"""lab_owner.py NAME: owns an engine, a registry and a host until it is ended."""

import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts" / "lib"))
from slipway.lab import Engine, Host, Registry, interrupt_on_terminate


def everything(name: str):
    return Engine(name, keep_data=False), Registry(name), Host(name)


def main(name: str) -> None:
    engine, registry, host = everything(name)
    with interrupt_on_terminate(), engine, registry, host:
        print("up", flush=True)
        signal.pause()


if __name__ == "__main__":
    main(sys.argv[1])
