"""strip [FILE]...: what of a workflow act 0.2.87 refuses to read, though GitHub knows it, and the file without that.

By hand it prints what it would strip; Act.run() gives act such a copy. tests/workflows/model reads the original.
Exit: 0 told, 2 usage.
"""

import re
import sys
from pathlib import Path

from .. import cli

# Keys that stand on lines of their own, and the key that they must stand under.
REFUSED = {"queue": "concurrency", "deployment": "environment"}
LINE = re.compile(r"^( *)([\w-]+):(?: (.*))?$")


def strip(text: str) -> tuple[str, list[str]]:
    """(TEXT without what act refuses, each line that went with its number). Lines go; all else keeps its bytes."""
    kept, gone, above = [], [], []
    for number, line in enumerate(text.splitlines(keepends=True), 1):
        match = LINE.match(line.rstrip("\n"))
        if match:
            indent, key = len(match[1]), match[2]
            above = [(depth, name) for depth, name in above if depth < indent]
            if above and REFUSED.get(key) == above[-1][1]:
                gone.append(f"{number}: {line.strip()}")
                continue
            above.append((indent, key))
        kept.append(line)
    return "".join(kept), gone


def main() -> int:
    parser = cli.parser(__doc__, prog="strip")
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE")
    for file in parser.parse_args().files:
        for line in strip(file.read_text(encoding="utf-8"))[1]:
            print(f"{file}:{line}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
