"""What is broken for real, so that an alert fires, and mended again. A fault is a context manager that takes the
host that is watched; the lists have them with the alerts that each must bring."""

import contextlib
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from observability.watched import Load, Watched
from slipway.watch.profile import end


@dataclass
class Fault:
    alerts: tuple[str, ...]
    what: str
    made: Callable


BESIDE: list[Fault] = []    # they touch nothing that users get, so all at once, and beside those under LOAD
LOAD: list[Fault] = []      # one after the other; nothing is deployed meanwhile
OPERATED: list[Fault] = []  # deploy or rollback takes part


def fault(kind: list[Fault], *alerts: str, what: str):
    def keep(function):
        kind.append(Fault(alerts, what, contextlib.contextmanager(function)))
        return function
    return keep


def container_of(watched: Watched, colour: str) -> int:
    """The process number of a colour's connector, as seen from here."""
    return int(watched.site.host.docker("inspect", "-f", "{{.State.Pid}}", f"slipway-{colour}").stdout)


@fault(BESIDE, "OperatorsBlind", what="the timer that resumes every minute stopped")
def no_timer(watched: Watched) -> Iterator[None]:
    watched.resumer.paused = True
    yield
    watched.resumer.paused = False


@fault(BESIDE, "RestartLoop", what="the standby's process killed three times")
def restarts(watched: Watched) -> Iterator[None]:
    colour = watched.site.spare_colour()
    for kill in range(3):
        time.sleep(12 * (kill > 0))  # it is seen between two deaths
        watched.site.host.run_inside("kill", "-9", watched.site.host.docker(
            "inspect", "-f", "{{.State.Pid}}", f"slipway-{colour}").stdout.strip())
    yield


@fault(BESIDE, "CertificateExpires", what="a certificate of three days at what ends TLS")
def old_certificate(watched: Watched) -> Iterator[None]:
    with tls_server(watched, days=3):
        targets = watched.folder / "prometheus" / "targets" / "certificate.yml"
        targets.write_text('[{ targets: ["127.0.0.1:8443"] }]\n')
        yield
    watched.running.enter_context(tls_server(watched, days=90))


@contextlib.contextmanager
def tls_server(watched: Watched, days: int) -> Iterator[None]:
    key, certificate = watched.host.home / f"{days}.key", watched.host.home / f"{days}.crt"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-days", str(days), "-subj", "/CN=shop.test", "-keyout", key, "-out", certificate], check=True,
                   capture_output=True)
    server = watched.run(f"tls-{days}", "openssl", "s_server", "-quiet", "-accept", "8443", "-key", str(key),
                         "-cert", str(certificate))
    try:
        yield
    finally:
        end(server)


@fault(BESIDE, "DiskFills", what="95 % of a file system written full")
def full_disk(watched: Watched) -> Iterator[None]:
    file = watched.disk / "ballast"
    watched.site.host.run_inside("fallocate", "-l", "52M", str(file))
    yield
    watched.site.host.run_inside("rm", str(file))


@fault(BESIDE, "NotScraped", what="a wrong port in targets/haproxy.yml")
def wrong_target(watched: Watched) -> Iterator[None]:
    file = watched.folder / "prometheus" / "targets" / "haproxy.yml"
    right = file.read_text()
    file.write_text(right.replace("8404", "8405"))
    yield
    file.write_text(right)


@fault(LOAD, "PacketsRejected", what="a tenth of all packets to a peer that is not connected")
def no_peer(watched: Watched) -> Iterator[None]:
    with Load(watched.site, 60, "carol", receives=""):
        yield


@fault(LOAD, "PacketsSlow", what="a tenth of all packets to a peer that never answers")
def silent_peer(watched: Watched) -> Iterator[None]:
    with Load(watched.site, 60, "carol", receives="silent"):
        yield


@fault(LOAD, "LedgerBehind", "LedgerNotWritable", what="another process holds the ledger's write lock")
def locked_ledger(watched: Watched) -> Iterator[None]:
    volume = watched.site.host.docker("volume", "inspect", "-f", "{{.Mountpoint}}", "slipway_state").stdout.strip()
    database = Path(f"/proc/{watched.site.host.pid}/root{volume}/ledger.db")
    connection = sqlite3.connect(database, isolation_level=None, timeout=30)
    connection.execute("BEGIN IMMEDIATE")
    yield
    connection.execute("ROLLBACK")
    connection.close()


@fault(OPERATED, "HttpErrors", "EntranceNotReady", what="HAProxy's map names a backend without a server")
def wrong_map(watched: Watched) -> Iterator[None]:
    colour = watched.site.running_colour()
    watched.site.set_map("none")
    yield
    watched.site.set_map(colour)


@fault(OPERATED, "NothingServes", "OperationNeedsHuman", what="the serving process stopped, and rollback --resume")
def hung(watched: Watched) -> Iterator[None]:
    process = container_of(watched, watched.site.running_colour())
    watched.site.host.run_inside("kill", "-STOP", str(process))
    assert watched.site.rollback("--resume", "--wait").status == 5
    yield
    watched.site.host.run_inside("kill", "-CONT", str(process))
    assert watched.site.rollback("--resume", "--wait").status == 0


@fault(OPERATED, "DeployTakenBack", what="an image that is never ready, deployed")
def bad_release(watched: Watched) -> Iterator[None]:
    assert watched.site.deploy("bad").status == 4
    yield
    assert watched.site.deploy("c1").status == 0  # what serves already would change nothing
