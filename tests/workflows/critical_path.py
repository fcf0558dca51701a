#!/usr/bin/env python3
"""How long a pull request waits for its checks.

Runs jobs of ci.yml under act, one after another so that each has all of this machine's processors, for a pull request
that changes a header of the connector, with every script real. Cold: every cache empty, and an engine without a layer.
Warm: a second change of that header, with the compiler cache that the first left; a job that keeps none (what is
published is built from nothing, so that no poisoned cache reaches it) is as long as it was, and is not run again. The
gate has an image of the commit before to compare with, made and published first. Tells
for each its seconds, the processor seconds of what it started (an engine's not counted), what it waits for, and when it
would end if every job had a runner of its own: what GitHub gives. Packages are installed already; GitHub's runners take
about a minute more for them. --save FILE keeps the figures; --against FILE shows them beside those of another time.
Without arguments: one leg of each job that a pull request waits for. --queue: of all.
"""

import json
import os
import resource
import shlex
import shutil
import sys
import time
from pathlib import Path

import yaml

sys.path[:0] = [str(Path(__file__).resolve().parents[2] / folder) for folder in ("scripts/lib", "tests")]
from slipway import cli
from slipway.act.runner import Act
from slipway.lab import Engine, images
from slipway.lab.capsule import LabError, run
from workflows.act_world import ROOT, SLOW, ActWorld

LEGS = ["plan", "next-version", "lint", "trivy-fs", "image", "image-scan", "performance-benchmark", "gate", "analysis",
        "build-and-test", "sanitizers:preset=asan", "sanitizers:preset=tsan", "integration:suite=docker",
        "integration:suite=blackbox"]
# What the merge queue and main run besides. Of the suites kubernetes cannot be measured: there is no kind here.
QUEUE = ["codeql", "other-toolchains:os=ubuntu-24.04,compiler=clang", "other-toolchains:os=debian-12,compiler=gcc",
         "integration:suite=workflows", "integration:suite=release",
         "integration:suite=release-workflow", "integration:suite=reproducible"]

# Much of the connector includes it.
CHANGED = "src/connector/forwarder.hpp"


def shipped_jobs() -> dict:
    return yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())["jobs"]


def graph() -> dict:
    return {name: [body["needs"]] if isinstance(body.get("needs"), str) else body.get("needs", [])
            for name, body in shipped_jobs().items()}


def keeps(leg: str) -> bool:
    """Whether the job of LEG has a compiler cache from run to run."""
    return any(step.get("uses", "").startswith("./.github/actions/prepare")
               for step in shipped_jobs()[leg.partition(":")[0]]["steps"])


class RunnersEngine(Engine):
    """With a bridge, as a runner's: the gate drives containers at their own addresses. In this machine's network, whose
    rules stay as they are."""

    @property
    def bridge(self) -> str:
        return f"cp{self.short_id}"

    def _network_flags(self) -> list[str]:
        without = [flag for flag in super()._network_flags() if not flag.startswith("--bridge=")]
        return [f"--bridge={self.bridge}", *without]

    def prepare(self) -> None:
        super().prepare()
        run("ip", "link", "add", self.bridge, "type", "bridge")
        run("ip", "address", "add", "10.234.0.1/24", "dev", self.bridge)
        run("ip", "link", "set", self.bridge, "up")

    def undo(self) -> list[list[str]]:
        return [["ip", "link", "del", self.bridge]]


def with_the_engine(act: Act, engine: Engine, folder: Path) -> None:
    """ACT beside ENGINE: the processes that it tells of are those of its namespace."""
    folder.mkdir(exist_ok=True)
    wrapper = folder / "act"
    inside = shlex.join(engine.inside("env"))
    wrapper.write_text(f'#!/bin/sh\nexec {inside} --chdir="$PWD" {shutil.which("act")} "$@"\n')
    wrapper.chmod(0o755)
    act.path = str(folder)


def publish(w: ActWorld, commit: str, act: Act) -> None:
    """The image of COMMIT, as CI of main leaves it."""
    result = act.run("ci", "push", pushed(commit), commit, job="image", concurrent=1)
    if result.jobs.get("image") != "success":
        raise LabError(f"the image of the commit before: {result.log[-2000:]}")
    registry = w.world.images()
    registry.tag(registry.push_layout(w.state / "artifacts/image"), commit)


def processor_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measure(w: ActWorld, leg: str, base: str, head: str, act: Act) -> tuple:
    job, _, matrix = leg.partition(":")
    w.world.hub.pulls[7] = "feat: be measured"
    if leg in QUEUE:
        return measure_push(w, leg, head, act)
    payload = {"number": 7, "repository": {"full_name": "acme/conn"}, "pull_request": {
        "number": 7, "title": "feat: be measured", "base": {"sha": base, "ref": "main"},
        "head": {"sha": head, "ref": "topic", "repo": {"full_name": "acme/conn"}}}}
    return timed(w, leg, lambda: act.run(
        "ci", "pull_request", payload, head, ref="refs/pull/7/merge", job=job, concurrent=1, matrix=axes(matrix)))


def pushed(commit: str) -> dict:
    return {"ref": "refs/heads/main", "before": "0" * 40, "after": commit,
            "repository": {"full_name": "acme/conn", "default_branch": "main"}}


def measure_push(w: ActWorld, leg: str, head: str, act: Act) -> tuple:
    """What a pull request leaves out, as a push to main runs it."""
    job, _, matrix = leg.partition(":")
    return timed(w, leg, lambda: act.run("ci", "push", pushed(head), head, job=job, concurrent=1, matrix=axes(matrix)))


def axes(matrix: str) -> dict | None:
    return dict(pair.split("=") for pair in matrix.split(",")) if matrix else None


def timed(w: ActWorld, leg: str, run) -> tuple:
    """(result, seconds, processor seconds) of the job of LEG in what RUN() runs."""
    job = leg.partition(":")[0]
    before, began = processor_seconds(), time.monotonic()
    result = run()
    seconds = result.seconds.get(job, time.monotonic() - began)
    log = Path(os.environ.get("CRITICAL_PATH_LOGS", w.state)) / f"{leg.replace('/', '-')}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a", encoding="utf-8") as file:
        file.write(result.log)
    return result.jobs.get(job, "?"), seconds, processor_seconds() - before


def ends(measured: dict) -> dict:
    """When each measured job would end: after the last of those it needs, and its own seconds."""
    needs = graph()

    def end(job: str) -> float:
        own = max((s for leg, (_, s, _) in measured.items() if leg.partition(":")[0] == job),
                  default=0.0)
        return own + max((end(other) for other in needs[job]), default=0.0)

    return {leg: measured[leg][1] + max((end(o) for o in needs[leg.partition(":")[0]]), default=0.0)
            for leg in measured}


def table(measured: dict, against: dict) -> str:
    """A line each leg, by its end; AGAINST: {leg: [seconds, end]} of another time."""
    ended, waits = ends(measured), graph()
    lines = []
    for leg, end in sorted(ended.items(), key=lambda item: item[1]):
        old = against.get(leg)
        beside = f", was {old[0]:.0f} s and {old[1]:.0f} s" if old else ""
        lines.append(f"{leg:<48} {measured[leg][1]:6.0f} s, ends after {end:6.0f} s{beside}; waits for "
                     f"{' '.join(waits[leg.partition(':')[0]]) or 'nothing'}")
    return "\n".join(lines)


def change(w: ActWorld) -> str:
    with (w.world.work / CHANGED).open("a", encoding="utf-8") as header:
        header.write("// Changed.\n")
    return w.push("feat: be measured")


def told(leg: str, cache: str, result: tuple) -> tuple:
    state, seconds, used = result
    print(f"{leg:<48} {cache} {state:<8} {seconds:7.0f} s {used:7.0f} s of processors", flush=True)
    return result


def main() -> int:
    parser = cli.parser(__doc__)
    parser.add_argument("legs", nargs="*", metavar="JOB[:KEY=VALUE,...]")
    parser.add_argument("--queue", action="store_true")
    parser.add_argument("--save", type=Path, metavar="FILE")
    parser.add_argument("--against", type=Path, metavar="FILE")
    options = parser.parse_args()
    legs = options.legs or [*LEGS, *(QUEUE if options.queue else [])]
    w = ActWorld(real=SLOW)
    measured: dict = {"cold": {}, "warm": {}}
    try:
        with RunnersEngine("critical-path", keep_data=False) as engine:
            bases = images.ensure(engine)
            # Each run has a checkout of its own here; on GitHub all lie in one folder, which objects name.
            env = {"CCACHE_NOHASHDIR": "1", "DOCKER_HOST": engine.env["DOCKER_HOST"], "BUILD_NETWORK": "host",
                   "DOCKER_CONFIG": engine.env["DOCKER_CONFIG"],
                   **{name: bases[name] for name in ("BUILDER_BASE", "RUNTIME_BASE") if name in bases}}
            base = w.push("feat: begin")
            heads = [change(w), change(w)]
            for leg in legs:
                if leg == "image":
                    engine.docker("builder", "prune", "--all", "--force")
                # A leg that keeps nothing has needs that do; act runs those, too, and they are not what it measures.
                store = leg if keeps(leg) else "others"
                env["CCACHE_REMOTE_STORAGE"] = f"file:{w.state}/ccache/{store.replace(':', '-')}"
                acts = [w.act(head, **env) for head in heads]
                if leg == "gate":
                    publish(w, base, w.act(base, **env))
                    with_the_engine(acts[0], engine, w.state / "beside")
                measured["cold"][leg] = told(leg, "cold", measure(w, leg, base, heads[0], acts[0]))
                measured["warm"][leg] = measured["cold"][leg] if not keeps(leg) else \
                    told(leg, "warm", measure(w, leg, base, heads[1], acts[1]))
    finally:
        w.close()
    against = json.loads(options.against.read_text()) if options.against else {}
    for cache, legs_of in measured.items():
        print(f"\n{cache}, {os.cpu_count()} processors", table(legs_of, against.get(cache, {})), sep="\n")
    if options.save:
        options.save.write_text(json.dumps({cache: {leg: [seconds, ends(legs_of)[leg]]
                                                    for leg, (_, seconds, _) in legs_of.items()}
                                            for cache, legs_of in measured.items()}))
    states = [state for legs_of in measured.values() for state, _, _ in legs_of.values()]
    return 0 if set(states) == {"success"} else 1


if __name__ == "__main__":
    sys.exit(main())
