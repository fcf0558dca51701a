"""What a build says that it was made of: scripts/release/sbom, held in both directions against what nm and ldd see of a
small program, static as the host tools are, that names more libraries than it needs and includes more than it calls;
and scripts/release/buildinfo, held against dpkg."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from slipway.ci.build_inputs import closure, package
from slipway.paths import REPOSITORY
from support import needs

pytestmark = needs.all_of(needs.programs("build", "cmake", "ninja", "g++"))
# Of the archives, nothing needs atomic and yaml-cpp, and only what nothing calls needs sqlite3.
PROJECT = """\
cmake_minimum_required(VERSION 3.25)
project(small CXX)
foreach(name crypto boost_filesystem boost_atomic yaml-cpp sqlite3)
  find_library(${name} lib${name}.a)
endforeach()
add_executable(small small.cpp)
target_compile_options(small PRIVATE -g1 -O1 -ffunction-sections -fdata-sections)
target_link_options(small PRIVATE -static LINKER:--gc-sections,-Map=small.map)
target_link_libraries(small PRIVATE ${boost_filesystem} ${boost_atomic} ${yaml-cpp} ${sqlite3} ${crypto} m)
"""
PROGRAM = """\
#define FMT_HEADER_ONLY
#include <boost/filesystem/operations.hpp>
#include <fmt/format.h>
#include <linux/if_ether.h>
#include <nlohmann/json.hpp>
#include <openssl/sha.h>
#include <sqlite3.h>
std::string nobody_calls_this() { return nlohmann::json{sqlite3_libversion()}.dump(); }
int main() {
  unsigned char sum[SHA256_DIGEST_LENGTH];
  SHA256(sum, 0, sum);
  fmt::print("{} {}", ETH_ALEN, boost::filesystem::exists("/"));
}
"""
# What nm has of each package whose headers are read or whose archives are named, if something of it is linked.
EVIDENCE = {
    "libfmt-dev": " fmt::v", "nlohmann-json3-dev": " nlohmann::", "libssl-dev": " SHA256_Final",
    "libboost-filesystem": " boost::filesystem::detail::status", "libboost": " boost::system::",
    "libboost-atomic": " boost::atomics::", "libyaml-cpp-dev": " YAML::", "libcli11-dev": " CLI::",
    "libsqlite3-dev": " sqlite3_", "libc6-dev": " __libc_start_main", "libstdc++": " __cxa_throw",
    "libgcc": " _Unwind_Resume", "linux-libc-dev": " no symbol is of the kernel's headers"}
LINKED = {"libfmt-dev", "libssl-dev", "libboost-filesystem", "libboost", "libc6-dev", "libstdc++",
          "libgcc"}


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    return build(tmp_path_factory.mktemp("small"))


def build(folder, project: str = PROJECT) -> Path:
    (folder / "CMakeLists.txt").write_text(project)
    (folder / "small.cpp").write_text(PROGRAM)
    for command in (["cmake", "-G", "Ninja", "-S", folder, "-B", folder / "build"],
                    ["ninja", "-C", folder / "build"]):
        subprocess.run(command, check=True, capture_output=True)
    return folder / "build"


def bill(folder, **env) -> subprocess.CompletedProcess:
    return subprocess.run([REPOSITORY / "scripts/release/sbom", "1.0.0", folder], check=False, capture_output=True,
                          text=True, env={**os.environ, **env})


def without_versions(package: str) -> str:
    """libboost-url of libboost-url1.81-dev, as EVIDENCE names them."""
    return re.sub(r"(?<=\D)1\.\d+-dev$|-\d+-dev$", "", package)


def of_archives(built) -> dict:
    """archive that the program's link names -> whether nm has in the program a symbol that only that archive has."""
    command = subprocess.run(["ninja", "-C", built, "-t", "commands", "small"], check=True, capture_output=True,
                             text=True).stdout
    named = {Path(path).name: symbols(path) for path in re.findall(r" (/\S+\.a)(?= )", command)}
    there = symbols(built / "small")
    return {name: bool((own - set().union(*(named[other] for other in named if other != name))) & there)
            for name, own in named.items()}


def symbols(path) -> set:
    """The symbols that PATH defines, and that only one file may."""
    said = subprocess.run(["nm", "--defined-only", path], check=True, capture_output=True, text=True).stdout
    return set(re.findall(r"(?m)^[0-9a-f]+ [TDRB] (\S+)$", said))


def test_it_names_what_is_linked_and_nothing_else(built):
    told = json.loads(bill(built).stdout)
    names = {without_versions(component["name"]) for component in told["components"]}
    nm = subprocess.run(["nm", "-C", built / "small"], check=True, capture_output=True, text=True).stdout
    ldd = subprocess.run(["ldd", built / "small"], check=False, capture_output=True, text=True)
    assert "not a dynamic executable" in ldd.stderr + ldd.stdout, "or something is missing below"
    evident = {package for package, symbol in EVIDENCE.items() if symbol in nm}
    assert evident == LINKED, "what the program was written for"
    assert names == evident
    assert of_archives(built) == {"libboost_filesystem.a": True, "libboost_atomic.a": False, "libyaml-cpp.a": False,
                                  "libsqlite3.a": False, "libcrypto.a": True}
    assert all(component["version"] and component["version"].split("+")[0] in component["purl"].replace("%3A", ":")
               for component in told["components"])
    assert bill(built).stdout == bill(built).stdout


def test_what_is_linked_dynamically_is_left_to_the_packages_of_where_it_runs(tmp_path):
    """As the image's connector is, whose bill says what no package there tells."""
    made = build(tmp_path, PROJECT.replace("-static ", "-static-libstdc++ -static-libgcc ").replace(
        "target_link_libraries", "set(crypto crypto)\ntarget_link_libraries"))
    ldd = subprocess.run(["ldd", made / "small"], check=True, capture_output=True, text=True).stdout
    assert "libcrypto.so" in ldd and "libstdc++" not in ldd and "boost" not in ldd
    told = json.loads(bill(made).stdout)
    assert {without_versions(component["name"]) for component in told["components"]} == LINKED - {"libssl-dev"}


def test_it_asks_the_readelf_of_the_compiler_that_built(built, tmp_path):
    """A root for cross-compiling has no other."""
    (tmp_path / "readelf").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "readelf").chmod(0o755)
    assert bill(built, PATH=f"{tmp_path}:{os.environ['PATH']}").stdout == bill(built).stdout != ""


@pytest.mark.parametrize(("lost", "told"), [("-g1", "no lines for a debugger"), (",-Map=small.map", "with a map")],
                         ids=["lines", "a map"])
def test_a_build_that_does_not_tell_what_it_linked_is_an_error(tmp_path, lost, told):
    made = bill(build(tmp_path, PROJECT.replace(lost, "")))
    assert made.returncode == 1 and told in made.stderr and made.stdout == "", made


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
    (strange / "strange.hpp").write_text('#include <cstdio>\nstatic const int strange = std::puts("");\n')
    (built.parent / "small.cpp").write_text(f'#include "{strange}/strange.hpp"\n{PROGRAM}')
    subprocess.run(["ninja", "-C", built], check=True, capture_output=True)
    found = bill(built)
    assert found.returncode == 1 and f"owns {strange}/strange.hpp (1 such files)" in found.stderr, found
