#!/usr/bin/env python3
"""A small web service of Python's own HTTP server, for tests of the gate: it can be made dearer, fail,
and hang up.

usage: web_server.py [--port N] [--status N] [--close-after N] [--standby] [--extra-cpu PERCENT]

Says `listening on PORT.`; answers /health with 200 and everything else with --status and JSON, but with 503
where it is in --standby, until SIGUSR2 comes. After --close-after requests of a connection it closes it
without a word, as servers do with idle ones. With --extra-cpu, or TEST_EXTRA_CPU_PERCENT, it burns
processor time until that is this share of all that the process has used otherwise.
"""

import argparse
import http.server
import json
import os
import signal
import socket
import threading
import time

BURN_EVERY = 16  # requests
# Told in each answer is how many processors it saw when it started.
BODY = json.dumps({"pair": "XRP-USD", "price": 1, "processors": len(os.sched_getaffinity(0))}).encode()


class Burn:
    def __init__(self, percent: float):
        self.share, self.burnt, self.requests = percent / 100, 0.0, 0
        self.lock = threading.Lock()

    def after_request(self) -> None:
        if not self.share:
            return
        with self.lock:
            self.requests += 1
            if self.requests % BURN_EVERY:
                return
            began = time.thread_time()
            missing = self.share * (time.process_time() - self.burnt) - self.burnt
            while time.thread_time() - began < missing:
                pass
            self.burnt += time.thread_time() - began


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # the answer leaves in one piece
    requests = 0

    def do_GET(self) -> None:
        self.requests += 1
        limit = self.server.options.close_after
        if limit and self.requests > limit:
            self.close_connection = True
            return
        options = self.server.options
        self.send_response(200 if self.path == "/health" else 503 if options.standby else options.status)
        self.send_header("Content-Length", str(len(BODY)))
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(BODY)
        self.server.burn.after_request()

    def log_message(self, *_arguments) -> None:
        pass


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 128

    def __init__(self, options):
        self.options, self.burn = options, Burn(options.extra_cpu)
        super().__init__(("", options.port), Handler)

    def finish_request(self, request, client_address) -> None:
        request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
        super().finish_request(request, client_address)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--status", type=int, default=200)
    parser.add_argument("--close-after", type=int, default=0)
    parser.add_argument("--standby", action="store_true")
    parser.add_argument("--extra-cpu", type=float, default=float(os.environ.get("TEST_EXTRA_CPU_PERCENT", "0")))
    options = parser.parse_args()
    signal.signal(signal.SIGUSR2, lambda *_: setattr(options, "standby", False))
    server = Server(options)
    print(f"listening on {server.server_port}.", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
