"""The few calls of GitHub's REST API that the scripts need, at GITHUB_API_URL."""

import json
import os
import urllib.error
import urllib.parse
import urllib.request


class GitHubError(Exception):
    """What was asked and what GitHub answered."""


class GitHub:
    def __init__(self, repository: str, token: str, api: str = ""):
        self.repository = repository
        self.token = token
        self.api = api or os.environ.get("GITHUB_API_URL") or "https://api.github.com"

    def get(self, path: str):
        """The decoded answer; None for 404."""
        return self._ask("GET", f"{self.api}/repos/{self.repository}{path}", missing_is_none=True)

    def post(self, path: str, body: dict):
        return self._ask("POST", f"{self.api}/repos/{self.repository}{path}", body)

    def patch(self, path: str, body: dict):
        return self._ask("PATCH", f"{self.api}/repos/{self.repository}{path}", body)

    def delete(self, path: str):
        return self._ask("DELETE", f"{self.api}/repos/{self.repository}{path}")

    def all(self, path: str) -> list:
        """Every page of a listing."""
        found, page = [], 1
        while True:
            more = self.get(f"{path}?per_page=100&page={page}") or []
            found += more
            if len(more) < 100:
                return found
            page += 1

    def upload(self, release: dict, name: str, data: bytes):
        place = release["upload_url"].partition("{")[0]
        return self._ask("POST", f"{place}?{urllib.parse.urlencode({'name': name})}", data)

    def download(self, asset: dict) -> bytes:
        return self._ask("GET", asset["url"], accept="application/octet-stream", raw=True)

    def _ask(self, method, url, body=None, accept="application/vnd.github+json", raw=False,
             missing_is_none=False):
        binary = isinstance(body, bytes)
        data = body if binary or body is None else json.dumps(body).encode()
        request = urllib.request.Request(url, data=data, method=method)
        request.add_header("Accept", accept)
        request.add_unredirected_header("Authorization", f"Bearer {self.token}")
        if data is not None:
            request.add_header("Content-Type",
                               "application/octet-stream" if binary else "application/json")
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                said = answer.read()
        except urllib.error.HTTPError as error:
            if error.code == 404 and missing_is_none:
                return None
            raise GitHubError(f"{method} {url}: {error.code}: {error.read()[:300]!r}") from error
        except (urllib.error.URLError, OSError) as error:
            raise GitHubError(f"{method} {url}: {getattr(error, 'reason', error)}") from error
        return said if raw else json.loads(said) if said else None
