"""A port for a program that cannot bind to 0."""

import random
import socket
from pathlib import Path


def free_port() -> int:
    """From below the ephemeral range, of which the kernel gives ports to whoever connects or binds
    to 0, and so perhaps this one before it is bound."""
    first = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    while True:
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", random.randrange(10_000, max(first, 20_000))))
            except OSError:
                continue
            return probe.getsockname()[1]
