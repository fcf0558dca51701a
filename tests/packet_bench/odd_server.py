"""A web server that answers what a test wants, byte by byte."""

import contextlib
import re
import socket
import threading

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
CLOSE = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"
MIB = 1 << 20


class Server:
    """Answers every request on every connection as ANSWER says: bytes, or a function of (number of the request on its
    connection, the request) that gives bytes. It closes after LIMIT answers, and after each where LIMIT is 1."""

    def __init__(self, answer, limit: int = 0, address: str = "127.0.0.1", on_connect=None):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.answer = answer if callable(answer) else lambda _number, _request: answer
        self.limit, self.on_connect, self.requests = limit, on_connect, []
        self.socket = socket.create_server((address, 0), family=family, backlog=128)
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.socket.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            if self.on_connect:
                self.on_connect(connection)
            served, waiting = 0, b""
            while not self.limit or served < self.limit:
                while b"\r\n\r\n" not in waiting:
                    got = connection.recv(65536)
                    if not got:
                        return
                    waiting += got
                request, _, waiting = waiting.partition(b"\r\n\r\n")
                length = re.search(rb"(?i)content-length: (\d+)", request)
                while length and len(waiting) < int(length[1]):
                    waiting += connection.recv(65536)
                waiting = waiting[int(length[1]):] if length else waiting
                self.requests.append(request.decode("latin-1"))
                answer = self.answer(served, request)
                if answer is None:
                    return
                served += 1
                if served == self.limit:
                    # Its end comes with the answer: who sends into a connection before he can know loses by right.
                    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
                connection.sendall(answer)


def url(server: Server, path: str = "/") -> str:
    return f"http://127.0.0.1:{server.port}{path}"


def chunked(*chunks: bytes, more: bytes = b"") -> bytes:
    body = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)
    return b"HTTP/1.1 200 OK\r\n" + more + b"Transfer-Encoding: chunked\r\n\r\n" + body + b"0\r\n\r\n"


def head(*fields: bytes, status: bytes = b"200 OK", body: bytes = b"ok") -> bytes:
    return b"HTTP/1.1 " + status + b"\r\n" + b"".join(field + b"\r\n" for field in fields) + b"\r\n" + body
