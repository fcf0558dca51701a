"""HTTP as people use it, against nginx: methods, several requests by weight, authorization, client certificates, and
where an answer's time goes."""

import collections
import getpass
import subprocess
import textwrap
import time

import pytest

from packet_bench.odd_servers_test import Run
from support import needs
from support.ports import free_port

pytestmark = needs.all_of(needs.programs("test", "nginx", "openssl"))

SECRET = "s3cret-value"


def openssl(folder, *arguments: str, **more) -> str:
    return subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True, text=True,
                          **more).stdout


class Nginx:
    """A server of these locations; each request is a line of its log: method, path, length, authorization."""

    def __init__(self, folder, locations: str, tls: str = ""):
        self.folder, self.port = folder, free_port()
        (folder / "www").mkdir()
        (folder / "www/file").write_text("x" * 4000)
        (folder / "www/large").write_text("x" * 300_000)
        configuration = textwrap.dedent(f"""
            user {getpass.getuser()}; daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error;
            events {{ worker_connections 256; }}
            http {{
              log_format asked '$request_method $request_uri $content_length $http_authorization';
              access_log {folder}/log asked;
              client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
              uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
              server {{ listen 127.0.0.1:{self.port} {tls} root {folder}/www; {locations} }}
            }}""")
        (folder / "nginx.conf").write_text(configuration)
        self.process = subprocess.Popen(["nginx", "-c", folder / "nginx.conf", "-e", folder / "error"])

    def __enter__(self):
        deadline = time.monotonic() + 20
        while not (self.folder / "pid").exists():
            assert self.process.poll() is None and time.monotonic() < deadline, (self.folder / "error").read_text()
            time.sleep(0.01)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def url(self, path: str = "/", scheme: str = "http") -> str:
        return f"{scheme}://127.0.0.1:{self.port}{path}"

    def asked(self) -> list[list[str]]:
        """The log's lines, complete once nginx has ended."""
        self.__exit__()
        return [line.split(" ", 3) for line in (self.folder / "log").read_text().splitlines()]


@pytest.fixture
def run(executables, tmp_path):
    results = tmp_path / "results"
    results.mkdir()
    return lambda url, *flags, **more: Run(executables, results, url, *flags, **more)


@pytest.fixture
def server(tmp_path):
    def make(locations: str, tls: str = ""):
        folder = tmp_path / "nginx"
        folder.mkdir()
        return Nginx(folder, locations, tls or ";")
    return make


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
def test_a_method_is_sent_and_its_answer_read(run, server, tmp_path, method):
    body = tmp_path / "body"
    body.write_text("twelve bytes")
    flags = ["--body", body] if method not in ("GET", "HEAD", "DELETE") else []
    reads = method in ("GET", "HEAD")
    location = "" if reads else f"location /file {{ if ($request_method = {method}) {{ return 204; }} }}"
    with server(location) as nginx:
        done = run(nginx.url("/file"), "--method", method, *flags)
        asked = nginx.asked()
    assert done.status == 0 and done.all_fulfilled(), done.said
    assert len(asked) == done.packets["sent"]
    assert {line[0] for line in asked} == {method}
    assert {line[2] for line in asked} == {"12" if flags else "0" if method == "DELETE" else "-"}


def test_several_requests_are_asked_by_their_weights_and_the_same_ones_for_a_seed(run, server, tmp_path):
    requests = tmp_path / "requests"
    requests.write_text("# what a shop is asked\n6 GET /file\n\n3 HEAD /file?head\n  0.5\tDELETE /cart/1 \n"
                        "0.5 PUT /cart/2\n")
    body = tmp_path / "body"
    body.write_text("{}")
    with server("location /cart/ { return 204; }") as nginx:
        twice = [run(nginx.url("/"), "--requests", requests, "--body", body, "--seed", "7", "--connections", count,
                     rate="1000", seconds="1s") for count in ("1", "8")]
        asked = nginx.asked()
    for done in twice:
        assert done.status == 0 and done.all_fulfilled(), done.said
    assert twice[0].packets["sent"] == 1000
    halves = [collections.Counter(tuple(line[:3]) for line in part) for part in (asked[:1000], asked[1000:])]
    assert halves[0] == halves[1], "the choice is the seed's, not the connections'"
    for (method, path, length), share in {("GET", "/file", "-"): 600, ("HEAD", "/file?head", "-"): 300,
                                          ("DELETE", "/cart/1", "0"): 50, ("PUT", "/cart/2", "2"): 50}.items():
        assert abs(halves[0][method, path, length] - share) < 60, halves[0]


@pytest.mark.parametrize(("line", "words"), [
    ("GET /a", "line 2 is no request"), ("0 GET /a", "line 2 is no request"), ("1 get /a", "line 2 is no request"),
    ("1 GET a", "line 2 is no request"), ("1 GET /a b", "line 2 is no request"), ("# only this", "has no request"),
    ("1 GET http://other/", "line 2 is no request")])
def test_a_file_of_requests_that_is_none_is_told_with_its_line(run, tmp_path, line, words):
    requests = tmp_path / "requests"
    requests.write_text(f"\n{line}\n")
    done = run("http://127.0.0.1:1/", "--requests", requests)
    assert done.status == 2 and words in done.said and "WEIGHT METHOD PATH" in done.said, done.said


BASIC = "auth_basic closed; auth_basic_user_file FOLDER/users;"
BEARER = f'if ($http_authorization != "Bearer {SECRET}") {{ return 401; }}'


@pytest.mark.parametrize(("location", "how", "path"), [
    (BASIC, "basic:alice", "/file"), (BEARER, "bearer", "/file")], ids=["basic", "bearer"])
@pytest.mark.parametrize("right", [True, False])
def test_authorization_by_name_with_the_secret_of_the_environment(run, server, tmp_path, location, how, path, right):
    with server("location / { " + location.replace("FOLDER", str(tmp_path)) + " }") as nginx:
        hashed = openssl(tmp_path, "passwd", "-apr1", "-stdin", input=SECRET).strip()
        (tmp_path / "users").write_text(f"alice:{hashed}\n")
        done = run(nginx.url(path), "--auth", how, PACKET_BENCH_SECRET=SECRET if right else "another")
    assert done.status == (0 if right else 1), done.said
    assert ("rejected with HTTP 401" in done.said) is not right
    assert SECRET not in done.said + str(done.results)


@pytest.mark.parametrize(("flags", "env", "words"), [
    (["--auth", "digest"], {}, "bearer or basic:USER"), (["--auth", "basic:"], {}, "bearer or basic:USER"),
    (["--auth", "bearer"], {}, "set PACKET_BENCH_SECRET"),
    (["--auth", "bearer"], {"PACKET_BENCH_SECRET": "a\r\nX: y"}, "more than one line")])
def test_authorization_that_cannot_be_is_refused(run, flags, env, words):
    done = run("http://127.0.0.1:1/", *flags, **env)
    assert done.status == 2 and words in done.said, done.said


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """An authority; what it signed for the server, and for a client with its key in one file, apart and locked."""
    folder = tmp_path_factory.mktemp("certificates")
    new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    openssl(folder, "req", "-x509", *new_key, "-days", "2", "-subj", "/CN=authority", "-keyout", "ca.key",
            "-out", "ca.pem")
    for name, more in (("server", ["-addext", "subjectAltName=IP:127.0.0.1"]), ("client", [])):
        openssl(folder, "req", *new_key, "-subj", f"/CN={name}", *more, "-keyout", f"{name}.key", "-out", f"{name}.csr")
        openssl(folder, "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
                "-days", "2", "-copy_extensions", "copy", "-out", f"{name}.pem")
    openssl(folder, "ec", "-in", "client.key", "-aes256", "-passout", "pass:locked", "-out", "locked.key")
    (folder / "both.pem").write_text((folder / "client.pem").read_text() + (folder / "client.key").read_text())
    return folder


def behind_tls(folder) -> str:
    return (f"ssl; ssl_certificate {folder}/server.pem; ssl_certificate_key {folder}/server.key; "
            f"ssl_client_certificate {folder}/ca.pem; ssl_verify_client on;")


@pytest.mark.parametrize("flags", [["--cert", "both.pem"], ["--cert", "client.pem", "--key", "client.key"]],
                         ids=["one file", "two files"])
def test_a_client_proves_who_it_is(run, server, certificates, flags):
    with server("", tls=behind_tls(certificates)) as nginx:
        given = [certificates / each if "." in each else each for each in flags]
        done = run(nginx.url("/file", "https"), "--ca-file", certificates / "ca.pem", *given, "--connections", "4")
    assert done.status == 0 and done.all_fulfilled(), done.said
    details = done.results["details"]
    assert details["connect"]["count"] == details["tlsHandshake"]["count"] == 4
    assert details["firstByte"]["count"] == done.packets["fulfilled"]


def test_a_client_that_does_not_is_refused_by_the_server_and_the_words_are_shown(run, server, certificates):
    with server("", tls=behind_tls(certificates)) as nginx:
        done = run(nginx.url("/file", "https"), "--ca-file", certificates / "ca.pem")
    assert done.status == 1 and "No required SSL certificate was sent" in done.said, done.said


@pytest.mark.parametrize(("flags", "words"), [
    (["--cert", "absent.pem"], "cannot use --cert"), (["--cert", "client.pem"], "cannot use --key"),
    (["--cert", "client.pem", "--key", "server.key"], "cannot use --key"),
    (["--cert", "client.pem", "--key", "locked.key"], "without a passphrase"),
    (["--key", "client.key"], "give --cert")])
def test_a_certificate_that_cannot_be_used_is_told_at_once(run, certificates, flags, words):
    given = [certificates / each if "." in each else each for each in flags]
    done = run("https://127.0.0.1:1/", *given)
    assert done.status == 2 and words in done.said, done.said


def test_a_certificate_for_a_target_without_tls_is_refused(run, certificates):
    done = run("http://127.0.0.1:1/", "--cert", certificates / "both.pem")
    assert done.status == 2 and "for targets with TLS" in done.said, done.said


def test_the_first_byte_is_told_apart_from_the_last(run, server):
    # nginx sends a second's worth, waits until it may send the rest, and so on.
    with server("location /large { limit_rate 150k; }") as nginx:
        done = run(nginx.url("/large"), "--connections", "4", rate="4", seconds="1s", expiry="5s")
    assert done.all_fulfilled(), done.said
    details = done.results["details"]
    assert details["firstByte"]["count"] == 4
    assert details["firstByte"]["maxMs"] + 500 < details["latencyFromSend"]["maxMs"], details
