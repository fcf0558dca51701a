"""Clients of a web service behind HAProxy, who notice every answer that they do not get."""

import contextlib
import socket
import threading
import time

from deploy.site import Site
from support.load import Generator

HANDSHAKE = ("GET /socket HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
             "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")


class Load(Generator):
    """So many requests a second."""

    def __init__(self, site: Site, rate: int = 500, path: str = "/work"):
        super().__init__(site.binaries, site.host.home, "--target", f"http://{site.host.ip}:8080{path}",
                         "--rate", str(rate), "--connections", "16")

    def __enter__(self):
        super().__enter__()
        time.sleep(1)
        return self

    @property
    def packets(self) -> dict:
        return self.document()["details"]["packets"]

    def lost(self) -> int:
        """Requests that were sent and not answered well."""
        return self.packets["sent"] - self.packets["fulfilled"] - self.packets["late"]


class Socket:
    """A WebSocket through HAProxy, as far as bytes go: what it says comes back."""

    def __init__(self, site: Site):
        self.connection = socket.create_connection((site.host.ip, 8080), timeout=5)
        self.connection.sendall(HANDSHAKE.encode())
        head = self.connection.recv(4096)
        if b"101" not in head.split(b"\r\n")[0]:
            raise AssertionError(head)

    def is_alive(self) -> bool:
        with contextlib.suppress(OSError):
            self.connection.sendall(b"ping")
            return self.connection.recv(4) == b"ping"
        return False


class LongPoll(threading.Thread):
    """One request that the service answers after so many seconds; `answer` is its body, or how it failed."""

    def __init__(self, site: Site, seconds: int):
        super().__init__()
        self.site, self.seconds, self.answer = site, seconds, ""
        self.start()
        time.sleep(0.3)

    def run(self):
        try:
            with socket.create_connection((self.site.host.ip, 8080), timeout=self.seconds + 10) as connection:
                request = f"GET /wait/{self.seconds} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
                connection.sendall(request.encode())
                self.answer = connection.makefile("rb").read().decode().split("\r\n\r\n", 1)[-1]
        except OSError as error:
            self.answer = type(error).__name__
