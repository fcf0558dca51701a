"""The few calls of GitHub's REST API that the scripts need, at GITHUB_API_URL."""

import json
import os
import urllib.parse
import urllib.request

from . import http


class GitHubError(Exception):
    """What was asked and what GitHub answered."""


class GitHub:
    def __init__(self, repository: str, token: str, api: str = ""):
        self.repository = repository
        self.token = token
        self.api = api or os.environ.get("GITHUB_API_URL") or "https://api.github.com"

    def get(self, path: str):
        """The decoded answer; None for 404, and for nothing else."""
        return self._ask("GET", f"{self.api}/repos/{self.repository}{path}", missing_is_none=True)

    def must_get(self, path: str):
        """The decoded answer of what is there for sure: a 404 is an error like any other."""
        return self._ask("GET", f"{self.api}/repos/{self.repository}{path}")

    def post(self, path: str, body: dict):
        return self._ask("POST", f"{self.api}/repos/{self.repository}{path}", body)

    def patch(self, path: str, body: dict):
        return self._ask("PATCH", f"{self.api}/repos/{self.repository}{path}", body)

    def delete(self, path: str):
        return self._ask("DELETE", f"{self.api}/repos/{self.repository}{path}")

    def all(self, path: str) -> list:
        """Every page of a listing. GitHub answers 404 also to a token that may not see it."""
        found, page = [], 1
        while True:
            more = self.must_get(f"{path}{'&' if '?' in path else '?'}per_page=100&page={page}")
            found += more
            if len(more) < 100:
                return found
            page += 1

    def landing(self, number: str) -> tuple:
        """(subject, body) that pull request NUMBER lands with when it is squashed, by PR_TITLE and PR_BODY: its title
        and description as they are now, and the number that GitHub adds."""
        pull = self.must_get(f"/pulls/{number}")
        return f"{pull['title']} (#{number})", (pull["body"] or "").replace("\r\n", "\n").strip()

    def compare(self, base: str, head: str) -> str:
        """What HEAD is to BASE, both commits: identical, ahead, behind or diverged; empty if GitHub knows one not."""
        found = self.get(f"/compare/{base}...{head}?per_page=1")
        return found["status"] if found else ""

    def ci_runs(self, revision: str, workflow: str = "ci.yml") -> dict:
        """{branch: the newest run of WORKFLOW for a push of REVISION to it}; one commit can be on several."""
        listed = self.must_get(f"/actions/workflows/{workflow}/runs?event=push&head_sha={revision}&per_page=100")
        ours = [run for run in listed["workflow_runs"] if run["head_sha"] == revision and run["event"] == "push"
                and (run.get("head_repository") or {}).get("full_name") == self.repository]
        return {run["head_branch"]: run for run in sorted(ours, key=lambda run: run["id"])}

    def upload(self, release: dict, name: str, data: bytes):
        place = release["upload_url"].partition("{")[0]
        return self._ask("POST", f"{place}?{urllib.parse.urlencode({'name': name})}", data)

    def download(self, asset: dict) -> bytes:
        return self._ask("GET", asset["url"], accept="application/octet-stream", raw=True)

    def bytes_of(self, url: str) -> bytes:
        """What is at an address that GitHub gave."""
        return self._ask("GET", url, raw=True)

    def _ask(self, method, url, body=None, accept="application/vnd.github+json", raw=False,
             missing_is_none=False):
        binary = isinstance(body, bytes)
        data = body if binary or body is None else json.dumps(body).encode()

        def make() -> urllib.request.Request:
            request = urllib.request.Request(url, data=data, method=method)
            request.add_header("Accept", accept)
            request.add_unredirected_header("Authorization", f"Bearer {self.token}")
            if data is not None:
                request.add_header("Content-Type", "application/octet-stream" if binary else "application/json")
            return request

        try:
            status, _, said = http.ask(make, timeout=120, repeatable=method in ("GET", "DELETE"))
        except http.Unanswered as error:
            raise GitHubError(str(error)) from error
        if status == 404 and missing_is_none:
            return None
        if status not in (200, 201, 202, 204):
            raise GitHubError(f"{method} {url}: {status}: {said[:300]!r}")
        try:
            return said if raw else json.loads(said) if said else None
        except ValueError as error:
            raise GitHubError(f"{method} {url}: {status}, but no JSON: {said[:300]!r}") from error
