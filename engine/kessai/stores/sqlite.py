"""The SQLite store: one file, many processes, each commit on the disk before it counts.

WAL with `synchronous=FULL` is asked for and then checked: a file system or a build that
gives less is refused. Each process has one connection that writes (`sqlite_writer`) and
others that read (`sqlite_readers`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import cached_property, partial
from itertools import groupby, islice, starmap
from operator import itemgetter
from pathlib import Path
from sqlite3 import Connection
from typing import TYPE_CHECKING, NamedTuple

from kessai.errors import KessaiError
from kessai.forks import PerProcess
from kessai.machine import Record, Transaction
from kessai.stores import feed, reading
from kessai.stores import sqlite_rows as rows
from kessai.stores.bills import SQLITE, Bills
from kessai.stores.encoding import Answered
from kessai.stores.protocol import ForeignObject
from kessai.stores.query import PAGE, Query, Row, Steps, T, perform
from kessai.stores.reading import ReadingStore
from kessai.stores.searching import search
from kessai.stores.sqlite_durable import StoreWarning, check_library
from kessai.stores.sqlite_file import SQLiteFile
from kessai.stores.sqlite_readers import SQLiteReaders
from kessai.stores.sqlite_within import SQLiteWithin
from kessai.stores.sqlite_writer import SQLiteWriter

if TYPE_CHECKING:  # who lists transactions needs only what they are
    from kessai.flow import (
        Change,
        Lease,
        Published,
        RecoveryFailure,
        Reference,
        Search,
        SearchResult,
        Subscriber,
    )

__all__ = ["SQLiteStore", "StoreWarning"]


class _Connections(NamedTuple):
    """What one process has of the file."""

    writer: SQLiteWriter
    readers: SQLiteReaders


class SQLiteStore(ReadingStore):
    """Transactions in one SQLite file.

    With `must_exist` none is made where there is none. A file that has tables of another
    program gets ours (all begin with `kessai_`) only if it is `shared`. Where the folder
    is read-only, the file is read as it is, as long as nobody else changes it. A process
    that forks closes the file before, and both open it again when they need it.

    Raises:
        StoreMissing: there is no store, and it must exist.
        StoreUnsuitable: SQLite or the file cannot give what is promised.
        StoreFailed: the file cannot be opened or made.

    """

    def __init__(
        self, path: Path | str, *, must_exist: bool = False, shared: bool = False
    ) -> None:
        check_library()
        self._file = SQLiteFile(Path(path), must_exist=must_exist, shared=shared)
        self._declared: set[str] = set()
        self._own = PerProcess(self._connections)
        self._own.get().writer.open()

    @property
    def path(self) -> Path:
        """The file that holds the store."""
        return self._file.path

    def _connections(self) -> _Connections:
        return _Connections(SQLiteWriter(self._file), SQLiteReaders(self._file))

    def within(self, connection: object) -> SQLiteWithin:
        """See `Store.within`: `connection` is `sqlite3`'s, on the same file."""
        return SQLiteWithin(connection, self._file)

    def close(self) -> None:
        """See `Store.close`."""
        if (own := self._own.close()) is not None:
            own.writer.session.close()
            own.readers.close()

    # ── writing ─────────────────────────────────────────────────────────────────────

    def append(self, change: Change) -> None:
        """See `Store.append`."""
        self._own.get().writer.write(self._writing(change))
        self._has_declared(change)

    def append_each(self, changes: Sequence[Change]) -> list[KessaiError | None]:
        """See `AppendsEach.append_each`."""
        errors = self._own.get().writer.write_each(map(self._writing, changes))
        for change, error in zip(changes, errors, strict=True):
            if error is None:
                self._has_declared(change)
        return errors

    def _writing(self, change: Change) -> Callable[[Connection], None]:
        return partial(rows.write_change, change=change, declared=self._declared)

    def _has_declared(self, change: Change) -> None:
        if change.declaration is not None:
            self._declared.add(change.declaration.hash)

    def claim(
        self, now: datetime, until: datetime, accounts: Sequence[str]
    ) -> Lease | None:
        """See `Store.claim`."""
        return self._own.get().writer.write(
            lambda connection: rows.claim(connection, now, until, accounts)
        )

    def release(
        self, lease: Lease, due_at: datetime, failure: RecoveryFailure | None = None
    ) -> None:
        """See `Store.release`."""
        self._own.get().writer.write(
            lambda connection: rows.release(connection, lease, due_at, failure)
        )

    def advance(self, subscriber: Subscriber) -> None:
        """See `Store.advance`."""
        self._write_step(feed.advance(subscriber))

    def scrub(self) -> None:
        """See `Store.scrub`: the file is written anew, and its log emptied.

        It takes room for a second copy, and writers wait. SQLite overwrites what it frees
        only while it is asked to; free space may hold rows from before.
        """
        self._own.get().writer.scrub()

    @cached_property
    def bills(self) -> Bills:
        """See `BillStore`."""
        return Bills(SQLITE, self._perform, self._write_step)

    def _write_step(self, step: Steps[T]) -> T:
        return self._own.get().writer.write(
            lambda connection: perform(step, partial(self._file.rows, connection))
        )

    # ── reading ─────────────────────────────────────────────────────────────────────

    _but_denials = rows.BUT_DENIALS

    def _perform(self, step: Steps[T]) -> T:
        return perform(step, self._fetch)

    def _fetch(self, query: Query) -> list[Row]:
        """Read what is committed, while a commit of this process is under way too."""
        own = self._own.get()
        found = own.writer.rows(query)
        return own.readers.rows(query) if found is None else found

    def records_from(self, transaction: str, first: int) -> list[Record]:
        """See `Store.records_from`."""
        return self._perform(
            reading.records_from(transaction, first, rows.RECORDS_FROM)
        )

    def search(self, asked: Search) -> SearchResult:
        """See `Store.search`."""
        return self._perform(search(asked, rows.moment))

    def unresolved(self, open_before: datetime, limit: int) -> list[str]:
        """See `Store.unresolved`."""
        return self._perform(reading.unresolved(rows.moment(open_before), limit))

    def feed(self, after: str, limit: int) -> list[Published]:
        """See `Store.feed`: writers take turns, so nothing comes late."""
        return self._perform(rows.feed(after, limit))

    def held_back(self) -> Record | None:
        """See `Store.held_back`: all that is committed can be read."""
        return None

    def transactions(self, now: datetime | None = None) -> Iterator[Transaction]:
        """See `Store.transactions`: a connection of its own, so writers go on."""
        # A map, because unlike a generator it goes on after a row that is refused.
        return map(partial(rows.read_row, now), self._stream(reading.TRANSACTIONS))

    def trails(self) -> Iterator[tuple[str, list[Record]]]:
        """See `Store.trails`: a connection of its own, so writers go on."""
        found = self._stream(
            "SELECT transaction_id, number, body, hash, moved FROM kessai_events"
            " ORDER BY transaction_id, number"
        )
        for transaction, group in groupby(found, key=itemgetter(0)):
            while page := [Record(*row) for row in islice(group, PAGE)]:
                yield transaction, page

    def answers(self) -> Iterator[Answered]:
        """See `Store.answers`: a connection of its own, so writers go on."""
        return starmap(Answered, self._stream(reading.ANSWERS))

    def references(self) -> Iterator[tuple[str, Reference]]:
        """See `Store.references`: a connection of its own, so writers go on."""
        return map(reading.referring, self._stream(reading.REFERENCES))

    def foreign_objects(self) -> list[ForeignObject]:
        """See `Store.foreign_objects`: those of a shop that shares the file are its own."""
        return self._perform(reading.foreign_objects(rows.FOREIGN))

    def _stream(self, query: str) -> Iterator[Row]:
        return self._own.get().readers.stream(query)
