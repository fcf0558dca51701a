"""A throw-away data centre on one machine: Docker engines, a registry, hosts and clusters of our own.

Everything here needs root, a Linux with namespaces, and the packages of `scripts/setup docker`;
a cluster also those of `scripts/setup cluster`.
Each resource is a context manager and can also be started and stopped by hand:

    with Engine("demo") as engine, Registry("demo") as registry:
        args = images.ensure(engine)
        engine.docker("push", registry.reference("service", "v1"))

    scripts/lab engine start demo

What keeps it from leaving anything behind is in capsule.py.
"""

from .capsule import AlreadyRunning, Capsule, LabError, interrupt_on_terminate
from .cluster import Cluster
from .cluster_node import Node
from .engine import Engine
from .host import Host
from .registry import Registry

__all__ = [
    "AlreadyRunning", "Capsule", "Cluster", "Engine", "Host", "LabError", "Node", "Registry",
    "interrupt_on_terminate",
]
