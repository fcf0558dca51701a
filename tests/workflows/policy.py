#!/usr/bin/env python3
"""policy.py [ROOT]: holds the workflows to the 26 requirements of the checklist, and to what no
linter and no local runner enforces: permissions, concurrency, environments, timeouts, approvals,
pins. Prints a line per requirement and every violation; exits 1 when there is one."""

import sys
from pathlib import Path

try:
    import yaml  # noqa: F401  (documents.py needs it)
except ImportError:
    print("policy: skipped: python3-yaml is not installed; run scripts/setup lint")
    sys.exit(77)

import requirements_delivery
import requirements_supply
from documents import Repository


def main() -> int:
    root = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).resolve().parents[2])
    repository = Repository(root)
    failed = 0
    rows = [*requirements_supply.ROWS, *requirements_delivery.ROWS]
    for number, title, check in sorted(rows, key=lambda row: row[0]):
        violations = list(check(repository))
        failed += bool(violations)
        print(f"{number:>2} {'FAILED' if violations else 'ok':<6} {title}")
        for violation in violations:
            print(f"            {violation}")
    print(f"policy: {len(rows) - failed} of {len(rows)} requirements hold")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
