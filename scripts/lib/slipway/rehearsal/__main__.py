"""scripts/rehearse: see --help."""

import argparse
import json
import os
import subprocess
import sys

from .. import paths
from ..lab import Engine, Host, LabError, Registry, images, interrupt_on_terminate
from . import report
from .bad_releases import BAD_RELEASES
from .build import Build
from .production import Production, Swap
from .stages import StageFailed, Stages, expect
from .traffic import flowing
from .versions import Source, Version
from .workflows import Workflows

CHECKOUT = paths.REPOSITORY
FOLDER = CHECKOUT / "build" / "rehearsal"
RELEASE = CHECKOUT / "build" / "release" / "bin"
SEED = FOLDER / "ccache-seed"


class Rehearsal:
    def __init__(self, short: bool, only_workflows: bool):
        self.short = short
        self.only_workflows = only_workflows
        self.stages = Stages()
        self.swaps: list[Swap] = []
        self.facts: dict[str, str] = {}
        self.workflows = Workflows(self.stages, FOLDER / "workflows", RELEASE, SEED)

    def run(self) -> None:
        with Build(self.stages, CHECKOUT, SEED) as build:
            self._setup()
            source = Source(CHECKOUT, FOLDER / "source", SEED)
            with Engine("rehearsal") as engine:
                self._bases(engine, source)
                build.wait()
                if not self.only_workflows:
                    self._gate()
                    with Registry("rehearsal") as registry, Host("production") as host:
                        self._release(source, engine, registry, host)
                if not self.short:
                    with Registry("workflows") as registry:
                        self.workflows.run(engine, registry, self.build_arguments)

    def _release(self, source: Source, engine: Engine, registry: Registry, host: Host) -> None:
        production = Production(host, registry)
        v1, v2, bad = self._images(source, engine, registry)
        with self.stages.stage("host: HAProxy, two colours, deploy and rollback") as stage:
            production.install(CHECKOUT, RELEASE, engine, self.build_arguments.get("HAPROXY_IMAGE", ""))
            stage.evidence = f"{host.ip}, its own engine, sshd and network"
        self._ship(production, v1, v2)
        for version in bad:
            self._take_back(production, version, serving=v1)

    def _setup(self) -> None:
        groups = ["docker"] if self.short else ["docker", "act"]
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
                              f"p99 {found['p99LatencyMs']:.3f} ms, connector "
                              f"{found['cpuUsagePercent']:.1f} % of a core, "
                              f"{found['memoryUsageMb']:.1f} MB")

    def _bases(self, engine: Engine, source: Source) -> None:
        with self.stages.stage("base images, with the image's compiler and libraries") as stage:
            self.build_arguments = images.ensure(engine)
            source.prepare(engine, self.build_arguments)
            stage.evidence = ", ".join(self.build_arguments.values()) or "public, by digest"

    def _images(self, source: Source, engine: Engine,
                registry: Registry) -> tuple[Version, Version, list[Version]]:
        built: list[Version] = []

        def build(version: Version) -> Version:
            with self.stages.stage(f"image and push: {version.name}") as stage:
                source.build(version, engine, registry, self.build_arguments)
                stage.evidence = f"commit {version.sha[:12]} -> {version.digest}"
            built.append(version)
            return version

        v1 = build(source.head("v1"))
        self.facts["commit"] = v1.sha
        v2 = build(source.commit("v2", "fix: the next version"))
        bad = []
        for kind in BAD_RELEASES:
            source.back_to(v2)
            bad.append(build(source.commit(kind.name, kind.subject, kind.edits(v2))))
        expect(len({version.digest for version in built}) == len(built),
               "two of the versions have the same digest")
        return v1, v2, bad

    def _ship(self, production: Production, v1: Version, v2: Version) -> None:
        with self.stages.stage("deploy v1 on the empty host") as stage:
            swap = production.operate("deploy", production.reference(v1))
            self._finish(swap, v1, 0)
            stage.evidence = production.expect_serving(v1)
        with self.stages.stage("deploy v2 under 10,000 packets/s") as stage:
            with self._load(production, "deploy-v2") as packets:
                swap = production.operate("deploy", production.reference(v2))
            swap.packets = packets
            self._finish(swap, v2, 0)
            stage.evidence = f"{production.expect_serving(v2)}; {packets.summary()}"
        with self.stages.stage("rollback to v1 under load, the registry stopped") as stage:
            production.registry.pause()
            try:
                with self._load(production, "rollback-v1") as packets:
                    swap = production.operate("rollback")
            finally:
                production.registry.resume()
            swap.packets = packets
            self._finish(swap, v1, 0)
            stage.evidence = f"{production.expect_serving(v1)}; {packets.summary()}"

    def _take_back(self, production: Production, bad: Version, serving: Version) -> None:
        with self.stages.stage(f"bad release: {bad.name}") as stage:
            with self._load(production, bad.name.replace(" ", "-")) as packets:
                swap = production.operate("deploy", production.reference(bad))
            swap.operation = f"deploy ({bad.name})"
            swap.packets = packets
            self._finish(swap, bad, 4)
            stage.evidence = f"exit 4, {production.expect_serving(serving)}; {packets.summary()}"

    def _finish(self, swap: Swap, target: Version, exit_code: int) -> None:
        swap.to_digest = target.digest
        self.swaps.append(swap)
        expect(swap.exit_code == exit_code,
               f"exit {swap.exit_code}, expected {exit_code}: "
               + swap.report.get("message", swap.last_line))

    def _load(self, production: Production, name: str):
        return flowing(RELEASE / "packet_bench", production.host.ip, production.tokens,
                       FOLDER / f"packets-{name}.json")

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
                 rehearsal.workflows.report())
    print(rehearsal.stages.table())
    print(f"\nreport: {os.path.relpath(FOLDER / 'report.md')}")
    return status


if __name__ == "__main__":
    sys.exit(main())
