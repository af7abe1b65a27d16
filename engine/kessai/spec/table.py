"""Taking typed values out of a TOML document while gathering every mistake.

A wrong value is noted and replaced by a harmless one, so that reading goes on and the
author sees all mistakes at once. The harmless values never leave the package: a
document with a mistake is refused as a whole.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from kessai.spec.expression import AmountEffect, Expression, OutsideGrammar
from kessai.spec.places import Mistake, Path, Place, find, show
from kessai.spec.shapes import is_list, is_table
from kessai.words import LANGUAGES, Text

T = TypeVar("T")
D = TypeVar("D")
NOTHING = Expression.parse("1")
_TYPES: Mapping[type[object], str] = {
    str: "a text",
    int: "a whole number",
    bool: "true or false",
}


class Notebook:
    """All mistakes of one document, each with its place."""

    def __init__(self, file: str, places: Mapping[Path, Place]) -> None:
        self._file = file
        self._places = places
        self.mistakes: list[Mistake] = []

    def wrong(self, path: Path, message: str) -> None:
        """Note a mistake at `path`."""
        place = find(self._places, path, self._file)
        self.mistakes.append(Mistake(place, show(path), message))


class Table:
    """One table of the document; it knows which of its keys were asked for."""

    def __init__(self, notebook: Notebook, path: Path, data: Mapping[str, Any]) -> None:
        self.notebook = notebook
        self.path = path
        self._data = data
        self._asked: set[str] = set()

    @property
    def name(self) -> str:
        """What the table is called where it stands."""
        return str(self.path[-1])

    def wrong(self, message: str, *at: str | int) -> None:
        """Note a mistake in this table, or at `at` below it."""
        self.notebook.wrong(self.path + at, message)

    @property
    def keys(self) -> tuple[str, ...]:
        """Every key that is there."""
        return tuple(self._data)

    def has(self, key: str) -> bool:
        """Whether the key is there, whatever its value."""
        return key in self._data

    def value(self, key: str, kind: type[T], default: T, *, needed: bool = False) -> T:
        """Return the value of `key` if it is exactly of `kind`."""
        self._asked.add(key)
        if key not in self._data:
            if needed:
                self.wrong(f"'{key}' is missing; it must be {_TYPES[kind]}")
            return default
        found = self._data[key]
        if type(found) is not kind:
            self.wrong(f"'{key}' must be {_TYPES[kind]}, not {found!r}", key)
            return default
        return found

    def text(self, key: str, default: str = "", *, needed: bool = False) -> str:
        """Return the text at `key`; where it is needed it must not be empty."""
        found = self.value(key, str, default, needed=needed)
        if needed and self._data.get(key) == found and not found.strip():
            self.wrong(f"'{key}' must not be empty", key)
        return found

    def count(self, key: str, *, needed: bool = False) -> int | None:
        """Return the whole number at `key`, which must be 1 or more."""
        found = self.value(key, int, 1, needed=needed)
        if found < 1:
            self.wrong(f"'{key}' must be 1 or more, not {found}", key)
            return 1
        return found if self.has(key) else None

    def rule(self) -> str:
        """Return the rule that this comes from; every declaration needs one."""
        return self.text("rule", needed=True)

    def strings(
        self, key: str, *, needed: bool = False, may_be_empty: bool = False
    ) -> tuple[str, ...]:
        """Return the list of names at `key`; a single text counts as a list of one."""
        names = self._texts(key)
        is_empty = may_be_empty and self._data.get(key) == []
        if needed and not names and not self._data.get(key) and not is_empty:
            self.wrong(f"'{key}' is missing; it must be a list of texts")
        for name in dict.fromkeys(names):
            if names.count(name) > 1:
                self.wrong(f"{name!r} is listed twice in '{key}'", key)
        return tuple(dict.fromkeys(names))

    def table(self, key: str, *, needed: bool = False) -> "Table":
        """Return the table at `key`; an empty one if there is none."""
        self._asked.add(key)
        if needed and key not in self._data:
            self.wrong(f"table '{key}' is missing")
        data: object = self._data.get(key, {})
        if is_table(data):
            return Table(self.notebook, (*self.path, key), data)
        self.wrong(f"'{key}' must be a table, not {data!r}", key)
        return Table(self.notebook, (*self.path, key), {})

    def each(
        self, key: str, read: Callable[["Table"], T], *, needed: bool = False
    ) -> dict[str, T]:
        """Return what `read` makes of every table in the one at `key`, by name."""
        tables = self.table(key, needed=needed)
        return {name: tables.table(name).whole(read) for name in tables.keys}

    def items(self, key: str, read: Callable[["Table"], T]) -> tuple[T, ...]:
        """Return what `read` makes of every table in the list at `key`."""
        self._asked.add(key)
        found: object = self._data.get(key, [])
        if not is_list(found):
            self.wrong(f"'{key}' must be a list of tables, not {found!r}", key)
            return ()
        tables: list[Table] = []
        for number, item in enumerate(found):
            if is_table(item):
                tables.append(Table(self.notebook, (*self.path, key, number), item))
            else:
                self.wrong(f"must be a table, not {item!r}", key, number)
        return tuple(table.whole(read) for table in tables)

    def part(self, key: str, read: Callable[["Table"], T]) -> T | None:
        """Return what `read` makes of the table at `key`; None if there is none."""
        return self.table(key).whole(read) if self.has(key) else None

    def whole(self, read: Callable[["Table"], T]) -> T:
        """Return what `read` makes of this table; note each key it did not ask for."""
        found = read(self)
        self.no_more()
        return found

    def translated(self, key: str) -> Text:
        """Return the text at `key` in every language."""
        self._asked.add(key)
        if is_table(self._data.get(key)):
            return self.table(key).whole(Table.translation)
        at = (key,) if self.has(key) else ()
        self.wrong(f"'{key}' is needed as {{ en = …, ja = … }}", *at)
        return Text(en="", ja="")

    def translation(self) -> Text:
        """Return the table's own texts, one a language."""
        texts: dict[str, str] = {}
        for language in LANGUAGES:
            texts[language] = self.value(language, str, "")
            if not str(self._data.get(language, "")).strip():
                self.wrong(f"the translation '{language}' is missing")
        return Text(**texts)

    def expression(self, key: str, *, needed: bool = False) -> Expression | None:
        """Return the expression at `key`."""
        text = self.value(key, str, "", needed=needed)
        if not isinstance(self._data.get(key), str):
            return NOTHING if needed else None
        return self._parsed(Expression.parse, text, (key,), NOTHING)

    def needed_expression(self, key: str) -> Expression:
        """Return the expression at `key`, which must be there."""
        return self.expression(key, needed=True) or NOTHING

    def by_currency(
        self, key: str, currencies: Iterable[str], *, needed: bool = False
    ) -> Mapping[str, Expression | None]:
        """Return the expression at `key` per currency: one for all, or one for each."""
        if not is_table(self._data.get(key)):
            return dict.fromkeys(currencies, self.expression(key, needed=needed))
        return self.table(key).whole(
            lambda table: {c: table.expression(c, needed=True) for c in currencies}
        )

    def effects(self, key: str) -> tuple[AmountEffect, ...]:
        """Return the list of effects at `key`."""
        parsed = [
            self._parsed(AmountEffect.parse, text, (key,), None)
            for text in self._texts(key)
        ]
        return tuple(effect for effect in parsed if effect is not None)

    def no_more(self) -> None:
        """Note every key that nothing asked for, such as a misspelt guard."""
        for key in self._data:
            if key not in self._asked:
                known = ", ".join(sorted(self._asked))
                self.wrong(f"'{key}' is not known here; known are: {known}", key)

    def _texts(self, key: str) -> list[str]:
        self._asked.add(key)
        found: object = self._data.get(key, [])
        items = [found] if isinstance(found, str) else found
        if is_list(items):
            texts = [item for item in items if isinstance(item, str)]
            if len(texts) == len(items):
                return texts
        self.wrong(f"'{key}' must be a list of texts, not {found!r}", key)
        return []

    def _parsed(
        self, parse: Callable[[str], T], text: str, at: tuple[str, ...], instead: D
    ) -> T | D:
        try:
            return parse(text)
        except OutsideGrammar as error:
            self.wrong(f"{text!r}: {error}", *at)
            return instead
