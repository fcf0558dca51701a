"""Process 1 of a capsule: starts its services, reaps its orphans, and takes all down at the end.

The end comes by SIGTERM, by a `shutdown` request, or when the process that wanted the capsule is
gone (its end of the lifeline pipe closes, however it died). When this process exits, the kernel
kills whatever is left in its process namespace and drops its mounts and network with it.

    init.py SPEC.json NETWORK_FD LIFELINE_FD   (LIFELINE_FD -1: nobody's death ends this capsule)

NETWORK_FD is the machine's own network namespace, where there is something to undo.

Requests arrive on a Unix socket, one JSON object each, answered by one:
    {"do": "start", "service": S}  {"do": "kill", "service": S, "signal": N}  {"do": "status"}
    {"do": "shutdown", "undo": true}
"""

import contextlib
import json
import os
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path


class Init:
    def __init__(self, spec: dict, network: int, lifeline: int):
        self.spec = spec
        self.network = network
        self.running: dict[str, int] = {}
        self.exits: dict[str, int] = {}
        self.ending = False
        self.undo = True
        self.selector = selectors.DefaultSelector()
        self._watch_signals()
        if lifeline >= 0:
            self.selector.register(lifeline, selectors.EVENT_READ, self._lost_owner)
        self.server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        # Under its name only once it listens: who sees it connects.
        unnamed = spec["control"] + ".new"
        self.server.bind(unnamed)
        self.server.listen()
        os.rename(unnamed, spec["control"])
        self.selector.register(self.server, selectors.EVENT_READ, self._answer)

    def _watch_signals(self) -> None:
        reader, writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGTERM, lambda *_: setattr(self, "ending", True))
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        self.selector.register(reader, selectors.EVENT_READ, lambda fd: os.read(fd, 512))

    def _lost_owner(self, lifeline: int) -> None:
        self.selector.unregister(lifeline)
        self.ending = True

    def _answer(self, server: socket.socket) -> None:
        connection, _ = server.accept()
        with connection:
            connection.settimeout(5)
            try:
                request = json.loads(connection.makefile().readline())
                reply = self._perform(request)
            except (OSError, ValueError, KeyError) as error:
                reply = {"error": f"{type(error).__name__}: {error}"}
            with contextlib.suppress(OSError):  # the caller has gone; what it asked for is done
                connection.sendall(json.dumps(reply).encode() + b"\n")

    def _perform(self, request: dict) -> dict:
        do = request["do"]
        if do == "start":
            self._start(request["service"])
        elif do == "kill":
            if pid := self.running.get(request["service"]):
                os.kill(pid, request["signal"])
        elif do == "shutdown":
            self.undo = request["undo"]
            self.ending = True
        self._reap()
        return {"running": self.running, "exits": self.exits}

    def _start(self, name: str) -> None:
        if name in self.running:
            return
        service = self.spec["services"][name]
        for stale in service.get("stale", []):
            Path(stale).unlink(missing_ok=True)
        with open(service["log"], "ab") as log:
            child = subprocess.Popen(
                service["argv"], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={**os.environ, **service.get("env", {})}, start_new_session=True, cwd="/")
        # Else its destructor reaps a child that has ended already, and _reap never hears of it.
        child.returncode = 0
        self.exits.pop(name, None)
        self.running[name] = child.pid

    def _reap(self) -> None:
        """Collects every ended child: ours, and the orphans that fall to process 1."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            for name, running in list(self.running.items()):
                if running == pid:
                    del self.running[name]
                    self.exits[name] = os.waitstatus_to_exitcode(status)

    def run(self) -> None:
        while not self.ending:
            for key, _ in self.selector.select():
                key.data(key.fileobj)
            self._reap()

    def close(self) -> None:
        self.server.close()
        for name in reversed(list(self.running)):
            if pid := self.running.get(name):
                self._end(name, pid)
        with contextlib.suppress(ProcessLookupError):
            os.kill(-1, signal.SIGKILL)
        self._undo()

    def _end(self, name: str, pid: int) -> None:
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + self.spec["services"][name].get("grace_s", 5)
        while name in self.running and time.monotonic() < deadline:
            self.selector.select(timeout=0.1)
            self._reap()
            time.sleep(0.01)

    def _undo(self) -> None:
        for argv in self.spec["undo"] if self.undo else []:
            outside = ["nsenter", f"--net=/proc/self/fd/{self.network}", *argv]
            subprocess.run(outside, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL, timeout=10, check=False,
                           pass_fds=(self.network,))
        remove_cgroups(self.spec["cgroup"])
        run_dir = self.spec["run_dir"]
        mounts = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
        for mount in (mount for mount in mounts if mount.startswith(run_dir + "/")):
            subprocess.run(["umount", "--lazy", mount], stderr=subprocess.DEVNULL, check=False)
        shutil.rmtree(run_dir, ignore_errors=True)


def remove_cgroups(name: str) -> None:
    """Removes the control groups NAME, all levels of them; those with a process in them stay."""
    deadline = time.monotonic() + 2
    root = Path("/sys/fs/cgroup")
    while True:
        left = False
        for controller in (root, *root.iterdir()):  # the root itself is the only one of cgroup v2
            for folder, _, _ in os.walk(controller / name, topdown=False):
                try:
                    os.rmdir(folder)
                except OSError:
                    left = True
        if not left or time.monotonic() > deadline:
            return
        time.sleep(0.05)  # a killed process leaves its group a moment after its death


def main() -> int:
    spec = json.loads(Path(sys.argv[1]).read_text())
    init = Init(spec, int(sys.argv[2]), int(sys.argv[3]))
    try:
        init.run()
    finally:
        init.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
