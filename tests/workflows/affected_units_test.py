#!/usr/bin/env python3
"""scripts/ci/affected-units in a small repository of its own: what a pull request is linted for."""

import subprocess
import tempfile
import unittest
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "ci" / "affected-units"
FILES = {
    "CMakeLists.txt": "",
    "src/wire/oer.hpp": "#pragma once\n",
    "src/wire/oer.cpp": '#include "wire/oer.hpp"\n',
    "src/wire/packet.hpp": '#pragma once\n#include "wire/oer.hpp"\n',
    "tools/deploy/CMakeLists.txt": "",
    "tools/deploy/main.cpp": "#include <cstdio>\n",
    "tools/deploy/near.cpp": '#include "near.hpp"\n',
    "tools/deploy/near.hpp": "#pragma once\n",
    "bench/load/load.cpp": '  #  include "wire/packet.hpp"\n',
    "tests/wire/oer_test.cpp": '#include "wire/oer.hpp"\n',
}
UNITS = sorted(name for name in FILES if name.endswith(".cpp") and not name.startswith("tests/"))


class AffectedUnits(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        self.git("init", "--quiet")
        self.base = self.commit(FILES)

    def git(self, *arguments: str) -> str:
        return subprocess.run(["git", "-c", "user.name=t", "-c", "user.email=t@example.org", *arguments],
                              cwd=self.root, check=True, capture_output=True, text=True).stdout.strip()

    def commit(self, files: dict) -> str:
        for name, text in files.items():
            file = self.root / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "a change")
        return self.git("rev-parse", "HEAD")

    def affected(self, *arguments: str) -> list:
        return subprocess.run([SCRIPT, *arguments], cwd=self.root, check=True, capture_output=True,
                              text=True).stdout.split()

    def after(self, *changed: str) -> list:
        self.commit({name: FILES.get(name, "") + "// changed\n" for name in changed})
        return self.affected(self.base)

    def test_without_a_base_all(self):
        self.assertEqual(self.affected(), UNITS)

    def test_a_source_file_is_alone(self):
        self.assertEqual(self.after("tools/deploy/main.cpp"), ["tools/deploy/main.cpp"])

    def test_a_header_reaches_who_includes_it_at_any_remove(self):
        self.assertEqual(self.after("src/wire/oer.hpp"), ["bench/load/load.cpp", "src/wire/oer.cpp"])

    def test_a_header_beside_its_user(self):
        self.assertEqual(self.after("tools/deploy/near.hpp"), ["tools/deploy/near.cpp"])

    def test_a_new_file(self):
        self.assertEqual(self.after("src/wire/btp.cpp"), ["src/wire/btp.cpp"])

    def test_a_header_that_is_gone_leaves_who_still_includes_it(self):
        self.git("rm", "--quiet", "src/wire/oer.hpp")
        self.git("commit", "--quiet", "--message", "gone")
        self.assertEqual(self.affected(self.base), ["bench/load/load.cpp", "src/wire/oer.cpp"])

    def test_the_build_of_a_folder_reaches_that_folder(self):
        self.assertEqual(self.after("tools/deploy/CMakeLists.txt"),
                         ["tools/deploy/main.cpp", "tools/deploy/near.cpp"])

    def test_the_build_and_the_rules_of_all_reach_all(self):
        for name in ("CMakeLists.txt", ".clang-tidy", "cmake/warnings.cmake", "scripts/lint"):
            with self.subTest(name):
                self.base = self.git("rev-parse", "HEAD")
                self.assertEqual(self.after(name), UNITS)

    def test_tests_and_documents_reach_nothing(self):
        self.assertEqual(self.after("tests/wire/oer_test.cpp", "README.md"), [])

    def test_what_main_got_meanwhile_does_not_count(self):
        self.git("checkout", "--quiet", "-b", "topic")
        self.commit({"tools/deploy/main.cpp": "// topic\n"})
        self.git("checkout", "--quiet", "-b", "newer", self.base)
        newer = self.commit({"src/wire/oer.cpp": "// newer\n"})
        self.git("checkout", "--quiet", "topic")
        self.assertEqual(self.affected(newer), ["tools/deploy/main.cpp"])

    def test_an_unknown_base_is_an_error(self):
        done = subprocess.run([SCRIPT, "0" * 40], cwd=self.root, check=False, capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stdout), (3, ""))
        self.assertIn("affected-units: error: git diff", done.stderr)


if __name__ == "__main__":
    unittest.main()
