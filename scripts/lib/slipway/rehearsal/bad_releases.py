"""Three commits that must never stay in production, each a mistake that somebody really makes."""

from collections.abc import Callable
from dataclasses import dataclass

from .versions import Version


@dataclass(frozen=True)
class BadRelease:
    name: str
    subject: str
    # Given the good version before it: path -> (regular expression, what replaces it).
    edits: Callable[[Version], dict[str, tuple[str, str]]]


BAD_RELEASES = (
    BadRelease(
        "exits at once", "feat: refuse to start without a licence",
        lambda before: {"src/connector/main.cpp": (
            r"using namespace slipway;\n", "using namespace slipway;\n  if (argc > 0) return 78;\n")}),
    BadRelease(
        "never ready", "feat: wait for the ledger before being ready",
        lambda before: {"src/connector/service.cpp": (
            r'if \(path == "/health/ready"\) return health\(ready\(\)\);',
            'if (path == "/health/ready") return health(false);')}),
    # A stale build cache: the image is labelled with this commit and runs another one.
    BadRelease(
        "lies about its version", "build: keep the compiler's cache between commits",
        lambda before: {"Dockerfile": (
            r'-DSLIPWAY_REVISION="\$\{REVISION:-unknown\}"',
            f"-DSLIPWAY_REVISION={before.sha}")}),
)
