"""Which column holds what: as it was given, else by the names columns commonly have."""

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches

import attrs

from kessai.audit.log_check.words import folded, meaning_of, shown
from kessai.errors import InvalidInput
from kessai.machine import Machine

FIELDS = (
    "order",
    "command",
    "time",
    "amount",
    "outcome",
    "currency",
    "lifecycle",
    "agreement",
    "operation",
)
NEEDED = ("order", "command", "time")
NONE = "-"
"""Said in the place of a column: there is none."""

_JOIN = "+"


@attrs.frozen
class Columns:
    """The places of each field, two where a date and a time are apart.

    `named` is what each is called; `guessed` are the fields that were not given.
    """

    places: Mapping[str, tuple[int, ...]]
    named: Mapping[str, str]
    guessed: tuple[str, ...]


def find_columns(
    header: Sequence[str], given: Mapping[str, str], machines: Iterable[Machine]
) -> Columns:
    """The columns of a log with this `header`; `given` maps fields to columns.

    Raises:
        InvalidInput: one that is needed is missing, or may be two.

    """
    parameters = _parameters(machines)
    _check_fields(given, parameters)
    places: dict[str, tuple[int, ...]] = {}
    for field, column in given.items():
        if column != NONE:
            places[field] = _placed(header, field, column)
    taken = {place for found in places.values() for place in found}
    guessed = _guesses(header, {*given}, taken, parameters)
    places |= {field: (place,) for field, place in guessed.items()}
    missing = [field for field in NEEDED if field not in places]
    if missing:
        raise InvalidInput(_missing(missing, header))
    named = {f: _JOIN.join(header[p] for p in found) for f, found in places.items()}
    return Columns(places, named, tuple(guessed))


def _parameters(machines: Iterable[Machine]) -> dict[str, tuple[str, ...]]:
    """The parameters that may have columns, each with what such a column is called."""
    return {
        name: declared.column_names()
        for machine in machines
        for name, declared in machine.lifecycle.parameters.items()
    }


def _check_fields(given: Iterable[str], parameters: Iterable[str]) -> None:
    known = (*FIELDS, *parameters)
    for field in given:
        if field not in known:
            close = get_close_matches(field, known, 1)
            right = (
                f"did you mean {close[0]!r}?" if close else f"known: {', '.join(known)}"
            )
            message = f"--map {shown(field)}: no such field; {right}"
            raise InvalidInput(message)


def _placed(header: Sequence[str], field: str, column: str) -> tuple[int, ...]:
    found = _place(header, field, column)
    if found is not None:
        return (found,)
    parts = column.split(_JOIN)
    places = [_place(header, field, part) for part in parts]
    whole = tuple(place for place in places if place is not None)
    if field == "time" and len(whole) == len(parts) > 1:
        return whole
    message = f"--map {field}={shown(column)}: no such column; {_there_are(header)}"
    raise InvalidInput(message)


def _place(header: Sequence[str], field: str, column: str) -> int | None:
    """Where `column` is: by its name, or by its number from 1."""
    count = header.count(column)
    if count > 1:
        message = f"--map {field}={shown(column)}: {count} columns are called so; say its number"
        raise InvalidInput(message)
    if count == 1:
        return header.index(column)
    by_name = [i for i, name in enumerate(header) if folded(name) == folded(column)]
    if len(by_name) == 1:
        return by_name[0]
    is_number = column.isascii() and column.isdigit() and len(column) < len("10000")
    if is_number and 1 <= int(column) <= len(header):
        return int(column) - 1
    return None


def _guesses(
    header: Sequence[str],
    given: set[str],
    taken: set[int],
    parameters: Mapping[str, Iterable[str]],
) -> dict[str, int]:
    meanings = meaning_of("columns")
    for name, called in parameters.items():
        for word in called:
            meanings.setdefault(folded(word), name)
    found: dict[str, list[int]] = {}
    for place, name in enumerate(header):
        field = meanings.get(folded(name))
        if field is not None and field not in given and place not in taken:
            found.setdefault(field, []).append(place)
    return {
        field: _only(field, places, header)
        for field, places in sorted(found.items(), key=lambda item: item[1])
    }


def _only(field: str, places: list[int], header: Sequence[str]) -> int:
    """The one column that may hold `field`; the one called just so goes before others."""
    just_so = [place for place in places if folded(header[place]) == folded(field)]
    if len(places) > 1 and len(just_so) != 1:
        names = " or ".join(repr(shown(header[place])) for place in places)
        message = f"{field}: is it {names}? say --map {field}=COLUMN"
        raise InvalidInput(message)
    return (just_so or places)[0]


def _missing(missing: Iterable[str], header: Sequence[str]) -> str:
    ways = " ".join(f"--map {field}=COLUMN" for field in missing)
    return (
        f"no column for {', '.join(missing)}; {_there_are(header)}; say {ways}; or"
        " --header-line N if the header stands below, --no-header and numbers if there"
        " is none"
    )


def _there_are(header: Sequence[str]) -> str:
    return f"there are: {', '.join(shown(name) for name in header)}"
