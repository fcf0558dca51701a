"""What GitHub's scheduler, as the model knows it, makes of the shipped workflows: each disaster that is documented of
others, and was possible here at fe8a58b, is harmless now."""

import copy

import pytest
import yaml

from workflows import timelines
from workflows.model import expressions, facts, tree

OURS, BEFORE = tree.ours(), tree.before()


def named(function) -> str:
    return function.__name__.replace("_", " ")


@pytest.mark.parametrize("timeline", timelines.DISASTERS + timelines.OTHERS, ids=named)
def test_a_disaster_of_before_is_harmless_now(timeline, tell):
    then, _ = timelines.play(timeline, BEFORE)
    now, log = timelines.play(timeline, OURS)
    assert then, "the model does not show what happened"
    assert not now, "\n".join([now, *log])
    tell(f"before: {then}")


@pytest.mark.parametrize("timeline", timelines.GOES_WELL, ids=named)
def test_goes_well(timeline):
    wrong, log = timelines.play(timeline, OURS)
    assert not wrong, "\n".join([wrong, *log])


def changed(workflow: str, *changes) -> tree.Tree:
    """Ours with each (before, after) of CHANGES in WORKFLOW, or in an action of that name."""
    found = copy.deepcopy(OURS)
    document = found.workflows.get(workflow) or found.actions[workflow]
    for before, after in changes:
        assert before in document.text, "no longer applies"
        document.text = document.text.replace(before, after)
    document.data = yaml.safe_load(document.text)
    document.on = document.data.get(True, document.data.get("on"))
    return found


ROLLBACK = "    environment:\n      name: ${{ inputs.environment == 'production' && 'production-rollback'"
APPROVAL_IN_PRODUCTION = ("      name: production\n", "      name: production-approval\n")


@pytest.mark.parametrize(("timeline", "mutant"), [
    pytest.param(timelines.rollback_while_production_waits, lambda: changed(
        "cd", APPROVAL_IN_PRODUCTION, (ROLLBACK, f"    concurrency:\n      group: deploy-production\n{ROLLBACK}"),
        ("    needs: [resolve, staging, approval]\n", "    needs: [resolve, staging]\n")),
                 id="the lock before the approval, and a rollback that takes it"),
    pytest.param(timelines.failed_ci_beside_a_pending_release, lambda: changed(
        "release", ("  queue: max\n", ""), ("    github.event.workflow_run.conclusion == 'success' &&\n", "")),
                 id="a failed CI in the group of releases"),
    pytest.param(timelines.dry_run_beside_a_pending_release, lambda: changed(
        "release", ("  queue: max\n", ""), ("    github.run_id }}", "    github.ref_name }}")),
                 id="a dry run in their group"),
    pytest.param(timelines.two_release_lines_at_once, lambda: changed(
        "release", ("  queue: max\n", ""), ("    github.event.workflow_run.head_branch ||", "    'all' ||")),
                 id="one group for two lines"),
    pytest.param(timelines.three_pushes_and_a_rollback, lambda: changed(
        "deploy", ("scripts/ci/not-older", "scripts/ci/oci")), id="nobody asks what is newer"),
    pytest.param(timelines.an_environment_that_is_missing, lambda: changed(
        "cd", ("      - run: scripts/ci/environments\n", "      - run: scripts/ci/oci\n")),
                 id="nobody asks who protects"),
    pytest.param(timelines.a_fork_that_synchronises, lambda: changed(
        "ci", ("github.event_name == 'push' && !github.event.repository.fork", "github.event_name == 'push'")),
                 id="a fork publishes"),
    pytest.param(timelines.a_merge_queue, lambda: changed(
        "ci", ("if: github.event_name != 'pull_request'\n", "if: github.event_name == 'push'\n")),
                 id="the queue leaves something out")])
def test_a_mistake_in_the_files_is_a_disaster_again(timeline, mutant):
    wrong, log = timelines.play(timeline, mutant())
    assert wrong, "\n".join(log)


@pytest.mark.parametrize(("text", "value"), [
    ("true && 'a' || 'b'", "a"), ("'' && 'a' || 'b'", "b"), ("!github.fork && github.n == 7", True),
    ("github.none == ''", True), ("'Main' == 'main'", True), ("format('{0}-{1}', 'a', github.n)", "a-7"),
    ("fromJSON('[1]')[0] == 1", False), ("contains('abc', 'B') != false", True),
    ("(true || false) && 'it''s'", "it's")])
def test_an_expression_is_what_github_makes_of_it(text, value):
    assert expressions.evaluate(text, {"github": {"fork": False, "n": 7}}) == value


def test_every_fact_has_its_source():
    assert all(name and fact and len(source) > 20 for name, fact, source in facts.FACTS)
