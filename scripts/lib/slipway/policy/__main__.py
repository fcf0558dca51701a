"""policy [ROOT]: holds the workflows to docs/pipeline-checklist.md, and to what no linter and no
local runner enforces: permissions, concurrency, environments, timeouts, approvals, pins.

Prints a line per requirement and every violation. Exit: 0 all hold, 1 one does not.
"""

import sys
from pathlib import Path

from .. import cli, paths
from . import requirements_delivery, requirements_github, requirements_published, requirements_supply
from .documents import Repository

ROWS = sorted((*requirements_supply.ROWS, *requirements_delivery.ROWS, *requirements_published.ROWS,
               *requirements_github.ROWS),
              key=lambda row: row[0])


def main() -> int:
    parser = cli.parser(__doc__, prog="policy")
    parser.add_argument("root", nargs="?", type=Path, default=paths.REPOSITORY)
    repository = Repository(parser.parse_args().root)
    failed = 0
    for number, title, check in ROWS:
        violations = list(check(repository))
        failed += bool(violations)
        print(f"{number:>2} {'FAILED' if violations else 'ok':<6} {title}")
        for violation in violations:
            print(f"            {violation}")
    print(f"policy: {len(ROWS) - failed} of {len(ROWS)} requirements hold")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
