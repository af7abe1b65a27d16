"""What columns and cells are commonly called, and the sentences of a check."""

import re
import shlex
import tomllib
import unicodedata
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources
from typing import Any

import attrs

from kessai.card_numbers import without_card_numbers
from kessai.words import Text, Words

_rows, _notes = Words("log_check.rows"), Words("log_check.notes")
_PLAIN = re.compile(r"[\w.-]+")
_MOST_SHOWN = 40
"""Characters of a log that a message repeats at most."""


class BadValue(ValueError):
    """A cell or a row that cannot be read: a code of `log_check.rows`, and values."""

    def __init__(self, code: str, **values: object) -> None:
        super().__init__(code)
        self.code = code
        self.values = values

    def sentence(self, language: str = "en") -> str:
        """What is wrong, in `language`, `en` or `ja`."""
        return _rows(self.code, language, **self.values)

    def in_column(self, column: str) -> "BadValue":
        """The same, with `column` named."""
        self.values["column"] = column
        return self


@attrs.frozen
class Note:
    """What was taken for granted: a code of `log_check.notes`, and values or texts."""

    code: str
    values: Mapping[str, object] = attrs.field(factory=dict[str, object])

    def sentence(self, language: str) -> str:
        """The note in `language`, `en` or `ja`."""
        values = {
            name: value.in_language(language) if isinstance(value, Text) else value
            for name, value in self.values.items()
        }
        return _notes(self.code, language, **values)


def words(kind: str) -> Mapping[str, list[str]]:
    """The common words of `kind`: `columns`, `commands`, `outcomes`, `truths`, `signs`."""
    found: Mapping[str, list[str]] = _spellings()[kind]
    return found


def folded(text: str) -> str:
    """`text` as names are compared: without case, width, spaces, `_` and `-`."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    return "".join(letter for letter in plain if letter not in " \t_-")


def meaning_of(kind: str) -> dict[str, str]:
    """Each common word of `kind`, folded, with what it means."""
    return {
        folded(word): meaning
        for meaning, group in words(kind).items()
        for word in group
    }


def shown(text: str) -> str:
    """A text of the log as messages repeat it: short, safe on a terminal, no card."""
    text = without_card_numbers(text)
    if len(text) > _MOST_SHOWN:
        text = text[:_MOST_SHOWN] + "…"
    return "".join(c if c.isprintable() else "�" for c in text) or "''"


def typed(text: str) -> str:
    """A text of the log as a command line takes it: in quotes where it needs them."""
    plain = shown(text) if text else ""
    return plain if _PLAIN.fullmatch(plain) else shlex.quote(plain)


def joined(pairs: Iterable[tuple[str, str]]) -> str:
    """Pairs as `a = b, c = d`."""
    return ", ".join(f"{one} = {other}" for one, other in pairs)


@cache
def _spellings() -> dict[str, Any]:
    file = resources.files("kessai.audit.log_check").joinpath("spellings.toml")
    return tomllib.loads(file.read_text("utf-8"))
