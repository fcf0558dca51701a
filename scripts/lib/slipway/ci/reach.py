"""Which suites of scripts/ci/integration a change can reach: by the folders that their tests and what these call lie
in. A file that no line names reaches all of them, so that forgetting one costs minutes and not a fault.
reach_test.py follows the imports and the paths of each suite's tests and holds this table to them."""

from .. import paths

SUITES = ("docker", "blackbox", "kubernetes", "workflows", "release", "release-workflow", "reproducible")
# Those that a pull request leaves to the merge queue, whatever it changes: they compile everything anew.
QUEUE_ONLY = {"release-workflow", "reproducible"}
ALL = frozenset(SUITES)


def read(text: str) -> dict:
    """.github/suites.tsv: a path and its suites, `all` or `-`."""
    rows = [line.split("\t") for line in text.splitlines() if line and not line.startswith("#")]
    return {path: ALL if suites == "all" else frozenset([] if suites == "-" else suites.split())
            for path, suites in rows}


TABLE = read((paths.REPOSITORY / ".github/suites.tsv").read_text(encoding="utf-8"))


def of_file(path: str, table=None) -> frozenset:
    """The suites that a change of PATH can reach."""
    table = TABLE if table is None else table
    fits = [key for key in table if path == key or (key.endswith("/") and path.startswith(key))]
    return table[max(fits, key=len)] if fits else ALL


def of_change(changed, table=None) -> list:
    """The suites of a pull request that changes CHANGED, in their order."""
    reached = frozenset().union(*(of_file(path, table) for path in changed)) - QUEUE_ONLY
    return [suite for suite in SUITES if suite in reached]
