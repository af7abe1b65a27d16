"""Rows as CSV, as lines of JSON, or as a table of a new SQLite file; one at a time."""

import csv
from collections.abc import Callable, Mapping
from datetime import datetime
from io import TextIOWrapper
from typing import BinaryIO

import msgspec

from kessai.export.rows import Rows
from kessai.spreadsheet import safe_cell

TABLE = "export"
"""The name of the table in an SQLite file."""


def write(rows: Rows, form: str, file: BinaryIO) -> int:
    """Write `rows` to `file` in one of `FORMATS`; returns how many there were.

    Raises:
        TrailBroken, StoreBusy, StoreFailed: they could not be read to the end.

    """
    return FORMATS[form](rows, file)


def _write_csv(rows: Rows, file: BinaryIO) -> int:
    text = TextIOWrapper(file, "utf-8", newline="", write_through=True)
    try:
        writer = csv.writer(text, lineterminator="\r\n")
        writer.writerow(rows.columns)
        count = 0
        for row in rows.rows:
            writer.writerow([safe_cell(row.get(column)) for column in rows.columns])
            count += 1
        return count
    finally:
        text.detach()  # the file is the caller's


def _write_ndjson(rows: Rows, file: BinaryIO) -> int:
    encode, count = msgspec.json.Encoder().encode, 0
    for row in rows.rows:
        file.write(encode({c: row.get(c) for c in rows.columns}) + b"\n")
        count += 1
    return count


def _write_sqlite(rows: Rows, file: BinaryIO) -> int:
    from sqlite_utils import Database  # imported late, as it costs more than the rest

    types = {name: int if name in rows.numbers else str for name in rows.columns}
    database = Database(file.name)
    try:
        # Without a journal: a draft that breaks off is thrown away as a whole.
        database.execute("PRAGMA journal_mode = OFF")
        table = database.table(TABLE).create(types)
        table.insert_all({n: _text(row.get(n)) for n in types} for row in rows.rows)
        return int(table.count)
    finally:
        database.close()


def _text(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value


FORMATS: Mapping[str, Callable[[Rows, BinaryIO], int]] = {
    "csv": _write_csv,
    "ndjson": _write_ndjson,
    "sqlite": _write_sqlite,
}
"""The formats of an export; `sqlite` needs an empty file that has a name."""
