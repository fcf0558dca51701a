"""The compilers and libraries of the distributions that come next: what a runner of Ubuntu 24.04 has (GCC 13, Boost 1.83,
Catch2 3, fmt 9 or later), in a root of Debian 13, which has them, too. Everything is compiled and the C++ tests run."""

import re
import subprocess

import pytest

from release import bare_hosts
from slipway.paths import REPOSITORY
from support import needs

pytestmark = needs.all_of(needs.root("roots of other releases"), bare_hosts.missing())

INSIDE = bare_hosts.WITH_PACKAGES + """
exec chroot "$2/root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 \\
  DEBIAN_FRONTEND=noninteractive bash -ec "cd /root/slipway && $3"
"""
PACKAGES = """
scripts/setup build
apt-get install -q=2 -y --no-install-recommends catch2 libbenchmark-dev g++-13 g++-14 git openssl postgresql procps \
  strace
"""
BUILD = """
cmake --preset dev -B build/{0} -DCMAKE_CXX_COMPILER={0} -DSLIPWAY_BATCHES=ON
cmake --build build/{0} -j $(nproc)
ctest --test-dir build/{0} -R '^[a-z_]+:' -j $(nproc) --no-tests=error --output-on-failure
"""


@pytest.fixture(scope="module")
def newer(tmp_path_factory):
    """Runs a command in the root, in a copy of this tree; what earlier ones wrote is there."""
    folder = tmp_path_factory.mktemp("newer")
    tree = folder / "upper/root/slipway"
    tree.mkdir(parents=True)
    files = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"], cwd=REPOSITORY,
                           capture_output=True, check=True).stdout
    packed = subprocess.run(["tar", "--null", "-T", "-", "-c"], cwd=REPOSITORY, input=files, capture_output=True,
                            check=True).stdout
    subprocess.run(["tar", "-x", "-C", tree], input=packed, check=True)

    def run(command: str) -> str:
        done = subprocess.run(["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", INSIDE, "sh",
                               bare_hosts.root("trixie"), folder, command.strip().replace("\n", " && ")],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-3000:]
        return done.stdout

    run(PACKAGES.replace("\\\n", ""))
    return run


@pytest.mark.parametrize("compiler", ["g++-13", "g++-14"])
def test_it_compiles_and_its_tests_pass(newer, compiler, tell):
    said = newer(BUILD.format(compiler))
    passed = re.search(r"100% tests passed, 0 tests failed out of (\d+)", said)
    assert passed and int(passed[1]) > 300 and "Skipped" not in said, said[-3000:]
    versions = newer("dpkg-query -W -f '${Package} ${Version}; ' catch2 libfmt-dev libboost1.83-dev")
    tell(f"{passed[1]} tests; {versions}")
