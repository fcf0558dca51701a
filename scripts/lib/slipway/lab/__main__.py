"""The lab by hand: see USAGE below, or run it with --help."""

import argparse
import os
import subprocess
import sys
from functools import partial
from pathlib import Path

from .. import cli, paths
from . import Cluster, Engine, Host, LabError, Node, Registry, images, interrupt_on_terminate, roots

USAGE = """\
  engine start NAME      a Docker engine to build and push with; prints its DOCKER_HOST
  registry start NAME    a container registry; prints its address
  host start NAME        a host with its own network, engine and sshd; prints how to reach it
  cluster start NAME [N] Kubernetes with N nodes (2); prints KUBECONFIG and their addresses
  node start NAME-N      one of a cluster's nodes again
  KIND stop NAME         ends it and whatever a crash left of it
  KIND shell NAME [CMD]  CMD, or a shell, inside it
  images ENGINE          base images on a running engine; prints the build arguments
  root FOLDER [SUITE]    a root of this machine's distribution, or of a Debian (bookworm, trixie), in a new folder
  list                   what runs

Exit: 0 done, 1 it could not be, 2 usage, 130 interrupted.
"""
KINDS = {"engine": Engine, "registry": Registry, "host": Host, "cluster": Cluster, "node": Node}


def describe(thing) -> str:
    if isinstance(thing, Registry):
        return f"registry {thing.name}: {thing.address} (process {thing.pid})"
    if isinstance(thing, Cluster):
        return f"cluster {thing.name}: KUBECONFIG={thing.kubeconfig} (process {thing.pid})"
    if isinstance(thing, Node):
        return f"  node {thing.name}: {thing.ip}, {thing.node_name} to kubectl (process {thing.pid})"
    text = f"{thing.kind} {thing.name}: DOCKER_HOST=unix://{thing.socket} (process {thing.pid})"
    if isinstance(thing, Host):
        text += f"\n  address {thing.ip}, {' '.join(thing.ssh())}"
    return text


def running():
    for home in sorted((paths.cache() / "lab").glob("*-*")):
        kind, name = home.name.split("-", 1)
        if kind in KINDS and (thing := KINDS[kind](name)).pid:
            yield thing


def number_of_nodes(said: list[str]) -> int:
    if len(said) != 1 or not said[0].isdecimal():
        raise LabError(f"cluster start: {' '.join(said)!r} is no number of nodes")
    return int(said[0])


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
    elif arguments.what == "root":
        folder, *suite = arguments.rest or [""]
        if not folder or Path(folder).exists() or len(suite) > 1 or set(suite) - set(roots.DEBIAN):
            raise LabError(f"root: name a folder that is not there, and no suite or one of {' '.join(roots.DEBIAN)}")
        roots.make(Path(folder), *suite)
    else:
        if len(arguments.rest) < 2 or arguments.rest[0] not in ("start", "stop", "shell"):
            raise LabError(f"{arguments.what}: say start, stop or shell, and a name")
        verb, name, *command = arguments.rest
        thing = KINDS[arguments.what](name)
        if verb == "start":
            if isinstance(thing, Cluster) and command:
                thing = Cluster(name, number_of_nodes(command))
            thing.start(detach=True, wait_s=0)
            for one in (thing, *getattr(thing, "nodes", ())):
                print(describe(one))
        elif verb == "stop":
            thing.stop()
        else:
            environment = getattr(thing, "env", dict(os.environ))
            return subprocess.call(thing.inside(*(command or ["bash"])), env=environment)
    return 0


def main() -> int:
    parser = cli.parser("Throw-away engines, registries, hosts and clusters.", prog="scripts/lab", epilog=USAGE)
    parser.add_argument("what", choices=[*KINDS, "images", "root", "list"])
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
