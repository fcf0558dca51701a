"""host/observability as files: what Prometheus' own tools and compose say of them, without any host."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from slipway.paths import REPOSITORY
from slipway.watch.dashboards import FILES, expressions, panels
from slipway.watch.profile import FILES_OF_COMPOSE, IMAGES, PROFILE, compose
from support import needs
from support.markdown import anchors

HERE = Path(__file__).parent
RUNBOOK = REPOSITORY / "docs" / "operators" / "observability.md"
RULES = PROFILE / "prometheus" / "rules"
METRICS = needs.all_of(needs.programs("metrics", "promtool", "amtool"))
COMPOSE = needs.all_of(needs.compose())


def run(*argv, **options) -> subprocess.CompletedProcess:
    return subprocess.run(argv, capture_output=True, text=True, check=False, **options)


def alerts() -> dict[str, dict]:
    groups = yaml.safe_load((RULES / "alerts.yml").read_text())["groups"]
    return {rule["alert"]: rule for group in groups for rule in group["rules"]}


@METRICS
def test_prometheus_and_alertmanager_take_their_files():
    for argv in (("promtool", "check", "config", "prometheus.yml"), ("promtool", "check", "rules", *RULES.iterdir())):
        done = run(*argv, cwd=PROFILE / "prometheus")
        assert done.returncode == 0, done.stdout + done.stderr
    done = run("amtool", "check-config", PROFILE / "alertmanager" / "alertmanager.yml")
    assert done.returncode == 0, done.stdout + done.stderr


@METRICS
def test_the_rules_do_what_their_tests_say(tmp_path):
    done = run("promtool", "test", "rules", HERE / "rules.yml")
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_is_tested_as_it_fires_and_as_it_is_silent():
    tested = {"fires": set(), "is silent": set()}
    for test in yaml.safe_load((HERE / "rules.yml").read_text())["tests"]:
        for one in test["alert_rule_test"]:
            tested["fires" if one["exp_alerts"] else "is silent"].add(one["alertname"])
    assert tested["fires"] == tested["is silent"] == set(alerts())


@METRICS
@pytest.mark.parametrize("expression", ["vector(1) > 1", "vector(1)"])
def test_of_rules_that_never_or_always_hold_every_test_of_that_kind_fails(expression, tmp_path):
    """So the two tests of each alert can fail."""
    shutil.copytree(PROFILE, tmp_path / "host" / "observability")
    (tmp_path / "tests" / "observability").mkdir(parents=True)
    copy = shutil.copy(HERE / "rules.yml", tmp_path / "tests" / "observability")
    rules = [rule | {"expr": expression} for rule in alerts().values()]
    (tmp_path / RULES.relative_to(REPOSITORY) / "alerts.yml").write_text(
        yaml.safe_dump({"groups": [{"name": "slipway", "rules": rules}]}))
    done = run("promtool", "test", "rules", copy)
    failed = set(re.findall(r"alertname: ?(\w+)", done.stdout + done.stderr))
    assert done.returncode != 0 and failed == set(alerts())


def test_every_alert_has_a_line_of_the_runbook_and_every_line_its_alert():
    known = anchors(RUNBOOK.read_text())
    for name, rule in alerts().items():
        url, _, anchor = rule["annotations"]["runbook_url"].partition("#")
        assert url.endswith(str(RUNBOOK.relative_to(REPOSITORY))) and anchor in known, name
        assert rule["annotations"]["summary"] and rule["labels"]["severity"] in ("page", "ticket"), name
    told = RUNBOOK.read_text().partition("## Runbook")[2].partition("\n## ")[0]
    assert re.findall(r"^### (.*)$", told, re.MULTILINE) == list(alerts())


@COMPOSE
def test_compose_takes_the_profile_and_every_service_is_locked_down():
    services = compose()["services"]
    assert set(services) == {"prometheus", "alertmanager", "grafana", "node-exporter", "blackbox-exporter",
                             "jaeger"}
    for name, service in services.items():
        assert service["read_only"] and service["cap_drop"] == ["ALL"] and "@sha256:" in service["image"], name
        assert int(service["mem_limit"]) > 0 and "privileged" not in service, name
        listens = [flag for flag in service.get("command") or [] if "listen-address=" in flag]
        assert all("=127.0.0.1:" in flag or flag.endswith("=") for flag in listens), name
        for volume in service.get("volumes", []):
            source = Path(volume["source"])
            assert not source.is_relative_to(PROFILE) or source.exists(), f"{name}: {source}"


@COMPOSE
@pytest.mark.parametrize("missing", sorted(IMAGES))
def test_an_image_that_is_not_named_by_digest_is_asked_for(missing):
    given = {name: value for name, value in IMAGES.items() if name != missing}
    done = run("docker", "compose", "--env-file", PROFILE / "images.env", *FILES_OF_COMPOSE, "config",
               env={**os.environ, **given})
    assert done.returncode != 0
    assert f"write {missing}=" in done.stderr and "into images.env" in done.stderr, done.stderr


def test_what_is_named_in_images_env_is_what_compose_asks_for():
    named = re.findall(r"^#(\w+_IMAGE)=(\S+)@sha256:$", (PROFILE / "images.env").read_text(), re.MULTILINE)
    wanted = [found for file in ("compose.yml", "traces.yml")
              for found in re.findall(r"write (\w+_IMAGE)=(\S+)@sha256:", (PROFILE / file).read_text())]
    assert sorted(named) == sorted(wanted) and len(named) == len(IMAGES)


@METRICS
def test_prometheus_reads_every_expression_of_the_dashboards(tmp_path):
    rules = [{"record": f"dashboard:expression:{number}", "expr": expression}
             for number, (_, expression) in enumerate(expressions())]
    file = tmp_path / "rules.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "dashboards", "rules": rules}]}))
    done = run("promtool", "check", "rules", file)
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(rules) > 20


def test_the_dashboards_name_the_provisioned_source_and_panels_do_not_overlap():
    (source,) = yaml.safe_load((PROFILE / "grafana/provisioning/datasources/prometheus.yml").read_text())["datasources"]
    assert {file.stem for file in FILES} == {"service", "deployments"}
    for file in FILES:
        dashboard = json.loads(file.read_text())
        assert set(re.findall(r'"uid": "(\w+)"', json.dumps(dashboard["panels"]))) == {source["uid"]}
        places = set()
        for panel in panels(dashboard):
            at = panel["gridPos"]
            cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
            assert not cells & places and at["x"] + at["w"] <= 24, panel["title"]
            places |= cells
            # A misspelt `expr` is no panel's expression to Grafana, and its types take any key.
            assert panel["targets"] and all(set(target) <= {"refId", "datasource", "expr", "legendFormat", "instant"}
                                            for target in panel["targets"]), panel["title"]
