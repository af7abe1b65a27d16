"""Every text that the engine itself shows, in English and Japanese, a file per subject.

    word = Words("recovery")          # all of recovery.toml
    notes = Words("demo.notes")       # the section [notes] of demo.toml
    word("swept", "ja", count=3)      # 3 件を期限切れに変更。

The texts of a lifecycle (titles, guards, deadlines, rules) are in its own file. A table
is read when it is first used, so that defining one costs nothing.
"""

from collections.abc import Iterator, Mapping
from functools import cache, cached_property
from pkgutil import get_data
from typing import Any
from unicodedata import category

import attrs

LANGUAGES = ("en", "ja")


@attrs.frozen
class Text:
    """A name or a sentence in every language of the engine."""

    en: str
    ja: str

    def in_language(self, language: str) -> str:
        """The text in `language`, `en` or `ja`."""
        return self.ja if language == "ja" else self.en

    def filled(self, values: Mapping[str, "Text"]) -> "Text":
        """The text with each gap filled by another text, in every language."""
        return Text(
            *(
                self.in_language(one).format_map(
                    {name: text.in_language(one) for name, text in values.items()}
                )
                for one in LANGUAGES
            )
        )


_UNSHOWN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
_JOINERS = "\u200c\u200d"
"""What parts letters in Persian and Hindi, and joins emoji: it moves nothing."""


def printable(text: str) -> str:
    """`text` without what moves a cursor, changes colours or turns the direction.

    A character of control or format, or another kind of line end, becomes U+FFFD.
    """
    if text.isprintable():
        return text
    return "".join(
        c if category(c) not in _UNSHOWN or c in _JOINERS else "\ufffd" for c in text
    )


class Words(Mapping[str, Text]):
    """The texts of one subject by name: `word(name, language)` is one of them."""

    def __init__(self, subject: str) -> None:
        self._subject = subject

    @cached_property
    def _texts(self) -> Mapping[str, Text]:
        file, _, section = self._subject.partition(".")
        found = _read(file)
        texts: Mapping[str, dict[str, str]] = found[section] if section else found
        return {name: Text(**text) for name, text in texts.items()}

    def __call__(self, name: str, language: str, /, **values: object) -> str:
        """The text `name` in `language`, `en` or `ja`, with `values` filled in."""
        text = self._texts[name].in_language(language)
        return text.format_map(values) if values else text

    def each(self, language: str, *names: str) -> list[str]:
        """The texts `names` in `language`: the headings of a table, say."""
        return [self(name, language) for name in names]

    def in_language(self, language: str) -> Mapping[str, str]:
        """All texts in `language`, by name."""
        return {name: text.in_language(language) for name, text in self.items()}

    def __getitem__(self, name: str) -> Text:
        return self._texts[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._texts)

    def __len__(self) -> int:
        return len(self._texts)


def joined(how: str, **parts: Text) -> Text:
    """Names put together in every language, in the way `how` of `joining.toml`."""
    return _joining[how].filled(parts)


@cache
def _read(file: str) -> dict[str, Any]:
    import tomllib  # what prints no words reads none

    found = get_data(__name__, f"{file}.toml")
    assert found is not None  # noqa: S101 - only a loader without data gives none
    return tomllib.loads(found.decode())


_joining = Words("joining")
