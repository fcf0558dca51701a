"""The operators' guides document every setting of deploy.json, and no other, and its defaults are
values that the tools take."""

import json
import re
import subprocess

import pytest

from slipway.paths import REPOSITORY


def fields_of_code() -> set[str]:
    """Names in the table of setters of config.cpp."""
    (file,) = (REPOSITORY / "tools" / "deploy").rglob("config.cpp")
    source = file.read_text()
    table = source[source.index("const Setters setters{"):]
    return set(re.findall(r'\{"(\w+)", ', table[:table.index("return set_all")]))


def defaults_of_guide() -> dict[str, str]:
    guide = (REPOSITORY / "docs" / "operators" / "production-deployment-guide.md").read_text()
    table = guide[guide.index("| field | meaning | default |"):].split("\n\n")[0]
    defaults = {}
    for row in table.splitlines()[2:]:
        names, _meaning, values = (cell.strip() for cell in row.strip("|").split(" | "))
        names = re.findall(r"`([\w.]+)`", names)
        values = values.replace("`", "").split(", ") if len(names) > 1 else [values.replace("`", "")]
        defaults.update(zip(names, values, strict=True))
    return defaults


def fields_of_clusters() -> set[str]:
    """Names in the table of Kubernetes' settings."""
    guide = (REPOSITORY / "docs" / "operators" / "kubernetes.md").read_text()
    table = guide[guide.index("| field | default | meaning |"):].split("\n\n")[0]
    return set(re.findall(r"`(\w+)`", " ".join(row.split("|")[1] for row in table.splitlines()[2:])))


def as_json(text: str):
    try:
        return json.loads(text)
    except ValueError:
        return text


@pytest.fixture(scope="module")
def known() -> set[str]:
    fields = fields_of_code()
    assert len(fields) >= 20, "the table of settings was not found"
    return fields


def test_the_guide_has_every_setting_and_no_other(known):
    assert fields_of_clusters() <= known
    assert sorted(fields_of_clusters() | set(defaults_of_guide())) == sorted(known)


def test_a_file_that_spells_out_all_defaults_is_taken(executables, tmp_path):
    document: dict = {"stateDir": str(tmp_path)}
    for name, value in defaults_of_guide().items():
        if name != "stateDir" and not value.startswith(("none", "that ")) and "of `" not in value:
            document[name] = as_json(value)
    file = tmp_path / "deploy.json"
    file.write_text(json.dumps(document))
    done = subprocess.run([executables / "rollback", "--config", file, "--history"], capture_output=True, text=True,
                          check=False, timeout=60)
    assert done.returncode == 0, done.stderr
