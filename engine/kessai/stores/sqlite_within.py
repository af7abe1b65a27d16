"""The SQLite store within a transaction of the shop's, on the shop's own connection.

The shop's transaction may have read before, and then SQLite lets it write only if nobody
else has written meanwhile.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from kessai.errors import InvalidInput, KessaiError, MustRollBack
from kessai.stores import reading
from kessai.stores import sqlite_rows as rows
from kessai.stores.query import Query, Row, Steps, T, perform
from kessai.stores.sqlite_file import SQLiteFile

if TYPE_CHECKING:  # who lists transactions needs only what they are
    from kessai.flow import Change, Loaded


class SQLiteWithin:
    """See `Within`."""

    def __init__(self, connection: object, file: SQLiteFile) -> None:
        if not isinstance(connection, sqlite3.Connection):
            message = (
                f"connection: {type(connection).__module__}.{type(connection).__name__}"
                f" is of another database than the store {file.path}; a"
                " sqlite3.Connection on that file is right"
            )
            raise InvalidInput(message)
        self._connection = connection
        self._file = file
        self._is_own = not connection.in_transaction
        try:
            with self._as_python_has_it():
                self._check_file()
            self._begin()
        except sqlite3.Error as error:
            raise self._meaning(error) from error

    def _check_file(self) -> None:
        found = self._connection.execute("PRAGMA database_list").fetchall()
        main = next((row[2] for row in found if row[1] == "main"), "")
        if not main or not Path(main).samefile(self._file.place):
            message = (
                f"connection: open on {main or 'a database in memory'}, but the store is"
                f" {self._file.path}"
            )
            raise InvalidInput(message)

    @contextmanager
    def _as_python_has_it(self) -> Iterator[None]:
        """Rows are tuples and texts are texts, whatever the shop makes of its own."""
        connection = self._connection
        kept = connection.row_factory, connection.text_factory
        connection.row_factory, connection.text_factory = None, str
        try:
            yield
        finally:
            connection.row_factory, connection.text_factory = kept

    def _begin(self) -> None:
        """Begin, where the shop leaves that to Python, which would before it writes."""
        connection = self._connection
        if connection.in_transaction:
            return
        commits_each = getattr(connection, "autocommit", None) is True
        if connection.isolation_level is None or commits_each:
            message = (
                "connection: no transaction is open, so what is begun would be committed"
                " at once: BEGIN first"
            )
            raise InvalidInput(message)
        connection.execute("BEGIN IMMEDIATE")

    def give_up(self) -> None:
        """See `Within.give_up`."""
        if self._is_own and self._connection.in_transaction:
            self._connection.rollback()

    def load(self, key: str | None, transaction: str, agreement: str | None) -> Loaded:
        """See `Store.load`."""
        return self._perform(reading.load(key, transaction, agreement))

    def declaration(self, lifecycle_hash: str) -> bytes | None:
        """See `Store.declaration`."""
        return self._perform(reading.declaration(lifecycle_hash))

    def append(self, change: Change) -> None:
        """See `Within.append`."""
        connection = self._connection
        try:
            connection.execute("SAVEPOINT kessai")
            try:
                with self._as_python_has_it():
                    rows.write_change(connection, change, ())
            except BaseException:
                if connection.in_transaction:  # a failing disk ends it by itself
                    connection.execute("ROLLBACK TO kessai")
                    connection.execute("RELEASE kessai")
                raise
            connection.execute("RELEASE kessai")
        except sqlite3.Error as error:
            raise self._meaning(error) from error

    def _perform(self, step: Steps[T]) -> T:
        try:
            return perform(step, self._fetch)
        except sqlite3.Error as error:
            raise self._meaning(error) from error

    def _fetch(self, query: Query) -> list[Row]:
        with self._as_python_has_it():
            found = self._connection.execute(str(query.text), query.values)
            return found.fetchall()

    def _meaning(self, error: sqlite3.Error) -> KessaiError:
        if getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_BUSY_SNAPSHOT:
            message = (
                f"{self._file.path}: others have written since this transaction began to"
                " read: roll it back, begin it anew (BEGIN IMMEDIATE waits for them)"
            )
            return MustRollBack(message)
        return self._file.meaning(error)
