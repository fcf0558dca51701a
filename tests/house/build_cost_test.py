"""What it costs to compile what is shipped, in processor time, as ratios to an object of the standard
library alone that is compiled in between: so that the house keeps building in minutes.

A header that instantiates Asio, Beast, CLI11 or nlohmann::json in many files shows here at once.
"""

import os
import resource
import shlex
import statistics
import subprocess
from pathlib import Path

import pytest

from slipway.paths import REPOSITORY

EXECUTABLES = ("connector", "packet_bench", "deploy", "rollback")
REFERENCE_EVERY = 20  # objects
COSTLIEST, SUM = 10, 140  # times the reference; 7.0 and 102 on 2026-11-28


def processor_seconds(command, folder) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, cwd=folder, check=True, env=dict(os.environ, CCACHE_DISABLE="1"))
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


@pytest.fixture(name="commands", scope="module")
def fixture_commands(tmp_path_factory):
    """The compilations of the four executables in the release preset, file by file."""
    build = tmp_path_factory.mktemp("build")
    subprocess.run(["cmake", "--preset", "release", "-B", str(build), "-DSLIPWAY_BUILD_TESTS=OFF",
                    "-DSLIPWAY_CCACHE=", "-DSLIPWAY_BATCHES=OFF"],
                   cwd=REPOSITORY, check=True, stdout=subprocess.DEVNULL)
    lines = subprocess.run(["ninja", "-t", "commands", *EXECUTABLES], cwd=build, check=True, capture_output=True,
                           text=True).stdout.splitlines()
    return [(shlex.split(line), build) for line in lines if " -c " in line]


def named(command) -> str:
    return str(Path(command[-1]).relative_to(REPOSITORY)) if command[-1].startswith(str(REPOSITORY)) else command[-1]


def test_no_object_and_not_all_together_cost_more_than_was_agreed(commands, tmp_path, tell):
    assert len(commands) > 100
    reference = [*commands[0][0][:1], "-std=c++20", "-O2", "-g1", "-c",
                 str(REPOSITORY / "tests/house/reference.cpp"), "-o", str(tmp_path / "reference.o")]
    references, costs = [], {}
    for number, (command, folder) in enumerate(commands):
        if number % REFERENCE_EVERY == 0:
            references.append(processor_seconds(reference, folder))
        command[command.index("-o") + 1] = str(tmp_path / "object.o")
        costs[named(command)] = processor_seconds(command, folder)
    unit = statistics.median(references)
    costliest = max(costs, key=costs.get)
    total = sum(costs.values())
    tell(f"reference {unit:.2f} s, {len(costs)} objects {total:.0f} s = {total / unit:.0f}, "
         f"{costliest} {costs[costliest]:.1f} s = {costs[costliest] / unit:.1f}")
    assert costs[costliest] / unit < COSTLIEST, f"{costliest}: see 'dear libraries' in tests/house/house.py"
    assert total / unit < SUM, sorted(costs.items(), key=lambda item: -item[1])[:10]
