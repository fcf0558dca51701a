"""What a duet shows while it goes on: on a terminal a line that fits it, elsewhere nothing."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios

import pytest

DUET = ["--rate", "200", "--max-duration", "5s", "--slice", "100ms", "--warmup", "100ms"]


def duet(executables, stderr) -> subprocess.Popen:
    connector = executables / "connector"
    return subprocess.Popen([executables / "packet_bench", "duet", "--base", connector, "--candidate", connector,
                             *DUET],
                            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=stderr,
                            env={**os.environ, "TERM": "xterm"})


def shown(executables, columns: int) -> str:
    """All that is written to a terminal so wide."""
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    process = duet(executables, its)
    os.close(its)
    text = b""
    while True:
        try:
            got = os.read(ours, 65536)
        except OSError:  # EIO: the other side is closed
            break
        if not got:
            break
        text += got
    os.close(ours)
    process.wait(timeout=60)
    return text.decode()


@pytest.mark.parametrize("columns", [30, 80, 200])
def test_a_duet_on_a_terminal_says_pairs_interval_and_time_left_in_one_line(executables, columns):
    text = shown(executables, columns)
    lines = text.split("\r\x1b[K")
    assert lines[0] == "" and lines[-1].strip() == "", text
    assert all(len(line) < columns and "\n" not in line for line in lines[1:-1]), lines
    assert re.match(r"\d+ pairs", lines[1]) and re.match(r"[1-9]\d* pairs", lines[-2]), lines
    if columns >= 80:
        assert "first look after 20" in lines[1] and all(re.search(r"at most \d s left$", line) for line in lines[1:-1])
        # Unless a busy machine left out too many.
        seen = [line for line in lines if int((re.match(r"(\d+) pairs", line) or [0, 0])[1]) > 20]
        assert all(re.search(r"cpu [+-][\d.]+ % \(", line) for line in seen), lines


def test_a_duet_that_nobody_watches_is_quiet(executables, tmp_path):
    with open(tmp_path / "stderr", "wb") as stderr:
        duet(executables, stderr).wait(timeout=60)
    assert (tmp_path / "stderr").read_bytes() == b""
