"""The shipped dashboards, as far as tests and pictures read them."""

import json
from collections.abc import Iterator

from .profile import PROFILE

FILES = sorted((PROFILE / "grafana" / "dashboards").glob("*.json"))


def panels(dashboard: dict) -> Iterator[dict]:
    for panel in dashboard["panels"]:
        yield panel
        yield from panel.get("panels", [])


def expressions() -> list[tuple[str, str]]:
    """(where, expression) of every panel and annotation."""
    found = []
    for file in FILES:
        dashboard = json.loads(file.read_text())
        found += [(f"{file.stem}, {panel['title']}", target["expr"])
                  for panel in panels(dashboard) for target in panel["targets"]]
        found += [(f"{file.stem}, annotation {one['name']}", one["expr"]) for one in dashboard["annotations"]["list"]]
    return found
