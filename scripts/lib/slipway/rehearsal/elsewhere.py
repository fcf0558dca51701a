"""`slipway rehearse`: the same way for whatever service lies in a folder."""

import argparse
import os
import subprocess
import sys
from pathlib import Path

from ..lab import Engine, Host, LabError, Registry, images, interrupt_on_terminate
from . import report
from .description import Description, read
from .journey import Images, Journey, bad_versions
from .production import Production, Swap
from .stages import StageFailed, Stages
from .versions import Source, Version


class ServiceRehearsal:
    def __init__(self, folder: Path, executables: Path, results: Path, short: bool):
        """FOLDER: the service's repository. RESULTS: where reports go."""
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
            stage.evidence = f"{description.name}, port {description.port}"
        with Engine("slipway-rehearse") as engine:
            with self.stages.stage("engine, and the proxy's image") as stage:
                for archive in load_images:
                    engine.docker("load", "--quiet", "--input", str(archive))
                haproxy = images.ensure(engine).get("HAPROXY_IMAGE", "")
                stage.evidence = haproxy or "public"
            with Registry("slipway-rehearse") as registry, Host("slipway-rehearse-host") as host:
                production = Production(host, registry, description)
                self._journey(Images(self.stages, description, engine, registry), production, engine, haproxy)

    def _journey(self, made: Images, production: Production, engine: Engine, haproxy: str) -> None:
        v1, v2 = self._good(made, production.description)
        self.facts |= {"service": production.description.name, "v1": v1.digest, "v2": v2.digest}
        bad = bad_versions(made, v2, self.executables / "slipway-saboteur")
        made.expect_different()
        with self.stages.stage("host: HAProxy, two colours, deploy and rollback") as stage:
            production.install(self.folder, self.executables, engine, haproxy)
            stage.evidence = f"{production.host.ip}, its own engine, sshd and network"
        journey = Journey(self.stages, production, self.executables / "packet_bench", self.results)
        self.swaps = journey.swaps
        journey.gate(self.folder / "slipway.yml", v1, v2)
        journey.ship(v1, v2)
        for version in bad[:1] if self.short else bad:
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
    rehearsal = ServiceRehearsal(folder, arguments.executables.resolve(), results, arguments.short)
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
