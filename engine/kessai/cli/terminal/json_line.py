"""JSON read strictly, with the place of every mistake: what money is written in.

Nothing is guessed: a member given twice, a number with a point and text after the end
are mistakes. Columns count characters from 1.
"""

import json
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from typing import Any, NoReturn

import attrs

from kessai.card_numbers import without_card_numbers

_MOST_DIGITS = 20
"""More digits than any amount has; Python's own limit would raise something else."""

_MOST_SHOWN = 40
"""Characters of the file that a message repeats at most."""


@attrs.frozen
class NotWhole:
    """A number in the file that is no whole number, as it is written there."""

    text: str


class JsonMistake(ValueError):
    """The text is not the JSON that is asked for; `column` says where."""

    def __init__(self, column: int, what: str) -> None:
        super().__init__(what)
        self.column = column
        self.what = what


@attrs.frozen
class Member:
    """A member of an object in the text: where its name and its value begin."""

    name: str
    name_at: int
    value_at: int


class _GivenTwice(ValueError):
    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def decode_object(text: str) -> dict[str, Any]:
    """The one JSON object in `text`; numbers are whole, or `NotWhole`.

    Raises:
        JsonMistake: it is something else.

    """
    try:
        value = _strict.decode(text)
    except json.JSONDecodeError as error:
        what = f"not JSON: {error.msg[:1].lower()}{error.msg[1:]}; one object is right"
        raise JsonMistake(error.pos + 1, what) from None
    except _GivenTwice as error:
        column = (_second(text, _start(text), error.name) or 0) + 1
        what = f"{short(error.name)} is given twice; once is right"
        raise JsonMistake(column, what) from None
    except RecursionError:
        raise JsonMistake(1, "nested too deeply; one plain object is right") from None
    if not isinstance(value, dict):
        what = f"{kind_of(value)}; an object in braces is right"
        raise JsonMistake(_start(text) + 1, what)
    return value


def column_of(text: str, path: tuple[str, ...], *, of_name: bool = False) -> int:
    """The column of the value under `path` in the object `text`, or of its name.

    Where the path leads nowhere, the column of the object that lacks it.
    """
    at = _start(text)
    for depth, name in enumerate(path):
        if text[at] != "{":
            break
        found = next((m for m in _members(text, at) if m.name == name), None)
        if found is None:
            break
        last = depth == len(path) - 1
        at = found.name_at if last and of_name else found.value_at
    return at + 1


def kind_of(value: object) -> str:
    """What a JSON value is, in words."""
    if isinstance(value, NotWhole):
        return f"the number {without_card_numbers(value.text)[:_MOST_SHOWN]}"
    if isinstance(value, bool):
        return "true" if value else "false"
    kinds: dict[type[object], str] = {
        str: "a text",
        int: "a number",
        dict: "an object",
        list: "a list",
    }
    return kinds.get(type(value), "null")


def short(name: str) -> str:
    """A name from the file, quoted, safe on a terminal and not too long."""
    name = without_card_numbers(name)
    return repr(name) if len(name) <= _MOST_SHOWN else f"{name[:_MOST_SHOWN]!r}…"


def meant(name: str, known: Iterable[str]) -> str:
    """What may have been meant by an unknown `name`, or all names that there are."""
    names = list(known)
    if close := get_close_matches(name, names, 1):
        return f"did you mean {close[0]!r}?"
    return f"known are {', '.join(names)}"


def _members(text: str, at: int) -> Iterator[Member]:
    """The members of the object that begins at `at`, in text known to be JSON."""
    at = _skip(text, at + 1)
    while text[at] == '"':
        name_at = at
        name, at = _lenient.raw_decode(text, at)
        at = _skip(text, _skip(text, at) + len(":"))
        yield Member(name, name_at, at)
        _, at = _lenient.raw_decode(text, at)
        at = _skip(text, at)
        if text[at] == ",":
            at = _skip(text, at + 1)


def _second(text: str, at: int, name: str) -> int | None:
    """Where `name` stands for the second time in one object, `at` or within it."""
    if text[at] != "{":
        return None
    seen: set[str] = set()
    for member in _members(text, at):
        if member.name in seen and member.name == name:
            return member.name_at
        seen.add(member.name)
        within = _second(text, member.value_at, name)
        if within is not None:
            return within
    return None


def _start(text: str) -> int:
    return _skip(text, 0)


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in " \t\r\n":
        at += 1
    return at


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        _refuse_repetition(pairs)
    return found


def _refuse_repetition(pairs: list[tuple[str, Any]]) -> NoReturn:
    names = [name for name, _ in pairs]
    raise _GivenTwice(next(name for name in names if names.count(name) > 1))


def _whole(text: str) -> int | NotWhole:
    return int(text) if len(text) <= _MOST_DIGITS else NotWhole(text)


_strict = json.JSONDecoder(
    object_pairs_hook=_once,
    parse_float=NotWhole,
    parse_int=_whole,
    parse_constant=NotWhole,
)
_lenient = json.JSONDecoder(parse_int=_whole)
