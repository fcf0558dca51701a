"""A table of cases that is printed as it grows; the exit status says whether all were right."""

import concurrent.futures
import shutil
import subprocess
import sys
import time

from world import SOURCE, World


class Table:
    def __init__(self):
        self.bad = 0
        self.count = 0
        self.lines = []
        self._began = time.monotonic()

    def row(self, what: str, result: str, good: bool, said: str = "") -> None:
        self.count += 1
        self.bad += not good
        seconds = time.monotonic() - self._began
        self._began = time.monotonic()
        self.lines.append(f"{'ok  ' if good else 'BAD '} {what:<52} {result:<34} {seconds:5.1f} s")
        if not good:
            self.lines += ["      " + line for line in said.splitlines()[-40:]]


def missing() -> str:
    """Why these tests cannot run on this machine; empty when they can."""
    for tool, group in (("docker-registry", "docker"), ("npm", "lint"), ("git", "build")):
        if shutil.which(tool) is None:
            return f"{tool} is not installed; run scripts/setup {group}"
    node = subprocess.run([SOURCE / "scripts/release/node", "--version"], capture_output=True,
                          text=True, check=False)
    if node.returncode != 0:
        return f"the release's packages cannot be installed: {node.stderr.strip()[-300:]}"
    return ""


def run_case(name: str, case, seed: str) -> Table:
    table = Table()
    try:
        with World(seed=seed) as world:
            case(world, table)
    except Exception as error:  # one broken case must not hide the others
        table.row(name, "raised", False, repr(error))
    return table


def run_cases(cases: dict, seeds=None) -> int:
    """Each case gets a world of its own; the words on the command line choose among them.

    Cases run side by side, since most of their time is waiting: semantic-release asks GitHub's API
    for one change a second at most.
    """
    why = missing()
    if why:
        print(f"skipped: {why}")
        return 77
    chosen = [word for word in sys.argv[1:] if not word.startswith("-")]
    bad = count = 0
    with concurrent.futures.ThreadPoolExecutor(max_workers=6) as pool:
        jobs = [(name, pool.submit(run_case, name, case, (seeds or {}).get(name, "v0.0.0")))
                for name, case in cases.items() if not chosen or name in chosen]
        for name, job in jobs:
            table = job.result()
            print(f"-- {name}", *table.lines, sep="\n", flush=True)
            bad += table.bad
            count += table.count
    print(f"{count - bad} of {count} cases as they must be")
    return 1 if bad or not count else 0
