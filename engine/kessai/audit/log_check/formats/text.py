"""Tables as text: CSV, and JSON with an object on each line.

A row that is no row is given back as what is wrong with it; the rows after it are read
all the same. Lines are those of the file, also where a quoted value has line ends.
"""

import csv
import itertools
from collections.abc import Iterator
from typing import Any, TextIO

import attrs
import msgspec

from kessai.audit.log_check.formats.encoding import LogText
from kessai.audit.log_check.formats.table import (
    Layout,
    LogTable,
    NamedRow,
    Row,
    named_table,
    plain_number,
)
from kessai.audit.log_check.words import BadValue
from kessai.errors import InvalidInput

DELIMITERS = (",", ";", "\t")
_SEP = "sep="
_MOST_ABOVE = 50
"""So many rows may stand above a header that is to be found."""


def text_table(log: LogText, layout: Layout) -> LogTable:
    """The table in the text of `log`.

    Raises:
        InvalidInput: there is none.

    """
    lines = _TextLines(log.text, layout.header_line - 1)
    first = lines.first()
    if first is None:
        message = "the log is empty: not even a header is there"
        raise InvalidInput(message)
    if first.lstrip()[:1] == "[" and layout.form is None:
        message = "the log is a JSON list; one object a line is right (jq -c '.[]')"
        raise InvalidInput(message)
    form = layout.form or ("jsonl" if first.lstrip()[:1] == "{" else "csv")
    table = _jsonl(lines) if form == "jsonl" else _csv(lines, first, layout)
    return attrs.evolve(table, encoding=log.encoding, is_damaged=log.is_damaged)


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
    line, header = _header(found, layout)
    if not isinstance(header, list):
        why = "there is none" if header is None else header.sentence()
        message = f"line {line}: the header cannot be read: {why}"
        raise InvalidInput(message)
    if not layout.has_header:
        numbered = [str(number) for number in range(1, len(header) + 1)]
        found = itertools.chain([(line, header)], found)
        return _csv_table(numbered, found, delimiter)
    return _csv_table([name.strip() for name in header], found, delimiter)


def _header(rows: Iterator[Row], layout: Layout) -> Row:
    """The row of the header: the first, or the first that names what it must."""
    if not layout.header:
        return next(rows, (0, None))
    for line, names in itertools.islice(rows, _MOST_ABOVE):
        texts = names if isinstance(names, list) else []
        if layout.header.issubset(text.strip() for text in texts):
            return line, names
    message = (
        f"no line of the first {_MOST_ABOVE} has {', '.join(sorted(layout.header))}"
    )
    raise InvalidInput(message)


def _csv_table(header: list[str], found: Iterator[Row], delimiter: str) -> LogTable:
    return LogTable(
        form="csv", header=header, rows=lambda _: found, delimiter=delimiter
    )


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
    decoder = msgspec.json.Decoder(dict[str, Any], float_hook=plain_number)
    return named_table("jsonl", "line", lambda: _json_rows(lines.again(), decoder))


def _json_rows(
    lines: _TextLines, decoder: "msgspec.json.Decoder[dict[str, Any]]"
) -> Iterator[NamedRow]:
    for line, text in enumerate(lines, lines.before + 1):
        if not text.strip():
            continue
        try:
            yield line, decoder.decode(text)
        except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
            why = "not text" if isinstance(error, UnicodeError) else str(error)
            yield line, BadValue("not_json", why=why[:200])
