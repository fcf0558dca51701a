"""`slipway rehearse`: the same way for whatever service lies in a folder."""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from ..lab import Cluster, Engine, Host, LabError, Registry, images, interrupt_on_terminate
from . import namespace, report
from .description import Description, read
from .journey import Images, Journey, bad_versions
from .production import Production, Swap
from .stages import StageFailed, Stages
from .versions import Source, Version


class ServiceRehearsal:
    def __init__(self, folder: Path, executables: Path, results: Path, short: bool, kubernetes: bool = False):
        """FOLDER: the service's repository. RESULTS: where reports go. KUBERNETES: on a cluster, not on a host."""
        self.kubernetes = kubernetes
        self.folder = folder
        self.executables = executables
        self.results = results
        self.short = short
        self.stages = Stages()
        self.swaps: list[Swap] = []
        self.facts: dict[str, str] = {}

    def run(self, load_images: list[Path]) -> None:
        """LOAD_IMAGES: archives of `docker save`, for an engine that cannot pull them."""
        with self.stages.stage("slipway.yml") as stage:
            description = read(self.executables / "slipway", self.folder)
            if not description.gate.get("rate"):
                raise StageFailed("it has no gate: without a request and a rate there is no load to rehearse under")
            if not {"request", "target"} & description.gate.keys():
                raise StageFailed("its gate has neither request nor target: what is to be sent through a host's proxy?")
            for name in () if self.kubernetes else description.config:
                if not (self.folder / "host/config" / name).is_dir():
                    raise StageFailed(f"config has {name}: put what the host is to have of it into host/config/{name}")
            stage.evidence = f"{description.name}, port {description.port}"
        with Engine("slipway-rehearse") as engine:
            with self.stages.stage("engine, and the proxy's image") as stage:
                for archive in load_images:
                    engine.docker("load", "--quiet", "--input", str(archive))
                haproxy = images.ensure(engine).get("HAPROXY_IMAGE", "")
                stage.evidence = haproxy or "public"
            with Registry("slipway-rehearse") as registry:
                here = namespace.changes(description) if self.kubernetes else None
                made = Images(self.stages, description, engine, registry, here)
                if self.kubernetes:
                    self._on_a_cluster(made)
                else:
                    self._on_a_host(made, haproxy)

    def _on_a_host(self, made: Images, haproxy: str) -> None:
        with Host("slipway-rehearse-host") as host:
            production = Production(host, made.registry, made.description)
            versions = self._versions(made)
            with self.stages.stage("host: HAProxy, two colours, deploy and rollback") as stage:
                production.install(self.folder, self.executables, made.engine, haproxy)
                stage.evidence = f"{production.host.ip}, its own engine, sshd and network"
            journey = self._journey(production)
            journey.gate(self.folder / "slipway.yml", *versions[:2])
            self._go(journey, versions)

    def _on_a_cluster(self, made: Images) -> None:
        versions = self._versions(made)
        with self.stages.stage("cluster: API server, two nodes") as stage:
            cluster = Cluster("slipway-rehearse")
            cluster.start()
            stage.evidence = ", ".join(node.ip for node in cluster.nodes)
        try:
            with tempfile.TemporaryDirectory() as folder:
                place = namespace.Namespace(cluster, made.registry, made.description, self.executables, Path(folder))
                with self.stages.stage("namespace: an account, settings and secrets") as stage:
                    place.install(self.folder)
                    stage.evidence = "slipway setup --kubernetes --apply"
                self._go(self._journey(place), versions)
        finally:
            cluster.stop()

    def _versions(self, made: Images) -> list[Version]:
        """v1, v2, and then the bad ones."""
        v1, v2 = self._good(made, made.description)
        self.facts |= {"service": made.description.name, "v1": v1.digest, "v2": v2.digest}
        bad = bad_versions(made, v2, self.executables / "slipway-saboteur")
        made.expect_different()
        return [v1, v2, *(bad[:1] if self.short else bad)]

    def _journey(self, production: Production | namespace.Namespace) -> Journey:
        journey = Journey(self.stages, production, self.executables / "packet_bench", self.results)
        self.swaps = journey.swaps
        return journey

    def _go(self, journey: Journey, versions: list[Version]) -> None:
        v1, v2, *bad = versions
        journey.ship(v1, v2)
        for version in bad:
            journey.take_back(version, serving=v1)

    def _good(self, made: Images, description: Description) -> tuple[Version, Version]:
        if description.is_built_elsewhere:
            v1 = made.take("v1")
            return v1, made.relabel(v1, "v2")
        source = Source(self.folder, self.results / "source")
        return (made.build(source, source.head("v1"), {}),
                made.build(source, source.commit("v2", "fix: the next version"), {}))


def parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="slipway rehearse",
        description="Takes the service that slipway.yml describes all the way on this machine: image, registry, "
        "host, deploy, rollback, and bad releases that must come back by themselves, under the load of its gate. "
        "Needs root.",
        epilog="exit: 0 all stages passed, 1 one did not, 2 usage, 130 interrupted")
    parser.add_argument("folder", nargs="?", default=".", type=Path, help="the service's repository [.]")
    parser.add_argument("--short", action="store_true", help="one bad release instead of three")
    parser.add_argument("--kubernetes", action="store_true",
                        help="on a cluster made here instead of a host; its parts: scripts/setup cluster")
    parser.add_argument("--output", default="slipway-rehearsal", type=Path, help="where reports go [%(default)s]")
    parser.add_argument("--load-image", action="append", default=[], type=Path, metavar="ARCHIVE",
                        help="an archive of `docker save` with an image that cannot be pulled here; repeatable")
    parser.add_argument("--executables", type=Path, required=True, help=argparse.SUPPRESS)
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    arguments = parse(argv)
    if os.geteuid() != 0:
        print("slipway: error: rehearse makes hosts and engines of its own; run it as root", file=sys.stderr)
        return 2
    folder, results = arguments.folder.resolve(), arguments.output.resolve()
    results.mkdir(parents=True, exist_ok=True)
    rehearsal = ServiceRehearsal(folder, arguments.executables.resolve(), results, arguments.short,
                                 arguments.kubernetes)
    status = 1
    try:
        with interrupt_on_terminate():
            rehearsal.run(arguments.load_image)
        status = 0
    except KeyboardInterrupt:
        status = 130
    except (StageFailed, LabError, OSError, subprocess.SubprocessError) as error:
        print(f"slipway: error: {error}", file=sys.stderr)
    report.write(results, status == 0, rehearsal.stages, rehearsal.swaps, rehearsal.facts, "")
    print(rehearsal.stages.table())
    print(f"\nreport: {os.path.relpath(results / 'report.md')}")
    return status


if __name__ == "__main__":
    sys.exit(main())
