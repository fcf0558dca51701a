"""Faults of the registry, the network, the disks and the image store: 1 to 6."""

import os
import shutil
import signal
import subprocess
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

from deploy.fault import expect, fault
from deploy.site import Site
from slipway.lab import images


@contextmanager
def no_registry(site: Site):
    site.registry.pause()
    try:
        yield
    finally:
        site.registry.resume()


@contextmanager
def thin_link(site: Site, megabit: int = 60):
    """The host's link carries so little that a pull of 40 MB takes seconds."""
    change = ["tc", "qdisc", "add", "dev", site.host.link, "root", "tbf", "rate",
              f"{megabit}mbit", "burst", "128kb", "latency", "100ms"]
    subprocess.run(change, check=True, capture_output=True)
    try:
        yield
    finally:
        subprocess.run(["tc", "qdisc", "del", "dev", site.host.link, "root"], check=False,
                       capture_output=True)


@fault(1, "registry stopped: rollback to a cold local image", 0)
def stopped_rollback(site):
    site.deploy("v2")
    site.make_cold()
    with no_registry(site):
        return site.rollback("v1")


@fault(1, "registry stopped: deploy of a digest that is here", 0, "v2")
def stopped_local(site):
    with no_registry(site):
        return site.run("deploy", f"{site.reference()}@{site.releases['v2']}")


@fault(1, "registry stopped: deploy of a tag", 7)
def stopped_tag(site):
    before = site.containers()
    with no_registry(site):
        outcome = site.deploy("v2")
    expect(site.containers() == before, "nothing may be touched")
    return outcome


class TooMany(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(429)
        self.end_headers()

    do_HEAD = do_GET

    def log_message(self, *_arguments):
        pass


@fault(1, "registry answers 429: deploy of a tag", 7)
def too_many_requests(site):
    with no_registry(site):
        server = HTTPServer((site.registry.ip, site.registry.port), TooMany)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            return site.deploy("v2")
        finally:
            server.shutdown()
            server.server_close()


@fault(2, "tag missing", 7)
def missing_tag(site):
    outcome = site.deploy("v404")
    expect(site.releases["v1"] in outcome.report["nextStep"], outcome)
    return outcome


@fault(3, "a layer's bytes changed in the registry", 7)
def tampered_layer(site):
    site.publish("tampered", ballast_mb=1)
    blobs = site.registry.data_dir.glob("docker/registry/v2/blobs/sha256/*/*/data")
    newest = max(blobs, key=lambda blob: (blob.stat().st_mtime, blob.stat().st_size))
    layer = max((blob for blob in newest.parents[2].glob("*/*/data")
                 if newest.stat().st_mtime - blob.stat().st_mtime < 5),
                key=lambda blob: blob.stat().st_size)
    content = bytearray(layer.read_bytes())
    content[len(content) // 2] ^= 1
    layer.write_bytes(content)
    return site.deploy("tampered")


def cosign(site: Site) -> Path | None:
    """A key pair beside the host's configuration and the program, where it is installed."""
    program = shutil.which("cosign")
    key = site.folder / "cosign.key"
    if program and not key.exists():
        subprocess.run([program, "generate-key-pair"], cwd=site.folder, check=True,
                       capture_output=True, env={"COSIGN_PASSWORD": "", "HOME": str(site.folder)})
    return Path(program) if program else None


def verify_command(site: Site) -> list[str]:
    if program := cosign(site):
        return [str(program), "verify", "--key", str(site.folder / "cosign.pub"),
                "--insecure-ignore-tlog=true", "--allow-http-registry", "{image}"]
    return ["grep", "-qxF", "{image}", str(site.folder / "signed")]


def sign(site: Site, tag: str) -> None:
    image = f"{site.reference()}@{site.releases[tag]}"
    (site.folder / "signed").write_text(f"{image}\n")
    if program := cosign(site):
        subprocess.run([program, "sign", "--yes", "--tlog-upload=false", "--key",
                        site.folder / "cosign.key", "--allow-http-registry", image],
                       check=True, capture_output=True,
                       env={"COSIGN_PASSWORD": "", "HOME": str(site.folder)})


@fault(3, "signature missing (cosign, or grep where there is none)", 7)
def unsigned(site):
    site.publish("signed")
    site.publish("unsigned", labels={"a": "b"})
    sign(site, "signed")
    site.configure(verifyCommand=verify_command(site))
    outcome = site.deploy("unsigned")
    expect("is not verified" in outcome.report["message"], outcome)
    return outcome


@fault(3, "the same host, an image that is signed", 0, "signed")
def signed(site):
    site.configure(verifyCommand=verify_command(site))
    return site.deploy("signed")


def pull_big(site: Site, tag: str, meanwhile, **changes):
    """Deploys 40 MB over a thin link and does MEANWHILE a second later."""
    site.publish(tag, ballast_mb=40)
    site.configure(**changes)
    with thin_link(site):
        running = site.begin("deploy", site.reference(tag))
        time.sleep(2)
        expect(running.process.poll() is None, "the pull must still go on")
        meanwhile()
        return running.outcome()


@fault(4, "registry killed in mid-pull, back after 2 s", 0, "big1")
def pull_interrupted(site):
    def meanwhile():
        with no_registry(site):
            time.sleep(2)
    return pull_big(site, "big1", meanwhile)


@fault(4, "registry killed in mid-pull, gone for good", 7)
def pull_broken(site):
    outcome = pull_big(site, "big2", site.registry.pause, pullTimeout="6s")
    site.registry.resume()
    return outcome


@fault(4, "the same image again: the partial pull is completed", 0, "big2")
def pull_completed(site):
    return site.deploy("big2")


@fault(4, "link down in mid-pull, up after 2 s", 0, "big3", interrupts=True)
def link_flaps(site):
    def meanwhile():
        site.host.cut_link()
        time.sleep(2)
        site.host.mend_link()
    return pull_big(site, "big3", meanwhile)


@fault(4, "link down in mid-pull for good", 7, interrupts=True)
def link_down(site):
    outcome = pull_big(site, "big4", site.host.cut_link, pullTimeout="6s")
    site.host.mend_link()
    return outcome


@fault(6, "docker system prune -af, registry stopped: rollback", 0)
def pruned(site):
    site.deploy("v2")
    site.host.docker("system", "prune", "-af")
    with no_registry(site):
        return site.rollback()


def remove_by_force(site: Site, tag: str) -> None:
    """What is held is taken away all the same, by somebody who knows how."""
    site.deploy("v2")
    site.make_cold()
    digest = site.releases[tag]
    site.host.docker("rm", "-f", f"slipway-held-{digest[7:19]}")
    for name in (f"slipway-held:{digest[7:19]}", f"{site.reference()}@{digest}"):
        subprocess.run(["docker", "rmi", "-f", name], env=site.host.env, capture_output=True,
                       check=False)


@fault(6, "the previous image removed by force: rollback", 0)
def removed(site):
    remove_by_force(site, "v1")
    return site.rollback("v1")


@fault(6, "removed by force and registry stopped: rollback", 7, "v2")
def removed_without_registry(site):
    remove_by_force(site, "v1")
    with no_registry(site):
        return site.rollback("v1")


def small_disks(site: Site) -> None:
    """From now on engine and state are on small disks of their own, and v1 serves from there."""
    if site.host.run_inside("sh", "-c", f"mountpoint -q {site.state} || echo no").stdout == "":
        return
    for name in site.containers():
        site.host.docker("rm", "-f", name)
    site.host.docker("network", "prune", "-f")  # the next engine uses the same addresses
    site.host.kill_service("dockerd", signal.SIGTERM)
    for megabytes, folder in ((900, site.host.data_dir / "docker"), (64, site.state)):
        disk = site.host.home / f"{folder.name}.disk"
        disk.write_bytes(b"")
        os.truncate(disk, megabytes << 20)
        # No blocks reserved for root: full is full.
        subprocess.run(["mkfs.ext4", "-q", "-m", "0", disk], check=True, capture_output=True)
        site.host.run_inside("mount", "-o", "loop", str(disk), str(folder))
    site.host.start_engine()
    site.settings["minimumFreeMb"] = 1
    site.configure(minimumFreeMb=1)
    images.local_haproxy(site.host)
    for tag in ("v2", "v1"):
        outcome = site.deploy(tag)
        expect(outcome.status == 0, outcome)


@contextmanager
def full(site: Site, folder: Path):
    """Not a byte is free where FOLDER is."""
    site.host.run_inside("sh", "-c", f"dd if=/dev/zero of={folder}/filler bs=64k 2>/dev/null;"
                         f"dd if=/dev/zero of={folder}/filler2 bs=1 count=65536 2>/dev/null; true")
    try:
        yield
    finally:
        site.host.run_inside("rm", "-f", f"{folder}/filler", f"{folder}/filler2")


@fault(5, "engine's disk (loop mount) below minimumFreeMb", 3)
def engine_disk_low(site):
    site.make_cold()
    site.configure(minimumFreeMb=20)
    with full(site, site.host.data_dir / "docker"):
        outcome = site.run("deploy", f"{site.reference()}@{site.releases['v2']}")
    expect("docker has 0 MB free" in outcome.report["message"], outcome)
    return outcome


@fault(5, "engine's disk full, no minimum: a pull", 7)
def engine_disk_full(site):
    site.publish("big5", ballast_mb=8)
    site.configure(minimumFreeMb=0)
    with full(site, site.host.data_dir / "docker"):
        return site.deploy("big5")


@fault(5, "both disks full: rollback to the warm colour", 0)
def disks_full_rollback(site):
    site.deploy("v2")
    with full(site, site.host.data_dir / "docker"), full(site, site.state):
        return site.rollback("v1")


@fault(5, "state's disk full, a configuration to be kept: deploy", 3)
def state_disk_full(site):
    site.configure(minimumFreeMb=0)
    with open(site.folder / "service.env", "a", encoding="utf-8") as env:
        env.write("# " + "x" * 20000 + "\n")
    with full(site, site.state):
        return site.deploy("v2")


@fault(5, "state's disk fills up while the candidate is proven", 0, "v2")
def state_disk_fills(site):
    site.slow_proof()
    site.make_cold()
    running = site.begin("deploy", site.reference("v2"))
    site.await_step("prove")
    with full(site, site.state):
        return running.outcome()
