"""What a history would be released as, by the one implementation that preview, lint-commits and release ask,
from real repositories of git alone: wordings, reverts, bytes that are no text, odd tags, and 50,000 commits."""

import json
import os
import re
import resource
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from slipway.ci.history import version_tags
from slipway.paths import REPOSITORY
from support import needs

pytestmark = needs.all_of(needs.packages_of_release())
RELEASE = REPOSITORY / "scripts/release"
HERE = Path(__file__).parent


class History:
    """A repository with the seed v0.0.0 on its root and one fix released as v0.1.0."""

    def __init__(self, folder):
        self.folder = folder
        self.git("init", "--quiet", "--initial-branch=main")
        self.commit("chore: lay the keel")
        self.git("tag", "v0.0.0")
        self.commit("feat: pay (#1)")
        self.git("tag", "v0.1.0")

    def git(self, *words: str, given: bytes = b"", at: str = "") -> str:
        env = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "GIT_AUTHOR_NAME": "Ada",
               "GIT_AUTHOR_EMAIL": "a@b.c", "GIT_COMMITTER_NAME": "Ada", "GIT_COMMITTER_EMAIL": "a@b.c"}
        env |= {"GIT_COMMITTER_DATE": at} if at else {}
        return subprocess.run(["git", *words], cwd=self.folder, env=env, input=given, check=True,
                              capture_output=True).stdout.decode(errors="replace").strip()

    def commit(self, message: str, at: str = "") -> str:
        """AT: what the clock of whoever commits says."""
        self.git("commit", "--quiet", "--allow-empty", "--cleanup=verbatim", "-m", message, at=at)
        return self.git("rev-parse", "HEAD")

    def raw(self, message: bytes) -> None:
        """A commit whose message is these bytes, which `git commit` would refuse or mend."""
        tree, head = self.git("rev-parse", "HEAD^{tree}"), self.git("rev-parse", "HEAD")
        who = b"Ada <a@b.c> 1700000000 +0000"
        data = b"tree %s\nparent %s\nauthor %s\ncommitter %s\n\n%s\n" % (
            tree.encode(), head.encode(), who, who, message)
        made = self.git("hash-object", "-t", "commit", "-w", "--literally", "--stdin", given=data)
        self.git("update-ref", "refs/heads/main", made)

    def asked(self, *words: str, **env) -> subprocess.CompletedProcess:
        return subprocess.run([RELEASE / "node", RELEASE / "next_version.mjs", *words], cwd=self.folder, check=False,
                              env={**os.environ, "GITHUB_OUTPUT": os.devnull, "GITHUB_REPOSITORY": "acme/conn", **env},
                              capture_output=True, encoding="utf-8")

    def next(self) -> dict:
        done = self.asked("--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def version(self) -> str:
        return self.next()["version"].partition("+")[0]


@pytest.fixture
def history(tmp_path):
    return History(tmp_path)


NOTHING, PATCH, MINOR, MAJOR = "0.1.0", "0.1.1", "0.2.0", "1.0.0"
ONE = "0123456789012345678901234567890123456789"
WORDINGS = {
    # Only the footer of the convention breaks.
    "prose that begins like the footer": (["fix: one\n\nbreaking change for nobody"], PATCH),
    "prose with a colon, lower case": (["fix: one\n\nbreaking change: none"], PATCH),
    "a list that quotes it": (["fix: one\n\n* BREAKING CHANGE: was reported"], PATCH),
    "an indented quotation": (["fix: one\n\n    BREAKING CHANGE: as they wrote"], PATCH),
    "the words in a sentence": (["docs: say what a BREAKING CHANGE: footer does"], NOTHING),
    "a heading": (["fix: one\n\nBREAKING CHANGES\n\nnone"], PATCH),
    "the footer": (["fix: one\n\nBREAKING CHANGE: tokens are required"], MAJOR),
    "the footer with a hyphen": (["fix: one\n\nBREAKING-CHANGE: tokens are required"], MAJOR),
    "the footer of docs": (["docs: one\n\nBREAKING CHANGE: the contract is gone"], MAJOR),
    "the footer with CRLF": (["fix: one\r\n\r\nBREAKING CHANGE: tokens\r\n"], MAJOR),
    "an exclamation mark": (["refactor(wire)!: drop it"], MAJOR),
    "an exclamation mark without a colon": (["feat! drop it"], NOTHING),
    "the footer without a space": (["fix: one\n\nBREAKING CHANGE:tokens"], PATCH),
    "the footer in lower case": (["fix: one\n\nBreaking Change: tokens"], PATCH),
    "the footer without a text": (["fix: one\n\nBREAKING CHANGE: "], PATCH),
    # A pull request's description lands as it is.
    "a template's comment": (["fix: one (#3)\n\n<!-- BREAKING CHANGE: what users must do -->\n\nIt answers."], PATCH),
    "a template's comment of many lines": (["fix: one (#3)\n\n<!--\nBREAKING CHANGE: what users must do\n-->"], PATCH),
    "a comment and the footer": (["fix: one (#3)\n\n<!-- say it -->\nBREAKING CHANGE: tokens"], MAJOR),
    "what others released, folded": (
        ["build(deps): bump x (#3)\n\n<details>\n<details><summary>1.0</summary>\n</details>\nBREAKING CHANGE: theirs\n"
         "</details>"], NOTHING),
    "a comment without an end hides nothing": (["fix: one (#3)\n\n<!-- BREAKING\nBREAKING CHANGE: tokens"], MAJOR),
    "[skip release] in a comment": (["feat: x (#3)\n\n<!-- [skip release] -->"], MINOR),
    "CRLF all over": (["fix: one (#3)\r\n\r\nIt answers.\r\n\r\nBREAKING CHANGE: tokens\r\n"], MAJOR),
    # Reverts.
    "a feature and its revert": (["feat: x (#12)", 'Revert "feat: x" (#13)\n\nReverts acme/conn#12'], NOTHING),
    "a title alone": (["feat: x (#12)", 'Revert "feat: x (#12)" (#13)'], NOTHING),
    "a revert of what was released": (['Revert "feat: pay" (#3)\n\nReverts acme/conn#1'], PATCH),
    "a revert of the revert, all unseen": (
        ["feat: x (#2)", 'Revert "feat: x" (#3)\n\nReverts acme/conn#2',
         'Revert "Revert "feat: x"" (#4)\n\nReverts acme/conn#3'], MINOR),
    "a revert of the revert, the feature released": (
        ['Revert "feat: pay" (#3)\n\nReverts acme/conn#1', 'Revert "Revert "feat: pay"" (#4)\n\nReverts acme/conn#3'],
        NOTHING),
    "Reapply": (["feat: x (#2)", 'Revert "feat: x" (#3)', 'Reapply "feat: x" (#4)'], MINOR),
    "Reapply, the feature released": (['Revert "feat: pay" (#3)', 'Reapply "feat: pay" (#4)'], NOTHING),
    "Reapply of what an older release took back": (['Reapply "fix: old" (#4)'], PATCH),
    "three times back and forth": (
        ["feat: x", 'Revert "feat: x"', 'Reapply "feat: x"', 'Revert "Reapply "feat: x""'], NOTHING),
    "landed twice, taken back once": (["feat: x", 'Revert "feat: x"', "feat: x"], MINOR),
    "a revert of a breaking change": (
        ["feat!: x (#2)", 'Revert "feat!: x" (#3)\n\nReverts acme/conn#2', "fix: y"], PATCH),
    "a revert of docs": (["docs: x (#2)", 'Revert "docs: x" (#3)\n\nReverts acme/conn#2'], NOTHING),
    "a revert of a title with quotes": (['feat: say "hi" (#2)', 'Revert "feat: say "hi"" (#3)'], NOTHING),
    "a revert of a revert's revert": (
        ["feat: x (#2)", 'Revert "feat: x" (#3)', 'Revert "Revert "feat: x"" (#4)',
         'Revert "Revert "Revert "feat: x""" (#5)'], NOTHING),
    "a revert of what comes later": (['Revert "feat: x" (#3)', "feat: x (#2)"], MINOR),
    "a revert of another repository's number": (
        ["feat: x (#12)", 'Revert "feat: y" (#13)\n\nReverts acme/conn#11'], MINOR),
    # What asks not to be released.
    "[skip release]": (["feat: x [skip release]"], NOTHING),
    "[Skip Release]": (["feat: x [Skip Release]"], NOTHING),
    "[release skip] in the body": (["feat: x\n\n[release  skip]"], NOTHING),
    # The form.
    "no type": (["add a thing"], NOTHING), "no space after the colon": (["feat:x"], NOTHING),
    "an unknown type": (["feature: x"], NOTHING), "an upper-case type": (["FEAT: x"], MINOR),
    "git's merge": (["Merge branch 'x' into main"], NOTHING),
    "a command of the runner": (["fix: x\n\n::stop-commands::t\n##[error]x"], PATCH),
    "a substitution": (["feat: $(touch /tmp/slipway-was-here) `id`"], MINOR),
    "a separator of somebody's format": (["fix: a ==FIELD== ==END==\n\n\x01\x02"], PATCH),
    "a title like a release's": (["chore(release): 9.9.9 [skip ci]"], NOTHING),
}


@pytest.mark.parametrize(("messages", "expected"), WORDINGS.values(), ids=WORDINGS.keys())
def test_a_wording_makes_its_version(history, messages, expected):
    for message in messages:
        history.commit(message)
    assert history.version() == expected


def test_what_was_taken_back_unseen_is_not_advertised(history):
    history.commit("feat: shine (#2)")
    history.commit('Revert "feat: shine" (#3)\n\nReverts acme/conn#2')
    history.commit("fix: answer (#4)")
    notes = history.next()["notes"]
    assert "answer" in notes and "shine" not in notes, notes


BYTES = {
    "a subject that is not UTF-8": (b"fix: caf\xe9", PATCH, "caf\ufffd"),
    "a NUL": (b"fix: one\0two", PATCH, "one"),
    "a BOM": (b"\xef\xbb\xbffeat: shine", MINOR, "shine"),
    "a BOM inside": (b"feat: \xef\xbb\xbfshine", MINOR, "shine"),
    "a word without an end": (b"fix: one\n\n" + b"x" * 200_000, PATCH, "one"),
    "surrogates in UTF-8": (b"fix: \xed\xa0\x80 one", PATCH, "one"),
    "only a NUL": (b"\0", NOTHING, ""), "nothing at all": (b"", NOTHING, ""),
}


@pytest.mark.parametrize(("message", "expected", "told"), BYTES.values(), ids=BYTES.keys())
def test_bytes_that_are_no_text_are_replaced_and_released(history, message, expected, told):
    history.raw(message)
    found = history.next()
    assert found["version"].partition("+")[0] == expected
    assert told in found["notes"]


ODD_TAGS = {
    "a prerelease": "v1.0.0-beta.1", "build metadata": "v0.5.0+build.5", "two v": "vv7.0.0", "a part": "v7.0",
    "four parts": "v7.0.0.1", "a leading zero": "v07.0.0", "a word": "vintage", "of another thing": "charts-v7.0.0",
    "a number too great for semver": "v20261129000000000.0.0"}


@pytest.mark.parametrize("tag", ODD_TAGS.values(), ids=ODD_TAGS.keys())
def test_a_tag_that_is_no_version_of_ours_counts_for_nothing(history, tag):
    history.git("tag", tag)
    history.commit("fix: one")
    assert history.version() == PATCH


@pytest.mark.parametrize("what", ["a file", "a folder", "a tag of a file"])
def test_a_tag_of_a_version_that_is_on_no_commit_counts_for_nothing(history, what, monkeypatch):
    place = history.git("hash-object", "-w", "--stdin", given=b"a key") if what != "a folder" else "HEAD^{tree}"
    if what == "a tag of a file":
        history.git("tag", "--annotate", "-m", "our key", "key", place)
        place = "key"
    history.git("tag", "v7.0.0", place)
    history.commit("fix: one")
    assert history.version() == PATCH
    monkeypatch.chdir(history.folder)
    assert version_tags() == ["v0.1.0"], "of what reconcile repairs"


@pytest.mark.parametrize("tag", ODD_TAGS.values(), ids=ODD_TAGS.keys())
def test_reconcile_and_preview_have_one_mind_of_what_is_a_version(history, tag, monkeypatch):
    history.git("tag", tag)
    monkeypatch.chdir(history.folder)
    assert version_tags() == ["v0.1.0"]


def test_footers_of_a_folded_description_are_told_whole(history):
    history.commit("feat: shine (#2)\r\n\r\nRelease-Note: It shines now, on every\r\nmachine that has a lamp.\r\n"
                   "Closes #7\r\nCVE: CVE-2026-1234\r\n")
    notes = history.next()["notes"]
    assert "* It shines now, on every machine that has a lamp.\n" in notes and "### Security" in notes, notes


@pytest.mark.parametrize("part", ["<!--", "<details>", "<!-- -->", "<details></details>"])
def test_comments_and_foldings_without_number_or_end_are_read_in_one_pass(part):
    code = (f"import {{ visible }} from '{RELEASE}/commits.mjs'; const text = '{part}'.repeat(100_000);"
            "visible(text); console.log(process.cpuUsage().user / 1e6)")
    took = subprocess.run([RELEASE / "node", "--input-type=module", "--eval", code], check=True, capture_output=True,
                          encoding="utf-8", timeout=60).stdout
    assert float(took) < 10, "seconds of a processor; by the square it is minutes"


def test_clocks_that_are_wrong_change_nothing(history):
    history.commit("feat: shine", at="2038-01-19T03:14:07Z")
    history.commit("fix: answer", at="2031-01-02T00:00:00Z")
    history.git("checkout", "--quiet", "-b", "beside")
    # Before what it reverts, if its clock is believed.
    history.commit('Revert "feat: shine"', at="1970-01-03T00:00:00Z")
    history.git("checkout", "--quiet", "main")
    history.commit("docs: tell", at="2038-01-19T03:14:06Z")
    history.git("merge", "--quiet", "--no-ff", "-m", "Merge beside", "beside", at="2038-01-19T03:14:07Z")
    found = history.next()
    assert found["version"] == PATCH and "answer" in found["notes"] and "shine" not in found["notes"], found


def test_an_old_line_that_is_merged_back_takes_no_version_back(history):
    history.git("branch", "0.1.x")
    history.commit("feat: shine")
    history.git("tag", "v0.2.0")
    history.git("checkout", "--quiet", "0.1.x")
    history.commit("fix: for those who stay")
    history.git("tag", "v0.1.1")
    history.git("checkout", "--quiet", "main")
    history.git("merge", "--quiet", "--no-ff", "-m", "Merge 0.1.x", "0.1.x")
    found = history.next()
    assert found["version"] == "0.2.1" and "for those who stay" in found["notes"], found
    assert "shine" not in found["notes"], found


def test_an_author_whose_name_is_no_text_is_told_as_far_as_it_is(history):
    tree, head = history.git("rev-parse", "HEAD^{tree}"), history.git("rev-parse", "HEAD")
    data = (b"tree %s\nparent %s\nauthor <b>J\xf6rg</b> <a@b.c> 99999999999 +9900\ncommitter Ada <a@b.c> 1700000000 "
            b"+0000\nencoding ISO-8859-1\n\nfix: caf\xe9\n" % (tree.encode(), head.encode()))
    history.git("update-ref", "refs/heads/main",
                history.git("hash-object", "-t", "commit", "-w", "--literally", "--stdin", given=data))
    found = history.next()
    assert found["version"] == PATCH and "caf\u00e9" in found["notes"] and "<b>" not in found["notes"], found["notes"]


def test_lightweight_and_annotated_tags_count_alike(history):
    history.git("tag", "--annotate", "-m", "by hand", "v0.3.0")
    history.commit("fix: one")
    assert history.version() == "0.3.1"


def test_a_branch_of_the_name_of_a_tag_changes_nothing(history):
    history.git("branch", "v0.1.0", "v0.0.0")
    history.commit("fix: one")
    assert history.version() == PATCH


def test_two_roots_have_one_seed_and_the_sentence_names_one_commit(tmp_path):
    history = History(tmp_path)
    root = history.git("rev-list", "--max-parents=0", "HEAD")
    history.git("tag", "--delete", "v0.0.0", "v0.1.0")
    history.git("checkout", "--quiet", "--orphan", "other")
    history.commit("feat: from elsewhere")
    history.git("checkout", "--quiet", "main")
    history.git("merge", "--quiet", "--allow-unrelated-histories", "-m", "Merge the other", "other")
    done = history.asked("--summary", GITHUB_STEP_SUMMARY="")
    assert done.returncode == 0 and f"git tag v0.0.0 {root} &&" in done.stderr, done.stderr
    history.git("tag", "v0.0.0", root)
    assert history.version() == "0.1.0"


def test_a_shallow_clone_is_refused_and_the_remedy_named(history, tmp_path):
    history.commit("fix: one")
    clone = tmp_path / "clone"
    history.git("clone", "--quiet", "--depth=1", f"file://{tmp_path}", str(clone))
    history.folder = clone
    done = history.asked("--json")
    assert done.returncode == 1 and "git fetch --unshallow" in done.stderr, done
    shutil.rmtree(clone)


def test_fifty_thousand_commits_are_told_in_seconds(history, tell):
    count, head, began = 50_000, history.git("rev-parse", "HEAD"), int(time.time())
    stream = "".join(
        f"commit refs/heads/many\ncommitter Ada <a@b.c> {began + n} +0000\ndata {len(said)}\n{said}\n"
        + (f"from {head}\n" if n == 0 else "")
        for n in range(count) for said in [f"{'fix' if n % 9 == 0 else 'test'}: number {n}\n\n{'x' * 200}"])
    history.git("fast-import", "--quiet", given=stream.encode())
    history.git("symbolic-ref", "HEAD", "refs/heads/many")
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    found = history.next()
    took = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before  # other processes' shares do not count
    tell(f"{count} commits in {took:.1f} s of a processor")
    assert found["version"] == PATCH
    assert found["notes"].count("\n* ") == len(range(0, count, 9))
    assert took < 60


def test_lint_reads_a_message_as_a_release_does(history):
    messages = [messages[-1] for messages, _ in WORDINGS.values()]
    asked = subprocess.run([RELEASE / "node", RELEASE / "next_version.mjs", "--meaning"], input=json.dumps(messages),
                           check=True, stdout=subprocess.PIPE, encoding="utf-8", cwd=history.folder)
    said = dict(zip(messages, json.loads(asked.stdout), strict=True))
    assert said["fix: one\n\nbreaking change for nobody"]["breaking"] is False
    assert said["fix: one\n\nBREAKING CHANGE: tokens are required"]["breaking"] is True
    for message in messages:
        alone = History.__new__(History)
        alone.folder = history.folder
        alone.git("checkout", "--quiet", "--detach", "v0.1.0")
        alone.commit(message)
        expected = {NOTHING: None, PATCH: "patch", MINOR: "minor", MAJOR: "major"}[alone.version()]
        assert said[message]["release"] == expected, message


def month(history) -> str:
    """The notes of sixty commits of a month, as projects write them; who and when differ from run to run, and go."""
    for message in (HERE / "month.txt").read_text().split("\n%%\n"):
        history.commit(message.strip())
    return re.sub(r"\b[0-9a-f]{40}\b", "COMMIT", re.sub(r"\[[0-9a-f]{7}\]", "[SHORT]", re.sub(
        r"\d{4}-\d\d-\d\d", "DATE", history.next()["notes"]))).rstrip() + "\n"


def test_a_month_reads_as_a_page_for_people(history):
    """ACCEPT=1 takes what was made."""
    text = month(history)
    if os.environ.get("ACCEPT"):
        (HERE / "month.md").write_text(text)
    assert text == (HERE / "month.md").read_text()
    order = [line.removeprefix("### ") for line in text.splitlines() if line.startswith("### ")]
    assert order == ["Highlights", "Breaking changes: what to do", "Security", "Added", "Performance", "Fixed",
                     "Reverted", "Changed", "Dependencies"]


def test_nothing_of_a_message_is_html_or_somebody_or_an_issue_that_it_is_not(history):
    text = month(history)
    bare = re.sub(r"`[^`]*`", "", text)
    assert not re.search(r"<[A-Za-z/!]|@[A-Za-z]|\]\([^)]*/issues/[A-Za-z]", bare)
    assert "typo" not in text and "Merge" not in text and "dig tunnels" not in text
