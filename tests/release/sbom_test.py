"""What a build says that it was made of: scripts/release/sbom, held against what nm and ldd see of a small program that
was compiled with some of the libraries that are installed for Slipway, and with none of the others; and
scripts/release/buildinfo, held against dpkg."""

import json
import os
import re
import subprocess

import pytest

from slipway.ci.build_inputs import closure, package
from slipway.paths import REPOSITORY
from support import needs

pytestmark = needs.all_of(needs.programs("build", "cmake", "ninja", "g++"))
PROJECT = """\
cmake_minimum_required(VERSION 3.25)
project(small CXX)
find_library(CRYPTO libcrypto.a REQUIRED)
find_library(FILESYSTEM libboost_filesystem.a REQUIRED)
add_executable(small small.cpp)
target_link_libraries(small PRIVATE ${CRYPTO} ${FILESYSTEM})
"""
PROGRAM = """\
#define FMT_HEADER_ONLY
#include <boost/filesystem/operations.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <openssl/sha.h>
int main() {
  unsigned char sum[SHA256_DIGEST_LENGTH];
  SHA256(sum, 0, sum);
  fmt::print("{}", nlohmann::json{boost::filesystem::exists("/")}.dump());
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
    # Of an archive alone: its headers are another package's.
    assert "boost::filesystem::detail::status" in symbols and "libboost_filesystem" not in dynamic
    assert any(name.startswith("libboost-filesystem") for name in names)
    for absent in ("libcli11-dev", "libyaml-cpp-dev", "catch2"):  # installed, and not of this program
        assert absent not in names
    assert all(component["version"] and component["version"].split("+")[0] in component["purl"].replace("%3A", ":")
               for component in told["components"])
    assert bill(built).stdout == bill(built).stdout


def buildinfo(*arguments, **env) -> subprocess.CompletedProcess:
    return subprocess.run([REPOSITORY / "scripts/release/buildinfo", *arguments], check=False, capture_output=True,
                          text=True, env={**os.environ, **env})


def test_a_buildinfo_names_whatever_took_part_as_dpkg_has_it(built, tmp_path):
    told = buildinfo("1.0.0", built)
    versions = dict(re.findall(r"(?m)^ (\S+) \(= (\S+)\),$", told.stdout))
    compiler = subprocess.run(["g++", "-dumpversion"], check=True, capture_output=True, text=True).stdout.strip()
    names = {name.partition(":")[0] for name in versions}
    # Read, run, needed by one of those, essential; and not what is installed beside them.
    assert {"libfmt-dev", "libssl-dev", f"g++-{compiler}", "binutils", "cmake", "ninja-build", "libssl3"} <= names
    assert "dpkg" in names
    assert "catch2" not in names and "postgresql" not in names
    for name in (next(name for name in versions if name.startswith("libfmt-dev")), "ninja-build"):
        assert versions[name] == subprocess.run(["dpkg-query", "--show", "--showformat=${Version}", name], check=True,
                                                capture_output=True, text=True).stdout
    file = tmp_path / "it.buildinfo"
    file.write_text(told.stdout)
    same = buildinfo("--check", file)
    assert (same.returncode, same.stdout) == (0, ""), same
    assert buildinfo("1.0.0", built).stdout == told.stdout


def test_a_machine_with_other_packages_is_told_which(built, tmp_path):
    text = buildinfo("1.0.0", built).stdout
    file = tmp_path / "it.buildinfo"
    file.write_text(re.sub(r"ninja-build \(= \S+\)", "ninja-build (= 0.9-1)", text).replace(
        "Installed-Build-Depends:", "Installed-Build-Depends:\n left-pad (= 1:1.0~rc1),"))
    done = buildinfo("--check", file)
    assert done.returncode == 1 and "ninja-build: 0.9-1 there, " in done.stdout, done
    assert "left-pad: 1:1.0~rc1 there, none here\n" in done.stdout and len(done.stdout.splitlines()) == 2, done
    file.write_text(re.sub(r"Build-Origin: .*", "Build-Origin: plan9-4", text))
    strange = buildinfo("--check", file)
    assert strange.returncode == 1 and "on plan9-4" in strange.stderr, strange
    file.write_text("nothing\n")
    assert "no buildinfo" in buildinfo("--check", file).stderr
    assert buildinfo("1.0.0", "--check", file).returncode == 2


@pytest.fixture
def installing(built, tmp_path):
    """Runs buildinfo --install of a package that is nowhere, with an apt-get of VERSION that reaches no archive;
    returns what it said, and how it asked apt-get to install."""
    def run(version: str, *arguments) -> tuple:
        file, asked, apt = tmp_path / "it.buildinfo", tmp_path / "asked", tmp_path / "apt-get"
        file.write_text(buildinfo("1.0.0", built).stdout.replace(
            "Installed-Build-Depends:", "Installed-Build-Depends:\n left-pad (= 1:1.0~rc1),"))
        apt.write_text(f"#!/bin/sh\n[ $1 != --version ] || {{ echo 'apt {version} (amd64)'; exit 0; }}\n"
                       f'echo "$*" >{asked}\necho "E: Unable to fetch" >&2\nexit 100\n')
        apt.chmod(0o755)
        done = buildinfo("--install", file, *arguments, PATH=f"{tmp_path}:{os.environ['PATH']}")
        return done, asked.read_text() if asked.exists() else ""
    return run


AT = ("--snapshot", "20261129T000000Z")


def test_an_apt_that_knows_no_snapshot_is_not_asked_for_one(installing):
    done, asked = installing("2.6.1", *AT)
    assert done.returncode == 1 and asked == "", done
    assert all(part in done.stderr for part in ("apt 2.7.14 or newer", "2.6.1", "nothing was changed")), done


@pytest.mark.parametrize(("arguments", "remedy"), [(AT, "snapshot archive"), ((), "--snapshot TIME")],
                         ids=["as it was then", "as it is now"])
def test_an_archive_that_has_them_not_is_told_with_what_helps(installing, arguments, remedy):
    done, asked = installing("2.7.14build2", *arguments)
    assert done.returncode == 1 and "left-pad=1:1.0~rc1" in asked, done
    assert ("--snapshot 20261129T000000Z" in asked) == bool(arguments), asked
    assert remedy in done.stderr and "nothing was changed" in done.stderr, done


@pytest.mark.parametrize("arguments", [("--snapshot", "yesterday"), ("--check", "FILE", *AT)],
                         ids=["no time", "no install"])
def test_a_time_that_is_none_or_that_nothing_is_installed_from_is_a_wrong_call(installing, arguments):
    done = buildinfo(*arguments) if "FILE" in arguments else installing("3.0.3", *arguments)[0]
    assert done.returncode == 2 and "--snapshot" in done.stderr.splitlines()[-1], done


def test_what_is_needed_is_followed_through_alternatives_and_what_is_provided():
    def made(name, depends="", architecture="amd64", provides="", essential=""):
        return package(f"{name}:{architecture}", name, architecture, "1", essential, "", depends, provides)

    there = [made("tool", "missing | mail-agent, lib:any (>= 2)"), made("postfix", provides="mail-agent (= 1)"),
             made("lib"), made("lib", architecture="arm64"), made("base", essential="yes"), made("beside", "tool")]
    found = [each.name for each in closure({"tool"}, there)]
    assert found == ["base:amd64", "lib:amd64", "postfix:amd64", "tool:amd64"]


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
