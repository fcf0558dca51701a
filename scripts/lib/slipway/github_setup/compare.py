"""Is a setting as it must be? Pure: what GitHub answered, against what is wanted."""

from .desired import Setting


def absent(setting: Setting, status: int, answer) -> tuple:
    """(whether it is not there at all, what is there of it)."""
    if status == 404:
        return True, None
    if not setting.named:
        return False, answer or {}
    listed = answer[setting.inside] if setting.inside else answer
    found = next((entry for entry in listed if entry["name"] == setting.named), None)
    return found is None, found


def fits(wanted, actual) -> bool:
    """Every key that is WANTED is so in ACTUAL, however deep; a list of plain values in any order."""
    if isinstance(wanted, dict):
        return isinstance(actual, dict) and all(fits(value, actual.get(key)) for key, value in wanted.items())
    if isinstance(wanted, list):
        if not isinstance(actual, list) or len(wanted) != len(actual):
            return False
        if all(isinstance(value, str | int | tuple) for value in wanted):
            return sorted(wanted) == sorted(actual)
        if all("type" in value for value in wanted):  # rules come back in an order of GitHub's
            wanted, actual = (sorted(side, key=lambda value: value["type"]) for side in (wanted, actual))
        return all(fits(left, right) for left, right in zip(wanted, actual, strict=True))
    return wanted == actual


def difference(setting: Setting, found: dict) -> str:
    """Each key that is not as wanted, with both values; empty when none."""
    said = []
    for key, value in setting.wanted.items():
        actual = setting.extra[key](found) if key in setting.extra else found.get(key)
        if not fits(value, actual):
            said.append(f"{key} is {actual}, must be {value}")
    return "; ".join(said)
