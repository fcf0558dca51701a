"""One name, one type: two of a name in one namespace share their destructors, whichever of the two the linker takes,
and no compiler that sees one file at a time can tell (C++20, basic.def.odr)."""

import re
from collections import defaultdict

from house import house
from slipway.paths import REPOSITORY

PRIVATE = re.compile(r"^namespace \{\n.*?^\}  // namespace\n", re.M | re.S)
NAMESPACE = re.compile(r"^namespace ([\w:]+) \{", re.M)
TYPE = re.compile(r"^(?:struct|class|enum class) (\w+)(?: final)?(?: :[^;{]*)? \{", re.M)


def defined_twice(texts: dict[str, str]) -> dict[str, list[str]]:
    """TEXTS: by file. Types of one name, and the files that define them."""
    found = defaultdict(list)
    for file, whole in texts.items():
        text = PRIVATE.sub("", whole)
        namespace = NAMESPACE.search(text)
        for name in TYPE.findall(text):
            found[f"{namespace[1] if namespace else ''}::{name}"].append(file)
    return {name: files for name, files in found.items() if len(files) > 1}


def test_no_two_types_have_one_name():
    files = house.sources(REPOSITORY)
    assert defined_twice({str(file.relative_to(REPOSITORY)): file.read_text(encoding="utf-8") for file in files}) == {}


def test_two_of_a_name_are_found_but_for_those_of_one_file_alone():
    one = "namespace a {\n\nstruct Told {\n  int x;\n};\n\n}  // namespace a\n"
    mine = "namespace a {\nnamespace {\n\nstruct Told {\n};\n\n}  // namespace\n}  // namespace a\n"
    assert defined_twice({"x.hpp": one, "y.hpp": one, "z.cpp": mine}) == {"a::Told": ["x.hpp", "y.hpp"]}
    assert defined_twice({"x.hpp": one, "z.cpp": mine, "w.hpp": one.replace("namespace a", "namespace b")}) == {}
