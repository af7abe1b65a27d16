"""A log as a table, whatever its format: a header, and rows as they are asked for."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Literal

import attrs

from kessai.audit.log_check.words import BadValue
from kessai.errors import InvalidInput

FORMS = ("csv", "jsonl", "xlsx", "xes", "ocel")

Row = tuple[int, list[str] | BadValue | None]
"""Its number, its cells, or what is wrong with it; None: it is about no order."""

NamedRow = tuple[int, Mapping[str, object] | BadValue | None]

Unit = Literal["line", "row", "event"]
"""What rows are counted as: lines of a text, rows of a sheet, events of a log."""

NOT_PLAIN = "\x00"
"""What stands for a list or an object in a cell; no cell that is read may hold it."""

MOST_NAMES = 10_000
_MOST_DIGITS = 30


@attrs.frozen(kw_only=True)
class Layout:
    """How a log is laid out; what is None is found out.

    `header_line` is the line of the header; what comes before it is no part of the
    table. If `header` names columns, it is the first line from there on that has them.
    `sheet` is the sheet of a workbook.
    """

    form: str | None = None
    delimiter: str | None = None
    has_header: bool = True
    header_line: int = 1
    header: frozenset[str] = frozenset()
    sheet: str | None = None


@attrs.frozen(kw_only=True)
class LogTable:
    """A header and the rows under it.

    `rows` takes the places of the columns that are used; other cells may stay empty.
    `fields` are those that the format itself has a column for. With `is_damaged` some
    bytes were not of the `encoding`.
    """

    form: str
    header: list[str]
    rows: Callable[[Collection[int]], Iterator[Row]]
    unit: Unit = "line"
    delimiter: str | None = None
    encoding: str = "UTF-8"
    is_damaged: bool = False
    fields: Mapping[str, str] = attrs.field(factory=dict[str, str])


def named_table(
    form: str,
    unit: Unit,
    read: Callable[[], Iterable[NamedRow]],
    *,
    fields: Mapping[str, str] | None = None,
) -> LogTable:
    """A table of rows that name their values, as `read` gives them each time.

    All are read once for the columns alone: a name may first occur in the last row.

    Raises:
        InvalidInput: there are no names, or too many.

    """
    header = _names(found for _, found in read())

    def rows(used: Collection[int]) -> Iterator[Row]:
        wanted = [(place, header[place]) for place in sorted(used)]
        for number, found in read():
            if not isinstance(found, Mapping):
                yield number, found
                continue
            cells = [""] * len(header)
            for place, name in wanted:
                cells[place] = cell_of(value_of(found, name))
            yield number, cells

    return LogTable(form=form, header=header, rows=rows, unit=unit, fields=fields or {})


def value_of(found: Mapping[str, object], name: str) -> object:
    """The value of that name; `a.b` may be `b` in the object `a`."""
    value = found.get(name)
    if value is None and "." in name:
        value = found
        for part in name.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
    return value


def cell_of(value: object) -> str:
    """A value as a cell has it."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return plain_number(repr(value))
    return str(value) if isinstance(value, int) else NOT_PLAIN


def plain_number(text: str) -> str:
    """A number with an exponent written out: `1.2E7` is 12000000. Others stay."""
    if "e" not in text.lower():
        return text
    try:
        number = Decimal(text)
    except ArithmeticError:
        return text
    is_short = number.is_finite() and abs(number.adjusted()) < _MOST_DIGITS
    return f"{number:f}" if is_short else text


def _names(objects: Iterable[Mapping[str, object] | BadValue | None]) -> list[str]:
    """The names of all values, as they are met."""
    names: dict[str, None] = {}
    for found in objects:
        if isinstance(found, Mapping):
            names.update(dict.fromkeys(_flat(found)))
        if len(names) > MOST_NAMES:
            message = (
                f"the log's rows have more than {MOST_NAMES:,} different names; keep"
                " those that are needed (for JSON: jq -c '{order, type, at, amount}')"
            )
            raise InvalidInput(message)
    if not names:
        message = "the log has no row that could be read"
        raise InvalidInput(message)
    return list(names)


def _flat(found: Mapping[str, object], before: str = "") -> Iterator[str]:
    """The names of values; those within objects are joined by points."""
    for name, value in found.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{before}{name}.")
        else:
            yield before + name
