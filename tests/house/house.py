"""What the house allows: which room may include which, and which library is for which files.

The rooms and their arrows are CMake's own (slipway_room), written to BUILD/rooms.txt: a room may
include what it links, directly or through another room.
"""

import re
from dataclasses import dataclass
from pathlib import Path

ROOTS = ("src", "bench", "tools")
QUOTED = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.MULTILINE)
ANGLED = re.compile(r"^\s*#\s*include\s*<([^>]+)>", re.MULTILINE)

# Libraries that cost seconds in every object: where they are compiled, and what to include instead.
DEAR = (
    (re.compile(r"^CLI/"), re.compile(r"^src/base/(command_line|grouped_help)\.cpp$"), "base/command_line.hpp"),
    (re.compile(r"^yaml-cpp/"), re.compile(r"^src/service/document\.cpp$"), "service/document.hpp"),
    (re.compile(r"^boost/beast"), re.compile(r"^src/net/\w+\.cpp$"), "a header of src/net"),
    (re.compile(r"^boost/url"), re.compile(r"^src/net/url\.cpp$"), "net/url.hpp"),
    (re.compile(r"^boost/process"), re.compile(r"^src/base/(process|asio_impl)\.cpp$"), "base/process.hpp"),
    (re.compile(r"^nlohmann/json\.hpp$"), re.compile(r"^src/base/json\.(cpp|hpp)$"), "base/json.hpp"),
)


@dataclass(frozen=True)
class Room:
    path: str  # "bench/packet_bench/load"
    links: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.path.split("/", 1)[1]


def read_rooms(text: str) -> dict[str, Room]:
    rooms = {}
    for line in text.splitlines():
        path, _, links = line.partition(": ")
        room = Room(path, tuple(filter(None, links.split(";"))))
        rooms[room.name] = room
    return rooms


def reachable(rooms: dict[str, Room], name: str) -> set[str]:
    """The room and all that it links, directly or not."""
    seen, open_ = set(), [name]
    while open_:
        room = open_.pop()
        if room in rooms and room not in seen:
            seen.add(room)
            open_.extend(rooms[room].links)
    return seen


def cycles(rooms: dict[str, Room]) -> list[str]:
    return [name for name, room in rooms.items()
            if any(name in reachable(rooms, link) for link in room.links if link != name)]


def sources(root: Path) -> list[Path]:
    return sorted(path for part in ROOTS for path in (root / part).rglob("*.?pp"))


def home_of(rooms: dict[str, Room], path: str) -> Room | None:
    """The room that a file lies in; none for a main."""
    fitting = [room for room in rooms.values() if str(Path(path).parent) == room.path]
    return fitting[0] if fitting else None


def violations(root: Path, rooms: dict[str, Room]) -> list[str]:
    """A line for each include that the house forbids; it names the rule."""
    found = [f"room {name} links itself through others; arrows go down only" for name in cycles(rooms)]
    for file in sources(root):
        path = str(file.relative_to(root))
        text = file.read_text(encoding="utf-8")
        found += [f"{path}: {line}" for line in forbidden_rooms(rooms, root, path, text)]
        found += [f"{path}: {line}" for line in dear_libraries(path, text)]
    return found


def forbidden_rooms(rooms, root, path, text):
    home = home_of(rooms, path)
    if home is None and not path.endswith("main.cpp") and "/micro/" not in path:
        yield "lies in no room; add it to one, or a slipway_room() to CMakeLists.txt"
        return
    allowed = reachable(rooms, home.name) if home else set(rooms)
    for included in QUOTED.findall(text):
        room = str(Path(included).parent)
        if home is None and (root / "bench" / included).is_file():
            continue
        if room not in rooms or not (root / rooms[room].path / Path(included).name).is_file():
            yield f'includes "{included}", which is no header of a room; write "ROOM/NOUN.hpp"'
        elif room not in allowed:
            yield (f'includes "{included}", but {home.name} does not link {room}: '
                   f"arrows go down only (see the slipway_room lines of CMakeLists.txt)")


def dear_libraries(path, text):
    for included in ANGLED.findall(text):
        for library, where, instead in DEAR:
            if library.search(included) and not where.search(path):
                yield f"includes <{included}>, which only {where.pattern} may; include {instead}"
