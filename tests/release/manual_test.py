"""What a distribution wants beside the executables: made of their own help, the same bytes whenever it is made."""

import os
import subprocess

import pytest

from slipway.paths import REPOSITORY
from support import needs

pytestmark = needs.all_of(needs.programs("build", "help2man"))
COMPLETION = "/usr/share/bash-completion/bash_completion"


def made(executables, folder, zone: str) -> dict:
    env = {**os.environ, "SOURCE_DATE_EPOCH": "1700000000", "TZ": zone}
    subprocess.run([REPOSITORY / "scripts/release/manual", executables, folder, "1.2.3"], cwd=REPOSITORY, env=env,
                   check=True)
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_every_tool_has_a_page_and_two_makings_are_the_same_bytes(executables, tmp_path):
    first = made(executables, tmp_path / "a", "UTC")
    pages = {f"share/man/man1/{tool}.1.gz" for tool in ("deploy", "rollback", "packet_bench", "slipway", "connector")}
    assert pages <= first.keys()
    assert first == made(executables, tmp_path / "b", "Pacific/Chatham")


@pytest.mark.skipif(not os.path.exists(COMPLETION), reason="no bash-completion here (scripts/setup test)")
@pytest.mark.parametrize(("line", "expected"), [
    ("deploy --dry", "--dry-run"), ("rollback --st", "--status"), ("packet_bench se", "search"),
    ("slipway reh", "rehearse"), ("packet_bench run --thresh", "--threshold-tps")])
def test_the_shell_completes_what_help_says(executables, line, expected):
    words = line.split()
    script = (f"source {COMPLETION}; source scripts/release/completion.bash; COMP_WORDS=({line}); COMP_LINE='{line}'; "
              f"COMP_CWORD={len(words) - 1}; COMP_POINT={len(line)}; _slipway_tools {words[0]}; echo ${{COMPREPLY[@]}}")
    done = subprocess.run(["bash", "-c", script], cwd=REPOSITORY, check=False, capture_output=True, text=True,
                          env={**os.environ, "PATH": f"{executables}:{os.environ['PATH']}"})
    assert done.stdout.split()[:1] == [expected], done
