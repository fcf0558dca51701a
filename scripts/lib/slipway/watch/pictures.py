"""A dashboard's panels as one SVG, drawn from the same queries that Grafana would make."""

import json
import math
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from xml.sax.saxutils import escape

from .dashboards import FILES, panels
from .profile import Profile

WIDTH, HEIGHT, GAP = 560, 230, 16
LEFT, RIGHT, TOP, BOTTOM = 56, 12, 30, 48
COLOURS = ("#1f77b4", "#d62728", "#2ca02c", "#ff7f0e", "#9467bd", "#8c564b", "#17becf", "#7f7f7f")
MOST_NAMED = 6
STEP_S = 5  # between two points of a series

Series = tuple[str, list[tuple[float, float]]]  # its name; seconds since the beginning, value


def name_of(legend: str, labels: dict) -> str:
    """{{label}} is what the series has for it; without a legend all labels are its name."""
    if not legend:
        return ", ".join(f"{name} {value[:19]}" for name, value in labels.items()
                         if name in ("colour", "version", "digest"))
    return re.sub(r"{{(\w+)}}", lambda found: labels.get(found[1], ""), legend).strip()


def series_of(panel: dict, history: Callable[[str], list], began: float) -> list[Series]:
    found = []
    for target in panel["targets"]:
        for one in history(target["expr"]):
            points = [(at - began, float(value)) for at, value in one["values"]]
            found.append((name_of(target["legendFormat"], one["metric"]),
                          [point for point in points if math.isfinite(point[1])]))
    return [one for one in found if one[1]]


def with_unit(value: float, unit: str) -> str:
    if unit == "percentunit":
        return f"{value * 100:.3g} %"
    if unit == "s" and 0 < abs(value) < 1:
        return f"{value * 1e3:.3g} ms"
    if unit == "bytes":
        return f"{value / 2**20:.3g} MiB"
    return f"{value:.4g}" + {"s": " s", "reqps": "/s"}.get(unit, "")


def text(x: float, y: float, said: str, more: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" {more}>{escape(said)}</text>'


def lines(found: list[Series], unit: str, length: float) -> Iterator[str]:
    """The curves with their axes, in a panel whose corner is 0, 0."""
    high = max(value for _, points in found for _, value in points) or 1.0
    across, up = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
    for share in (0, 0.5, 1):
        y = TOP + up * (1 - share)
        yield f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ddd"/>'
        yield text(LEFT - 6, y + 4, with_unit(high * share, unit), 'text-anchor="end"')
        yield text(LEFT + across * share, TOP + up + 15, f"{length * share:.0f} s", 'text-anchor="middle"')
    for number, (name, points) in enumerate(found):
        colour = COLOURS[number % len(COLOURS)]
        path = " ".join(f"{LEFT + across * at / length:.1f},{TOP + up * (1 - max(0.0, value) / high):.1f}"
                        for at, value in points)
        # A series that is seen once is a dot.
        yield (f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.5" stroke-linecap="round"/>'
               if len(points) > 1 else
               f'<circle cx="{path.split(",")[0]}" cy="{path.split(",")[1]}" r="2" fill="{colour}"/>')
        if number < MOST_NAMED:
            yield text(LEFT + number % 3 * across / 3, HEIGHT - 18 + number // 3 * 13, name[:28], f'fill="{colour}"')


def rows(found: list[Series], length: float) -> Iterator[str]:
    """A row for each series, filled where it has a value."""
    across, row = WIDTH - 2 * LEFT - RIGHT, (HEIGHT - TOP - BOTTOM / 2) / max(len(found), 1)
    for number, (name, points) in enumerate(found):
        y = TOP + row * number
        yield text(12, y + row / 2, name)
        colour, height = COLOURS[number % len(COLOURS)], row * 0.7
        for at, _ in points:
            width = across * min(STEP_S, length - at) / length
            yield (f'<rect x="{2 * LEFT + across * at / length:.1f}" y="{y:.1f}" width="{width:.1f}" '
                   f'height="{height:.1f}" fill="{colour}"/>')


def last_values(found: list[Series], unit: str, length: float) -> Iterator[str]:
    """Of the series that there still are at the end."""
    lasting = [one for one in found if one[1][-1][0] > length - 3 * STEP_S]
    for number, (name, points) in enumerate(lasting[:MOST_NAMED]):
        yield text(LEFT / 2, TOP + 22 * (number + 1), f"{name}: {with_unit(points[-1][1], unit)}"
                   if name else with_unit(points[-1][1], unit))


def panel_picture(panel: dict, found: list[Series], length: float) -> str:
    drawn = [f'<rect width="{WIDTH}" height="{HEIGHT}" rx="4" fill="#fff" stroke="#ccc"/>',
             text(12, 19, panel["title"], 'font-weight="bold"')]
    unit = panel["fieldConfig"]["defaults"]["unit"]
    if not found:
        drawn.append(text(WIDTH / 2, HEIGHT / 2, "nothing", 'text-anchor="middle" fill="#999"'))
    elif panel["type"] == "timeseries":
        drawn += lines(found, unit, length)
    elif panel["type"] == "state-timeline":
        drawn += rows(found, length)
    else:
        drawn += last_values(found, unit, length)
    return "\n".join(drawn)


def picture(dashboard: dict, history: Callable[[str], list], began: float, length: float) -> str:
    """All panels, two a row. HISTORY gives an expression's series as Prometheus' API does, from BEGAN (seconds since
    the epoch) on for LENGTH seconds."""
    drawn = []
    shown = list(panels(dashboard))
    for number, panel in enumerate(shown):
        x, y = GAP + number % 2 * (WIDTH + GAP), 40 + number // 2 * (HEIGHT + GAP)
        drawn.append(f'<g transform="translate({x},{y})">\n'
                     f'{panel_picture(panel, series_of(panel, history, began), length)}\n</g>')
    heading = text(GAP, 26, dashboard["title"], 'font-size="16"')
    width, height = 2 * WIDTH + 3 * GAP, 40 + (len(shown) + 1) // 2 * (HEIGHT + GAP)
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
            f'viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="11">\n'
            f'<rect width="100%" height="100%" fill="#f4f5f7"/>\n'
            f'{heading}\n' + "\n".join(drawn) + "\n</svg>\n")


def write(profile: Profile, folder: Path) -> list[Path]:
    """A picture of each dashboard since the profile began; their files."""
    length = max(1.0, time.time() - profile.began)
    written = []
    for file in FILES:
        target = folder / f"dashboard-{file.stem}.svg"
        target.write_text(picture(json.loads(file.read_text()), profile.history, profile.began, length))
        written.append(target)
    return written
