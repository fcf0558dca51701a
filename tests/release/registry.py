"""A real registry on loopback, seen through a relay that can break on purpose."""

import http.client
import http.server
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

from support.ports import free_port

CONFIG = """\
version: 0.1
log: {{level: error, accesslog: {{disabled: true}}}}
storage: {{filesystem: {{rootdirectory: {folder}}}, delete: {{enabled: true}}}}
http: {{addr: "127.0.0.1:{port}"}}
"""


class Registry:
    """docker-registry; `fail_once` acts on a request that passes the relay."""

    def __init__(self, folder: Path):
        program = shutil.which("docker-registry")
        if program is None:
            raise FileNotFoundError("docker-registry is not installed; run scripts/setup docker")
        self.fault = None
        folder.mkdir(parents=True, exist_ok=True)
        for _ in range(5):  # another process may take the port between the probe and the bind
            self.port = free_port()
            config = folder / "config.yml"
            config.write_text(CONFIG.format(folder=folder / "data", port=self.port))
            self.process = subprocess.Popen(
                [program, "serve", str(config)], stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                env={"OTEL_TRACES_EXPORTER": "none", "PATH": "/usr/bin:/bin"})
            if self._serves():
                break
        else:
            raise OSError("docker-registry does not start")
        outer = self

        class Relay(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _serve(self):
                outer.relay(self)

            do_GET = do_HEAD = do_PUT = do_POST = do_PATCH = do_DELETE = _serve

            def log_message(self, *_args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Relay)
        self.address = f"127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def fail_once(self, method: str, pattern: str, action) -> None:
        """The next request that matches runs ACTION and gets no answer."""
        self.fault = (method, re.compile(pattern), action)

    def relay(self, request) -> None:
        body = request.rfile.read(int(request.headers.get("Content-Length") or 0))
        fault = self.fault
        if fault and fault[0] == request.command and fault[1].search(request.path):
            self.fault = None
            fault[2]()
            request.close_connection = True
            return
        # An engine sends Accept many times, once for each format that it takes.
        headers = {name: ", ".join(request.headers.get_all(name)) for name in request.headers}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(request.command, request.path, body=body or None, headers=headers)
            answer = connection.getresponse()
            data = answer.read()
        except OSError:  # the registry was stopped on purpose: so the client sees it too
            request.close_connection = True
            return
        finally:
            connection.close()
        request.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("transfer-encoding", "connection", "date", "server"):
                request.send_header(name, value)
        request.end_headers()
        if request.command != "HEAD":
            request.wfile.write(data)

    def _serves(self) -> bool:
        deadline = time.monotonic() + 15
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=1):
                    return True
            except OSError:
                time.sleep(0.05)
        return False
