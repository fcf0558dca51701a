"""scripts/setup-host and host/prepare with stand-ins of ssh, Docker and systemd: the words that arrive, and what is
asked of an engine that runs. setup_test has a host and an engine of its own."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from slipway.paths import REPOSITORY
from support import needs
from support.waiting import await_true

pytestmark = needs.all_of(needs.root("host/prepare"))

# Says live-restore once a file tells it to; ENGINE=none: nobody answers.
DOCKER = """#!/bin/sh
case "$*" in
"compose version --short") echo 2.30.0 ;;
*Client.Version*) echo 28.0.0 ;;
*Server.Version*) [ "${ENGINE:-}" != none ] ;;
*LiveRestoreEnabled*) if [ -e "$WORLD/restores" ]; then echo true; else echo false; fi ;;
*) exit 64 ;;
esac
"""
# The last word is for the shell there.
SSH = '#!/bin/bash\nexec bash -c "${!#}"\n'
SYSTEMCTL = '#!/bin/sh\necho "$*" >>"$WORLD/systemctl"\n[ "$1" != reload ] || touch "$WORLD/restores"\n'
ENGINE = 'trap "touch \\"$1/restores\\"" HUP; echo $$ >"$1/root/run/docker.pid"; cat <&0 & until wait; do :; done'


class World:
    def __init__(self, folder: Path):
        self.folder, self.root, self.bin = folder, folder / "root", folder / "bin"
        (self.root / "run").mkdir(parents=True)
        self.bin.mkdir()
        for name, content in (("docker", DOCKER), ("dockerd", "#!/bin/sh\n"), ("ssh", SSH), ("systemctl", SYSTEMCTL),
                              ("deploy", "#!/bin/sh\n"), ("rollback", "#!/bin/sh\n")):
            (self.bin / name).write_text(content)
            (self.bin / name).chmod(0o755)
        (folder / "known").touch()

    def setup(self, *words: str, **environment: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [REPOSITORY / "scripts/setup-host", "root@host.test", "--known-hosts", self.folder / "known", *words],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, env={
                **os.environ, "PATH": f"{self.bin}:{os.environ['PATH']}", "SLIPWAY_EXECUTABLES": str(self.bin),
                "PREPARE_ROOT": str(self.root), "WORLD": str(self.folder), **environment})


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


def test_a_host_is_set_up_with_neither_a_key_nor_an_image(world):
    done = world.setup(ENGINE="none")
    assert done.returncode == 0, done.stdout + done.stderr
    assert '"image": ""' in (world.root / "etc/slipway/deploy.json").read_text()
    done = world.setup("--image", "registry.example/acme/api", ENGINE="none")
    assert done.returncode == 0, done.stdout + done.stderr
    told = (world.root / "etc/slipway/deploy.json").read_text()
    assert json.loads(told) == {"image": "registry.example/acme/api"}, "it can be said later"


def test_a_key_is_given_for_one_image(world):
    (world.folder / "ci.pub").write_text("ssh-ed25519 AAAA ci\n")
    done = world.setup("--key", world.folder / "ci.pub", "--image", "acme/api", ENGINE="none")
    assert done.returncode != 0 and "beside the private one" in done.stderr, done
    (world.folder / "ci").touch()
    done = world.setup("--key", world.folder / "ci.pub", ENGINE="none")
    assert done.returncode != 0 and "--image REPOSITORY" in done.stderr, done
    assert not (world.root / "etc/slipway").exists()


def test_the_image_arrives_as_one_word(world):
    done = world.setup("--image", "registry.example/acme/api", ENGINE="none")
    assert done.returncode == 0, done.stdout + done.stderr
    assert '"image": "registry.example/acme/api"' in (world.root / "etc/slipway/deploy.json").read_text()
    assert "it reads" in done.stdout and "when it starts" in done.stdout, "nobody could be asked for live-restore"


def test_an_engine_that_runs_is_made_to_read_live_restore(world):
    with subprocess.Popen(["bash", "-c", ENGINE, "engine", world.folder], stdin=subprocess.PIPE):
        await_true((world.root / "run/docker.pid").exists, "the engine")
        done = world.setup()
    assert done.returncode == 0, done.stdout + done.stderr
    assert (world.folder / "restores").exists() and "loaded" in done.stdout
    again = world.setup()
    assert again.returncode == 0 and "loaded" not in again.stdout, again


def test_where_systemd_runs_it_reloads_the_engine(world):
    (world.root / "run/systemd/system").mkdir(parents=True)
    done = world.setup()
    assert done.returncode == 0, done.stdout + done.stderr
    assert "reload docker" in (world.folder / "systemctl").read_text().splitlines()


def test_an_engine_that_does_not_take_it_is_an_error(world):
    done = world.setup()  # there is nothing that a signal would reach
    assert done.returncode == 1 and "does not keep containers" in done.stderr, done


def test_what_watches_is_there_whole_and_what_was_changed_stays(world):
    place = world.root / "etc/slipway/observability"
    assert world.setup(ENGINE="none").returncode == 0
    assert subprocess.run(["diff", "-r", REPOSITORY / "host/observability", place], check=False).returncode == 0
    assert (place / "prometheus/prometheus.yml").stat().st_mode & 0o777 == 0o644
    (place / "images.env").write_text("PROMETHEUS_IMAGE=ours\n")
    again = world.setup(ENGINE="none")
    assert again.returncode == 0 and "wrote" not in again.stdout, again.stdout
    assert (place / "images.env").read_text() == "PROMETHEUS_IMAGE=ours\n"
    shutil.rmtree(place)
    assert "observability" in world.setup(ENGINE="none").stdout and (place / "compose.yml").exists()
