"""Which column holds what: as it was given, else by the names columns commonly have.

A field may be in several columns. `A|B` is the first of them that is not empty. `A+B` is
all of them: a date and a time, an order's id within a shop's, amounts that are added.
`amount:refund` is the amount of refunds alone, `order:refund` the order that they name.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
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
    "zone",
)
NEEDED = ("order", "command", "time")
NONE = "-"
"""Said in the place of a column: there is none."""

_JOIN, _ELSE = "+", "|"
_JOINED = ("order", "time", "amount", "agreement", "operation")
_OF = ":"
_BY_COMMAND = ("order", "amount")

Places = tuple[tuple[int, ...], ...]
"""Where a field is: in the first of these groups of columns that is not empty."""


@attrs.frozen
class Columns:
    """The places of each field.

    `named` is what each is called; `guessed` are the fields that were not given.
    """

    places: Mapping[str, Places]
    named: Mapping[str, str]
    guessed: tuple[str, ...]

    @property
    def used(self) -> set[int]:
        """All columns that are read."""
        return {place for found in self.places.values() for g in found for place in g}

    def by_command(self, field: str) -> dict[str | None, Places]:
        """Where a field is, by command; None: that of all others."""
        found = {
            name.partition(_OF)[::2]: places for name, places in self.places.items()
        }
        return {
            command or None: places
            for (kind, command), places in found.items()
            if kind == field
        }

    @property
    def has_joined_orders(self) -> bool:
        """Whether an order's id is put together from several columns."""
        orders = self.by_command("order").values()
        return any(len(group) > 1 for places in orders for group in places)


def find_columns(
    header: Sequence[str], given: Mapping[str, str], machines: Collection[Machine]
) -> Columns:
    """The columns of a log with this `header`; `given` maps fields to columns.

    Raises:
        InvalidInput: one that is needed is missing, or may be two.

    """
    parameters = _parameters(machines)
    commands = {name for machine in machines for name in machine.commands}
    own = (f"{kind}{_OF}{name}" for kind in _BY_COMMAND for name in commands)
    _check_fields(given, (*parameters, *own))
    places: dict[str, Places] = {}
    for field, column in given.items():
        if column != NONE:
            places[field] = _placed(header, field, column)
    taken = {place for found in places.values() for group in found for place in group}
    guessed = _guesses(header, {*given}, taken, parameters)
    places |= {field: ((place,),) for field, place in guessed.items()}
    missing = [field for field in NEEDED if field not in places]
    if missing:
        raise InvalidInput(_missing(missing, header))
    named = {field: _named(header, found) for field, found in places.items()}
    return Columns(places, named, tuple(guessed))


def _named(header: Sequence[str], places: Places) -> str:
    groups = (_JOIN.join(header[place] for place in group) for group in places)
    return _ELSE.join(groups)


def _parameters(machines: Iterable[Machine]) -> dict[str, tuple[str, ...]]:
    """The parameters that may have columns, each with what such a column is called."""
    return {
        name: declared.column_names()
        for machine in machines
        for name, declared in machine.lifecycle.parameters.items()
    }


def _check_fields(given: Iterable[str], more: Iterable[str]) -> None:
    known = (*FIELDS, *more)
    for field in given:
        if field not in known:
            close = get_close_matches(field, known, 1)
            right = (
                f"did you mean {close[0]!r}?"
                if close
                else f"known: {', '.join(FIELDS)}, order:COMMAND, amount:COMMAND, a parameter"
            )
            message = f"--map {shown(field)}: no such field; {right}"
            raise InvalidInput(message)


def _placed(header: Sequence[str], field: str, column: str) -> Places:
    whole = _place(header, field, column)
    if whole is not None:
        return ((whole,),)
    return tuple(
        tuple(_part(header, field, column, part) for part in _parts(field, group))
        for group in column.split(_ELSE)
    )


def _parts(field: str, group: str) -> list[str]:
    is_joined = field.partition(_OF)[0] in _JOINED
    return group.split(_JOIN) if is_joined else [group]


def _part(header: Sequence[str], field: str, column: str, part: str) -> int:
    place = _place(header, field, part)
    if place is None:
        what = "no such column" if part == column else f"no column {shown(part)}"
        message = f"--map {field}={shown(column)}: {what}; {_there_are(header)}"
        raise InvalidInput(message)
    return place


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
