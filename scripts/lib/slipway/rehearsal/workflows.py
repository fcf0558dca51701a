"""The shipped workflows, unchanged: a push to main goes through CI and CD to two hosts, is taken back
by cd.yml from the one where users cannot reach it, and a bad release never gets past staging."""

import contextlib
import shlex
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

from .. import paths
from ..act.runner import Result
from ..lab import Engine, Host, Registry
from .description import Description
from .pipeline import NOT_REHEARSED, Environment, Pipeline
from .production import HERE, Production
from .stages import Stages, expect, markdown_table
from .traffic import flowing
from .versions import Version

# A commit whose image ends as soon as it starts.
BAD = {"Dockerfile": (r"(?m)^ENTRYPOINT .*$", 'ENTRYPOINT ["/bin/false"]')}
# How long cd.yml waits for a host's health: seconds, not the minute that real users are given.
HEALTH_SECONDS = 12
# Requests a second on each host: enough for deploy to judge a new version by.
RATE = 200


class Workflows:
    def __init__(self, stages: Stages, folder: Path, executables: Path, seed: Path):
        self.stages = stages
        self.folder = folder
        self.executables = executables
        self.seed = seed
        self.rows = [("run", "job", "result", "seconds")]

    def prepare(self) -> None:
        """Installs the packages of the release's lockfile."""
        subprocess.run([paths.REPOSITORY / "scripts/release/node", "--version"], check=True,
                       stdin=subprocess.DEVNULL, capture_output=True)

    def run(self, engine: Engine, registry: Registry, build_arguments: dict[str, str],
            description: Description, config: dict[str, Path]) -> None:
        """CONFIG: as Production.install() takes it. Needs deploy and rollback built, and the base images on ENGINE."""
        with Host("cd-staging") as staging, Host("cd-production") as production:
            self.staging = Production(staging, registry, description)
            self.production = Production(production, registry, description)
            with self.stages.stage("workflows: two hosts, staging and production") as stage:
                for host in (self.staging, self.production):
                    host.install(paths.REPOSITORY, self.executables, engine,
                                 build_arguments.get("HAPROXY_IMAGE", ""), config)
                stage.evidence = f"{staging.ip} and {production.ip}"
            build = {name: engine.env[name] for name in ("DOCKER_HOST", "DOCKER_CONFIG")}
            build["STANDIN_EXECUTABLES"] = str(self._bench_beside(engine))
            build |= {"BUILD_NETWORK": "host", **{
                name: value for name, value in build_arguments.items() if name != "HAPROXY_IMAGE"}}
            with contextlib.closing(Pipeline(
                    self.folder, registry, {
                        "STAGING": Environment(self.staging, HEALTH_SECONDS),
                        "PRODUCTION": Environment(self.production, HEALTH_SECONDS)},
                    build, self.seed, description.label(**HERE))) as self.pipeline:
                self._releases()

    def _bench_beside(self, engine: Engine) -> Path:
        """A folder with a packet_bench that runs where the engine's processes are seen, as on a runner."""
        place = self.folder.parent / "beside"
        place.mkdir(parents=True, exist_ok=True)
        words = shlex.join(engine.inside("sh", "-c", 'cd "$0" && exec "$@"'))
        (place / "packet_bench").write_text(
            f'#!/bin/sh\nexec {words} "$PWD" {shlex.quote(str(self.executables.resolve() / "packet_bench"))} "$@"\n')
        return place

    def _releases(self) -> None:
        source = self.pipeline.source
        first = source.head("first")
        self._ci(first)
        with self.stages.stage("cd.yml: first to staging, then production") as stage:
            self._cd(first, staging="success", production="success")
            stage.evidence = self._serve(staging=first, production=first)
        second = source.commit("second", "fix: the next version")
        self._ci(second, first)
        with self.stages.stage("cd.yml: second, which production's users cannot reach") as stage:
            with self._traffic("second") as lost, self._unreachable(self.production):
                self._cd(second, staging="success", production="failure")
            stage.evidence = ("production red and taken back; "
                              + self._serve(staging=second, production=first) + lost())
        # The gate would stop it; nothing to compare with lets it through, to where the host must judge by itself.
        bad = source.commit("bad", "feat: refuse to start without a licence", BAD)
        self._ci(bad)
        with self.stages.stage("cd.yml: a release that ends at once") as stage:
            with self._traffic("bad") as lost:
                self._cd(bad, staging="failure", production="skipped")
            stage.evidence = ("staging red, production never started; "
                              + self._serve(staging=second, production=first) + lost())
        with self.stages.stage("cd.yml by hand: staging back to the version before") as stage:
            with self._traffic("by-hand") as lost:
                result = self.pipeline.by_hand(bad, "rollback", "staging")
                self._expect("rollback by hand", result, rollback="success", staging="skipped",
                             production="skipped")
            stage.evidence = self._serve(staging=first, production=first) + lost()

    def _ci(self, version: Version, before: Version | None = None) -> None:
        with self.stages.stage(f"ci.yml: push of {version.name} to main") as stage:
            self.pipeline.push(version)
            result = self.pipeline.ci(version, before)
            self._expect(f"CI of {version.name}", result, publish="success", ci_status="success")
            expect(version.digest != "", f"no image is named {version.sha}")
            jobs = sum(state == "success" for state in result.jobs.values())
            compared = ", no dearer than the one before" if before else ""
            stage.evidence = f"{jobs} jobs green{compared} -> {version.version}, {version.digest}"

    def _cd(self, version: Version, **expected: str) -> None:
        result = self.pipeline.cd(version)
        self._expect(f"CD of {version.name}", result, resolve="success", **expected)

    def _expect(self, what: str, result: Result, **expected: str) -> None:
        log = self.folder / f"{what.replace(' ', '-')}.log"
        log.write_text(result.log + "\n")
        for job, state in result.jobs.items():
            self.rows.append((what, job, state, f"{result.seconds.get(job, 0):.0f}"))
        seen = {name: result.jobs.get(name.replace("_", "-"), "") for name in expected}
        expect(seen == expected, f"{what}: {seen}, expected {expected}; see {log}")

    def _serve(self, staging: Version, production: Version) -> str:
        return (f"staging: {self.staging.expect_serving(staging)}, "
                f"production: {self.production.expect_serving(production)}")

    @contextlib.contextmanager
    def _traffic(self, name: str) -> Iterator[Callable[[], str]]:
        """Requests flow through both hosts; afterwards the value tells what became of them."""
        with contextlib.ExitStack() as stack:
            counted = [stack.enter_context(flowing(
                self.executables / "packet_bench", host.load(self.folder, RATE),
                self.folder / f"packets-{name}-{host.host.name}.json", host.served_count))
                for host in (self.staging, self.production)]
            yield lambda: "".join(f"; {packets.summary()}" for packets in counted)

    @contextlib.contextmanager
    def _unreachable(self, production: Production) -> Iterator[None]:
        """The host finds itself healthy, but nobody outside gets an answer."""
        rule = ("INPUT", "--in-interface", "eth0", "--protocol", "tcp", "--dport", str(production.description.port),
                "--jump", "DROP")
        production.host.run_inside("iptables", "--insert", *rule)
        try:
            yield
        finally:
            production.host.run_inside("iptables", "--delete", *rule)

    def report(self) -> str:
        """Markdown: each job of each run, and what a rehearsal cannot show."""
        return "\n\n".join(("## Workflows", markdown_table(self.rows),
                            "Not rehearsed:\n" + "\n".join(f"- {what}" for what in NOT_REHEARSED)))
