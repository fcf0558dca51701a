"""scripts/ci/affected-units in a small repository of its own: what a pull request is linted for."""

import subprocess

import pytest

from slipway.paths import REPOSITORY

SCRIPT = REPOSITORY / "scripts" / "ci" / "affected-units"
FILES = {
    "CMakeLists.txt": "",
    "src/wire/oer.hpp": "#pragma once\n",
    "src/wire/oer.cpp": '#include "wire/oer.hpp"\n',
    "src/wire/packet.hpp": '#pragma once\n#include "wire/oer.hpp"\n',
    "tools/deploy/CMakeLists.txt": "",
    "tools/deploy/main.cpp": "#include <cstdio>\n",
    "tools/deploy/near.cpp": '#include "near.hpp"\n',
    "tools/deploy/near.hpp": "#pragma once\n",
    "bench/load/load.cpp": '  #  include "wire/packet.hpp"\n',
    "tests/wire/oer_test.cpp": '#include "wire/oer.hpp"\n',
}
UNITS = sorted(name for name in FILES if name.endswith(".cpp") and not name.startswith("tests/"))


class Clone:
    def __init__(self, root):
        self.root = root
        self.git("init", "--quiet")
        self.base = self.commit(FILES)

    def git(self, *arguments: str) -> str:
        return subprocess.run(["git", "-c", "user.name=t", "-c", "user.email=t@example.org", *arguments],
                              cwd=self.root, check=True, capture_output=True, text=True).stdout.strip()

    def commit(self, files: dict) -> str:
        for name, text in files.items():
            file = self.root / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "a change")
        return self.git("rev-parse", "HEAD")

    def affected(self, *arguments: str) -> list:
        return subprocess.run([SCRIPT, *arguments], cwd=self.root, check=True, capture_output=True,
                              text=True).stdout.split()

    def after(self, *changed: str) -> list:
        self.commit({name: FILES.get(name, "") + "// changed\n" for name in changed})
        return self.affected(self.base)


@pytest.fixture
def clone(tmp_path):
    return Clone(tmp_path)


def test_without_a_base_all(clone):
    assert clone.affected() == UNITS


@pytest.mark.parametrize(("changed", "units"), [
    pytest.param(["tools/deploy/main.cpp"], ["tools/deploy/main.cpp"], id="a source file is alone"),
    pytest.param(["src/wire/oer.hpp"], ["bench/load/load.cpp", "src/wire/oer.cpp"],
                 id="a header reaches who includes it at any remove"),
    pytest.param(["tools/deploy/near.hpp"], ["tools/deploy/near.cpp"], id="a header beside its user"),
    pytest.param(["src/wire/btp.cpp"], ["src/wire/btp.cpp"], id="a new file"),
    pytest.param(["tools/deploy/CMakeLists.txt"], ["tools/deploy/main.cpp", "tools/deploy/near.cpp"],
                 id="the build of a folder reaches that folder"),
    pytest.param(["CMakeLists.txt"], UNITS, id="the build of all reaches all"),
    pytest.param([".clang-tidy"], UNITS, id="the rules of all reach all"),
    pytest.param(["cmake/warnings.cmake"], UNITS, id="the settings of all reach all"),
    pytest.param(["scripts/lint"], UNITS, id="the linter reaches all"),
    pytest.param(["tests/wire/oer_test.cpp", "README.md"], [], id="tests and documents reach nothing")])
def test_a_change_reaches(clone, changed, units):
    assert clone.after(*changed) == units


def test_a_header_that_is_gone_leaves_who_still_includes_it(clone):
    clone.git("rm", "--quiet", "src/wire/oer.hpp")
    clone.git("commit", "--quiet", "--message", "gone")
    assert clone.affected(clone.base) == ["bench/load/load.cpp", "src/wire/oer.cpp"]


def test_what_main_got_meanwhile_does_not_count(clone):
    clone.git("checkout", "--quiet", "-b", "topic")
    clone.commit({"tools/deploy/main.cpp": "// topic\n"})
    clone.git("checkout", "--quiet", "-b", "newer", clone.base)
    newer = clone.commit({"src/wire/oer.cpp": "// newer\n"})
    clone.git("checkout", "--quiet", "topic")
    assert clone.affected(newer) == ["tools/deploy/main.cpp"]


def test_an_unknown_base_is_an_error(clone):
    done = subprocess.run([SCRIPT, "0" * 40], cwd=clone.root, check=False, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (3, "")
    assert "affected-units: error: git diff" in done.stderr


BUILD = '''\
cmake_minimum_required(VERSION 3.25)
project(small CXX)
include_directories(src tests)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
add_library(wire STATIC src/wire/oer.cpp)
add_executable(wire_test tests/wire/oer_test.cpp tests/main.cpp)
target_link_libraries(wire_test PRIVATE wire)
add_executable(load_test bench/load/load.cpp tests/main.cpp)
add_executable(near_test tools/deploy/near.cpp tests/main.cpp)
'''


@pytest.mark.parametrize(("changed", "tests"), [
    ("src/wire/oer.cpp", "wire"), ("src/wire/packet.hpp", "load"), ("src/wire/oer.hpp", "load wire"),
    ("tools/deploy/near.hpp", "near"), ("tests/wire/oer_test.cpp", "wire"), ("tests/main.cpp", "load near wire"),
    ("CMakeLists.txt", "load near wire"), ("README.md", "")])
def test_what_runs_under_sanitizers_is_what_has_the_change_in_it(clone, changed, tests):
    clone.base = clone.commit({"CMakeLists.txt": BUILD, "tests/main.cpp": "int main() {}\n", "README.md": "",
                               ".gitignore": "/build/\n"})
    text = (clone.root / changed).read_text()
    clone.commit({changed: text + ("# more\n" if changed == "CMakeLists.txt" else "// more\n")})
    subprocess.run(["cmake", "-G", "Ninja", "-B", "build"], cwd=clone.root, check=True, capture_output=True)
    done = subprocess.run([SCRIPT.with_name("affected-tests"), "build", clone.base], cwd=clone.root, check=True,
                          capture_output=True, text=True)
    assert sorted(done.stdout.split()) == [f"{name}_test" for name in tests.split()]
