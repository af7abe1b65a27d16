"""Where in a lifecycle file a declaration is, so that a mistake can point at it.

TOML readers give values without positions, so the lines are scanned once more for
table heads, keys and the items of lists that have lines of their own. What is not found
(an inline table's key, for instance) is placed at the declaration that holds it.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping

import attrs

Path = tuple[str | int, ...]

_NAME = r"(?:[A-Za-z0-9_-]+|\"[^\"]*\"|'[^']*')"
_NAMES = rf"{_NAME}(?:\s*\.\s*{_NAME})*"
_HEAD = re.compile(rf"\s*\[\s*({_NAMES})\s*\]")
_HEAD_OF_ITEM = re.compile(rf"\s*\[\[\s*({_NAMES})\s*\]\]")
_KEY = re.compile(rf"\s*({_NAMES})\s*=")
_ITEM = re.compile(r"\s*\{")
_NOT_STRUCTURE = re.compile(r"\"(?:\\.|[^\"\\])*\"|'[^']*'|#.*")


@attrs.frozen(order=True)
class Place:
    """A line of a file; line 0 stands for the file as a whole."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


@attrs.frozen
class Mistake:
    """One thing that is wrong in a lifecycle file, where, and what would be right."""

    place: Place
    path: str
    message: str

    def __str__(self) -> str:
        where = f" [{self.path}]" if self.path else ""
        return f"{self.place}:{where} {self.message}"


class Places(Mapping[Path, Place]):
    """Where the declarations of some files are, each where it came first.

    Most files have no mistake, so they are scanned when a place is first looked for.
    """

    def __init__(self) -> None:
        self._unscanned: list[tuple[str, str]] = []
        self._found: dict[Path, Place] = {}

    def add(self, file: str, text: str) -> None:
        """Add the places in `text` after those that are there."""
        self._unscanned.append((file, text))

    def _scanned(self) -> dict[Path, Place]:
        for file, text in self._unscanned:
            self._found = scan(file, text) | self._found
        self._unscanned.clear()
        return self._found

    def __getitem__(self, path: Path) -> Place:
        return self._scanned()[path]

    def __iter__(self) -> Iterator[Path]:
        return iter(self._scanned())

    def __len__(self) -> int:
        return len(self._scanned())


def scan(file: str, text: str) -> dict[Path, Place]:
    """Return the place of every declaration in `text`, by its path."""
    places: dict[Path, Place] = {}
    heads: Counter[Path] = Counter()
    table: Path = ()
    key: Path = ()
    items = 0
    # Not splitlines: it would count a form feed within a line as the end of it.
    for number, line in enumerate(text.split("\n"), 1):
        place = Place(file, number)
        if found := _HEAD_OF_ITEM.match(line):
            name = _split(found[1])
            table = (*name, heads[name])
            heads[name] += 1
            places.setdefault(name, place)
            places.setdefault(table, place)
        elif found := _HEAD.match(line):
            table = _split(found[1])
            places.setdefault(table, place)
        elif found := _KEY.match(line):
            key = table + _split(found[1])
            places.setdefault(key, place)
            items = _items(line[found.end() :])
        elif _ITEM.match(line):
            places.setdefault((*key, items), place)
            items += _items(line)
    return places


def find(places: Mapping[Path, Place], path: Path, file: str) -> Place:
    """Return the place of `path`, or of the nearest declaration that holds it."""
    for length in range(len(path), 0, -1):
        if path[:length] in places:
            return places[path[:length]]
    return Place(file, 0)


def show(path: Path) -> str:
    """Show `("commands", "refund", "moves", 1)` as `commands.refund.moves[1]`."""
    shown = ""
    for part in path:
        shown += f"[{part}]" if isinstance(part, int) else f".{part}"
    return shown.removeprefix(".")


def _split(dotted: str) -> Path:
    return tuple(re.sub(r"^['\"]|['\"]$", "", n) for n in re.findall(_NAME, dotted))


def _items(line: str) -> int:
    """How many inline tables begin in `line`, not counting those inside of others."""
    depth = count = 0
    for character in _NOT_STRUCTURE.sub("", line):
        if character == "{":
            count += depth == 0
            depth += 1
        elif character == "}":
            depth -= 1
    return count
