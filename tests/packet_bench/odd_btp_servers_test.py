"""What a BTP server says when it refuses is shown on a terminal and in CI's log, where text can be a command: it is
shown as one line of text."""

import base64
import hashlib
import re
import struct
import subprocess

import pytest

from packet_bench.odd_server import Server

BAD = b"\x1b]0;owned\x07\x1b[2J\n::warning::injected \xff"


def accepting(*frames: bytes):
    """Answers the upgrade, and sends FRAMES: (opcode, payload) of WebSocket."""
    def answer(_number, request: bytes) -> bytes:
        key = re.search(rb"(?i)sec-websocket-key: (\S+)", request)[1]
        accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
        return b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" \
            b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n" + b"".join(frames)
    return answer


def frame(opcode: int, payload: bytes) -> bytes:
    return bytes([0x80 | opcode, len(payload)]) + payload


def counted(data: bytes) -> bytes:
    return bytes([len(data)]) + data


# ERROR of BTP to request 1, which is the authentication: code, name, time, data, no protocol data.
REFUSED = struct.pack(">BI", 2, 1) + counted(b"F00" + counted(b"Bad" + BAD) + counted(b"20260101000000.000Z") + b"\0" +
                                             b"\1\0")
SAYING = {
    "a status": b"HTTP/1.1 503 Busy " + BAD + b"\r\nContent-Length: 0\r\n\r\n",
    "a close": accepting(frame(8, struct.pack(">H", 1008) + b"no" + BAD)),
    "an error": accepting(frame(2, REFUSED)),
}
WORDS = {"a status": "503 Busy", "a close": "1008 no", "an error": "refused the token (F00 Bad"}


@pytest.mark.parametrize("how", SAYING)
def test_what_refuses_says_one_line_of_text(executables, tmp_path, how):
    with Server(SAYING[how]) as server:
        done = subprocess.run(
            [executables / "packet_bench", "run", "--target", f"btp+ws://:t@127.0.0.1:{server.port}/",
             "--receiver", f"btp+ws://:t@127.0.0.1:{server.port}/", "--destination", "test.x", "--rate", "10",
             "--duration", "1s", "--output", tmp_path / "results.json"],
            capture_output=True, check=False, timeout=60)
    said = done.stdout + done.stderr
    assert done.returncode != 0 and WORDS[how].encode() in said, said
    assert b"injected" in said, said
    assert not re.search(rb"\x1b|\x07|\xff|^\s*::warning", said, re.MULTILINE), said
