"""The lab leaves nothing behind, however its owner ends, and a host is a place of its own.

Exits 77 with the reason where it cannot run.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts" / "lib"))

# pylint: disable=wrong-import-position
from slipway.lab import AlreadyRunning, Engine, Host, LabError, Registry, interrupt_on_terminate

# Two checkouts can be tested at once.
NAME = f"lab-test-{os.getpid()}"
DEADLINE_S = 60  # by far more than it takes, for a machine that is busy


def everything(name: str):
    return Engine(name, keep_data=False), Registry(name), Host(name)


def own_until_killed(name: str) -> None:
    engine, registry, host = everything(name)
    with interrupt_on_terminate(), engine, registry, host:
        print("up", flush=True)
        signal.pause()


def output(*argv: str) -> str:
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout


def processes(part: str) -> list[str]:
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if part in command and "lab_test.py" not in command:
            found.append(command)
    return found


def traces(name: str) -> list[str]:
    """What is left on the machine of the capsules named NAME."""
    engine, registry, host = everything(name)
    left = []
    for thing in (engine, registry, host):
        left += processes(str(thing.home))
        left += map(str, Path("/sys/fs/cgroup").glob(f"*/{thing.cgroup}"))
        left += [line for line in Path("/proc/mounts").read_text().splitlines()
                 if str(thing.home) in line]
        left += [str(thing.run_dir)] if thing.run_dir.exists() else []
    network = output("ip", "-oneline", "address") + output("ip", "route")
    left += [what for what in (f"{registry.ip}/", f"{host.network}/", host.link)
             if what in network]
    return left


class Ending(unittest.TestCase):
    def end_by(self, number: int) -> None:
        name = f"{NAME}-{number}"
        owner = subprocess.Popen([sys.executable, __file__, "--own", name],
                                 stdout=subprocess.PIPE, text=True, stderr=subprocess.PIPE)
        try:
            with owner.stdout:
                up = owner.stdout.readline()
            self.assertEqual(up, "up\n", up or owner.stderr.read())
            self.assertTrue(traces(name), "nothing is seen of capsules that run")
            owner.send_signal(number)
            owner.wait(timeout=DEADLINE_S)
            deadline = time.monotonic() + DEADLINE_S
            while (left := traces(name)) and time.monotonic() < deadline:
                time.sleep(0.1)
            self.assertEqual(left, [])
        finally:
            owner.kill()
            owner.stderr.close()
            for thing in everything(name):
                thing.stop()
                shutil.rmtree(thing.home, ignore_errors=True)

    def test_an_interrupt_leaves_nothing(self):
        self.end_by(signal.SIGINT)

    def test_a_termination_leaves_nothing(self):
        self.end_by(signal.SIGTERM)

    def test_a_kill_of_the_owner_leaves_nothing(self):
        self.end_by(signal.SIGKILL)


class Place(unittest.TestCase):
    def test_a_host_keeps_its_files_to_itself_and_over_a_power_cut(self):
        host = Host(NAME)
        self.addCleanup(shutil.rmtree, host.home, ignore_errors=True)
        with host:
            subprocess.run(host.ssh("echo here > /opt/of-the-host; hostname"), check=True,
                           stdout=subprocess.DEVNULL)
            self.assertFalse(Path("/opt/of-the-host").exists())
            host.reboot(power_cut=True)
            self.assertEqual(output(*host.ssh("cat /opt/of-the-host")), "here\n")
            with self.assertRaises(AlreadyRunning):
                Host(NAME).start(wait_s=0)
        self.assertEqual(traces(NAME), [])

    def test_a_strangers_server_is_not_taken_for_ones_own(self):
        class Gone(Registry):
            def services(self):
                return {"registry": {"argv": ["sleep", "0.2"]}}

            def prepare(self):  # without its look at the port
                (self.home / "config.yml").write_text("")

            def undo(self):
                return []

            def await_ready(self):
                time.sleep(0.5)
                self.await_service("registry", lambda: True, 20)

        with socket.create_server(("0.0.0.0", 0)) as stranger:
            port = stranger.getsockname()[1]
            for kind, words in ((Registry, "is taken by somebody else"), (Gone, "exited at once")):
                registry = kind(f"{NAME}-stranger", port=port)
                self.addCleanup(shutil.rmtree, registry.home, ignore_errors=True)
                with self.assertRaisesRegex(LabError, words):
                    registry.start()
        self.assertEqual(traces(registry.name), [])

    def test_a_service_that_cannot_start_is_told_with_its_last_words(self):
        class Broken(Registry):
            def services(self):
                return {"registry": {"argv": ["sh", "-c", "echo no such luck; exit 3"]}}

        registry = Broken(f"{NAME}-broken")
        self.addCleanup(shutil.rmtree, registry.home, ignore_errors=True)
        with self.assertRaisesRegex(LabError, "no such luck"):
            registry.start()
        self.assertEqual(traces(registry.name), [])


def unable() -> str | None:
    if os.geteuid() != 0:
        return "namespaces need root"
    missing = [p for p in ("dockerd", "docker-registry", "sshd", "nsenter", "ip")
               if shutil.which(p, path=os.environ["PATH"] + ":/usr/sbin") is None]
    return f"not installed: {' '.join(missing)}; run scripts/setup docker" if missing else None


if __name__ == "__main__":
    if sys.argv[1:2] == ["--own"]:
        own_until_killed(sys.argv[2])
    elif reason := unable():
        print(reason)
        sys.exit(77)
    else:
        unittest.main()
