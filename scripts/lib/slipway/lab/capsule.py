"""A capsule: services in Linux namespaces of their own, which go as one and leave nothing.

The services are children of init.py, process 1 of a process namespace. When it ends, for whatever
reason, the kernel kills every process inside, and with the last of them the capsule's mounts and
network. init.py ends when the process that made the capsule closes its end of a pipe, that is also
when that process is killed; a capsule made with detach=True has no such pipe and runs until
somebody stops it by name.

Files of the capsule NAME are under <cache>/lab/NAME: `lock` (held by the kernel for as long as the
capsule lives), `run/` (sockets, process ids; gone with it), `log/` (of the last run), `data/`.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from .. import paths
from .init import remove_cgroups


class LabError(Exception):
    """What was being done, on what, why it failed, and what to do about it."""


class AlreadyRunning(LabError):
    pass


@contextlib.contextmanager
def interrupt_on_terminate() -> Iterator[None]:
    """SIGINT, SIGTERM and SIGHUP unwind the stack, so that every `with` cleans up.

    SIGINT too, since a shell starts its background jobs with it ignored.
    """
    def raise_interrupt(number, _frame):
        raise KeyboardInterrupt(signal.Signals(number).name)

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {n: signal.signal(n, raise_interrupt) for n in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def uninterrupted() -> Iterator[None]:
    """A second Ctrl-C must not stop the cleaning up that the first one began."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {n: signal.signal(n, signal.SIG_IGN) for n in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def wait_until(ready: Callable[[], bool], what: str, timeout_s: float) -> None:
    """Polls READY until it holds; WHAT names the thing awaited in the error."""
    deadline = time.monotonic() + timeout_s
    pause_s = 0.01
    while not ready():
        if time.monotonic() > deadline:
            raise LabError(f"{what}: not ready after {timeout_s:g} s")
        time.sleep(pause_s)
        pause_s = min(pause_s * 1.5, 0.2)


def run(*argv: str, **options) -> subprocess.CompletedProcess:
    """Runs a command to its end; a failure is a LabError with what the command said."""
    options = {"stdin": subprocess.DEVNULL, "capture_output": True, "text": True, **options}
    try:
        done = subprocess.run(argv, check=False, **options)
    except FileNotFoundError as error:
        raise LabError(f"{argv[0]}: not installed; run scripts/setup docker") from error
    if done.returncode != 0:
        said = (done.stderr or done.stdout or "").strip()
        raise LabError(f"{' '.join(argv)}: exit {done.returncode}: {said[-2000:]}")
    return done


def pid_of(run_dir: Path) -> int | None:
    """Process 1 of the capsule whose folder that is, as seen from outside; None when it is not running."""
    try:
        pid = int((run_dir / "init.pid").read_text())
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (OSError, ValueError):
        return None
    return pid if str(run_dir / "spec.json").encode() in command else None


class Capsule:
    """Services in namespaces of their own. Subclasses say which; see Engine, Registry, Host."""

    kind = "capsule"
    own_network = False

    def __init__(self, name: str):
        if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,39}", name):
            raise LabError(f"{self.kind} name {name!r}: use 1 to 40 of a-z, 0-9 and '-'")
        self.name = name
        self.identity = f"{self.kind}-{name}"
        self.home = paths.lab(self.identity)
        self.run_dir = self.home / "run"
        self.log_dir = self.home / "log"
        self.data_dir = self.home / "data"
        self.short_id = hashlib.sha256(self.identity.encode()).hexdigest()[:8]
        self._lifeline: int | None = None
        self._shell: subprocess.Popen | None = None

    # What a subclass provides.

    def services(self) -> dict[str, dict]:
        """name -> {argv, env, grace_s, stale: files to remove before a start}, in start order."""
        return {}

    def undo(self) -> list[list[str]]:
        """Commands that take back what outlives the namespaces; harmless when run twice."""
        return []

    def leftovers(self) -> list[list[str]]:
        """As undo(), when nothing runs: before a start and after a stop."""
        return self.undo()

    def prepare(self) -> None:
        """Before the capsule exists: files, configuration."""

    def connect(self) -> None:
        """Inside the new namespaces, before the services: network, mounts."""

    def await_ready(self) -> None:
        """Returns when the services serve."""

    # Life.

    def start(self, detach: bool = False, wait_s: float = 30) -> "Capsule":
        """Starts the services and returns when they are ready.

        Waits up to wait_s for a capsule of the same name that is just going down; AlreadyRunning
        if it stays.
        """
        if os.geteuid() != 0:
            raise LabError(f"{self.kind} {self.name}: namespaces need root; run as root or by sudo")
        self.home.mkdir(parents=True, exist_ok=True)
        lock = self._lock(wait_s)
        try:
            self._remove_leftovers()
            for folder in (self.run_dir, self.log_dir, self.data_dir):
                folder.mkdir(exist_ok=True)
            self.prepare()
            self._launch(lock, detach)
            self.connect()
            self.start_services()
            self.await_ready()
        except BaseException:
            os.close(lock)
            self.stop()
            raise
        os.close(lock)
        return self

    def stop(self) -> None:
        """Ends the capsule and whatever a crash left of it; nothing happens if there is none."""
        with uninterrupted():
            pid = self.pid
            if pid:
                self._signal(pid, signal.SIGTERM)
                grace_s = 10 + sum(s.get("grace_s", 5) for s in self.services().values())
                try:
                    wait_until(lambda: self.pid is None, f"{self.identity}: ending", grace_s)
                except LabError:
                    self._signal(pid, signal.SIGKILL)
            if self._lifeline is not None:
                os.close(self._lifeline)
                self._lifeline = None
            if self._shell is not None:
                if pid is None:
                    self._shell.terminate()  # interrupted before process 1 was known
                self._shell.wait()
                self._shell = None
            self._remove_leftovers()

    def __enter__(self):
        return self.start()

    def __exit__(self, *_exc) -> None:
        self.stop()

    @property
    def pid(self) -> int | None:
        """Process 1 of the capsule as seen from outside; None when it is not running."""
        return pid_of(self.run_dir)

    # Services, one by one: for faults on purpose, and for what follows one.

    def start_services(self) -> None:
        for service in self.services():
            self.start_service(service)

    def start_service(self, service: str) -> None:
        self._ask({"do": "start", "service": service})

    def kill_service(self, service: str, number: int = signal.SIGKILL) -> None:
        """Sends the signal; returns once the service is gone if the signal is one to end by."""
        self._ask({"do": "kill", "service": service, "signal": int(number)})
        if number in (signal.SIGKILL, signal.SIGTERM, signal.SIGINT):
            wait_until(lambda: not self.service_running(service),
                       f"{self.identity}: {service} to end", 30)

    def service_running(self, service: str) -> bool:
        return service in self._ask({"do": "status"})["running"]

    def log(self, service: str) -> str:
        return (self.log_dir / f"{service}.log").read_text(errors="replace")

    def inside(self, *argv: str) -> list[str]:
        """The command line that runs ARGV in the capsule's namespaces."""
        pid = self.pid
        if pid is None:
            raise LabError(f"{self.kind} {self.name}: not running; start it first")
        namespaces = ["-m", "-p"] + (["-n", "-u"] if self.own_network else [])
        return ["nsenter", "-t", str(pid), *namespaces, "--", *argv]

    def run_inside(self, *argv: str, **options) -> subprocess.CompletedProcess:
        return run(*self.inside(*argv), **options)

    def await_service(self, service: str, ready: Callable[[], bool], timeout_s: float) -> None:
        """As wait_until, but a service that has exited is an error at once, with its last words:
        whatever answers in its place is a stranger's."""
        def poll() -> bool:
            if not self.service_running(service):
                raise LabError(f"{self.identity}: {service} exited at once:\n"
                               + self.log(service)[-1500:])
            return ready()

        wait_until(poll, f"{self.identity}: {service} (log: {self.log_dir}/{service}.log)",
                   timeout_s)

    # Inner parts.

    def _lock(self, wait_s: float) -> int:
        lock = os.open(self.home / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        deadline = time.monotonic() + wait_s
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return lock
            except BlockingIOError:
                if time.monotonic() > deadline:
                    os.close(lock)
                    raise AlreadyRunning(
                        f"{self.kind} {self.name}: already running (process {self.pid}); stop it, "
                        "or use another name") from None
                time.sleep(0.1)

    def _launch(self, lock: int, detach: bool) -> None:
        spec_file = self.run_dir / "spec.json"
        control = self.run_dir / "init.sock"
        services = {}
        for name, service in self.services().items():
            log = self.log_dir / f"{name}.log"
            log.write_bytes(b"")
            services[name] = {**service, "log": str(log)}
        spec_file.write_text(json.dumps({
            "control": str(control), "services": services, "undo": self.undo(),
            "cgroup": self.cgroup, "run_dir": str(self.run_dir)}))
        network = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        reader, writer = (-1, None) if detach else os.pipe2(os.O_CLOEXEC)
        argv = ["unshare", "--mount", "--pid", "--fork", "--kill-child=SIGTERM", "--mount-proc",
                "--propagation", "slave"]
        argv += ["--net", "--uts"] if self.own_network else []
        argv += [sys.executable, str(Path(__file__).with_name("init.py")), str(spec_file),
                 str(network), str(reader)]
        inherited = [lock, network] if detach else [lock, network, reader]
        with open(self.log_dir / "init.log", "wb") as log:
            self._shell = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/",
                start_new_session=True, pass_fds=inherited)
        for fd in inherited[1:]:
            os.close(fd)
        self._lifeline = writer
        wait_until(self._record_pid, f"{self.identity}: process 1", 10)

    def _record_pid(self) -> bool:
        if self._shell.poll() is not None:
            raise LabError(f"{self.identity}: cannot make namespaces: "
                           + (self.log_dir / "init.log").read_text()[-1500:])
        parent = self._shell.pid
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        if not children or not (self.run_dir / "init.sock").exists():
            return False
        (self.run_dir / "init.pid").write_text(children[0])
        return self.pid is not None

    def _ask(self, request: dict) -> dict:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(10)
            try:
                connection.connect(str(self.run_dir / "init.sock"))
                connection.sendall(json.dumps(request).encode() + b"\n")
                reply = json.loads(connection.makefile().readline())
            except (OSError, ValueError) as error:
                raise LabError(f"{self.identity}: not running: {error}; its log is in "
                               f"{self.log_dir}") from error
        if "error" in reply:
            raise LabError(f"{self.identity}: {request}: {reply['error']}")
        return reply

    @property
    def cgroup(self) -> str:
        return f"slipway-{self.short_id}"

    def _signal(self, pid: int, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)

    def _remove_leftovers(self) -> None:
        for argv in self.leftovers():
            subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL, check=False)
        remove_cgroups(self.cgroup)
        shutil.rmtree(self.run_dir, ignore_errors=True)
