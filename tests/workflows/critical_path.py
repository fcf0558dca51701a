#!/usr/bin/env python3
"""How long a pull request waits for its checks.

Runs jobs of ci.yml under act, one after another so that each has all of this machine's processors,
for a pull request that changes a header of the connector, with every script real and every cache
empty (no ccache; an engine of its own without a layer). Tells for each its seconds, the processor
seconds of what it started (an engine's not counted), and from the graph when it would end if every
job had a runner of its own: what GitHub gives. Packages are installed already; GitHub's runners
take about a minute more for them.
Without arguments: one leg of each job.
"""

import os
import resource
import sys
import time
from pathlib import Path

import yaml

sys.path[:0] = [str(Path(__file__).resolve().parents[2] / folder) for folder in ("scripts/lib", "tests")]
from slipway import cli
from slipway.lab import Engine, images
from workflows.act_world import ROOT, SLOW, ActWorld

LEGS = ["plan", "next-version", "lint", "trivy-fs", "image", "image-scan", "performance-benchmark",
        "codeql", "analysis", "build-and-test:os=ubuntu-24.04,compiler=gcc",
        "build-and-test:os=ubuntu-24.04,compiler=clang", "sanitizers:preset=asan",
        "sanitizers:preset=tsan", "integration:suite=docker", "integration:suite=blackbox",
        "integration:suite=workflows", "integration:suite=release",
        "integration:suite=release-workflow", "integration:suite=reproducible"]

# Much of the connector includes it.
CHANGED = "src/connector/forwarder.hpp"


def graph() -> dict:
    jobs = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())["jobs"]
    return {name: [body["needs"]] if isinstance(body.get("needs"), str) else body.get("needs", [])
            for name, body in jobs.items()}


def processor_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measure(w: ActWorld, leg: str, base: str, head: str, env: dict) -> tuple:
    job, _, matrix = leg.partition(":")
    payload = {"number": 7, "repository": {"full_name": "acme/conn"}, "pull_request": {
        "number": 7, "title": "feat: be measured", "base": {"sha": base, "ref": "main"},
        "head": {"sha": head, "ref": "topic", "repo": {"full_name": "acme/conn"}}}}
    before, began = processor_seconds(), time.monotonic()
    result = w.act(head, **env).run(
        "ci", "pull_request", payload, head, ref="refs/pull/7/merge", job=job, concurrent=1,
        matrix=dict(pair.split("=") for pair in matrix.split(",")) if matrix else None)
    seconds = result.seconds.get(job, time.monotonic() - began)
    log = Path(os.environ.get("CRITICAL_PATH_LOGS", w.state)) / f"{leg.replace('/', '-')}.log"
    log.write_text(result.log)
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


def main() -> int:
    parser = cli.parser(__doc__)
    parser.add_argument("legs", nargs="*", default=LEGS, metavar="JOB[:KEY=VALUE,...]")
    legs = parser.parse_args().legs
    w = ActWorld(real=SLOW)
    measured = {}
    try:
        with Engine("critical-path", keep_data=False) as engine:
            bases = images.ensure(engine)
            env = {"DOCKER_HOST": engine.env["DOCKER_HOST"], "BUILD_NETWORK": "host",
                   "DOCKER_CONFIG": engine.env["DOCKER_CONFIG"],
                   **{name: bases[name] for name in ("BUILDER_BASE", "RUNTIME_BASE") if name in bases}}
            base = w.push("feat: begin")
            with (w.world.work / CHANGED).open("a", encoding="utf-8") as header:
                header.write("// Changed.\n")
            head = w.push("feat: be measured")
            for leg in legs:
                measured[leg] = measure(w, leg, base, head, env)
                state, seconds, used = measured[leg]
                print(f"{leg:<48} {state:<8} {seconds:7.0f} s {used:7.0f} s of processors", flush=True)
    finally:
        w.close()
    for leg, end in sorted(ends(measured).items(), key=lambda item: item[1]):
        print(f"{leg:<48} ends after {end:7.0f} s")
    return 0 if all(state == "success" for state, _, _ in measured.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
