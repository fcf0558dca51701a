"""`gh api`, which has the person's login: one request, its status and its answer."""

import json
import subprocess


class GhError(Exception):
    """What was asked and what came of it."""


class Gh:
    def __init__(self, repository: str, program: str = "gh"):
        self.root = f"repos/{repository}"
        self.program = program

    def ask(self, method: str, path: str, body: dict | None = None, absolute: bool = False) -> tuple:
        """(status, decoded answer or None); PATH is below the repository unless ABSOLUTE."""
        where = path if absolute else self.root + path
        argv = [self.program, "api", "--include", "--method", method, "-H", "X-GitHub-Api-Version: 2022-11-28", where]
        argv += ["--input", "-"] if body is not None else []
        try:
            done = subprocess.run(argv, input=json.dumps(body) if body is not None else "", text=True,
                                  capture_output=True, check=False)
        except FileNotFoundError:
            raise GhError(f"{self.program} is not installed: https://cli.github.com") from None
        head, _, rest = done.stdout.replace("\r\n", "\n").partition("\n\n")
        words = head.split()
        if not head.startswith("HTTP/") or not words[1].isdigit():
            raise GhError(f"{method} {where}: {done.stderr.strip() or 'no answer'}; is `gh auth login` done?")
        return int(words[1]), json.loads(rest) if rest.strip() else None

    def must(self, method: str, path: str, body: dict | None = None, absolute: bool = False):
        """The answer of what must succeed."""
        status, answer = self.ask(method, path, body, absolute)
        if status in (401, 403, 404) and method != "GET":
            raise GhError(f"{method} {path or 'the repository'}: {status}: your login lacks the right "
                          "Administration (write) "
                          f"of this repository: be its admin, or `gh auth refresh -s repo,admin:org` "
                          f"({(answer or {}).get('message', '')})")
        if status not in (200, 201, 202, 204):
            problem = (answer or {}).get("message", "") if isinstance(answer, dict) else ""
            raise GhError(f"{method} {path or 'the repository'}: {status}: {problem} "
                          f"{json.dumps((answer or {}).get('errors', '')) if isinstance(answer, dict) else ''}".strip())
        return answer
