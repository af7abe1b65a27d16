"""A lifecycle file and all it includes, as one document; nothing is declared twice.

Files come from a function, so that this module opens none. It owns which names may be
included, and what two files must not both declare.
"""

import re
import tomllib
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from pathlib import PurePosixPath
from typing import Any

from kessai.spec.places import Mistake, Path, Place, Places, find, show
from kessai.spec.shapes import is_list, is_table

MAX_INCLUDES = 16
MAX_BYTES = 1_000_000

Open = Callable[[str], bytes]
"""Gives the bytes of a file by its name; raises FileNotFoundError if there is none."""

_INCLUDE: Path = ("include",)
_LINE = re.compile(r"at line (\d+)")


class Merge:
    """The document so far, where its declarations stand, and what is wrong with it.

    `incomplete` says that a file could not be read, so that declarations are missing
    which their author may well have written.
    """

    def __init__(self, open_file: Open) -> None:
        self._open = open_file
        self._seen: set[str] = set()
        self._open_files: list[str] = []
        self.document: dict[str, Any] = {}
        self.places = Places()
        self.mistakes: list[Mistake] = []
        self.incomplete = False

    def file(self, name: str) -> None:
        """Add the file `name`, then all it includes.

        Raises:
            FileNotFoundError: there is no such file.

        """
        self._add_file(name, self._open(name))

    def _add_file(self, name: str, raw: bytes) -> None:
        self._seen.add(name)
        text = self._decoded(name, raw)
        data = self._parsed(name, text)
        places = Places()
        places.add(name, text)
        includes: object = data.get("include", [])
        if not is_list(includes):
            at = find(places, _INCLUDE, name)
            self._wrong(at, "'include' must be a list of file names")
            includes = []
        self._open_files.append(name)
        declared = {key: value for key, value in data.items() if key not in _INCLUDE}
        self._add(self.document, declared, (), places)
        # Only now, so that a repeated declaration is reported with its first place.
        self.places.add(name, text)
        for other in includes:
            self._include(other, places)
        self._open_files.pop()

    def _include(self, other: object, places: Places) -> None:
        at = partial(find, places, _INCLUDE, self._open_files[-1])
        if not _is_below(other):
            self._wrong(at(), f"include {other!r}: only a .toml file beside or below")
            return
        name = str(PurePosixPath(str(other)))
        if name in self._open_files:
            chain = " → ".join((*self._open_files, name))
            self._wrong(at(), f"files include each other: {chain}")
        elif len(self._seen) > MAX_INCLUDES:
            self._wrong(at(), f"more than {MAX_INCLUDES} files are included")
        elif name not in self._seen:
            try:
                raw = self._open(name)
            except FileNotFoundError:
                self._wrong(at(), f"include {name!r}: there is no such file", lost=True)
                return
            self._add_file(name, raw)

    def _decoded(self, name: str, raw: bytes) -> str:
        if len(raw) > MAX_BYTES:
            self._wrong(Place(name, 0), f"longer than {MAX_BYTES} bytes", lost=True)
            return ""
        try:
            return raw.decode()
        except UnicodeDecodeError as error:
            line = raw.count(b"\n", 0, error.start) + 1
            self._wrong(Place(name, line), f"not UTF-8: {error.reason}", lost=True)
            return ""

    def _parsed(self, name: str, text: str) -> Mapping[str, Any]:
        try:
            return _tables(text)
        except ValueError as error:
            found = _LINE.search(str(error))
            line = int(found[1]) if found else text.rstrip().count("\n") + 1
            self._wrong(Place(name, line), f"not TOML: {error}", lost=True)
        except RecursionError:
            self._wrong(Place(name, 0), "not TOML: nested too deep", lost=True)
        return {}

    def _add(
        self,
        into: dict[str, Any],
        data: Mapping[str, Any],
        path: Path,
        places: Places,
    ) -> None:
        for key, value in data.items():
            here = (*path, key)
            if is_table(value) and is_table(into.setdefault(key, {})):
                self._add(into[key], value, here, places)
            elif key not in into:
                into[key] = value
            else:
                first = find(self.places, here, "another file")
                again = find(places, here, self._open_files[-1])
                self._wrong(again, f"declared at {first} already", at=show(here))

    def _wrong(
        self, place: Place, message: str, *, at: str = "", lost: bool = False
    ) -> None:
        self.mistakes.append(Mistake(place, at, message))
        self.incomplete |= lost


@lru_cache(maxsize=2 * MAX_INCLUDES)
def _tables(text: str) -> Mapping[str, Any]:
    """What `text` says: most files include what others include, too."""
    return tomllib.loads(text)


def _is_below(name: object) -> bool:
    if not isinstance(name, str) or "\\" in name or "\0" in name:
        return False
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts and name.endswith(".toml")
