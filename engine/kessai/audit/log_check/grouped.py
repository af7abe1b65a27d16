"""Entries by order: in memory while they are few, else sorted on the disk.

Whatever a log's size, no more than `IN_MEMORY` entries are held at once. Beyond that a
private temporary database of SQLite takes them, and is gone with the process.
"""

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from kessai.audit.log_check.entries import Entry
from kessai.audit.log_check.times import Span
from kessai.closable import Closable
from kessai.errors import InvalidInput

IN_MEMORY = 1_000_000
"""About 350 MB."""

LoggedHistory = tuple[str, list[Entry]]
"""An order, and what happened to it, in no order."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)


class Grouped(Closable):
    """The entries of a log by order."""

    def __init__(self, in_memory: int = IN_MEMORY) -> None:
        self._room = self._most = in_memory
        self._held: dict[str, list[Entry]] = {}
        self._db: sqlite3.Connection | None = None

    def add(self, name: str, entry: Entry) -> None:
        """Take the next entry of the log, about the order `name`."""
        held = self._held.get(name)
        if held is None:
            self._held[name] = [entry]
        else:
            held.append(entry)
        self._room -= 1
        if not self._room:
            self._put_down()

    def histories(self) -> Iterator[LoggedHistory]:
        """Every order with its entries; may be asked for again.

        Raises:
            InvalidInput: there is no room on the disk to sort them.

        """
        if self._db is None:
            yield from self._held.items()
            return
        self._put_down()
        try:
            yield from self._from_disk(self._db)
        except sqlite3.Error as error:
            raise _no_room(error) from error

    def _put_down(self) -> None:
        try:
            if self._db is None:
                self._db = _database()
            self._db.executemany(
                "INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                self._as_rows(),
            )
        except sqlite3.Error as error:
            raise _no_room(error) from error
        self._held.clear()
        self._room = self._most

    def _as_rows(self) -> Iterator[tuple[Any, ...]]:
        encode = msgspec.json.encode
        for name, entries in self._held.items():
            for at, fine, line, kind, amount, extra, span in entries:
                more = None if extra is None else encode(extra)
                until, twice = (None, None) if span is None else span
                last = None if until is None else (until - _EPOCH) // _TICK
                ticks = (at - _EPOCH) // _TICK
                yield name, ticks, fine, line, kind, amount, more, last, twice

    def _from_disk(self, db: sqlite3.Connection) -> Iterator[LoggedHistory]:
        decode = msgspec.json.decode
        current = ""
        entries: list[Entry] = []
        for row in db.execute("SELECT * FROM entries ORDER BY name, line"):
            name, ticks, fine, line, kind, amount, more, last, twice = row
            if name != current and entries:
                yield current, entries
                entries = []
            current = name
            extra = None if more is None else _extra(decode(more))
            span = None if last is None else Span(_moment(last), bool(twice))
            entries.append((_moment(ticks), fine, line, kind, amount, extra, span))
        if entries:
            yield current, entries

    def close(self) -> None:
        """Let go of what was put down on the disk."""
        if self._db is not None:
            self._db.close()


def _database() -> sqlite3.Connection:
    db = sqlite3.connect("", isolation_level=None)
    db.execute("PRAGMA journal_mode = OFF")
    db.execute("PRAGMA cache_size = -65536")  # sorts 64 MB at a time
    db.execute("BEGIN")
    db.execute(
        "CREATE TABLE entries (name TEXT, at INTEGER, fine INTEGER, line INTEGER,"
        " kind INTEGER, amount INTEGER, more BLOB, until INTEGER, twice INTEGER)"
    )
    return db


def _moment(ticks: int) -> datetime:
    return _EPOCH + timedelta(microseconds=ticks)


def _extra(more: Any) -> Any:
    agreement, operation, parameters = more
    return agreement, operation, tuple((name, value) for name, value in parameters)


def _no_room(error: sqlite3.Error) -> InvalidInput:
    message = (
        f"the log cannot be sorted on the disk: {error}; SQLITE_TMPDIR names the place"
    )
    return InvalidInput(message)
