"""The lab by hand: see USAGE below, or run it with --help."""

import argparse
import os
import subprocess
import sys
from functools import partial

from .. import cli, paths
from . import Engine, Host, LabError, Registry, images, interrupt_on_terminate

USAGE = """\
  engine start NAME      a Docker engine to build and push with; prints its DOCKER_HOST
  registry start NAME    a container registry; prints its address
  host start NAME        a host with its own network, engine and sshd; prints how to reach it
  KIND stop NAME         ends it and whatever a crash left of it
  KIND shell NAME [CMD]  CMD, or a shell, inside it
  images ENGINE          base images on a running engine; prints the build arguments
  list                   what runs

Exit: 0 done, 1 it could not be, 2 usage, 130 interrupted.
"""
KINDS = {"engine": Engine, "registry": Registry, "host": Host}


def describe(thing) -> str:
    if isinstance(thing, Registry):
        return f"registry {thing.name}: {thing.address} (process {thing.pid})"
    text = f"{thing.kind} {thing.name}: DOCKER_HOST=unix://{thing.socket} (process {thing.pid})"
    if isinstance(thing, Host):
        text += f"\n  address {thing.ip}, {' '.join(thing.ssh())}"
    return text


def running():
    for home in sorted((paths.cache() / "lab").glob("*-*")):
        kind, name = home.name.split("-", 1)
        if kind in KINDS and (thing := KINDS[kind](name)).pid:
            yield thing


def act(arguments: argparse.Namespace) -> int:
    if arguments.what == "list":
        for thing in running():
            print(describe(thing))
    elif arguments.what == "images":
        if not arguments.rest:
            raise LabError("images: name a running engine")
        engine = Engine(arguments.rest[0])
        for argument, image in images.ensure(engine, partial(print, file=sys.stderr)).items():
            print(f"{argument}={image}")
    else:
        if len(arguments.rest) < 2 or arguments.rest[0] not in ("start", "stop", "shell"):
            raise LabError(f"{arguments.what}: say start, stop or shell, and a name")
        verb, name, *command = arguments.rest
        thing = KINDS[arguments.what](name)
        if verb == "start":
            thing.start(detach=True, wait_s=0)
            print(describe(thing))
        elif verb == "stop":
            thing.stop()
        else:
            environment = getattr(thing, "env", dict(os.environ))
            return subprocess.call(thing.inside(*(command or ["bash"])), env=environment)
    return 0


def main() -> int:
    parser = cli.parser("Throw-away engines, registries and hosts.", prog="scripts/lab", epilog=USAGE)
    parser.add_argument("what", choices=[*KINDS, "images", "list"])
    parser.add_argument("rest", nargs=argparse.REMAINDER)
    try:
        with interrupt_on_terminate():
            return act(parser.parse_args())
    except LabError as error:
        print(f"lab: error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
