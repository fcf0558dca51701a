"""A service goes to a host and back, on this machine: two good versions, and bad ones that must not stay."""

import json
import subprocess
from pathlib import Path

from ..lab import Engine, Registry
from .description import Description
from .production import HERE, Production, Swap
from .sabotage import Sabotage, derive, sabotages
from .stages import Stages, expect
from .traffic import flowing
from .versions import REVISION, Source, Version, build_from, push

# Exit statuses of packet_bench.
GATE_PASSED, GATE_INCONCLUSIVE = 0, 4


class Images:
    """The versions of a service as images in a registry."""

    def __init__(self, stages: Stages, description: Description, engine: Engine, registry: Registry,
                 here: dict | None = None):
        """HERE: what its images say in place of slipway.yml, for a rehearsal."""
        self.stages = stages
        self.description = description
        self.engine = engine
        self.registry = registry
        self.label = description.label(**(HERE if here is None else here))
        self.built: list[Version] = []

    def build(self, source: Source, version: Version, build_arguments: dict[str, str]) -> Version:
        with self.stages.stage(f"image and push: {version.name}") as stage:
            source.build(version, self.description, self.label, self.engine, self.registry, build_arguments)
            stage.evidence = f"commit {version.sha[:12]} -> {version.digest}"
        self.built.append(version)
        return version

    def take(self, name: str) -> Version:
        """The image that slipway.yml pins, as it is."""
        with self.stages.stage(f"image and push: {name}, {self.description.image}") as stage:
            digest = self.description.image.partition("@")[2]
            version = Version(name, digest.partition(":")[2][:40], "0.0.0")
            self.engine.docker("pull", "--quiet", self.description.image)
            self.engine.docker("tag", self.description.image, self._reference(version))
            push(version, self.description, self.engine, self.registry)
            stage.evidence = version.digest
        self.built.append(version)
        return version

    def relabel(self, good: Version, name: str) -> Version:
        """Another version of an image that is built elsewhere: the same with another label."""
        with self.stages.stage(f"image and push: {name}") as stage:
            version = Version(name, good.sha[::-1], "0.0.1")
            build_from(self.engine, self._reference(good), [f"LABEL {REVISION}={version.sha}"], {},
                       self._reference(version))
            push(version, self.description, self.engine, self.registry)
            stage.evidence = version.digest
        self.built.append(version)
        return version

    def sabotage(self, good: Version, kind: Sabotage, saboteur: Path) -> Version:
        with self.stages.stage(f"image and push: bad, {kind.name}") as stage:
            version = derive(self.engine, self._reference(good), kind, self.description.port, saboteur,
                             self._reference)
            push(version, self.description, self.engine, self.registry)
            stage.evidence = f"from {good.name} -> {version.digest}"
        self.built.append(version)
        return version

    def expect_different(self) -> None:
        expect(len({version.digest for version in self.built}) == len(self.built),
               "two of the versions have the same digest")

    def _reference(self, version: Version) -> str:
        return self.registry.reference(self.description.name, version.sha)


class Journey:
    """What a host does with those versions, under the load of slipway.yml's gate."""

    def __init__(self, stages: Stages, production: Production, packet_bench: Path, folder: Path):
        self.stages = stages
        self.production = production
        self.packet_bench = packet_bench
        self.folder = folder
        self.swaps: list[Swap] = []

    def gate(self, slipway_yml: Path, v1: Version, v2: Version) -> None:
        """v2 against v1 in the same seconds, on the host's own engine. They are the same program, so nothing may be
        found; on a busy machine there may be no verdict, and that is said."""
        production = self.production
        with self.stages.stage("gate: v2 against v1, in the same seconds") as stage:
            references = [production.reference(version) for version in (v1, v2)]
            for reference in references:
                production.host.docker("pull", "--quiet", reference)
            done = subprocess.run(production.host.inside(
                "env", f"DOCKER_HOST={production.host.env['DOCKER_HOST']}", str(self.packet_bench), "duet",
                "--service", str(slipway_yml), "--base-image", references[0], "--candidate-image", references[1],
                "--max-duration", "30s", "--output", str(self.folder / "duet.json"),
                "--report", str(self.folder / "duet.md")),
                stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=300)
            expect(done.returncode in (GATE_PASSED, GATE_INCONCLUSIVE),
                   f"exit {done.returncode}: {(done.stdout + done.stderr).strip()[-1500:]}")
            found = json.loads((self.folder / "duet.json").read_text())
            stage.evidence = (f"{found['verdict']} after {found['pairsUsed']} pairs, {found['pairsLeftOut']} left out "
                              "for what else this machine did; duet.md")

    def ship(self, v1: Version, v2: Version) -> None:
        production = self.production
        with self.stages.stage("deploy v1 where nothing runs yet") as stage:
            swap = production.operate("deploy", production.reference(v1))
            self._finish(swap, v1, 0)
            stage.evidence = production.expect_serving(v1)
        rate = production.description.gate["rate"]
        with self.stages.stage(f"deploy v2 under {rate:,.0f} requests/s") as stage:
            with self._load("deploy-v2") as packets:
                swap = production.operate("deploy", production.reference(v2))
            swap.packets = packets
            self._finish(swap, v2, 0)
            stage.evidence = f"{production.expect_serving(v2)}; {packets.summary()}"
        with self.stages.stage("rollback to v1 under load, the registry stopped") as stage:
            production.registry.pause()
            try:
                with self._load("rollback-v1") as packets:
                    swap = production.operate("rollback")
            finally:
                production.registry.resume()
            swap.packets = packets
            self._finish(swap, v1, 0)
            stage.evidence = f"{production.expect_serving(v1)}; {packets.summary()}"

    def take_back(self, bad: Version, serving: Version) -> None:
        """BAD is deployed under load; SERVING serves before and afterwards."""
        with self.stages.stage(f"bad release: {bad.name}") as stage:
            with self._load(bad.name.replace(" ", "-")) as packets:
                swap = self.production.operate("deploy", self.production.reference(bad))
            swap.operation = f"deploy ({bad.name})"
            swap.packets = packets
            self._finish(swap, bad, 4)
            stage.evidence = f"exit 4, {self.production.expect_serving(serving)}; {packets.summary()}"

    def _finish(self, swap: Swap, target: Version, exit_code: int) -> None:
        swap.to_digest = target.digest
        self.swaps.append(swap)
        expect(swap.exit_code == exit_code,
               f"exit {swap.exit_code}, expected {exit_code}: "
               + swap.report.get("message", swap.last_line))

    def _load(self, name: str):
        return flowing(self.packet_bench, self.production.load(self.folder), self.folder / f"packets-{name}.json",
                       self.production.served_count)


def bad_versions(images: Images, good: Version, saboteur: Path) -> list[Version]:
    return [images.sabotage(good, kind, saboteur) for kind in sabotages(images.description)]

