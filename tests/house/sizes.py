"""How long files and functions are, of C++ as clang-format leaves it."""

import re
from pathlib import Path

LONGEST_FILE = 400
LONGEST_FUNCTION = 70

# The head of a function's body: a line that ends with an opening brace and has no word before it
# that opens something else. What is nested in one belongs to it.
OTHER = re.compile(r"^\s*(namespace|class|struct|enum|union|extern|using|(constexpr|const|static) [^(]*=)\b")


def functions(text: str):
    """(first line, number of lines) of each function: from its name to its closing brace, which
    stands in the column of the line that began it."""
    lines = text.split("\n")
    number = 0
    while number < len(lines):
        line = lines[number]
        indent = len(line) - len(line.lstrip())
        begins = re.match(r"^\s*[A-Za-z~\[].*\(", line) and not OTHER.match(line) and indent <= 2
        if not begins:
            number += 1
            continue
        end = body_end(lines, number, indent)
        if end is None:
            number += 1
            continue
        yield number + 1, end - number + 1
        number = end + 1


def body_end(lines, number, indent):
    """The line of the closing brace of what begins at `number`; none where no body follows."""
    for head in range(number, min(number + 12, len(lines))):
        if lines[head].rstrip().endswith(";"):
            return None
        if lines[head].rstrip().endswith("}") and "{" in lines[head]:
            return head
        if lines[head].rstrip().endswith("{"):
            closing = " " * indent + "}"
            return next((i for i in range(head + 1, len(lines)) if lines[i].startswith(closing)), None)
    return None


def too_long(root: Path, files) -> list[str]:
    found = []
    for file in files:
        path = str(file.relative_to(root))
        text = file.read_text(encoding="utf-8")
        length = text.count("\n")
        if length > LONGEST_FILE:
            found.append(f"{path}: {length} lines; a file has at most {LONGEST_FILE}: give what it does to several")
        found += [f"{path}:{line}: a function of {count} lines; one has at most {LONGEST_FUNCTION}: name its steps"
                  for line, count in functions(text) if count > LONGEST_FUNCTION]
    return found
