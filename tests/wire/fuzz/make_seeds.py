#!/usr/bin/env python3
"""Writes the vectors of tests/wire as seed files: make_seeds.py VECTORS_DIR OUT_DIR."""
import json
import pathlib
import sys


def write(folder, name, data):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)


def main():
    vectors, out = map(pathlib.Path, sys.argv[1:3])
    ilp = json.loads((vectors / "ilp_packet_vectors.json").read_text())
    btp = json.loads((vectors / "btp_vectors.json").read_text())
    for kind in ("prepare", "fulfill", "reject", "invalid"):
        for i, vector in enumerate(ilp[kind]):
            write(out / "ilp_packet", f"{kind}{i}", bytes.fromhex(vector["binary"]))
    for i, vector in enumerate(btp):
        frame = bytes.fromhex(vector["binary"])
        write(out / "btp_frame", f"btp{i}", frame)
        if len(frame) < 126:
            plain = bytes([0x82, len(frame)]) + frame
            masked = bytes([0x82, 0x80 | len(frame), 0, 0, 0, 0]) + frame
            write(out / "websocket_frame", f"client{i}", b"\x01\x03" + plain * 2)
            write(out / "websocket_frame", f"server{i}", b"\x00\x05" + masked * 2)
    write(out / "websocket_frame", "fragments", b"\x01\x00" + bytes.fromhex("020161890170000162800163"))


main()
