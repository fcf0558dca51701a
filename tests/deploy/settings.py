"""The operators' guide documents every setting of deploy.json, and no other, and its defaults are
values that the tools take.

usage: settings.py ROLLBACK
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def fields_of_code() -> set[str]:
    """Names in the table of setters of config.cpp; those inside a section with its name before."""
    source = (ROOT / "tools" / "deploy" / "state" / "config.cpp").read_text()
    table = source[source.index("const Setters setters{"):]
    table = table[:table.index("if (auto set = set_all")]
    fields = set()
    section = ""
    for name, opens in re.findall(r'\{"(\w+)", (section\()?', table):
        if opens:
            section = name + "."
        else:
            fields.add(section + name)
    return fields


def defaults_of_guide() -> dict[str, str]:
    guide = (ROOT / "docs" / "operators" / "production-deployment-guide.md").read_text()
    table = guide[guide.index("| field | meaning | default |"):].split("\n\n")[0]
    defaults = {}
    for row in table.splitlines()[2:]:
        names, _meaning, values = (cell.strip() for cell in row.strip("|").split(" | "))
        names = re.findall(r"`([\w.]+)`", names)
        values = values.replace("`", "").split(", ") if len(names) > 1 else [values.replace("`", "")]
        defaults.update(zip(names, values, strict=True))
    return defaults


def as_json(text: str):
    try:
        return json.loads(text)
    except ValueError:
        return text


def refusal(rollback: str, defaults: dict[str, str]) -> str:
    """What the tools have against a file that spells out all defaults; empty if nothing."""
    document: dict = {}
    for name, value in defaults.items():
        if not value.startswith("none") and "of `" not in value and not value.startswith("that "):
            *section, field = name.split(".")
            place = document.setdefault(section[0], {}) if section else document
            place[field] = as_json(value)
    with tempfile.TemporaryDirectory() as folder:
        document["stateDir"] = folder
        file = Path(folder) / "deploy.json"
        file.write_text(json.dumps(document))
        done = subprocess.run([rollback, "--config", file, "--history"], capture_output=True,
                              text=True, check=False, timeout=60)
    return done.stderr if done.returncode else ""


def main() -> int:
    documented, known = defaults_of_guide(), fields_of_code()
    wrong = [f"not in the guide: {name}" for name in sorted(known - documented.keys())]
    wrong += [f"not a setting: {name}" for name in sorted(documented.keys() - known)]
    if len(known) < 20:
        wrong.append(f"only {len(known)} settings found in config.cpp")
    if said := refusal(sys.argv[1], documented):
        wrong.append(said)
    print("\n".join(wrong) or f"ok: {len(known)} settings")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
