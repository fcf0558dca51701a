"""Each field and variable that the connector's configuration is read from stands in the operators' documents."""

import re

from slipway.paths import REPOSITORY

OPERATORS = REPOSITORY / "docs/operators"
# How src/connector/config.cpp reads one.
READ = re.compile(r'(?:text|whole|natural|number|decimal|section|list|duration|token)\("(\w+)"'
                  r'|read_(?:endpoint|peer)\(\w+, "(\w+)"|(?:value|port|find)\("(CONNECTOR_\w+)"')


def untold(source: str, told: str) -> set[str]:
    keys = {next(filter(None, match.groups())) for match in READ.finditer(source)}
    return {key for key in keys if not re.search(rf'[`"]{key}["`]', told)}


def test_every_setting_of_the_connector_is_documented():
    source = (REPOSITORY / "src/connector/config.cpp").read_text()
    told = "".join((OPERATORS / name).read_text() for name in ["connector.md", "ledger.md", "observability.md"])
    assert len(READ.findall(source)) >= 40
    assert untold(source, told) == set()


def test_a_planted_setting_is_missed():
    assert untold('section.text("newField"); section.text("id"); read_peer(account, "grpc", "grpc");', "`id`") == {
        "newField", "grpc"}
