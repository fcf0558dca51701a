"""Each relative link of the documents leads to a file of the repository, and each anchor to a heading there, as GitHub
makes anchors of headings."""

import re
import subprocess
from pathlib import Path

import pytest

from slipway.paths import REPOSITORY
from support.markdown import FENCE, anchors

SPAN = re.compile(r"(`+)(?!`).+?(?<!`)\1(?!`)", re.DOTALL)
LINK = re.compile(r"!?\[(?:[^\[\]]|\[[^\]]*\])*\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)")
REFERENCE = re.compile(r"^ {0,3}\[[^\]]+\]:\s*<?(\S+?)>?\s*$", re.MULTILINE)
ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:|//")


def links(text: str) -> list[str]:
    prose = SPAN.sub("`", FENCE.sub("", text))
    # Where a line begins with four blanks after an empty one, it is shown as it is.
    prose = re.sub(r"(?<=\n\n)(?: {4}.*\n)+", "", prose)
    return LINK.findall(prose) + REFERENCE.findall(prose)


def dead(document: Path, root: Path = REPOSITORY) -> list[str]:
    found = []
    for link in links(document.read_text(encoding="utf-8")):
        if ELSEWHERE.match(link):
            continue
        place, _, anchor = link.partition("#")
        target = (root / place.lstrip("/") if place.startswith("/") else document.parent / place) if place else document
        if not target.exists() or (root not in target.resolve().parents and target.resolve() != root):
            found.append(f"{link}: no such file")
        elif anchor and target.suffix == ".md" and anchor not in anchors(target.read_text(encoding="utf-8")):
            found.append(f"{link}: no such heading")
    return found


def documents() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z", "*.md"], cwd=REPOSITORY, capture_output=True, text=True,
                            check=True)
    # Those below tests are what a changelog is expected to be.
    return [REPOSITORY / name for name in listed.stdout.split("\0") if name and not name.startswith("tests/")]


def test_no_document_has_a_link_that_leads_nowhere():
    found = {str(path.relative_to(REPOSITORY)): dead(path) for path in documents()}
    assert len(found) > 15 and "HACKING.md" in found
    assert not {path: links for path, links in found.items() if links}


@pytest.mark.parametrize(("text", "is_dead"), [
    ("[a](other.md)", False), ("[a](gone.md)", True), ("[a](other.md#second-part)", False),
    ("[a](other.md#gone)", True), ("[a](#here-and-there)", False), ("[a](#nowhere)", True),
    ("[a](other.md#same-1)", False), ("[a](other.md#same-2)", True), ("[a](folder)", False), ("[a](../up.md)", True),
    ("[a `b`](gone.md)", True), ("[a]: gone.md", True), ("![a](gone.png)", True), ("[a](other.md#in-a-fence)", True),
    ("[a](https://x.invalid/gone.md#x)", False), ("`[a](gone.md)`", False), ("```\n[a](gone.md)\n```\n", False),
    ("and so\n\n    [a](gone.md)\n", False), ("- a\n  [b\n  c](gone.md)", True)])
def test_a_dead_link_is_found(tmp_path, text, is_dead):
    root = tmp_path / "root"
    (root / "folder").mkdir(parents=True)
    (tmp_path / "up.md").write_text("outside")
    (root / "other.md").write_text("# Other\n\n## Second `part`!\n\n## Same\n\n## Same\n\n```\n# In a fence\n```\n")
    document = root / "document.md"
    document.write_text(f"# Here, and there\n\n{text}\n")
    assert bool(dead(document, root)) == is_dead
