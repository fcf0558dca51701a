"""scripts/rehearse: see --help."""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

from .. import paths
from ..lab import Engine, Host, LabError, Registry, images, interrupt_on_terminate
from ..watch import pictures
from ..watch.profile import Profile
from . import report
from .build import Build
from .description import read
from .journey import Images, Journey, bad_versions
from .production import METRICS, Production, Swap
from .stages import StageFailed, Stages
from .versions import Source
from .workflows import Workflows

CHECKOUT = paths.REPOSITORY
FOLDER = CHECKOUT / "build" / "rehearsal"
RELEASE = CHECKOUT / "build" / "release" / "bin"
SEED = FOLDER / "ccache-seed"
CONFIG = {"connector": CHECKOUT / "src/connector/host"}


class Rehearsal:
    """This checkout's commit, from its sources on."""

    def __init__(self, short: bool, only_workflows: bool):
        self.short = short
        self.only_workflows = only_workflows
        self.stages = Stages()
        self.swaps: list[Swap] = []
        self.facts: dict[str, str] = {}
        self.pictures: list[Path] = []
        self.workflows = Workflows(self.stages, FOLDER / "workflows", RELEASE, SEED)

    def run(self) -> None:
        with Build(self.stages, CHECKOUT, SEED) as build:
            self._setup()
            source = Source(CHECKOUT, FOLDER / "source", SEED)
            with Engine("rehearsal") as engine:
                self._bases(engine, source)
                build.wait()
                description = read(RELEASE / "slipway", CHECKOUT)
                if not self.only_workflows:
                    self._gate()
                    with Registry("rehearsal") as registry, Host("production") as host:
                        self._release(source, engine, registry, Production(host, registry, description))
                if not self.short:
                    with Registry("workflows") as registry:
                        self.workflows.run(engine, registry, self.build_arguments, description, CONFIG)

    def _release(self, source: Source, engine: Engine, registry: Registry, production: Production) -> None:
        images = Images(self.stages, production.description, engine, registry)
        v1 = images.build(source, source.head("v1"), self.build_arguments)
        self.facts["commit"] = v1.sha
        v2 = images.build(source, source.commit("v2", "fix: the next version"), self.build_arguments)
        bad = bad_versions(images, v2, RELEASE / "slipway-saboteur")
        images.expect_different()
        with self.stages.stage("host: HAProxy, two colours, deploy and rollback") as stage:
            production.install(CHECKOUT, RELEASE, engine, self.build_arguments.get("HAPROXY_IMAGE", ""), CONFIG,
                               watched=True)
            stage.evidence = f"{production.host.ip}, its own engine, sshd and network"
        journey = Journey(self.stages, production, RELEASE / "packet_bench", FOLDER)
        self.swaps = journey.swaps
        with Profile(production.host, METRICS) as profile:
            journey.ship(v1, v2)
            for version in bad:
                journey.take_back(version, serving=v1)
            with self.stages.stage("pictures of the dashboards") as stage:
                self.pictures = pictures.write(profile, FOLDER)
                stage.evidence = ", ".join(file.name for file in self.pictures)

    def _setup(self) -> None:
        groups = ["docker", "metrics"] + ([] if self.short else ["act"])
        with self.stages.stage("setup: what follows the build") as stage:
            self._command(str(CHECKOUT / "scripts/setup"), *groups)
            if not self.short:
                self.workflows.prepare()
            stage.evidence = f"scripts/setup {' '.join(groups)}"

    def _gate(self) -> None:
        results = FOLDER / "benchmark-results.json"
        with self.stages.stage("benchmark gate: 10,000 packets/s") as stage:
            FOLDER.mkdir(parents=True, exist_ok=True)
            self._command(str(RELEASE / "packet_bench"), "run", "--rate", "10000",
                          "--threshold-tps", "10000", "--duration", "5s" if self.short else "10s",
                          "--retries", "2", "--output", str(results))
            found = json.loads(results.read_text())
            stage.evidence = (f"{found['tps']:.0f} packets/s, p50 {found['p50LatencyMs']:.3f} ms, "
                              f"p99 {found['p99LatencyMs']:.3f} ms, target "
                              f"{found['cpuUsagePercent']:.1f} % of a core, "
                              f"{found['memoryUsageMb']:.1f} MB")

    def _bases(self, engine: Engine, source: Source) -> None:
        with self.stages.stage("base images, with the image's compiler and libraries") as stage:
            self.build_arguments = images.ensure(engine)
            source.prepare(engine, self.build_arguments)
            stage.evidence = ", ".join(self.build_arguments.values()) or "public, by digest"

    @staticmethod
    def _command(*argv: str) -> None:
        done = subprocess.run(argv, cwd=CHECKOUT, stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, check=False)
        if done.returncode != 0:
            output = (done.stdout + done.stderr).strip()
            raise StageFailed(f"{argv[0]}: exit {done.returncode}\n{output[-3000:]}")


def parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/rehearse",
        description="Takes this checkout's commit all the way on this machine: build, benchmark "
        "gate, image, registry, host, deploy, rollback, three bad releases that must come back by "
        "themselves, and the shipped workflows, run by act, from a push to two hosts. Writes "
        "build/rehearsal/report.md and report.json. Needs root.",
        epilog="exit: 0 all stages passed, 1 one did not, 130 interrupted")
    parser.add_argument("--short", action="store_true",
                        help="a shorter benchmark (5 s), and no workflows")
    parser.add_argument("--workflows", action="store_true", help="only the workflows")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    arguments = parse(argv)
    rehearsal = Rehearsal(arguments.short, arguments.workflows)
    status = 1
    try:
        with interrupt_on_terminate():
            rehearsal.run()
        status = 0
    except KeyboardInterrupt:
        status = 130
    except (StageFailed, LabError, OSError, subprocess.SubprocessError) as error:
        print(f"rehearse: error: {error}", file=sys.stderr)
    report.write(FOLDER, status == 0, rehearsal.stages, rehearsal.swaps, rehearsal.facts,
                 rehearsal.workflows.report(), rehearsal.pictures)
    print(rehearsal.stages.table())
    print(f"\nreport: {os.path.relpath(FOLDER / 'report.md')}")
    return status


if __name__ == "__main__":
    sys.exit(main())
