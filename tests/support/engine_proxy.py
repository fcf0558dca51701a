"""A Docker engine of another release, as far as its API's versions go: a proxy in front of a real one that
refuses versions below a floor and above a ceiling with the engine's own words, and says both in /version."""

import json
import re
import socket
import threading
from pathlib import Path


class EngineProxy:
    """Listens on PLACE, for as long as it is entered; `spoken` has the versions that were asked for."""

    def __init__(self, engine: Path, place: Path, floor: str, ceiling: str, drops: tuple[str, ...] = ()):
        self.engine, self.place = engine, place
        self.floor, self.ceiling, self.drops = floor, ceiling, drops
        self.spoken: set[str] = set()
        self.listener = socket.socket(socket.AF_UNIX)

    def __enter__(self):
        self.place.unlink(missing_ok=True)
        self.listener.bind(str(self.place))
        self.listener.listen(64)
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_exc):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.place.unlink(missing_ok=True)

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket):
        with client, socket.socket(socket.AF_UNIX) as engine:
            head = b""
            while b"\r\n\r\n" not in head:
                block = client.recv(65536)
                if not block:
                    return
                head += block
            target = head.split(b" ", 2)[1].decode()
            version = re.match(r"/v(\d+\.\d+)/", target)
            refusal = self._refusal(version.group(1)) if version else None
            if refusal:
                client.sendall(answer(400, {"message": refusal}))
                return
            engine.connect(str(self.engine))
            # One request a connection, so that each is looked at.
            if b"\r\nUpgrade:" not in head:
                head = head.replace(b"\r\n", b"\r\nConnection: close\r\n", 1)
            engine.sendall(self._translated(head, version))
            if target.split("?")[0].endswith(("/version", "/_ping")):
                client.sendall(self._with_versions(read_all(engine)))
                return
            back = threading.Thread(target=pipe, args=(engine, client), daemon=True)
            back.start()
            pipe(client, engine)
            back.join()

    def _refusal(self, version: str) -> str | None:
        self.spoken.add(version)
        if numbers(version) < numbers(self.floor):
            return (f"client version {version} is too old. Minimum supported API version is {self.floor}, "
                    "please upgrade your client to a newer version")
        if numbers(version) > numbers(self.ceiling):
            return f"client version {version} is too new. Maximum supported API version is {self.ceiling}"
        return None

    def _translated(self, head: bytes, version) -> bytes:
        """With no version: the engine's own newest, for one that is not as new as the ceiling says."""
        return head.replace(b" " + version.group(0).encode(), b" /", 1) if version else head

    def _with_versions(self, whole: bytes) -> bytes:
        head, _, body = whole.partition(b"\r\n\r\n")
        if not body.strip().startswith(b"{"):  # /_ping
            return re.sub(rb"(?i)\r\napi-version: [^\r]*", b"\r\nApi-Version: " + self.ceiling.encode(), head) \
                + b"\r\n\r\n" + body
        said = json.loads(body) | {"ApiVersion": self.ceiling, "MinAPIVersion": self.floor}
        said.pop("Components", None)
        for field in self.drops:
            said.pop(field, None)
        return answer(200, said)


def numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def answer(status: int, document: dict) -> bytes:
    body = json.dumps(document).encode()
    return (f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
            "Connection: close\r\n\r\n").encode() + body


def read_all(connection: socket.socket) -> bytes:
    whole = b""
    while block := connection.recv(65536):
        whole += block
    return whole


def pipe(source: socket.socket, target: socket.socket) -> None:
    try:
        while block := source.recv(65536):
            target.sendall(block)
        target.shutdown(socket.SHUT_WR)
    except OSError:  # the other side is gone
        pass
