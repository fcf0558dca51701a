"""A host of before there was slipway.yml: refused as it is, migrated by a command, and then worked on as any
other, also back to what ran before. Its files, as they were shipped then, are in `before`."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from deploy.site import NEEDS, STAND_IN, Site
from deploy.traffic import Load

BEFORE = Path(__file__).parent / "before"
FILES = ("compose.yml", "haproxy.cfg")
REMOVED = ("btpPort", "httpPort", "packetCommand", "health", "drainTimeout", "bake")


@pytest.fixture
def folder(tmp_path):
    """/etc/slipway as the guide of then had it copied."""
    for name in (*FILES, "deploy.json"):
        shutil.copy(BEFORE / name, tmp_path)
    (tmp_path / "connector").mkdir()
    (tmp_path / "connector" / "connector.json").write_text("{}")
    (tmp_path / "connector.env").write_text("A=b\n")
    change(tmp_path, stateDir=str(tmp_path / "state"))
    return tmp_path


def change(folder: Path, **changes) -> dict:
    file = folder / "deploy.json"
    config = json.loads(file.read_text()) | changes
    file.write_text(json.dumps(config))
    return config


@pytest.fixture
def call(executables, folder):
    def run(program: str, *arguments: str):
        return subprocess.run([executables / program, "--config", folder / "deploy.json", *arguments],
                              capture_output=True, text=True, check=False, timeout=60)
    return run


def content(folder: Path) -> dict[str, str]:
    return {str(file.relative_to(folder)): file.read_text() for file in sorted(folder.rglob("*")) if file.is_file()}


def described(executables, folder: Path) -> dict:
    done = subprocess.run([executables / "slipway", "check", folder / "slipway.yml"], capture_output=True, text=True,
                          check=True)
    return json.loads(done.stdout)


@pytest.mark.parametrize("program", ["deploy", "rollback"])
def test_an_old_configuration_is_2_with_its_fields_and_the_remedy(call, folder, program):
    before = content(folder)
    refused = call(program, *(["x:1"] if program == "deploy" else []))
    assert refused.returncode == 2 and content(folder) == before, refused
    for word in ("btpPort", "packetCommand", "deploy --migrate-config --config"):
        assert word in refused.stderr, refused


def test_what_was_of_the_service_goes_into_slipway_yml_and_the_rest_stays(call, folder, executables):
    old = change(folder, btpPort=4100, drainTimeout="7s", webhook="http://hook.test/",
                 bake={"window": "3s", "minimumPackets": 50, "worseRejects": 0.02, "latencyAllowance": "9ms"})
    done = call("deploy", "--migrate-config")
    assert done.returncode == 0, done
    service = described(executables, folder)
    assert (service["tcp"], service["port"], service["roles"]) == ([4000], 8080, "signals")
    assert service["probe"] == old["packetCommand"] and service["drain"] == "7s"
    assert service["healthy"]["times"] == old["health"]["healthyInARow"] and service["healthy"]["for"] == "2s"
    assert service["bake"]["worse"] | {"errors": "2%", "allowance": "9ms"} == service["bake"]["worse"]
    assert service["env"]["CONNECTOR_ROLE"] == "standby"
    new = json.loads((folder / "deploy.json").read_text())
    assert not set(REMOVED) & set(new) and "composeFile" not in new and "haproxyConfig" not in new
    assert new["ports"] == {"4000": 4100} and new["webhook"] == old["webhook"] and new["envFile"] == "connector.env"
    assert Path(new["configDir"], "connector", "connector.json").exists()
    assert json.loads((folder / "deploy.json.before").read_text()) == old
    assert call("rollback", "--history").returncode == 0


def test_done_again_or_taken_up_in_the_middle_it_comes_to_the_same(call, folder):
    call("deploy", "--migrate-config")
    whole = content(folder)
    again = call("deploy", "--migrate-config")
    assert again.returncode == 0 and "nothing to migrate" in again.stdout and content(folder) == whole
    # As after a power cut before the last write.
    shutil.copy(folder / "deploy.json.before", folder / "deploy.json")
    assert call("deploy", "--migrate-config").returncode == 0 and content(folder) == whole


def little(folder: Path) -> None:
    """A deploy.json that goes by the defaults of then, beside a compose.yml that was changed on the host."""
    said = {"project": "slipway", "image": "registry.example/example/m2m-connector", "stateDir": str(folder / "state"),
            "configDir": "conf"}
    (folder / "deploy.json").write_text(json.dumps(said))


def much(folder: Path) -> None:
    change(folder, configDir="conf")


def changed_here(folder: Path, describe) -> None:
    with open(folder / "compose.yml", "a", encoding="utf-8") as file:
        file.write("# ours\n")
    (folder / "connector").rename(folder / "conf")
    describe(folder)


@pytest.mark.parametrize("describe", [little, much])
@pytest.mark.parametrize("blocked", ["compose.yml.before", "config", "deploy.json.before"])
def test_what_stops_half_way_can_be_run_again(call, folder, tmp_path_factory, describe, blocked):
    """Where a folder stands in a file's place, or a file in a folder's, nothing can be written."""
    changed_here(folder, describe)
    untouched = tmp_path_factory.mktemp("untouched") / "etc"
    shutil.copytree(folder, untouched)
    assert call("deploy", "--migrate-config").returncode == 0
    whole = content(folder)
    assert {"slipway.yml", "compose.yml.before", "deploy.json.before"} <= set(whole)
    shutil.rmtree(folder)
    shutil.copytree(untouched, folder)
    in_the_way = folder / blocked
    in_the_way.write_text("") if blocked == "config" else in_the_way.mkdir()
    stopped = call("deploy", "--migrate-config")
    assert stopped.returncode not in (0, 2) and blocked in stopped.stderr, stopped
    refused = call("deploy", "x:1")
    assert refused.returncode == 2 and "--migrate-config" in refused.stderr, refused
    in_the_way.unlink() if blocked == "config" else in_the_way.rmdir()
    again = call("deploy", "--migrate-config")
    assert again.returncode == 0 and "nothing to migrate" not in again.stdout, again
    assert content(folder) == whole


WRITES = ("compose.yml.before", "compose.yml", "config", "deploy.json.before", "slipway.yml")


@pytest.mark.parametrize("describe", [little, much])
@pytest.mark.parametrize("count", range(len(WRITES) + 1))
def test_after_a_power_cut_between_any_two_writes_it_is_taken_up(call, folder, tmp_path_factory, describe, count):
    changed_here(folder, describe)
    before, after = (tmp_path_factory.mktemp("states") / name for name in ("before", "after"))
    shutil.copytree(folder, before)
    call("deploy", "--migrate-config")
    whole = content(folder)
    shutil.copytree(folder, after, symlinks=True)
    shutil.rmtree(folder)
    shutil.copytree(before, folder)
    for name in WRITES[:count]:
        if (after / name).is_dir():
            shutil.copytree(after / name, folder / name, symlinks=True)
        else:
            shutil.copy(after / name, folder / name)
    assert call("deploy", "--migrate-config").returncode == 0 and content(folder) == whole
    assert "nothing to migrate" in call("deploy", "--migrate-config").stdout


@pytest.mark.parametrize("name", ["slipway.yml", "compose.yml.before", "deploy.json.before"])
def test_what_is_in_the_way_is_told_before_anything_is_written(call, folder, name):
    changed_here(folder, much)
    (folder / name).write_text("something else\n")
    before = content(folder)
    refused = call("deploy", "--migrate-config")
    assert refused.returncode == 2 and f"{name} is there already" in refused.stderr, refused
    assert content(folder) == before


def test_files_that_were_changed_on_the_host_are_kept_as_its_own(call, folder):
    for name in FILES:
        with open(folder / name, "a", encoding="utf-8") as file:
            file.write("# ours\n")
    (folder / "connector").rename(folder / "conf")
    change(folder, configDir="conf")
    assert call("deploy", "--migrate-config").returncode == 0
    new = json.loads((folder / "deploy.json").read_text())
    assert (new["composeFile"], new["haproxyConfig"]) == FILES
    assert new["variables"] == {"SLIPWAY_BTP_PORT": "4000", "SLIPWAY_HTTP_PORT": "8080"}
    compose = (folder / "compose.yml").read_text()
    assert "${SLIPWAY_CONFIG_DIR:?}/connector\n" in compose and compose.endswith("# ours\n")
    assert (folder / new["configDir"] / "connector" / "connector.json").exists()
    assert "env:" not in (folder / "slipway.yml").read_text()


@pytest.mark.parametrize(("spoil", "said"), [
    (lambda folder: (folder / "slipway.yml").write_text("port: 1\n"), "move it away"),
    (lambda folder: change(folder, drainTimeout="long"), "drain"),
    (lambda folder: change(folder, stateDri="/x"), "stateDri")],
    ids=["in the way", "a wrong value", "an unknown field"])
def test_what_cannot_be_migrated_is_2_and_the_old_configuration_stays(call, folder, spoil, said):
    spoil(folder)
    before = (folder / "deploy.json").read_text()
    refused = call("deploy", "--migrate-config")
    assert refused.returncode == 2 and said in refused.stderr, refused
    assert (folder / "deploy.json").read_text() == before


def as_of_then(site: Site) -> None:
    """The host's files, also those of what runs, as the tools of then left them."""
    for snapshot in (site.state / "snapshots").iterdir():
        (snapshot / "service.json").unlink()
        (snapshot / "service.env").rename(snapshot / "connector.env")
        shutil.copytree(snapshot / "config" / "connector", snapshot / "config", dirs_exist_ok=True)
        shutil.rmtree(snapshot / "config" / "connector")
    (site.state / "proxy" / "read-from").unlink()
    (site.folder / "slipway.yml").unlink()
    (site.folder / "service.env").rename(site.folder / "connector.env")
    settings = json.loads((BEFORE / "deploy.json").read_text()) | {
        name: value for name, value in json.loads((site.folder / "deploy.json").read_text()).items()
        if name not in ("variables", "configDir", "envFile")}
    settings |= {"packetCommand": ["/stand_in", "probe"], "drainTimeout": "5s",
                 "health": {"interval": "100ms", "timeout": "1s", "healthyInARow": 3, "minimumHealthy": "300ms"}}
    (site.folder / "deploy.json").write_text(json.dumps(settings))


@NEEDS
def test_a_host_that_serves_is_migrated_and_swapped_under_load_without_a_lost_request(executables, tell):
    service = STAND_IN | {"config": {"connector": "/etc/connector"}, "env": {}}
    with Site("migration", executables, service=service, composeFile="compose.yml", haproxyConfig="haproxy.cfg",
              configDir=".", variables={"SLIPWAY_BTP_PORT": "4000", "SLIPWAY_HTTP_PORT": "8080"}) as site:
        for name in FILES:
            shutil.copy(BEFORE / name, site.folder)
        (site.folder / "connector").mkdir()
        (site.folder / "connector" / "connector.json").write_text("{}")
        for tag in ("v1", "v2", "v3"):
            site.publish(tag)
        for tag in ("v1", "v2"):
            first = site.deploy(tag)
            assert first.status == 0, first
        as_of_then(site)
        before = site.containers()
        with Load(site) as load:
            refused = site.deploy("v3")
            assert refused.status == 2 and "--migrate-config" in refused.err, refused
            migrated = site.run("deploy", "--migrate-config")
            assert migrated.status == 0 and site.containers() == before, migrated
            status = site.rollback("--status").report
            assert status["healthy"] and status["running"]["tag"] == "v2", status
            back = site.rollback()
            assert back.status == 0 and back.report["warm"] and site.served() == "v1", back
            # From nothing but what was kept then.
            site.make_cold()
            cold = site.rollback("v2")
            assert cold.status == 0 and not cold.report["warm"] and site.served() == "v2", cold
            third = site.deploy("v3")
            assert third.status == 0 and site.served() == "v3", third
            assert site.rollback().status == 0 and site.served() == "v2"
        assert load.packets["sent"] > 1000 and load.lost() == 0, load.packets
        tell(f"{load.packets['sent']} requests, {load.lost()} lost")
