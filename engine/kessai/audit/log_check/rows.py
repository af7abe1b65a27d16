"""A log's rows, as cells in the order of a header, each with its line in the file.

A row that is no row is given back as what is wrong with it; the rows after it are read
all the same. Lines are those of the file, also where a quoted value has line ends.
"""

import csv
import itertools
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any, TextIO

import attrs
import msgspec

from kessai.audit.log_check.words import BadValue
from kessai.errors import InvalidInput

Row = tuple[int, list[str] | BadValue]

DELIMITERS = (",", ";", "\t")
_SEP = "sep="
_MOST_NAMES = 10_000
_MOST_DIGITS = 30


@attrs.frozen
class LogTable:
    """A header and the rows under it; `form` is `csv` or `jsonl`.

    `rows` takes the places of the columns that are used; other cells may stay empty.
    """

    form: str
    header: list[str]
    rows: Callable[[Collection[int]], Iterator[Row]]
    delimiter: str | None = None


@attrs.frozen(kw_only=True)
class Layout:
    """How a log is laid out; what is None is found out.

    `header_line` is the line of the header; what comes before it is no part of the
    table.
    """

    form: str | None = None
    delimiter: str | None = None
    has_header: bool = True
    header_line: int = 1


def read_table(text: TextIO, layout: Layout) -> LogTable:
    """The table in `text`.

    Raises:
        InvalidInput: there is none.

    """
    lines = _TextLines(text, layout.header_line - 1)
    first = lines.first()
    if first is None:
        message = "the log is empty: not even a header is there"
        raise InvalidInput(message)
    if first.lstrip()[:1] == "[" and layout.form is None:
        message = "the log is a JSON list; one object a line is right (jq -c '.[]')"
        raise InvalidInput(message)
    form = layout.form or ("jsonl" if first.lstrip()[:1] == "{" else "csv")
    if form == "jsonl":
        return _jsonl(lines)
    return _csv(lines, first, layout)


class _TextLines:
    """The lines of a text, and the first that is not blank without taking it."""

    def __init__(self, text: TextIO, before: int) -> None:
        self.before = before
        """How many lines of the file stand before."""
        self._text = text
        self._kept: list[str] = []
        self._skip()

    def _skip(self) -> None:
        for _ in itertools.islice(self._text, self.before):
            pass

    def again(self) -> "_TextLines":
        """The same lines once more, from the first."""
        self._text.seek(0)
        return _TextLines(self._text, self.before)

    def first(self) -> str | None:
        for line in self._text:
            self._kept.append(line)
            if line.strip():
                return line
        return None

    def __iter__(self) -> Iterator[str]:
        return itertools.chain(self._kept, self._text)


def _csv(lines: _TextLines, first: str, layout: Layout) -> LogTable:
    start = 0
    delimiter = layout.delimiter
    if first.lower().startswith(_SEP):  # spreadsheets say the delimiter so
        delimiter = delimiter or first.strip()[len(_SEP) :][:1]
        start = 1
    else:
        delimiter = delimiter or _sniffed(first)
    reader = csv.reader(lines, delimiter=delimiter or ",", strict=True)
    rows = _csv_rows(reader, lines.before)
    found: Iterator[Row] = itertools.islice(rows, start, None)
    line, header = next(found, (0, BadValue("not_csv", why="no header")))
    if isinstance(header, BadValue):
        message = f"line {line}: the header cannot be read: {header.sentence()}"
        raise InvalidInput(message)
    if not layout.has_header:
        numbered = [str(number) for number in range(1, len(header) + 1)]
        found = itertools.chain([(line, header)], found)
        return LogTable("csv", numbered, lambda _: found, delimiter)
    names = [name.strip() for name in header]
    return LogTable("csv", names, lambda _: found, delimiter)


def _sniffed(header: str) -> str:
    """The delimiter that the header has most of, outside of quotes."""
    outside = "".join(header.split('"')[::2])
    return max(DELIMITERS, key=outside.count)


def _csv_rows(reader: Any, before: int) -> Iterator[Row]:
    line = before + 1
    while True:
        try:
            for cells in reader:
                if cells and any(cells):
                    yield line, cells
                line = before + reader.line_num + 1
        except csv.Error as error:
            last = before + reader.line_num
            yield line, _not_csv(str(error), last)
            line = last + 1
        else:
            return


def _not_csv(error: str, last: int) -> BadValue:
    """The reader's message, and up to which line a quote swallowed the file."""
    if "unexpected end" in error or "field larger" in error:
        return BadValue(code="quote_open", last=f"{last:,}")
    return BadValue(code="not_csv", why=error)


def _jsonl(lines: _TextLines) -> LogTable:
    """All of it is read once for its columns: a key may first occur in the last row."""
    decoder = msgspec.json.Decoder(dict[str, Any], float_hook=_plain_number)
    header = _names(found for _, found in _json_rows(lines, decoder))

    def rows(used: Collection[int]) -> Iterator[Row]:
        wanted = [(place, header[place]) for place in sorted(used)]
        for line, found in _json_rows(lines.again(), decoder):
            if isinstance(found, BadValue):
                yield line, found
                continue
            cells = [""] * len(header)
            for place, name in wanted:
                cells[place] = _cell(found, name)
            yield line, cells

    return LogTable("jsonl", header, rows)


def _names(objects: Iterable[dict[str, Any] | BadValue]) -> list[str]:
    """The names of all values in `objects`, as they are met."""
    names: dict[str, None] = {}
    for found in objects:
        if isinstance(found, dict):
            names.update(dict.fromkeys(_flat(found)))
        if len(names) > _MOST_NAMES:
            message = (
                f"the log's objects have more than {_MOST_NAMES:,} different keys;"
                " keep those that are needed (jq -c '{order, type, at, amount}')"
            )
            raise InvalidInput(message)
    if not names:
        message = "no line of the log is a JSON object"
        raise InvalidInput(message)
    return list(names)


def _plain_number(text: str) -> str:
    """A JSON number with a fraction or an exponent, written out: `1.2E7` is 12000000."""
    if "e" not in text.lower():
        return text
    number = Decimal(text)
    return f"{number:f}" if abs(number.adjusted()) < _MOST_DIGITS else text


def _json_rows(
    lines: _TextLines, decoder: "msgspec.json.Decoder[dict[str, Any]]"
) -> Iterator[tuple[int, dict[str, Any] | BadValue]]:
    for line, text in enumerate(lines, lines.before + 1):
        if not text.strip():
            continue
        try:
            yield line, decoder.decode(text)
        except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
            why = "not text" if isinstance(error, UnicodeError) else str(error)
            yield line, BadValue("not_json", why=why[:200])


def _flat(found: Mapping[str, Any], before: str = "") -> Iterator[str]:
    """The names of values; those within objects are joined by points."""
    for name, value in found.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{before}{name}.")
        else:
            yield before + name


def _cell(found: Mapping[str, Any], name: str) -> str:
    value: Any = found.get(name)
    if value is None and "." in name:
        value = found
        for part in name.split("."):
            value = value.get(part) if isinstance(value, dict) else None
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int) else _NOT_PLAIN


_NOT_PLAIN = "\x00"
"""What stands for a list or an object in a cell; no cell that is read may hold it."""
