"""As much of GitHub's REST API as releases need, kept in memory, with faults on purpose.

It follows the API's documentation where semantic-release and reconcile rely on it: a draft has no
tag until it is published, an upload that breaks leaves an asset in state `starter`, a name that
exists is refused.
"""

import hashlib
import http.server
import json
import re
import subprocess
import threading
import urllib.parse
from pathlib import Path


def rewritten(url: str, bare: Path, *tokens: str) -> dict[str, str]:
    """The environment in which git takes the repository BARE for URL, which may have one of TOKENS in it as GitHub's
    has."""
    forms = [url, *(url.replace("://", f"://{user}{token}@") for token in tokens for user in ("", "x-access-token:"))]
    env = {"GIT_CONFIG_COUNT": str(len(forms))}
    for at, form in enumerate(forms):
        env |= {f"GIT_CONFIG_KEY_{at}": f"url.{bare}.insteadOf", f"GIT_CONFIG_VALUE_{at}": form}
    return env


class GitHub:
    def __init__(self, repository: str = "acme/conn"):
        self.repository = repository
        # CHECKS: commit -> conclusion of its CI; PULLS: number -> title, or (title, description);
        # COMMITS: ref -> as the API tells it.
        self.releases, self.contents, self.checks, self.pulls, self.commits = {}, {}, {}, {}, {}
        self.tags = {}  # name -> commit
        self.heads, self.comments, self.artifacts = {}, [], {}  # number -> (owner:branch, sha); ...; name -> zip
        self.attested = set()  # digests that an attestation names
        self.attestations = None  # the folder where the stand-in for actions/attest keeps more of them
        self.git = None  # the bare repository that it is the API of, where commits are asked for
        # As scripts/github-setup makes them.
        self.environments = {name: {"name": name, "deployment_branch_policy": {"custom_branch_policies": True},
                                    "protection_rules": [{"type": "branch_policy"}]}
                             for name in ("staging", "production", "production-rollback", "release")}
        self.environments["production-approval"] = {
            "name": "production-approval", "deployment_branch_policy": {"custom_branch_policies": True},
            "protection_rules": [{"type": "branch_policy"}, {"type": "required_reviewers"}]}
        self.requests = []
        self.fault = None  # (method, path pattern) -> called once, may kill; then the socket closes
        # What a token may not: (token, method, pattern of the path and the body behind it) is answered 403.
        self.refuses = []
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
        elif self._refused(request, url, body):
            status, answer = 403, {"message": "Resource not accessible by integration"}
        else:
            with self._lock:
                status, answer = self._route(request, url, body)
        self._answer(request, status, answer)

    def _refused(self, request, url, body: bytes) -> bool:
        token = request.headers.get("Authorization", "").rpartition(" ")[2]
        asked = f"{url.path} {body.decode(errors='replace')}"
        return any((token, request.command) == (whose, method) and re.search(pattern, asked)
                   for whose, method, pattern in self.refuses)

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
                ("GET", f"{root}/actions/workflows/ci.yml/runs", self._runs),
                ("GET", f"{root}/compare/(.+)\\.\\.\\.(.+)", self._compare),
                ("GET", f"{root}/commits/([^/]+)", self._commit),
                ("GET", f"{root}/tags", self._tags),
                ("POST", f"{root}/git/refs", self._make_ref),
                ("PATCH", f"{root}/git/refs/(.+)", self._move_ref),
                ("GET", f"{root}/git/ref/(.+)", self._ref),
                ("GET", f"{root}/attestations/(.+)", self._attestations),
                ("GET", f"{root}/pulls/(\\d+)", self._pull),
                ("GET", f"{root}/pulls", self._open_pulls),
                ("GET", f"{root}/issues/(\\d+)/comments", self._comments_of),
                ("POST", f"{root}/issues/(\\d+)/comments", self._comment),
                ("PATCH", f"{root}/issues/comments/(\\d+)", self._change_comment),
                ("GET", f"{root}/actions/runs/\\d+/artifacts", self._artifacts),
                ("GET", f"{root}/actions/artifacts/([\\w-]+)/zip", self._artifact),
                # Of any repository: a published action asks about its caller's.
                ("GET", "/repos/[^/]+/[^/]+/environments/([^/]+)", self._environment)):
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
        marked = [r for r in published if r["latest"] and not r["prerelease"]] or published
        return (200, max(marked, key=lambda r: r["id"])) if marked else (404, {})

    def _by_tag(self, tag, **_):
        tag = urllib.parse.unquote(tag)
        found = [r for r in self.releases.values() if r["tag_name"] == tag and not r["draft"]]
        return (200, found[0]) if found else (404, {})

    def _create(self, data, **_):
        if not data.get("draft") and any(r["tag_name"] == data["tag_name"] and not r["draft"]
                                         for r in self.releases.values()):
            return 422, {"errors": [{"code": "already_exists", "field": "tag_name"}]}
        if len(data.get("body") or "") > 125000:
            return 422, {"errors": [{"code": "custom", "field": "body", "message": "body is too long"}]}
        number = self._id()
        self.releases[number] = {
            "id": number, "tag_name": data["tag_name"], "name": data.get("name"),
            "body": data.get("body"), "draft": bool(data.get("draft")), "assets": [],
            "prerelease": bool(data.get("prerelease")),
            "latest": data.get("make_latest", "true") == "true",
            "url": f"{self.url}/repos/{self.repository}/releases/{number}",
            "html_url": f"https://github.com/{self.repository}/releases/{data['tag_name']}",
            "upload_url": f"{self.url}/uploads/{number}{{?name,label}}"}
        return 201, self.releases[number]

    def _update(self, number, data, **_):
        release = self.releases.get(int(number))
        if release is None:
            return 404, {}
        if len(data.get("body") or "") > 125000:
            return 422, {"errors": [{"code": "custom", "field": "body", "message": "body is too long"}]}
        release.update({k: v for k, v in data.items() if k in ("draft", "body", "name", "prerelease")})
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

    def _runs(self, query, **_):
        commit = query["head_sha"][0]
        conclusion = self.checks.get(commit)
        runs = [{"id": 1, "event": "push", "head_sha": commit, "head_branch": "main", "conclusion": conclusion,
                 "head_repository": {"full_name": self.repository}}] if conclusion else []
        return 200, {"total_count": len(runs), "workflow_runs": runs}

    def _ask_git(self, *words: str) -> str:
        """What git says in the bare repository; empty when it fails."""
        done = subprocess.run(["git", "-C", str(self.git or "/nonexistent"), *words], capture_output=True, text=True,
                              check=False)
        return done.stdout.strip() if done.returncode == 0 else ""

    def _compare(self, base, head, **_):
        base, head = (self._ask_git("rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}") for ref in (base, head))
        if not base or not head:
            return 404, {"message": "Not Found"}
        common = self._ask_git("merge-base", base, head)
        return 200, {"status": "identical" if base == head else "ahead" if common == base
                     else "behind" if common == head else "diverged"}

    def _commit(self, ref, **_):
        if ref in self.commits:
            return 200, self.commits[ref]
        found = self._ask_git("log", "-1", "--format=%H%x00%P%x00%ae%x00%ce%x00%B", ref)
        if not found:
            return 422, {"message": f"No commit found for SHA: {ref}"}
        sha, parents, author, committer, message = found.split("\0")
        return 200, {"sha": sha, "parents": [{"sha": p} for p in parents.split()], "commit": {
            "message": message, "author": {"email": author}, "committer": {"email": committer}}}

    def _tags(self, query, **_):
        size, page = (int(query.get(name, [other])[0]) for name, other in (("per_page", "30"), ("page", "1")))
        listed = [{"name": name, "commit": {"sha": sha}} for name, sha in self.tags.items()]
        return 200, listed[size * (page - 1):size * page]

    def _make_ref(self, data, **_):
        if self._ask_git("rev-parse", "--verify", "--quiet", data["ref"]):
            return 422, {"message": "Reference already exists"}
        self._ask_git("update-ref", data["ref"], data["sha"])
        return 201, {"ref": data["ref"], "object": {"sha": data["sha"], "type": "commit"}}

    def _move_ref(self, ref, data, **_):
        if not self._ask_git("rev-parse", "--verify", "--quiet", f"refs/{ref}") or data.get("force") is not True:
            return 422, {"message": "Reference does not exist, or update is not a fast forward"}
        self._ask_git("update-ref", f"refs/{ref}", data["sha"])
        return 200, {"ref": f"refs/{ref}", "object": {"sha": data["sha"], "type": "commit"}}

    def _ref(self, ref, **_):
        sha = self._ask_git("rev-parse", "--verify", "--quiet", f"refs/{ref}")
        return (200, {"ref": f"refs/{ref}", "object": {"sha": sha}}) if sha else (404, {"message": "Not Found"})

    def _attestations(self, digest, **_):
        digest = urllib.parse.unquote(digest)
        known = digest in self.attested or (
            self.attestations and (self.attestations / digest.replace(":", "-")).is_dir())
        return (200, {"attestations": [{"bundle": {}}]}) if known else (404, {"message": "Not Found"})

    def _pull(self, number, **_):
        found = self.pulls.get(int(number))
        title, body = found if isinstance(found, tuple) else (found, None)
        return (200, {"number": int(number), "title": title, "body": body}) if title else (404, {})

    def _open_pulls(self, query, **_):
        return 200, [{"number": number, "head": {"sha": sha}} for number, (head, sha) in self.heads.items()
                     if head == query["head"][0]]

    def _comments_of(self, number, **_):
        return 200, [comment for comment in self.comments if comment["issue"] == int(number)]

    def _comment(self, number, data, **_):
        self.comments.append({"id": self._id(), "issue": int(number), "body": data["body"],
                              "user": {"login": "github-actions[bot]"}})
        return 201, self.comments[-1]

    def _change_comment(self, number, data, **_):
        found = [comment for comment in self.comments if comment["id"] == int(number)]
        if not found:
            return 404, {}
        found[0]["body"] = data["body"]
        return 200, found[0]

    def _artifacts(self, query, **_):
        name = query["name"][0]
        place = f"{self.url}/repos/{self.repository}/actions/artifacts/{name}/zip"
        found = [{"id": 1, "name": name, "expired": False, "archive_download_url": place}
                 for known in self.artifacts if known == name]
        return 200, {"total_count": len(found), "artifacts": found}

    def _artifact(self, name, **_):
        return 200, self.artifacts[name]

    def _environment(self, name, **_):
        found = self.environments.get(urllib.parse.unquote(name))
        return (200, found) if found else (404, {})

    def _id(self) -> int:
        self._next_id += 1
        return self._next_id
