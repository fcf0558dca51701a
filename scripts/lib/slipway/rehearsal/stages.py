"""Stages with progress, time and evidence; what people watch and what the report is made from."""

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


class StageFailed(Exception):
    """What was expected, what was seen."""


def expect(holds: bool, otherwise: str) -> None:
    """A check of the rehearsal: its failure ends the stage with OTHERWISE as its evidence."""
    if not holds:
        raise StageFailed(otherwise)


@dataclass
class Stage:
    name: str
    result: str = "running"
    seconds: float = 0.0
    evidence: str = ""
    begin: float = field(default_factory=time.monotonic)


class Stages:
    """Runs stages, one after the other or side by side, and keeps what came of each."""

    def __init__(self) -> None:
        self.done: list[Stage] = []
        self._terminal = sys.stderr.isatty()
        self._coloured = self._terminal and not os.environ.get("NO_COLOR")

    @contextmanager
    def stage(self, name: str) -> Iterator[Stage]:
        stage = Stage(name)
        self.done.append(stage)
        try:
            with self._ticking(stage):
                yield stage
            stage.result = "ok"
        except BaseException as error:
            stage.result = "interrupted" if isinstance(error, KeyboardInterrupt) else "FAILED"
            stage.evidence = stage.evidence or str(error).strip() or type(error).__name__
            raise
        finally:
            stage.seconds = round(time.monotonic() - stage.begin, 2)
            self._say(stage)

    def as_json(self) -> list[dict]:
        return [{"name": s.name, "result": s.result, "seconds": s.seconds, "evidence": s.evidence}
                for s in self.done]

    def table(self) -> str:
        """A Markdown table, also good to read on a terminal."""
        rows = [("stage", "result", "seconds", "evidence")]
        rows += [(s.name, s.result, f"{s.seconds:.1f}", " ".join(s.evidence.split()))
                 for s in self.done]
        return markdown_table(rows)

    @contextmanager
    def _ticking(self, stage: Stage) -> Iterator[None]:
        """On a terminal: one line, of the first that runs, that counts the seconds of all that run."""
        over = threading.Event()

        def tick() -> None:
            while not over.wait(0.5):
                running = [s for s in self.done if s.result == "running"]
                if running[:1] == [stage]:
                    line = ", ".join(f"{s.name} ({time.monotonic() - s.begin:.0f} s)" for s in running)
                    print(f"\r\033[K… {line}", end="", file=sys.stderr, flush=True)

        ticker = threading.Thread(target=tick, daemon=True)
        if self._terminal:
            ticker.start()
        try:
            yield
        finally:
            over.set()
            if self._terminal:
                ticker.join()
                print("\r\033[K", end="", file=sys.stderr)

    def _say(self, stage: Stage) -> None:
        colour = {"ok": "32", "FAILED": "1;31"}.get(stage.result, "33")
        result = f"\033[{colour}m{stage.result}\033[0m" if self._coloured else stage.result
        first_line = stage.evidence.splitlines()[0] if stage.evidence else ""
        print(f"{result:<4} {stage.name} ({stage.seconds:.1f} s) {first_line}", file=sys.stderr,
              flush=True)


def markdown_table(rows: list[tuple[str, ...]]) -> str:
    """The first row is the header; columns are padded, so that the source reads as a table too."""
    cells = [[cell.replace("|", "\\|") for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in cells) for i in range(len(cells[0]))]
    lines = ["| " + " | ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) + " |" for row in cells]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)
