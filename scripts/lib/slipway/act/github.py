"""As much of GitHub's REST API as releases need, kept in memory, with faults on purpose.

It follows the API's documentation where semantic-release and reconcile rely on it: a draft has no
tag until it is published, an upload that breaks leaves an asset in state `starter`, a name that
exists is refused.
"""

import hashlib
import http.server
import json
import re
import threading
import urllib.parse


class GitHub:
    def __init__(self, repository: str = "acme/conn"):
        self.repository = repository
        self.releases, self.contents, self.checks = {}, {}, {}
        self.requests = []
        self.fault = None  # (method, path pattern) -> called once, may kill; then the socket closes
        self._next_id = 1
        self._lock = threading.Lock()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _serve(self):
                outer.handle(self)

            do_GET = do_POST = do_PATCH = do_DELETE = do_PUT = _serve

            def log_message(self, *_args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def fail_once(self, method: str, pattern: str, action=None, status: int = 0) -> None:
        """The next request that matches runs ACTION and is then answered STATUS, or not at all."""
        self.fault = (method, re.compile(pattern), action, status)

    def handle(self, request) -> None:
        url = urllib.parse.urlsplit(request.path)
        body = request.rfile.read(int(request.headers.get("Content-Length") or 0))
        with self._lock:
            self.requests.append((request.command, url.path))
            fault = self.fault
            if fault and fault[0] == request.command and fault[1].search(url.path):
                self.fault = None
            else:
                fault = None
        if fault:
            if fault[2]:
                fault[2]()
            if not fault[3]:
                request.close_connection = True
                return
            status, answer = fault[3], {"message": "on purpose"}
        else:
            with self._lock:
                status, answer = self._route(request, url, body)
        self._answer(request, status, answer)

    def _answer(self, request, status: int, answer) -> None:
        raw = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        request.send_response(status)
        request.send_header("Content-Type", "application/octet-stream"
                            if isinstance(answer, bytes) else "application/json; charset=utf-8")
        if status == 204:
            raw = b""
        request.send_header("Content-Length", str(len(raw)))
        request.end_headers()
        request.wfile.write(raw)

    def _route(self, request, url, body):
        method, path = request.command, url.path
        root = f"/repos/{self.repository}"
        query = urllib.parse.parse_qs(url.query)
        for verb, pattern, act in (
                ("GET", root, self._repository),
                ("GET", f"{root}/releases/latest", self._latest),
                ("GET", f"{root}/releases", self._list),
                ("POST", f"{root}/releases", self._create),
                ("GET", f"{root}/releases/tags/(.+)", self._by_tag),
                ("PATCH", f"{root}/releases/(\\d+)", self._update),
                ("DELETE", f"{root}/releases/(\\d+)", self._delete),
                ("GET", f"{root}/releases/(\\d+)/assets", self._assets),
                ("POST", "/uploads/(\\d+)", self._upload),
                ("GET", f"{root}/releases/assets/(\\d+)", self._content),
                ("DELETE", f"{root}/releases/assets/(\\d+)", self._delete_asset),
                ("GET", f"{root}/commits/([0-9a-f]+)/check-runs", self._check_runs)):
            match = re.fullmatch(pattern, path)
            if verb == method and match:
                data = body
                if method in ("POST", "PATCH") and not path.startswith("/uploads"):
                    data = json.loads(body or b"{}")
                return act(*match.groups(), data=data, query=query, headers=request.headers)
        return 404, {"message": "Not Found", "path": path}

    def _repository(self, **_):
        return 200, {"permissions": {"push": True}, "full_name": self.repository,
                     "clone_url": f"https://github.com/{self.repository}.git",
                     "owner": {"login": self.repository.split("/")[0]},
                     "name": self.repository.split("/")[1]}

    def _list(self, query, **_):
        page = int(query.get("page", ["1"])[0])
        return 200, sorted(self.releases.values(), key=lambda r: -r["id"])[100 * (page - 1):100 * page]

    def _latest(self, **_):
        published = [r for r in self.releases.values() if not r["draft"]]
        marked = [r for r in published if r["latest"]] or published
        return (200, max(marked, key=lambda r: r["id"])) if marked else (404, {})

    def _by_tag(self, tag, **_):
        tag = urllib.parse.unquote(tag)
        found = [r for r in self.releases.values() if r["tag_name"] == tag and not r["draft"]]
        return (200, found[0]) if found else (404, {})

    def _create(self, data, **_):
        if not data.get("draft") and any(r["tag_name"] == data["tag_name"] and not r["draft"]
                                         for r in self.releases.values()):
            return 422, {"errors": [{"code": "already_exists", "field": "tag_name"}]}
        number = self._id()
        self.releases[number] = {
            "id": number, "tag_name": data["tag_name"], "name": data.get("name"),
            "body": data.get("body"), "draft": bool(data.get("draft")), "assets": [],
            "latest": data.get("make_latest", "true") == "true",
            "url": f"{self.url}/repos/{self.repository}/releases/{number}",
            "html_url": f"https://github.com/{self.repository}/releases/{data['tag_name']}",
            "upload_url": f"{self.url}/uploads/{number}{{?name,label}}"}
        return 201, self.releases[number]

    def _update(self, number, data, **_):
        release = self.releases.get(int(number))
        if release is None:
            return 404, {}
        release.update({k: v for k, v in data.items() if k in ("draft", "body", "name")})
        if "make_latest" in data:
            release["latest"] = data["make_latest"] == "true"
        return 200, release

    def _delete(self, number, **_):
        return (204, {}) if self.releases.pop(int(number), None) else (404, {})

    def _assets(self, number, query, **_):
        page = int(query.get("page", ["1"])[0])
        return 200, self.releases[int(number)]["assets"][100 * (page - 1):100 * page]

    def _upload(self, number, data, query, **_):
        release, name = self.releases[int(number)], query["name"][0]
        if any(asset["name"] == name for asset in release["assets"]):
            return 422, {"errors": [{"code": "already_exists", "field": "name"}]}
        return 201, self.add_asset(release, name, data)

    def add_asset(self, release: dict, name: str, data: bytes, state: str = "uploaded") -> dict:
        number = self._id()
        self.contents[number] = data
        asset = {"id": number, "name": name, "size": len(data), "state": state,
                 "digest": "sha256:" + hashlib.sha256(data).hexdigest(),
                 "url": f"{self.url}/repos/{self.repository}/releases/assets/{number}",
                 "browser_download_url": f"https://github.com/{self.repository}/{name}"}
        release["assets"].append(asset)
        return asset

    def _content(self, number, headers, **_):
        if int(number) not in self.contents:
            return 404, {}
        return 200, self.contents[int(number)]

    def _delete_asset(self, number, **_):
        for release in self.releases.values():
            for asset in release["assets"]:
                if asset["id"] == int(number):
                    release["assets"].remove(asset)
                    return 204, {}
        return 404, {}

    def _check_runs(self, commit, **_):
        conclusion = self.checks.get(commit)
        runs = [{"name": "ci-status", "conclusion": conclusion,
                 "app": {"slug": "github-actions"}}] if conclusion else []
        return 200, {"total_count": len(runs), "check_runs": runs}

    def _id(self) -> int:
        self._next_id += 1
        return self._next_id
