"""Every expression of the dashboards, asked of a Prometheus that scrapes a loaded connector, HAProxy and a host."""

import json
from xml.etree import ElementTree

import pytest

from observability.watched import NEEDS, Load, Watched
from slipway.watch import pictures
from slipway.watch.dashboards import FILES, expressions
from support.waiting import await_true

pytestmark = NEEDS


@pytest.fixture(scope="module")
def watched(executables):
    with Watched("watched", executables) as watched, Load(watched.site, 500), \
            Load(watched.site, 10, "carol", receives=""):
        # A swap, so that there is one to be seen; then until rates, which are over a minute, are whole.
        back = watched.site.rollback()
        assert back.status == 0, back
        await_true(lambda: watched.query("slipway_operation_exit_status{operation='rollback'}"), "the rollback", 30)
        await_true(lambda: watched.query('result:ilp_packets:rate1m{result="fulfilled"} > 450'), "packets", 150)
        yield watched


def test_everything_that_is_meant_to_be_scraped_is(watched):
    jobs = {one["metric"]["job"]: one["value"][1] for one in watched.query("sum by (job) (up)")}
    assert jobs == {"service": "2", "haproxy": "1", "node": "1", "entrance": "1", "prometheus": "1",
                    "alertmanager": "1"}


@pytest.mark.parametrize("expression", [pytest.param(text, id=where) for where, text in expressions()])
def test_it_returns_series(watched, expression):
    assert watched.history(expression)


def test_a_name_that_nothing_has_returns_none(watched):
    assert watched.history("ilp_packets_totals") == []


def test_the_figures_are_those_of_the_load(watched):
    ((_, rate),) = [one["value"] for one in watched.query('result:ilp_packets:rate1m{result="fulfilled"}')]
    assert 250 < float(rate) < 750, "500 a second are sent"
    (served,) = watched.query("slipway_release_info")
    assert served["metric"]["digest"] == watched.site.releases["c1"]


def test_no_alert_fires_while_all_is_well(watched, tell):
    (_, count), = (one["value"] for one in watched.query('count({__name__!=""})'))
    tell(f"{count} series")
    assert watched.alerts() == set()


def test_a_picture_has_every_panel_and_its_curves(watched, tmp_path):
    for source, file in zip(FILES, pictures.write(watched, tmp_path), strict=True):
        drawn = ElementTree.parse(file).getroot()
        panels = drawn.findall("{*}g")
        said = [[one.text for one in panel.findall("{*}text")] for panel in panels]
        assert [words[0] for words in said] == [panel["title"] for panel in json.loads(source.read_text())["panels"]]
        assert not [words[0] for words in said if "nothing" in words]
        drawn_in = {words[0]: panel.findall("{*}polyline") + panel.findall("{*}rect")[1:]
                    for words, panel in zip(said, panels, strict=True)}
        assert not [panel["title"] for panel in json.loads(source.read_text())["panels"]
                    if panel["type"] in ("timeseries", "state-timeline") and not drawn_in[panel["title"]]]
