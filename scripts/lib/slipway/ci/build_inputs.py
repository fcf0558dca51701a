"""What a build was made of: the files outside of the repository that it read and the programs that it ran, those of
which something is in the executables, the distribution's packages that own them, and what those depend on."""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

# What a static executable takes of the compiler's own, without a word in its command.
IMPLICIT = ("libstdc++.a", "libgcc.a", "libgcc_eh.a", "libc.a", "libm.a", "crt1.o")
# What leaves something in the files of a release, besides the compiler's parts.
PROGRAMS = ("cmake", "cpack", "ninja", "help2man", "git", "gzip", "tar", "python3", "bash", "dpkg-deb")


class Unknown(Exception):
    pass


@dataclass(frozen=True)
class Package:
    """As dpkg has it installed. name: qualified by its architecture where dpkg does so; depends: alternatives, each."""
    name: str
    bare: str
    architecture: str
    version: str
    essential: bool = False
    depends: tuple[tuple[str, ...], ...] = ()
    provides: tuple[str, ...] = ()


def said_by(*argv: str, may_fail: bool = False) -> str:
    done = subprocess.run(argv, check=False, capture_output=True, text=True, env={**os.environ, "LC_ALL": "C"})
    if done.returncode != 0 and not may_fail:
        raise Unknown(f"{' '.join(argv[:4])}: {(done.stderr or done.stdout).strip()[-300:]}")
    return done.stdout


def system() -> dict:
    """What /etc/os-release says."""
    return dict(re.findall(r'^(\w+)="?([^"\n]*)"?$', Path("/etc/os-release").read_text(), re.M))


def cached(folder: Path, name: str) -> str:
    """What CMake keeps of the build under NAME."""
    return re.search(rf"(?m)^{name}:\w+=(.*)$", (folder / "CMakeCache.txt").read_text())[1]


def used(folder: Path) -> set[str]:
    """The files outside of the repository that the build read."""
    headers = re.findall(r"(?m)^ +(/\S+)$", said_by("ninja", "-C", str(folder), "-t", "deps"))
    archives = re.findall(r"(?<=\s)(/\S+\.a)(?=\s|$)", said_by("ninja", "-C", str(folder), "-t", "commands"))
    compiler = [said_by(cached(folder, "CMAKE_CXX_COMPILER"), f"-print-file-name={name}").strip() for name in IMPLICIT]
    found = {os.path.realpath(path) for path in (*headers, *archives, *compiler)}
    sources = cached(folder, "CMAKE_HOME_DIRECTORY")
    return {path for path in found if not path.startswith(f"{os.path.realpath(sources)}/")}


def linked(folder: Path) -> set[str]:
    """The files outside of the repository of which something is in an executable of the build: what the linker's map
    has bytes of, and what a line of the code in it is from."""
    lines = said_by("ninja", "-C", str(folder), "-t", "commands").splitlines()
    links = [(re.search(r"-Map=([^\s,]+)", line), re.search(r" -o (\S+)", line)) for line in lines]
    made = [(folder / at[1], folder / out[1]) for at, out in links if at and out and (folder / at[1]).exists()]
    if not made:
        raise Unknown(f"{folder}: no executable was linked there with a map (-Map=FILE)")
    readelf = cached(folder, "CMAKE_READELF")  # the compiler's, which may be a cross compiler's
    found = {path for link, executable in made for path in (*contributors(link), *lines_of(executable, readelf))}
    sources = os.path.realpath(cached(folder, "CMAKE_HOME_DIRECTORY"))
    outside = {os.path.realpath(path) for path in found if path.startswith("/")}
    return {path for path in outside if not path.startswith(f"{sources}/")}


def contributors(link: Path) -> set[str]:
    """The objects, and the archives, of which the linker's map LINK has bytes that are loaded. Of an archive that is
    named and that nothing needs there are none, nor of what was left out since nothing calls it."""
    layout = link.read_text().partition("\nLinker script and memory map\n")[2]
    parts = re.findall(r"(?m)^ (\S+)\s+0x([0-9a-f]+)\s+0x([0-9a-f]+) (/.+)$", layout)
    return {path.partition("(")[0] for _, address, size, path in parts if int(address, 16) and int(size, 16)}


def lines_of(executable: Path, readelf: str) -> set[str]:
    """The source files that code of EXECUTABLE is from, as its debugging lines tell; what the linker left out has the
    address 0 there."""
    folders, files, found, at, sequence, alive = {}, {}, set(), 1, set(), False
    for line in said_by(readelf, "--debug-dump=rawline", str(executable)).splitlines():
        if "Special opcode" in line or line.endswith("  Copy") or "  Copy (view" in line:
            sequence.add(at)
        elif place := re.search(r"Set File Name to entry (\d+)", line):
            at = int(place[1])
        elif address := re.search(r"set Address to (\w+)$", line):
            alive = alive or address[1] != "0"
        elif line.endswith("End of Sequence"):
            found |= {files[each] for each in sequence} if alive else set()
            at, sequence, alive = 1, set(), False
        elif named := re.match(r"  (\d+)\t(?:(\d+)\t)?(?:\(.*?\): )?(.+)$", line):
            number, folder, name = named.groups()
            if folder is None:
                folders[int(number)] = name
            else:
                files[int(number)] = os.path.join(folders[int(folder)], name)
    if not found:
        raise Unknown(f"{executable} has no lines for a debugger (-g1): which headers are in it cannot be told")
    return found


def programs(folder: Path) -> set[str]:
    """The programs that the build ran."""
    compiler = cached(folder, "CMAKE_CXX_COMPILER")
    parts = [said_by(compiler, f"-print-prog-name={name}").strip() for name in ("cc1plus", "as", "collect2", "ld")]
    named = [compiler, *parts, cached(folder, "CMAKE_AR"), cached(folder, "CMAKE_STRIP"), *PROGRAMS]
    return {os.path.realpath(path) for path in map(shutil.which, named) if path}


def owners(paths: set[str]) -> tuple[dict[str, str], list[str]]:
    """(path -> the package that owns it, those that none owns)."""
    told = said_by("dpkg-query", "--search", *sorted(paths), may_fail=True)
    owner = {path: name.split(", ")[0] for name, path in re.findall(r"(?m)^(.+?): (/.+)$", told)}
    # Packages from before /usr was merged still name /lib.
    strangers = sorted(path for path in paths - owner.keys() if path.removeprefix("/usr") not in owner)
    again = said_by("dpkg-query", "--search", *(p.removeprefix("/usr") for p in strangers), may_fail=True) \
        if strangers else ""
    owner |= {f"/usr{path}": name.split(", ")[0] for name, path in re.findall(r"(?m)^(.+?): (/.+)$", again)}
    found = {path: owner.get(path) or owner.get(path.removeprefix("/usr")) for path in paths}
    return {path: name for path, name in found.items() if name}, sorted(path for path in paths if not found[path])


def installed() -> list[Package]:
    fields = ("binary:Package", "Package", "Architecture", "Version", "Essential", "Pre-Depends", "Depends", "Provides")
    form = "\t".join(f"${{{field}}}" for field in fields)
    lines = said_by("dpkg-query", "--show", f"--showformat=${{db:Status-Status}}\t{form}\n").splitlines()
    return [package(*fields) for state, *fields in (line.split("\t") for line in lines) if state == "installed"]


def package(name, bare, architecture, version, essential, before, depends, provides) -> Package:
    groups = [tuple(map(bare_name, group.split("|"))) for group in f"{before},{depends}".split(",") if group.strip()]
    return Package(name, bare, architecture, version, essential == "yes", tuple(groups),
                   tuple(bare_name(other) for other in provides.split(",") if other.strip()))


def bare_name(dependency: str) -> str:
    """Of `libc6:any (>= 2.36)`, libc6."""
    return re.match(r"[^\s:(]+", dependency.strip())[0]


def closure(roots: set[str], packages: list[Package]) -> list[Package]:
    """Those of PACKAGES that ROOTS (dpkg's names, qualified or not) name, the essential ones, and whatever these depend
    on, by name."""
    by_name: dict[str, list[Package]] = {}
    for each in packages:
        for name in {each.name, each.bare, f"{each.bare}:{each.architecture}", *each.provides}:
            by_name.setdefault(name, []).append(each)
    found: dict[str, Package] = {}
    waiting = [each for name in roots for each in by_name.get(name, ())] + [each for each in packages if each.essential]
    while waiting:
        each = waiting.pop()
        if each.name in found:
            continue
        found[each.name] = each
        for alternatives in each.depends:
            fit = [other for name in alternatives for other in by_name.get(name, ())]
            waiting += [other for other in fit if other.architecture in (each.architecture, "all")] or fit
    return sorted(found.values(), key=lambda each: each.name)
