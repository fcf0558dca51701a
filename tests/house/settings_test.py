"""Each field and variable that a configuration is read from stands in the operators' documents."""

import re

import pytest

from slipway.paths import REPOSITORY

# The source that reads it, what a read looks like there, and the documents that an operator has.
READ = {
    "connector": ("src/connector/config.cpp",
                  re.compile(r'(?:text|whole|natural|number|decimal|section|list|duration|token)\("(\w+)"'
                             r'|read_(?:endpoint|peer)\(\w+, "(\w+)"|(?:value|port|find)\("(CONNECTOR_\w+)"'),
                  ["connector.md", "ledger.md", "observability.md"]),
    "deploy": ("tools/deploy/state/config.cpp", re.compile(r'^\s+\{"(\w+)", \w+\(', re.MULTILINE),
               ["production-deployment-guide.md", "kubernetes.md"]),
}


def untold(source: str, read: re.Pattern, told: str) -> set[str]:
    keys = {next(filter(None, match.groups())) for match in read.finditer(source)}
    return {key for key in keys if not re.search(rf'[`"]{key}["`]', told)}


@pytest.mark.parametrize("whose", READ)
def test_every_setting_is_documented(whose):
    source, read, documents = READ[whose]
    text = (REPOSITORY / source).read_text()
    told = "".join((REPOSITORY / "docs/operators" / name).read_text() for name in documents)
    assert len(read.findall(text)) >= 20
    assert untold(text, read, told) == set()


def test_a_planted_setting_is_missed():
    source, read, _ = READ["connector"]
    text = (REPOSITORY / source).read_text() + 'section.text("newField"); read_peer(account, "grpc", "grpc");'
    assert {"newField", "grpc"} <= untold(text, read, "`id`")
