"""What the reader of slipway.yml says of wrong files, and that the published schema agrees with it."""

import copy
import json
import random
import subprocess
from pathlib import Path

import jsonschema
import pytest
import yaml

from slipway.ci import oci

HERE = Path(__file__).parent
WRONG = yaml.safe_load((HERE / "wrong.yml").read_text())
RIGHT = {file.stem: file.read_text() for file in sorted((HERE / "right").glob("*.yml"))}


class Reader:
    def __init__(self, executable: Path, folder: Path):
        self.executable = executable
        self.folder = folder
        schema = subprocess.run([executable, "schema"], capture_output=True, text=True, check=True).stdout
        self.schema_text = schema
        self.schema = jsonschema.Draft202012Validator(json.loads(schema))

    def read(self, text: str) -> subprocess.CompletedProcess:
        (self.folder / "slipway.yml").write_text(text)
        return subprocess.run([self.executable, "check", "--json", "slipway.yml"], cwd=self.folder,
                              capture_output=True, text=True, check=False, timeout=60)

    def schema_takes(self, document: object) -> bool:
        return self.schema.is_valid(document)


@pytest.fixture
def reader(executables, tmp_path):
    return Reader(executables / "slipway", tmp_path)


@pytest.mark.parametrize("written", ["", "service: price-api\n", "image: registry.example/acme/prices\n"])
@pytest.mark.parametrize("repository", ["Acme/prices", "acme/price_api", "acme/-a.b-", f"acme/{'x' * 41}-y"])
def test_the_image_that_check_says_is_the_one_that_ci_pushes(reader, monkeypatch, repository, written):
    monkeypatch.setenv("GITHUB_REPOSITORY", repository)
    monkeypatch.setenv("GITHUB_REPOSITORY_OWNER", repository.partition("/")[0])
    monkeypatch.delenv("SLIPWAY_IMAGE", raising=False)
    checked = reader.read(f"port: 8080\n{written}")
    assert checked.returncode == 0, checked.stderr
    monkeypatch.chdir(reader.folder)
    assert json.loads(checked.stdout)["image"] == oci.image_name()


def test_there_are_at_least_forty_wrong_files():
    assert len(WRONG) >= 40


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: repr(wrong["yaml"])[:40])
def test_a_wrong_file_is_refused_with_its_place(reader, wrong):
    done = reader.read(wrong["yaml"])
    assert done.returncode == 2
    assert done.stdout == ""
    first = done.stderr.splitlines()[0].removeprefix("slipway: error: slipway.yml:")
    says = wrong["says"]
    assert first.startswith(says) if says[0].isdigit() else says in first, done.stderr


@pytest.mark.parametrize("wrong", [wrong for wrong in WRONG if wrong.get("schema") != "accepts"],
                         ids=lambda wrong: repr(wrong["yaml"])[:40])
def test_the_schema_refuses_it_too(reader, wrong):
    assert not reader.schema_takes(yaml.safe_load(wrong["yaml"]))


def test_every_fault_of_a_file_is_told_at_once_in_the_order_of_lines(reader):
    done = reader.read("redy: /r\nport: x\ngate: {rate: 0}\n")
    places = [line.split("slipway.yml:")[1].split(" ")[0] for line in done.stderr.splitlines()]
    assert places == ["1:1:", "2:7:", "3:14:"]


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_file_is_taken_and_reads_back_as_what_it_says(reader, name):
    first = reader.read(RIGHT[name])
    assert first.returncode == 0, first.stderr
    assert reader.schema_takes(yaml.safe_load(RIGHT[name]))
    again = reader.read(first.stdout)
    assert again.stdout == first.stdout
    # The label is what the schema describes, too.
    assert reader.schema_takes(json.loads(first.stdout))


def test_what_is_not_written_has_its_default(reader):
    told = json.loads(reader.read("service: price-api\nready: /r\n").stdout)
    assert (told["port"], told["health"], told["ready"], told["roles"], told["version"], told["drain"]) == (
        8080, "/health", "/r", "none", "releaseId", "30s")
    assert json.loads(reader.read("health: /h\n").stdout)["ready"] == "/h"


def test_the_published_schema_is_that_of_the_reader(reader):
    published = HERE.parents[1] / "docs" / "slipway.schema.json"
    assert published.read_text() == reader.schema_text, (
        "write it anew: build/dev/bin/slipway schema > docs/slipway.schema.json")


class Mutator:
    """Changes one thing in a right document, at random."""

    VALUES = (None, True, 0, 1, 8080, 65535, 65536, -1, 2.5, "", "a", "/a", "a/b", "GET /", "10s", "0s", "1.5%", "101%",
              "512m", "signals", "digest", "embedded", "CHOWN", [], [1], ["/a"], ["a", "b"], [1, 1], {}, {"a": "/b"},
              {"A": 1}, {"status": [200]}, {"rate": 5}, "x" * 2001, "a\nb", "name{a=\"b\"}", 1e9, 7.0)

    def __init__(self, seed: int):
        self.random = random.Random(seed)

    def places(self, document: object, path: tuple = ()) -> list[tuple]:
        found = [path]
        if isinstance(document, dict):
            for key, value in document.items():
                found += self.places(value, (*path, key))
        return found

    def mutate(self, document: dict) -> dict:
        changed = copy.deepcopy(document)
        for _ in range(self.random.randint(1, 2)):
            *way, last = self.random.choice([p for p in self.places(changed) if p] or [("port",)])
            place = changed
            for key in way:
                place = place[key]
            kind = self.random.random()
            if kind < 0.2:
                del place[last]
            elif kind < 0.3:
                place[last + "x"] = place.pop(last)
            else:
                place[last] = copy.deepcopy(self.random.choice(self.VALUES))
        return changed


# What only the reader refuses: it compares two values.
BEYOND_SCHEMA = ("is the HTTP port", "is used twice", "is longer than", "is no regular expression")


def test_reader_and_schema_agree_on_generated_files(reader):
    seen = {True: 0, False: 0}
    mutator = Mutator(20261128)
    documents = [yaml.safe_load(text) for text in RIGHT.values()]
    while sum(seen.values()) < 400:
        document = mutator.mutate(mutator.random.choice(documents))
        done = reader.read(json.dumps(document))
        taken = done.returncode == 0
        by_schema = reader.schema_takes(document)
        if not taken and all(any(words in line for words in BEYOND_SCHEMA) for line in done.stderr.splitlines()):
            continue
        assert taken == by_schema, (document, done.stderr)
        seen[taken] += 1
    assert min(seen.values()) >= 50, seen


def test_the_documented_keys_are_those_of_the_reader(executables):
    table = subprocess.run([executables / "slipway", "schema", "--markdown"], capture_output=True, text=True,
                           check=True).stdout
    assert table in (HERE.parents[1] / "docs" / "slipway-yml.md").read_text(), (
        "write it anew: build/dev/bin/slipway schema --markdown")
