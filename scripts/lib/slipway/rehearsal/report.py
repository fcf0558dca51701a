"""report.md for people, report.json for scripts."""

import json
from collections.abc import Sequence
from pathlib import Path

from .production import Swap
from .stages import Stages, markdown_table


def seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def swaps_table(swaps: list[Swap]) -> str:
    rows = [("operation", "exit", "from", "to", "serves", "s to healthy", "s of the flip", "sent",
             "fulfilled", "rejected", "unanswered", "longest gap ms", "p99 ms")]
    for swap in swaps:
        packets = swap.packets
        rows.append((
            swap.operation, str(swap.exit_code), swap.from_digest[7:19] or "-",
            swap.to_digest[7:19] or "-", swap.serving_digest[7:19] or "-",
            seconds(swap.seconds_to_healthy), seconds(swap.flip_seconds), str(packets.sent),
            str(packets.fulfilled), str(packets.rejected), str(packets.unanswered),
            f"{packets.longest_gap_ms:.1f}", f"{packets.p99_ms:.2f}"))
    return markdown_table(rows)


def dashboards(pictures: Sequence[Path]) -> str:
    """What the host's dashboards showed of all this."""
    if not pictures:
        return ""
    return "## Dashboards\n\n" + "\n\n".join(f"![{file.stem}]({file.name})" for file in pictures)


def write(folder: Path, passed: bool, stages: Stages, swaps: list[Swap], facts: dict,
          workflows: str, pictures: Sequence[Path] = ()) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    text = "\n\n".join((
        f"# Rehearsal: {'passed' if passed else 'FAILED'}",
        "\n".join(f"- {name}: {value}" for name, value in facts.items()),
        "## Stages", stages.table(),
        "## Swaps", swaps_table(swaps), dashboards(pictures), workflows)) + "\n"
    (folder / "report.md").write_text(text)
    (folder / "report.json").write_text(json.dumps({
        "schemaVersion": 1, "passed": passed, "facts": facts, "stages": stages.as_json(),
        "swaps": [swap.as_json() for swap in swaps]}, indent=2) + "\n")
