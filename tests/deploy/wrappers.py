"""scripts/rollback.sh over an sshd of this test's own: what it says, and its exit status, when ssh
gets in, is refused, finds another host, finds none, and is cut off.

Exits 77 with the reason where there is no sshd.
"""

import getpass
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

# pylint: disable=wrong-import-position
from ports import free_port

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "rollback.sh"
SSHD = shutil.which("sshd", path=os.environ["PATH"] + ":/usr/sbin")


class Wrapper(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        for name in ("host", "strange_host", "user", "strange_user"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", cls.folder / name],
                           check=True)
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(exist_ok=True)
        cls.port = free_port()
        public = (cls.folder / "user.pub").read_text()
        # What it runs instead of `rollback`: ends with 4, or takes the connection away.
        command = cls.folder / "forced"
        command.write_text('#!/bin/sh\ncase $SSH_ORIGINAL_COMMAND in\n'
                           '*cut*) kill -9 $PPID; sleep 5 ;;\n*) echo "$SSH_ORIGINAL_COMMAND"; exit 4 ;;\nesac\n')
        command.chmod(0o755)
        (cls.folder / "authorized").write_text(f'restrict,command="{command}" {public}')
        log = cls.enterClassContext(open(cls.folder / "sshd.log", "w", encoding="utf-8"))
        cls.sshd = subprocess.Popen(
            [SSHD, "-D", "-e", "-f", "/dev/null", "-p", str(cls.port), "-h", cls.folder / "host",
             "-o", "ListenAddress=127.0.0.1", "-o", "PidFile=none", "-o", "StrictModes=no",
             "-o", f"AuthorizedKeysFile={cls.folder / 'authorized'}", "-o", "UsePAM=no"],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        cls.addClassCleanup(cls.sshd.wait)
        cls.addClassCleanup(cls.sshd.terminate)
        deadline = time.monotonic() + 20
        while "listening" not in (cls.folder / "sshd.log").read_text():
            assert time.monotonic() < deadline, (cls.folder / "sshd.log").read_text()
            time.sleep(0.02)

    def run_wrapper(self, *words, host_key="host", user_key="user", port=None):
        port = port or self.port
        known = self.folder / "known_hosts"
        known.write_text(f"[127.0.0.1]:{port} {(self.folder / host_key).with_suffix('.pub').read_text()}")
        said = subprocess.run(["ssh-agent", "-s"], capture_output=True, text=True, check=True).stdout
        agent = dict(line.split(";")[0].split("=") for line in said.splitlines()[:2])
        env = {**os.environ, **agent, "HOME": str(self.folder)}
        try:
            subprocess.run(["ssh-add", "-q", self.folder / user_key], env=env, check=True)
            return subprocess.run(
                [SCRIPT, "--host", "127.0.0.1", "--port", str(port), "--user", getpass.getuser(),
                 "--known-hosts", known, "--", *words], env=env, capture_output=True, text=True,
                timeout=60, check=False)
        finally:
            os.kill(int(agent["SSH_AGENT_PID"]), signal.SIGTERM)

    def expect(self, done, status, *words):
        self.assertEqual(done.returncode, status, done)
        for word in words:
            self.assertIn(word, done.stderr)

    def test_the_status_is_that_of_the_command_there(self):
        done = self.run_wrapper("v1", "--json")
        self.expect(done, 4)
        self.assertEqual(done.stdout, "rollback v1 --json\n")

    def test_another_host_key_is_named_with_what_to_compare(self):
        self.expect(self.run_wrapper("v1", host_key="strange_host"), 2, "host key that is not in",
                    "known_hosts", "ssh-keyscan", "nothing began there")

    def test_a_refused_key_is_named_with_the_user_that_refused_it(self):
        self.expect(self.run_wrapper("v1", user_key="strange_user"), 2, "ssh-add",
                    f"let {getpass.getuser()} in", "nothing began there")

    def test_a_host_that_does_not_answer_was_not_reached(self):
        self.expect(self.run_wrapper("v1", port=free_port()), 255, "was not reached",
                    "nothing began there")

    def test_after_a_connection_that_was_lost_the_work_goes_on(self):
        self.expect(self.run_wrapper("cut"), 255, "was lost", "goes on")


if __name__ == "__main__":
    if SSHD is None:
        print("sshd is not installed")
        sys.exit(77)
    unittest.main()
