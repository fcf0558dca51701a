"""An image of web_server.py with the Python that runs this, for engines that reach no registry."""

import re
import subprocess
import sys
import sysconfig
from pathlib import Path

from support.engines import import_image

SCRIPT = Path(__file__).with_name("web_server.py")
LEFT_OUT = {"test", "tests", "idlelib", "site-packages", "dist-packages", "__pycache__", "lib2to3", "ensurepip"}


def libraries_of(programs: list[Path]) -> set[str]:
    listed = subprocess.run(["ldd", *programs], capture_output=True, text=True, check=False).stdout
    return set(re.findall(r"\s(/\S+) \(", listed))


def python_files() -> dict:
    """The interpreter, its standard library and the libraries of both, for import_image."""
    program = Path(sys.executable).resolve()
    standard = Path(sysconfig.get_path("stdlib"))
    modules = [file for file in standard.rglob("*")
               if file.is_file() and not LEFT_OUT & set(file.relative_to(standard).parts)
               and file.suffix in {".py", ".so"}]
    native = [program, *(file for file in modules if file.suffix == ".so")]
    files = [program, *modules, *map(Path, libraries_of(native))]
    return {str(file)[1:]: file for file in files}


def import_web_server(engine, reference: str, revision: str = "", arguments: tuple[str, ...] = ()) -> None:
    """An image whose entry point is web_server.py with ARGUMENTS; REVISION is its label."""
    command = [str(Path(sys.executable).resolve()), "-S", "/web_server.py", *arguments]
    changes = [f"ENTRYPOINT {command!r}".replace("'", '"'), "ENV PYTHONDONTWRITEBYTECODE=1"]
    if revision:
        changes.append(f"LABEL org.opencontainers.image.revision={revision}")
    import_image(engine, reference, {**python_files(), "web_server.py": SCRIPT}, changes)
