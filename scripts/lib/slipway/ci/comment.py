"""The comment on a pull request: what CI's run left, as Markdown.

A fork's run may have left anything: only numbers and words of a known form get through, and never its own text."""

import math
import re

MARK = "<!-- slipway: CI -->"
VERSION = re.compile(r"\d{1,6}\.\d{1,6}\.\d{1,6}(\+g[0-9a-f]{7,40})?")
WORD = re.compile(r"[A-Za-z0-9_ %/-]{1,40}")
BARS = "▁▂▃▄▅▆▇█"
VERDICTS = {"pass": "not slower", "regression": "**slower**", "inconclusive": "not to be told"}


def number(value) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and math.isfinite(value) and abs(value) < 1e12 else None


def plot(values) -> str:
    """A bar for each of at most 40 VALUES, from the least to the greatest; empty when there are too few."""
    found = [v for v in map(number, values if isinstance(values, list) else []) if v is not None][:40]
    if len(found) < 2:
        return ""
    low, span = min(found), (max(found) - min(found)) or 1.0
    return "".join(BARS[round((v - low) / span * (len(BARS) - 1))] for v in found)


def percent(value) -> str:
    found = number(value)
    return "-" if found is None else f"{100 * found:+.1f} %"


def duet_rows(duet: dict) -> list[str]:
    rows = []
    for finding in duet.get("findings", [])[:20]:
        if isinstance(finding, dict) and WORD.fullmatch(str(finding.get("metric"))) \
                and WORD.fullmatch(str(finding.get("finding"))):
            rows.append(f"| {finding['metric']} | {finding['finding']} | {percent(finding.get('worsening'))} | "
                        f"{percent(finding.get('allowed'))} | {plot(finding.get('values'))} |")
    return rows


def markdown(conclusion: str, run: str, sha: str, duet, version) -> str:
    """CONCLUSION and RUN (its page) are GitHub's own; DUET and VERSION are documents of the run, or None."""
    said = [MARK, f"### CI of {sha[:12]}: [{conclusion}]({run})"]
    if conclusion != "success":
        said.append(f"To do: the first line of [the run's summary]({run}) says it.")
    if isinstance(version, dict) and VERSION.fullmatch(str(version.get("version"))):
        last, due = str(version.get("last")), str(version["version"])
        said.append(f"Next version: **{due}** (now {last})" if version.get("type") and VERSION.fullmatch(last)
                    else "Next version: none; nothing here changes it.")
    if isinstance(duet, dict):
        verdict = VERDICTS.get(str(duet.get("verdict")), "unknown")
        rows = duet_rows(duet)
        said.append(f"Base and this, driven in turns: {verdict}.")
        if rows:
            said.append("\n".join(("| | finding | worse by | allowed | pairs, in their order |",
                                   "| --- | --- | --- | --- | --- |", *rows)))
    return "\n\n".join(said) + "\n"
