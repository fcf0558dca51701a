"""Texts of deploy and rollback have the glossary's word for what is deployed; JSON and code may have an older one."""

import re

import pytest

from slipway.paths import REPOSITORY

TEXT = re.compile(r'"((?:[^"\\\n]|\\.)*)"')
OTHER_WORD = re.compile(r"\b(releases?|builds|artifacts?|artefacts?)\b", re.IGNORECASE)


def strays(source: str) -> list[str]:
    """The texts with another word for a version. One word alone is a key, and not a text."""
    without_comments = re.sub(r"^\s*//.*$", "", source, flags=re.MULTILINE)
    texts = TEXT.findall(re.sub(r'"\s*\n\s*"', "", without_comments))
    return [text for text in texts if " " in text.strip() and OTHER_WORD.search(text)]


def test_what_is_deployed_is_called_a_version():
    found = {str(path.relative_to(REPOSITORY)): strays(path.read_text(encoding="utf-8"))
             for path in (REPOSITORY / "tools/deploy").rglob("*.?pp")}
    assert len(found) > 100 and not {path: texts for path, texts in found.items() if texts}


@pytest.mark.parametrize(("source", "is_found"), [
    ('return {"no release", "deploy one"};', True), ('"go back to the "\n    "release before"', True),
    ('{"release", text}, {"keepReleases", 5}', False), ('"releaseId {} is shown"', False),
    ('  // "the release before"', False), ('"the version before"', False)])
def test_another_word_is_found_in_a_text_alone(source, is_found):
    assert bool(strays(source)) == is_found
