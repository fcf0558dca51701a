"""What the workflows' scripts decide: pure functions, and small worlds of git and HTTP where it is about those."""

import http.server
import io
import json
import subprocess
import threading
import zipfile

import pytest
import yaml

from slipway.act.github import GitHub as StandIn
from slipway.act.strip import strip
from slipway.ci import changelog, comment, github, oci
from slipway.ci import http as client
from slipway.paths import REPOSITORY
from support.modules import script

# Titles and messages.

@pytest.mark.parametrize(("subject", "is_title", "fault"), [
    ("feat: pay by packet", False, ""),
    ("feat(wire): pay by packet (#123)", True, ""),
    ('Revert "feat: pay" (#13)', True, ""),
    ('Reapply "feat: pay" (#14)', True, ""),
    ("Merge branch 'x' into main", False, ""),
    ("Merge everything (#12)", True, "not of the form"),
    ("chore(release): 1.2.3 [skip ci]", False, ""),
    ("chore(release): 1.2.3 [skip ci]", True, "looks like a release"),
    ("fix: one [skip ci]", False, "no CI"), ("fix: one [ci skip]", False, "no CI"), ("fix: one [no ci]", True, "no CI"),
    ("fix: one [skip actions]", True, "no CI"), ("fix: one [actions skip]", True, "no CI"),
    ("fix: " + "x" * 95, False, ""), ("fix: " + "x" * 96, False, "101 characters"),
    ("fix: " + "x" * 90 + " (#123)", True, "102 characters"), ("fix: ends here. (#1)", True, "full stop")])
def test_a_message_is_held_as_it_will_land(subject, is_title, fault):
    assert fault in script("lint-commits").problem(subject, is_title=is_title)
    assert bool(script("lint-commits").problem(subject, is_title=is_title)) == bool(fault)


def test_a_trailer_that_skips_checks_is_refused():
    assert "no CI" in script("lint-commits").problem("fix: one", "\nbody\n\nskip-checks: true\n")


def test_the_title_is_the_one_that_the_pull_request_has_now(monkeypatch, tmp_path):
    hub = StandIn()
    hub.pulls[7] = "feat: " + "x" * 90
    for name, value in (("GITHUB_API_URL", hub.url), ("GITHUB_REPOSITORY", "acme/conn"), ("PULL_REQUEST", "7")):
        monkeypatch.setenv(name, value)
    for words in (["init", "--quiet"], ["-c", "user.name=a", "-c", "user.email=a@b.invalid", "commit", "--quiet",
                                        "--allow-empty", "-m", "feat: begin"]):
        subprocess.run(["git", *words], cwd=tmp_path, check=True)

    def lint() -> subprocess.CompletedProcess:
        return subprocess.run([REPOSITORY / "scripts/ci/lint-commits"], cwd=tmp_path, check=False, capture_output=True,
                              text=True)

    red = lint()
    assert red.returncode == 1
    assert "101 characters" in red.stderr and "run this job again" in red.stderr, red.stderr
    hub.pulls[7] = "feat: pay"
    assert lint().returncode == 0
    hub.fail_once("GET", "/pulls/7", status=403)
    asked = lint()
    assert asked.returncode == 1 and "403" in asked.stderr
    hub.close()


# What is deployed.

@pytest.mark.parametrize(("relation", "refused"), [
    ("ahead", False), ("identical", False), ("behind", True), ("diverged", True), ("", True)])
def test_only_what_follows_what_runs_is_deployed(relation, refused):
    assert bool(script("not-older").refusal(relation, "a", "b")) == refused


@pytest.mark.parametrize(("running", "status"), [
    ("", 0), ("new", 0), ("old", 0), ("old new", 0), ("newer", 1), ("old newer", 1), ("new newer", 1),
    ("different", 1)])
def test_what_is_deployed_follows_all_that_runs_on_several_hosts(monkeypatch, capsys, running, status):
    module = script("not-older")
    relations = {("old", "new"): "ahead", ("newer", "new"): "behind"}
    monkeypatch.setattr(module.github.GitHub, "compare", lambda _hub, base, head: relations.get((base, head), ""))
    for name, value in (("RUNNING", running), ("REVISION", "new"), ("GITHUB_REPOSITORY", "acme/conn")):
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.argv", ["not-older"])
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    assert module.main() == status
    assert not status or "newer" in capsys.readouterr().err or running == "different"
    monkeypatch.setenv("OLDER", "yes")
    assert module.main() == 0


@pytest.mark.parametrize(("environment", "approved", "lack"), [
    (None, False, "does not exist"), ({"deployment_branch_policy": None}, False, "every branch"),
    ({"deployment_branch_policy": {}, "protection_rules": []}, False, "every branch"),
    ({"deployment_branch_policy": {"custom_branch_policies": True}, "protection_rules": []}, False, ""),
    ({"deployment_branch_policy": {"custom_branch_policies": True}, "protection_rules": []}, True, "approval"),
    ({"deployment_branch_policy": {"custom_branch_policies": True},
      "protection_rules": [{"type": "required_reviewers"}]}, True, "")])
def test_an_environment_lacks(environment, approved, lack):
    found = script("environments").lacks(environment, approved)
    assert lack in found and bool(found) == bool(lack)


# Plan and status.

@pytest.mark.parametrize(("env", "changed", "expected"), [
    ({}, None, {"code": "true", "scanning": "true", "upload": "true"}),
    ({"PRIVATE": "true"}, None, {"scanning": "false", "upload": "false"}),
    ({"PRIVATE": "true", "CODE_SCANNING": "on"}, None, {"scanning": "true", "upload": "true"}),
    ({"HEAD_REPOSITORY": "eve/conn", "GITHUB_REPOSITORY": "acme/conn"}, ["src/a.hpp"],
     {"code": "true", "upload": "false"}),
    ({"HEAD_REPOSITORY": "acme/conn", "GITHUB_REPOSITORY": "acme/conn", "GITHUB_ACTOR": "dependabot[bot]"}, ["a"],
     {"upload": "false"}),
    ({}, ["docs/a.md", "README.md"], {"code": "false", "suites": "[]"}),
    ({}, ["docs/a.md", "src/a.hpp"], {"code": "true"})])
def test_plan_decides(env, changed, expected):
    found = script("plan").decide(env, changed)
    assert {key: found[key] for key in expected} == expected


def test_a_header_that_was_moved_into_the_documents_is_code(tmp_path):
    def git(*words: str) -> str:
        return subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@b.invalid", *words], cwd=tmp_path,
                              check=True, capture_output=True, text=True).stdout.strip()

    git("init", "--quiet")
    (tmp_path / "a.hpp").write_text("#pragma once\n" * 50)
    git("add", "--all"), git("commit", "--quiet", "-m", "a")
    base = git("rev-parse", "HEAD")
    (tmp_path / "docs").mkdir()
    git("mv", "a.hpp", "docs/a.hpp"), git("commit", "--quiet", "-m", "b")
    done = subprocess.run([REPOSITORY / "scripts/ci/plan"], cwd=tmp_path, check=True, capture_output=True, text=True,
                          env={"PATH": "/usr/bin:/bin", "GITHUB_EVENT_NAME": "pull_request", "BASE": base})
    assert "code=true" in done.stderr


NEEDS = {"plan": {"result": "success", "outputs": {"code": "true", "suites": "[]", "scanning": "true"}},
         "lint": {"result": "success", "outputs": {}}, "integration": {"result": "skipped", "outputs": {}}}


@pytest.mark.parametrize(("change", "red"), [
    ({}, ""), ({"lint": "failure"}, "lint (failure)"), ({"lint": "cancelled"}, "lint (cancelled)"),
    ({"lint": "skipped"}, "lint (skipped)"), ({"plan": "failure"}, "plan (failure)")])
def test_status_says_first_what_to_do(change, red):
    status = script("status")
    needs = {name: {**state, "result": change.get(name, state["result"])} for name, state in NEEDS.items()}
    rows = status.verdict(needs, {"integration"})
    said = status.what_to_do(rows)
    assert said.startswith(f"**Red: {red}**") if red else said == "**Green**: nothing to do."
    assert not red or "To do: " in said


# Answers.

class Server:
    """Answers each request with the next of a list of (status, headers, body); one with X-Cut ends too early."""

    def __init__(self, *answers):
        self.answers, self.asked = list(answers), 0
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def _serve(self):
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                status, headers, body = outer.answers[min(outer.asked, len(outer.answers) - 1)]
                outer.asked += 1
                self.send_response(status)
                length = len(body) + ("X-Cut" in headers)  # more than comes
                for name, value in {**headers, "Content-Length": str(length)}.items():
                    self.send_header(name, value)
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

            do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = _serve

            def log_message(self, *_args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def pauses(monkeypatch):
    """What was waited, instead of waiting."""
    waited = []
    monkeypatch.setattr(client.ask, "__defaults__", (True, waited.append))
    return waited


@pytest.mark.parametrize("status", [400, 401, 403, 410])
def test_an_error_is_neither_a_digest_nor_its_absence(status, pauses):
    server = Server((status, {}, b'{"errors":[]}'))
    with pytest.raises(oci.OciError, match=str(status)):
        oci.Repository(f"{server.address}/acme/conn").digest("v1")
    with pytest.raises(github.GitHubError, match=str(status)):
        github.GitHub("acme/conn", "t", f"http://{server.address}").get("/releases/latest")
    assert pauses == []


def test_only_404_is_absence(pauses):
    server = Server((404, {}, b"{}"))
    assert oci.Repository(f"{server.address}/acme/conn").digest("v1") is None
    hub = github.GitHub("acme/conn", "t", f"http://{server.address}")
    assert hub.get("/releases/latest") is None
    with pytest.raises(github.GitHubError, match="404"):
        hub.all("/releases")


def test_what_is_busy_is_asked_again_as_late_as_it_says(pauses):
    server = Server((429, {"Retry-After": "7"}, b""), (503, {}, b""), (403, {"X-RateLimit-Remaining": "0"}, b""),
                    (200, {}, b'{"status":"ahead"}'))
    assert github.GitHub("acme/conn", "t", f"http://{server.address}").compare("a", "b") == "ahead"
    assert pauses == [7.0, 1.0, 2.0]


def test_what_stays_busy_is_an_error_with_its_text(pauses):
    server = Server((503, {}, b"try later"))
    with pytest.raises(oci.OciError, match=r"503.*try later"):
        oci.Repository(f"{server.address}/acme/conn").digest("v1")
    assert server.asked == client.TRIES


MANIFEST = b'{"schemaVersion": 2}'


@pytest.mark.parametrize("status", [200, 502])
def test_an_answer_that_is_cut_is_asked_for_again(pauses, status):
    whole = (200, {}, b'{"status":"ahead"}')
    server = Server((status, {"X-Cut": "yes"}, b'{"status":'), whole)
    assert github.GitHub("acme/conn", "t", f"http://{server.address}").compare("a", "b") == "ahead"
    assert (server.asked, len(pauses)) == (2, 1)


def test_what_is_cut_each_time_is_an_error_and_no_digest(pauses):
    server = Server((200, {"X-Cut": "yes"}, MANIFEST))
    with pytest.raises(oci.OciError, match="registry up"):
        oci.Repository(f"{server.address}/acme/conn").digest("v1")
    with pytest.raises(github.GitHubError, match="GET"):
        github.GitHub("acme/conn", "t", f"http://{server.address}").get("/releases/latest")


def test_a_page_of_a_proxy_is_neither_a_digest_nor_an_answer(pauses):
    server = Server((200, {}, b"<html>Sign in</html>"))
    with pytest.raises(oci.OciError, match=r"no JSON.*Sign in"):
        oci.Repository(f"{server.address}/acme/conn").digest("v1")
    with pytest.raises(oci.OciError, match=r"no JSON.*Sign in"):
        oci.Repository(f"{server.address}/acme/conn").labels("v1")
    with pytest.raises(github.GitHubError, match=r"no JSON.*Sign in"):
        github.GitHub("acme/conn", "t", f"http://{server.address}").all("/releases")


def test_bytes_that_are_not_of_the_digest_that_is_told_are_refused(pauses):
    server = Server((200, {"Docker-Content-Digest": "sha256:" + "0" * 64}, MANIFEST))
    with pytest.raises(oci.OciError, match="other bytes"):
        oci.Repository(f"{server.address}/acme/conn").digest("v1")
    server = Server((200, {}, MANIFEST))
    assert oci.Repository(f"{server.address}/acme/conn").digest("v1") == oci.sha256(MANIFEST)


def test_what_may_have_been_done_is_not_done_twice(pauses):
    server = Server((500, {}, b"half done"))
    with pytest.raises(github.GitHubError, match="500"):
        github.GitHub("acme/conn", "t", f"http://{server.address}").post("/releases", {})
    assert server.asked == 1


def test_a_blob_is_pushed_only_where_the_registry_says_that_it_has_none(pauses):
    server = Server((403, {}, b""))
    with pytest.raises(oci.OciError, match="is there a blob"):
        oci.Repository(f"{server.address}/acme/conn")._push_blob("sha256:0", b"")


# Scanners.

@pytest.mark.parametrize(("document", "count"), [
    ([{"issues": [{"issueId": "a", "pkgName": "zlib"}, {"issueId": "b", "pkgName": "zlib"}],
       "issuesData": {"a": {"severity": "high"}, "b": {"severity": "low"}}}], 1),
    ({"vulnerabilities": [{"id": "a", "severity": "critical", "packageName": "zlib"}]}, 1),
    ({"vulnerabilities": []}, 0)])
def test_snyk_is_judged_by_its_json(tmp_path, document, count):
    file = tmp_path / "unmanaged.json"
    file.write_text(json.dumps(document))
    assert len(script("scan-gate").findings(str(file))) == count


def test_a_json_of_another_shape_is_red(tmp_path):
    file = tmp_path / "unmanaged.json"
    file.write_text('{"error": "not authorised"}')
    done = subprocess.run([REPOSITORY / "scripts/ci/scan-gate", file], check=False, capture_output=True, text=True)
    assert done.returncode == 1 and "cannot read the scan's result" in done.stderr


# act, the changelog, the comment.

@pytest.mark.parametrize("name", ["ci", "cd", "release", "comment"])
def test_what_act_refuses_is_stripped_and_all_else_stays(name):
    text = (REPOSITORY / f".github/workflows/{name}.yml").read_text()
    stripped, gone = strip(text)
    assert len(text.splitlines()) - len(stripped.splitlines()) == len(gone)
    assert all("queue: max" in line or "deployment: false" in line for line in gone)

    def without(value):
        if isinstance(value, dict):
            return {k: without(v) for k, v in value.items() if (k, v) not in (("queue", "max"), ("deployment", False))}
        return [without(v) for v in value] if isinstance(value, list) else value

    assert yaml.safe_load(stripped) == without(yaml.safe_load(text))


def test_a_key_of_the_same_name_elsewhere_stays():
    text = "on:\n  queue: 1\njobs:\n  a:\n    with:\n      deployment: false\n"
    assert strip(text) == (text, [])


def test_notes_go_below_the_title_and_above_those_before():
    assert changelog.with_notes("# T\n\n## 1\n\nold\n", "# T", "## 2\n\nnew") == "# T\n\n## 2\n\nnew\n\n## 1\n\nold\n"


DUET = {"verdict": "regression", "findings": [
    {"metric": "p99", "finding": "worse", "worsening": 0.25, "allowed": 0.1, "values": [0.1, 0.2, 0.3]}]}


def test_the_comment_tells_verdict_plot_and_version():
    version = {"version": "1.2.0", "last": "1.1.0", "type": "minor"}
    said = comment.markdown("failure", "https://x/run", "a" * 40, DUET, version)
    assert said.startswith(comment.MARK)
    for part in ("**slower**", "| p99 | worse | +25.0 % | +10.0 % | ▁▄█ |", "**1.2.0** (now 1.1.0)", "To do:"):
        assert part in said or part.replace("▄", "▅") in said, said


@pytest.mark.parametrize("hostile", [
    {"verdict": "<script>",
     "findings": [{"metric": "a|b [x](http://evil)", "finding": "worse", "values": ["@everyone"]}]},
    {"verdict": 1, "findings": [{"metric": "p99", "finding": "[x](y)", "worsening": "![](z)"}]},
    {"findings": "none"}, [], "text", None])
def test_what_a_fork_left_gets_no_word_of_its_own_into_the_comment(hostile):
    said = comment.markdown("success", "https://x/run", "a" * 40, hostile, {"version": "1.0.0\n@all", "last": "<b>"})
    assert not any(word in said for word in ("evil", "script", "@", "<b>", "[x]", "![]"))


def packed(name: str, document) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(name, json.dumps(document))
    return file.getvalue()


def test_one_comment_is_made_and_then_replaced_for_a_fork_too():
    hub = StandIn()
    hub.heads[7] = ("eve:topic", "a" * 40)
    hub.artifacts = {"gate": packed("duet.json", DUET), "next-version": packed("else.json", {})}

    def tell(sha: str, conclusion: str) -> subprocess.CompletedProcess:
        return subprocess.run([REPOSITORY / "scripts/ci/comment"], check=False, capture_output=True, text=True, env={
            "PATH": "/usr/bin:/bin", "GITHUB_API_URL": hub.url, "GITHUB_REPOSITORY": "acme/conn", "GH_TOKEN": "t",
            "RUN_ID": "5", "HEAD_SHA": sha, "HEAD_BRANCH": "topic", "HEAD_OWNER": "eve", "CONCLUSION": conclusion})

    hub.comments.append({"id": 1, "issue": 7, "body": comment.MARK, "user": {"login": "eve"}})  # not ours
    first = tell("a" * 40, "failure")
    assert first.returncode == 0, first.stderr
    hub.heads[7] = ("eve:topic", "b" * 40)
    assert tell("b" * 40, "success").returncode == 0
    assert [said["body"] for said in hub.comments if said["user"]["login"] == "eve"] == [comment.MARK]
    (ours,) = (said["body"] for said in hub.comments if said["user"]["login"] != "eve")
    assert f"CI of {'b' * 12}: [success]" in ours and "**slower**" in ours
    stale = tell("a" * 40, "failure")
    assert stale.returncode == 0 and "nothing is told" in stale.stderr
    hub.fail_once("GET", "/comments", status=403)
    assert tell("b" * 40, "success").returncode == 1
    hub.close()
