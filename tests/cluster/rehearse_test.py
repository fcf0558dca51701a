"""`slipway rehearse --kubernetes` takes a service that is not ours, by its slipway.yml alone, to a cluster and back."""

import json
import os
import subprocess

import pytest

from adopt.adopt_test import BASES, archive, repository
from cluster.ground import GIVEN
from slipway.lab import Engine
from support import needs
from support.engines import discard, sweep

pytestmark = needs.all_of(needs.root("namespaces and an engine"), needs.programs("docker", "dockerd", "docker"),
                          needs.cluster())


@pytest.mark.skipif(bool(GIVEN), reason="it makes a cluster of its own; unset KUBECONFIG")
def test_a_service_goes_to_a_cluster_and_back_by_one_file(executables, tmp_path, tell):
    sweep("adopt-cluster")
    engine = Engine(f"adopt-cluster-{os.getpid()}")
    try:
        with engine:
            folder = repository("go_api", tmp_path / "service")
            image = archive(engine, *BASES["go_api"], tmp_path)
            with open(folder / "slipway.yml", "a", encoding="utf-8") as file:
                file.write("\nplatform: kubernetes\nkubernetes: { replicas: 3 }\nlimits: { cpus: 0.5 }\n")
            subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@b.invalid", "commit", "--quiet", "--all",
                            "-m", "feat: to a cluster"], cwd=folder, check=True)
            done = subprocess.run([executables / "slipway", "rehearse", folder, "--kubernetes", "--load-image", image,
                                   "--output", tmp_path / "results"], capture_output=True, text=True, check=False,
                                  timeout=900)
    finally:
        discard(engine)
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads((tmp_path / "results" / "report.json").read_text())
    assert [swap["exitCode"] for swap in report["swaps"]] == [0, 0, 0, 4, 4, 4]
    for swap in report["swaps"][1:]:
        packets = swap["packets"]
        lost = packets["unanswered"] + packets["rejected"]
        assert packets["sent"] > 2000 and lost == 0, swap
        tell(f"{swap['operation']}: exit {swap['exitCode']}, {packets['sent']} sent, {lost} lost, "
             f"longest gap {packets['longest_gap_ms']:.1f} ms")
