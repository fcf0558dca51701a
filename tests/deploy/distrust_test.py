"""What comes from outside, on a real engine: files of secrets, labels, other repositories, umasks, engines of
other releases, indexes, helpers for credentials, strangers' containers."""

import json
import os
import shutil
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

import pytest

from deploy.site import NEEDS, Site
from deploy.traffic import Load
from slipway.ci.oci import SERVICE
from support.engine_proxy import EngineProxy
from support.waiting import await_true

pytestmark = NEEDS


@pytest.fixture(scope="module")
def shared(executables):
    """A host on which the first thing ever done was done with a umask of 077."""
    with Site("deploy-distrust", executables) as site:
        for tag in ("v1", "v2"):
            site.publish(tag)
        first = site.begin("deploy", site.reference("v1"), umask=0o077).outcome()
        yield site, first


@pytest.fixture
def site(shared):
    yield shared[0]
    shared[0].back_to_v1()


def environment_of(site: Site) -> dict:
    told = json.loads(site.host.docker("inspect", "-f", "{{json .Config.Env}}",
                                       f"slipway-{site.running_colour()}").stdout)
    return dict(entry.split("=", 1) for entry in told)


def mode(path: Path) -> str:
    return oct(path.stat().st_mode & 0o777)


def test_with_a_umask_of_077_the_first_deploy_serves(site, shared):
    assert shared[1].status == 0 and site.served() == "v1", shared[1]


def test_modes_that_are_wrong_are_mended_by_whoever_comes_next(site):
    spoiled = [site.state / "proxy", site.state / "proxy" / "map",
               *(folder / "config" for folder in (site.state / "snapshots").iterdir())]
    for folder in spoiled:
        folder.chmod(0o700)
    (site.state / "proxy" / "map" / "active.map").chmod(0o600)
    site.host.docker("rm", "-f", "slipway-haproxy", f"slipway-{site.spare_colour()}")
    again = site.run("deploy", site.reference("v1"), "--force")
    assert again.status == 0 and site.served() == "v1", again
    assert {mode(folder) for folder in spoiled[:2]} == {"0o755"}
    assert mode(spoiled[1] / "active.map") == "0o644"


@pytest.mark.parametrize(("line", "says"), [
    ("TOKEN: hush-hush", "line 2 (after A)"), ("B=hush-hush # note", "line 2 (B)"), ("B='hush-hush", "line 2 (B)"),
    ("B='hush-hush' hush", "line 2 (B)"), ('B="hush\\nhush"', "line 2 (B)"), ("hush-hush", "line 2 (after A)")])
def test_a_file_of_secrets_that_cannot_be_read_is_2_by_line_and_name(site, line, says):
    (site.folder / "service.env").write_text(f"A=hush\n{line}\n")
    refused = site.deploy("v2")
    assert refused.status == 2 and says in refused.report["message"], refused
    assert "service.env" in refused.report["message"] and "hush" not in refused.out + refused.err, refused
    assert site.served() == "v1"


def test_secrets_reach_the_service_as_they_are_written(site):
    (site.folder / "service.env").write_text(
        "# of the service\nPASS=pa$word$1x\nHALF=${HOME}$$\nQUOTED='a \"b\" #c'\nPEM='one\ntwo\n'\n")
    (site.folder / ".env").write_text("this is no: file 'of compose\n")
    try:
        done = site.deploy("v2")
    finally:
        (site.folder / ".env").unlink()
    assert done.status == 0, done
    told = environment_of(site)
    assert told["PASS"] == "pa$word$1x" and told["HALF"] == "${HOME}$$", told
    assert told["QUOTED"] == 'a "b" #c' and told["PEM"] == "one\ntwo\n", told
    assert told["STAND_IN_ROLE"] == "standby", "what slipway.yml sets stays"


def test_labels_of_an_image_are_nothing_that_we_made(site):
    site.publish("other")
    site.host.docker("pull", f"{site.reference()}@{site.releases['other']}")
    held = {"repository": site.reference(), "digest": site.releases["other"]}
    for number, release in enumerate(("{}", json.dumps({"digest": "x"}), json.dumps(held))):
        quoted = json.dumps(release)
        site.publish(f"x{number}", labels={
            "io.slipway.held": "slipway", "io.slipway.release": quoted, "io.slipway.digest": "sha256:0",
            "io.slipway.snapshot": "../../../etc", "io.slipway.transaction": "t1",
            "com.docker.compose.project": "slipway", "com.docker.compose.service": "blue"})
        done = site.deploy(f"x{number}")
        assert done.status == 0 and site.served() == f"x{number}", done
    image = f"{site.reference()}@{site.releases['x2']}"
    site.host.docker("create", "--name", "bystander", image)
    assert site.deploy("v2").status == 0 and site.deploy("v1").status == 0
    assert "bystander" in site.containers(), "its labels are its image's"
    site.host.docker("rm", "bystander")
    assert site.releases["other"] in site.host.docker("images", "--digests", site.reference()).stdout


def test_another_repository_is_refused_before_it_is_pulled(site):
    refused = site.run("deploy", f"{site.registry.address}/example/stranger:v1")
    assert refused.status == 2 and "is not what this host runs" in refused.report["message"], refused
    assert site.served() == "v1"


def client_speaks() -> tuple:
    """The newest API of this machine's docker client: deploy pulls by it, whatever it speaks itself."""
    # With an engine at hand it would tell what it speaks with that one.
    told = subprocess.run(["docker", "version", "--format", "{{.Client.APIVersion}}"], check=False,
                          capture_output=True, text=True, env={**os.environ, "DOCKER_HOST": "unix:///nowhere"}).stdout
    return tuple(int(part) for part in told.strip().split("."))


def refused_for_its_client(site, env: dict | None = None) -> None:
    refused = site.deploy("v2", env=env)
    assert refused.status == 3 and "update the docker client" in refused.report["nextStep"], refused
    assert "is too old" in refused.report["message"] and site.served() == "v1", refused


def test_an_engine_that_refuses_the_client_beside_it_is_told_with_what_to_do(site):
    place, old = site.folder / "engine.sock", site.folder / "old"
    old.mkdir()
    # As an older client would ask.
    (old / "docker").write_text(f'#!/bin/sh\nDOCKER_API_VERSION=1.41 exec {shutil.which("docker")} "$@"\n')
    (old / "docker").chmod(0o755)
    with EngineProxy(Path(site.host.socket), place, "1.44", "1.52"):
        site.configure(dockerSocket=str(place))
        refused_for_its_client(site, {"PATH": f"{old}:{os.environ['PATH']}"})


@pytest.mark.parametrize(("floor", "ceiling", "spoken"), [
    ("1.44", "1.52", "1.44"), ("1.12", "1.41", "1.41"), ("1.24", "1.60", "1.41")])
def test_an_engine_of_another_release_is_spoken_to_as_it_can(site, floor, ceiling, spoken):
    place = site.folder / "engine.sock"
    with EngineProxy(Path(site.host.socket), place, floor, ceiling, drops=("GitCommit", "Experimental")) as engine:
        site.configure(dockerSocket=str(place))
        if client_speaks() < tuple(int(part) for part in floor.split(".")):
            refused_for_its_client(site)
            return
        forth = site.deploy("v2")
        assert forth.status == 0 and site.served() == "v2", forth
        back = site.rollback()
        assert back.status == 0 and site.served() == "v1", back
        assert site.rollback("--status").status == 0
    assert spoken in engine.spoken, engine.spoken


@pytest.mark.parametrize(("floor", "ceiling", "words"), [
    ("1.12", "1.40", "update the engine"), ("1.99", "1.99", "update these tools")])
def test_an_engine_without_a_version_in_common_is_told_with_what_to_do(site, floor, ceiling, words):
    place = site.folder / "engine.sock"
    with EngineProxy(Path(site.host.socket), place, floor, ceiling):
        site.configure(dockerSocket=str(place))
        refused = site.deploy("v2")
    assert refused.status == 3 and words in refused.report["nextStep"], refused
    assert f"from {floor} to {ceiling}" in refused.report["message"], refused


def test_the_digest_of_a_tag_is_the_registrys_also_of_an_index(site):
    base = f"http://{site.registry.address}/v2/{SERVICE}/manifests"
    # What the engine pushes depends on its image store.
    kinds = {"application/vnd.docker.distribution.manifest.v2+json":
             "application/vnd.docker.distribution.manifest.list.v2+json",
             "application/vnd.oci.image.manifest.v1+json": "application/vnd.oci.image.index.v1+json"}
    asked = urllib.request.Request(f"{base}/v2", headers={"Accept": ", ".join(kinds)})
    with urllib.request.urlopen(asked) as answer:
        kind, child = answer.headers["Content-Type"], answer.read()
    index = json.dumps({"schemaVersion": 2, "mediaType": kinds[kind],
                        "manifests": [{"mediaType": kind, "size": len(child), "digest": site.releases["v2"],
                                       "platform": {"architecture": "amd64", "os": "linux"}}]}).encode()
    put = urllib.request.Request(f"{base}/index", data=index, method="PUT", headers={"Content-Type": kinds[kind]})
    with urllib.request.urlopen(put) as answer:
        digest = answer.headers["Docker-Content-Digest"]
    # The engine knows the same image by the digest of its own manifest already.
    site.host.docker("pull", site.reference("v2"))
    done = site.deploy("index")
    assert done.status == 0 and done.report["to"]["digest"] == digest != site.releases["v2"], done


def test_a_helper_for_credentials_gets_what_it_needs_and_nothing_else(site):
    folder = site.folder / "docker-config"
    folder.mkdir()
    seen = folder / "seen"
    helper = folder / "docker-credential-lab"
    helper.write_text(f"#!/bin/sh\nenv >{seen}\necho '{{\"Username\":\"u\",\"Secret\":\"s\"}}'\n")
    helper.chmod(0o755)
    (folder / "config.json").write_text(json.dumps({"credHelpers": {site.registry.address: "lab"}}))
    site.configure(variables={"LAB_PROFILE": "of-deploy.json"})
    site.publish("helped")
    done = site.deploy("helped", env={"PATH": f"{folder}:{os.environ['PATH']}", "DOCKER_CONFIG": str(folder),
                                      "AWS_PROFILE": "of-the-caller", "IMAGE_TAG": "stray"})
    assert done.status == 0, done
    told = seen.read_text().splitlines()
    assert "AWS_PROFILE=of-the-caller" in told and "LAB_PROFILE=of-deploy.json" in told, told
    assert not any(line.startswith("IMAGE_TAG=") for line in told)


def test_a_strangers_container_of_our_name_is_named_and_left(site):
    spare = site.spare_colour()
    site.host.docker("rm", "-f", f"slipway-{spare}")
    site.host.docker("create", "--name", f"slipway-{spare}", f"{site.reference()}@{site.releases['v1']}")
    refused = site.deploy("v2")
    assert refused.status == 3 and f"slipway-{spare} that is not of this project" in refused.report["message"], refused
    assert f"slipway-{spare}" in site.containers() and site.served() == "v1"
    site.host.docker("rm", f"slipway-{spare}")


@pytest.mark.parametrize(("field", "value", "words"), [
    ("project", "My Service", "small letters"), ("dockerSocket", "unix:///var/run/docker.sock", "without unix://"),
    ("dockerSocket", "/etc/hostname", "is no socket"), ("subnetPrefix", "172.31", "three numbers")])
def test_a_mistake_in_the_configuration_is_2_and_named(site, field, value, words):
    site.configure(**{field: value})
    refused = site.deploy("v2")
    assert refused.status == 2 and field in refused.err and words in refused.err, refused


def test_who_asked_and_what_for_is_shown_in_characters_whatever_was_typed(site):
    odd = b"caf\xe9\x1b[2J".decode(errors="surrogateescape")
    done = site.run("deploy", site.reference("v2"), "--reason", odd, env={"SUDO_USER": odd})
    assert done.status == 0 and done.report["reason"] == "caf\ufffd" and "caf\ufffd" in done.report["actor"], done


def test_haproxy_listens_for_ipv6_too(site):
    asked = subprocess.run(site.host.inside("curl", "-sS", "-g", "-m", "3", "http://[::1]:8080/health"),
                           capture_output=True, text=True, check=False)
    if Path(f"/proc/{site.host.pid}/net/if_inet6").read_text():
        assert '"releaseId":"v1' in asked.stdout, asked
    else:
        assert site.served() == "v1"


@pytest.fixture
def haproxy_as_before(site):
    yield
    site.write_configuration()
    make_haproxy_anew(site)


def make_haproxy_anew(site: Site) -> None:
    site.host.docker("rm", "-f", "slipway-haproxy")
    resumed = site.rollback("--resume")
    assert resumed.status == 0, resumed


def haproxy_image(site: Site) -> str:
    return site.host.docker("inspect", "-f", "{{.Config.Image}}", "slipway-haproxy").stdout.strip()


@pytest.mark.usefixtures("haproxy_as_before")
def test_another_image_or_port_of_haproxy_is_refused_until_it_is_made_anew(site):
    site.host.docker("tag", site.settings["haproxyImage"], "haproxy:another")
    for field, value, words in (("haproxyImage", "haproxy:another", "made with another haproxyImage ("),
                                ("ports", {"8080": 8081}, "published on 8081")):
        site.configure(**{field: value})
        serving = site.served() or json.loads(site.get("/health", 8081))["releaseId"].split("-")[0]
        other = "v2" if serving == "v1" else "v1"
        refused = site.deploy(other)
        assert refused.status == 3 and words in refused.report["message"], refused
        assert "docker rm -f slipway-haproxy, which ends what is connected" in refused.report["nextStep"], refused
        again = site.deploy(serving)
        assert again.status == 0 and f"another {field}" in again.report["warnings"][-1], again
        make_haproxy_anew(site)
        assert site.deploy(other).status == 0, "it is as configured"
    assert haproxy_image(site) == "haproxy:another"
    assert json.loads(site.get("/health", 8081))["releaseId"].startswith(other) and site.served() is None


@pytest.mark.usefixtures("haproxy_as_before")
def test_what_the_stated_way_to_update_haproxy_cuts_is_what_the_guide_says(site, tell):
    """Seconds without new connections, and what was connected; nothing else, and the same version serves."""
    site.host.docker("tag", site.settings["haproxyImage"], "haproxy:another")
    site.configure(haproxyImage="haproxy:another")
    with socket.create_connection((site.host.ip, 4000), timeout=10) as connected, \
            Load(site, rate=2000, path="/health") as load:
        await_true(lambda: site.get("/metrics") != "", "the service under load")
        began = time.monotonic()
        make_haproxy_anew(site)
        took = time.monotonic() - began
        connected.settimeout(10)
        assert cut(connected), "what is connected is cut"
        await_true(lambda: site.served() == "v1", "the same version")
    assert haproxy_image(site) == "haproxy:another"
    packets = load.document()["details"]["packets"]
    tell(f"{took:.1f} s at 2000 requests a second: {packets}")


def cut(connection: socket.socket) -> bool:
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


def test_a_changed_haproxy_file_is_refused_until_haproxy_is_made_anew(site):
    own = site.folder / "own.cfg"
    own.write_bytes((site.state / "proxy" / "haproxy.cfg").read_bytes())
    own.chmod(0o644)
    site.configure(haproxyConfig="own.cfg")
    site.host.docker("rm", "-f", "slipway-haproxy")
    assert site.rollback("--resume").status == 0 and site.served() == "v1"
    assert site.deploy("v2").status == 0 and site.served() == "v2"
    own.write_text(own.read_text() + "# changed\n")
    refused = site.deploy("v1")
    assert refused.status == 3 and "another haproxyConfig" in refused.report["message"], refused
    assert "docker rm -f slipway-haproxy" in refused.report["nextStep"] and site.served() == "v2", refused
    assert site.rollback("v1").status == 0, "a way back is not barred"
    own.write_text(own.read_text().removesuffix("# changed\n"))
    site.host.docker("rm", "-f", "slipway-haproxy")
    assert site.rollback("--resume").status == 0
