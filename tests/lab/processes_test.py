"""Looking at all processes of a machine is not disturbed by those that end meanwhile."""

import os

from support.processes import all_that_have


def test_a_process_that_ends_while_one_looks_is_passed_over(tmp_path):
    for number in ("1", "2", "3", "self"):
        (tmp_path / number).mkdir()
    for number in ("1", "3", "self"):  # the second has ended since it was listed
        (tmp_path / number / "cmdline").write_bytes(b"sleep\x009\x00")
    assert dict(all_that_have("cmdline", tmp_path)) == {1: b"sleep\x009\x00", 3: b"sleep\x009\x00"}


def test_this_one_is_among_those_of_the_machine():
    assert b"pytest" in dict(all_that_have("cmdline"))[os.getpid()]
