"""What a document in Markdown has to be linked to."""

import re

FENCE = re.compile(r"^( *)(```|~~~).*?^\1\2[^\n]*$", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^ {0,3}#{1,6}\s+(.+?)\s*#*$", re.MULTILINE)


def anchors(text: str) -> set[str]:
    """What a link to TEXT may name, as GitHub makes it of the headings; of equal ones the second has -1, and so on."""
    found: dict[str, int] = {}
    for heading in HEADING.findall(FENCE.sub("", text)):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        name = re.sub(r"[^\w\- ]", "", words.lower()).replace(" ", "-")
        number = found.get(name, -1) + 1
        found[name] = number
        if number:
            found[f"{name}-{number}"] = 0
    return set(found) | set(re.findall(r'<a (?:id|name)="([^"]+)"', text))
