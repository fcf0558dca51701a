"""Each field and variable that a configuration is read from stands in the operators' documents."""

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


def fields_of_deploy_json() -> set[str]:
    source = (REPOSITORY / "tools/deploy/state/config.cpp").read_text(encoding="utf-8")
    setters = source.partition("const Setters setters{")[2].partition("}};")[0]
    return set(re.findall(r'\{"(\w+)",', setters))


def test_the_guide_s_table_of_settings_has_every_field_of_deploy_json():
    guide = (REPOSITORY / "docs/operators/production-deployment-guide.md").read_text(encoding="utf-8")
    table = guide.partition("Every field of `deploy.json`")[2].partition("\n\n#")[0]
    cells = re.findall(r"^\| (`[^|]*) \|", table, re.MULTILINE)
    named = {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}
    fields = fields_of_deploy_json()
    assert len(fields) > 25 and named == fields
