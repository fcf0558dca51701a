"""No file of Python or shell has over 400 lines, and no function over 70: more does not fit a head."""

import ast
import re
import subprocess

import pytest

from slipway.paths import REPOSITORY

FILE, FUNCTION = 400, 70


def functions_of_python(text: str):
    """(name, line, lines), decorators left out."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, node.lineno, node.end_lineno - node.lineno + 1


def functions_of_shell(text: str):
    """As our scripts write them: `name() {` to the `}` at the same indentation."""
    opened = []
    for number, line in enumerate(text.splitlines(), 1):
        if match := re.match(r"( *)([\w-]+)\(\) [{(]$", line):
            opened.append((match[1], match[2], number))
        elif opened and re.match(opened[-1][0] + "[})]", line):
            _, name, begun = opened.pop()
            yield name, begun, number - begun + 1


def too_large(name: str, text: str) -> list[str]:
    if name.endswith(".py") or re.match(r"#!.*python3", text):
        functions = functions_of_python(text)
    elif re.match(r"#!.*[/ ](ba)?sh\b|# shellcheck shell=", text) or name.endswith(".sh"):
        functions = functions_of_shell(text)
    else:
        return []
    found = [f"{name}:{line}: {function}() has {lines} lines, {FUNCTION} at most"
             for function, line, lines in functions if lines > FUNCTION]
    lines = text.count("\n")
    return found + ([f"{name}: has {lines} lines, {FILE} at most"] if lines > FILE else [])


def test_no_file_or_function_is_too_large():
    listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=REPOSITORY,
                            check=True, capture_output=True, text=True).stdout
    found = []
    for name in filter(None, listed.split("\0")):
        if (REPOSITORY / name).is_file():
            found += too_large(name, (REPOSITORY / name).read_bytes().decode("utf-8", "replace"))
    assert found == []


@pytest.mark.parametrize(("name", "text", "said"), [
    ("a.py", "def long():\n" + "    pass\n" * 70, "a.py:1: long() has 71 lines, 70 at most"),
    ("a", "#!/usr/bin/env bash\nlong() {\n" + "  :\n" * 70 + "}\n", "a:2: long() has 72 lines, 70 at most"),
    ("b.py", "x = 1\n" * 401, "b.py: has 401 lines, 400 at most")])
def test_a_planted_one_is_told_with_file_line_and_count(name, text, said):
    assert too_large(name, text) == [said]
