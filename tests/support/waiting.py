"""Waiting for something, and watching it meanwhile."""

import threading
import time


def await_true(condition, what: str, timeout_s: float = 30):
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {timeout_s} s")
        time.sleep(0.05)


class Watcher(threading.Thread):
    """Looks at something until `ended`; a context manager."""

    def __init__(self):
        super().__init__(daemon=True)
        self.ended = threading.Event()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_exc):
        self.ended.set()
        self.join()
