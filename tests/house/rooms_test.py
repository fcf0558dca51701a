"""The rooms of the house: who may include whom, what is compiled where, and how long things are."""

import os
import shutil
from pathlib import Path

import pytest

from house import house, sizes
from slipway.paths import REPOSITORY as ROOT

BUILD = Path(os.environ.get("SLIPWAY_EXECUTABLES", ROOT / "build/dev/bin")).parent


@pytest.fixture(name="rooms")
def fixture_rooms():
    return house.read_rooms((BUILD / "rooms.txt").read_text(encoding="utf-8"))


@pytest.fixture(name="copy")
def fixture_copy(tmp_path):
    """The sources, to plant violations in."""
    for part in house.ROOTS:
        shutil.copytree(ROOT / part, tmp_path / part)
    return tmp_path


def plant(root, path, line):
    file = root / path
    file.write_text(line + "\n" + file.read_text(encoding="utf-8"), encoding="utf-8")


def test_every_include_goes_down(rooms):
    assert house.violations(ROOT, rooms) == []


def test_there_are_rooms_and_every_folder_of_sources_is_one(rooms):
    assert len(rooms) > 20
    folders = {str(file.parent.relative_to(ROOT)) for file in house.sources(ROOT)}
    mains = {"bench/micro", "bench/packet_bench", "tools/deploy", "tools/slipway"}
    assert folders - {room.path for room in rooms.values()} <= mains


@pytest.mark.parametrize("path, include, rule", [
    ("bench/packet_bench/gate/gate.cpp", '#include "packet_bench/report/summary.hpp"', "arrows go down only"),
    ("bench/packet_bench/load/load.cpp", '#include "deploy/model/plan.hpp"', "arrows go down only"),
    ("tools/deploy/state/config.cpp", '#include "deploy/docker/docker_api.hpp"', "arrows go down only"),
    ("src/wire/oer.cpp", '#include "net/url.hpp"', "arrows go down only"),
    ("tools/deploy/run/session.cpp", '#include "support/catch.hpp"', "which is no header of a room"),
    ("tools/deploy/run/session.cpp", "#include <boost/beast/http.hpp>", "include a header of src/net"),
    ("bench/packet_bench/run/run.cpp", "#include <CLI/CLI.hpp>", "include base/command_line.hpp"),
    ("src/connector/config.cpp", "#include <nlohmann/json.hpp>", "include base/json.hpp"),
])
def test_an_include_that_the_house_forbids_is_named_with_its_rule(rooms, copy, path, include, rule):
    plant(copy, path, include)
    found = house.violations(copy, rooms)
    assert len(found) == 1
    assert found[0].startswith(path + ": ") and rule in found[0]


def test_rooms_that_link_each_other_are_found(rooms):
    low = rooms["packet_bench/common"]
    rooms["packet_bench/common"] = house.Room(low.path, (*low.links, "packet_bench/run"))
    assert any("packet_bench/common links itself" in line for line in house.violations(ROOT, rooms))


def test_a_file_outside_of_every_room_is_found(rooms, copy):
    (copy / "tools/deploy/stray.cpp").write_text("int x;\n", encoding="utf-8")
    assert any("stray.cpp: lies in no room" in line for line in house.violations(copy, rooms))


def all_sources():
    return [*house.sources(ROOT), *sorted((ROOT / "tests").rglob("*.?pp"))]


def test_no_file_and_no_function_is_too_long():
    assert sizes.too_long(ROOT, [file for file in all_sources() if "node_modules" not in file.parts]) == []


def test_the_reader_of_functions_sees_what_is_too_long(tmp_path):
    body = "".join(f"  call({i});\n" for i in range(80))
    for name, text in {
            "plain.cpp": f"namespace x {{\n\nint f(int a) {{\n{body}}}\n\n}}\n",
            "member.hpp": f"class X {{\n public:\n  void g() {{\n{body}  }}\n}};\n",
            "folded.cpp": f"Result<void> Some::f(int a,\n                     int b) const {{\n{body}}}\n",
            "case.cpp": f'TEST_CASE("x", "[y]") {{\n{body}}}\n'}.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
        assert len(sizes.too_long(tmp_path, [tmp_path / name])) == 1, name
    short = f"struct A {{\n{body}}};\nint f();\nint g() {{ return 1; }}\n"
    (tmp_path / "short.cpp").write_text(short, encoding="utf-8")
    (tmp_path / "long.cpp").write_text("int a;\n" * 401, encoding="utf-8")
    assert sizes.too_long(tmp_path, [tmp_path / "short.cpp"]) == []
    assert len(sizes.too_long(tmp_path, [tmp_path / "long.cpp"])) == 1
