"""scripts/release/sbom, held against what nm and ldd see: a small program that was compiled with some of the libraries
that are installed for Slipway, and with none of the others."""

import json
import subprocess

import pytest

from slipway.paths import REPOSITORY
from support import needs

pytestmark = needs.all_of(needs.programs("build", "cmake", "ninja", "g++"))
PROJECT = """\
cmake_minimum_required(VERSION 3.25)
project(small CXX)
find_library(CRYPTO libcrypto.a REQUIRED)
add_executable(small small.cpp)
target_link_libraries(small PRIVATE ${CRYPTO})
"""
PROGRAM = """\
#define FMT_HEADER_ONLY
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <openssl/sha.h>
int main() {
  unsigned char sum[SHA256_DIGEST_LENGTH];
  SHA256(sum, 0, sum);
  fmt::print("{}", nlohmann::json{1}.dump());
}
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("small")
    (folder / "CMakeLists.txt").write_text(PROJECT)
    (folder / "small.cpp").write_text(PROGRAM)
    for command in (["cmake", "-G", "Ninja", "-S", folder, "-B", folder / "build"],
                    ["ninja", "-C", folder / "build"]):
        subprocess.run(command, check=True, capture_output=True)
    return folder / "build"


def bill(folder) -> subprocess.CompletedProcess:
    return subprocess.run([REPOSITORY / "scripts/release/sbom", "1.0.0", folder], check=False, capture_output=True,
                          text=True)


def test_it_names_what_was_compiled_in_and_linked_and_nothing_else(built):
    told = json.loads(bill(built).stdout)
    names = {component["name"] for component in told["components"]}
    symbols = subprocess.run(["nm", "-C", built / "small"], check=True, capture_output=True, text=True).stdout
    dynamic = subprocess.run(["ldd", built / "small"], check=True, capture_output=True, text=True).stdout
    evidence = {"libfmt-dev": "fmt::v", "nlohmann-json3-dev": "nlohmann::", "libssl-dev": "SHA256_Final"}
    assert {package for package, symbol in evidence.items() if symbol in symbols} == set(evidence)
    assert "libcrypto" not in dynamic and "libfmt" not in dynamic
    assert set(evidence) | {"libc6-dev"} <= names
    assert any(name.startswith("libstdc++-") for name in names)
    for absent in ("libcli11-dev", "libyaml-cpp-dev", "catch2"):  # installed, and not of this program
        assert absent not in names
    assert all(component["version"] and component["version"].split("+")[0] in component["purl"].replace("%3A", ":")
               for component in told["components"])
    assert bill(built).stdout == bill(built).stdout


def test_a_folder_without_a_build_and_a_file_of_nobody_are_errors(built, tmp_path):
    none = bill(tmp_path)
    assert none.returncode == 1 and "error" in none.stderr, none
    strange = built.parent.parent / "strange"
    strange.mkdir()
    (strange / "strange.hpp").write_text("#pragma once\n")
    (built.parent / "small.cpp").write_text(f'#include "{strange}/strange.hpp"\n{PROGRAM}')
    subprocess.run(["ninja", "-C", built], check=True, capture_output=True)
    found = bill(built)
    assert found.returncode == 1 and f"owns {strange}/strange.hpp (1 such files)" in found.stderr, found
