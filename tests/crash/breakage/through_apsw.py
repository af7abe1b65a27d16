"""What the SQLite store uses of `sqlite3`, over apsw, whose file system can be watched."""

import sqlite3
from contextlib import contextmanager
from itertools import islice

import apsw
import apsw.ext


def _raise_as_sqlite3(error):
    kind = sqlite3.OperationalError
    if isinstance(error, apsw.ConstraintError):
        kind = sqlite3.IntegrityError
    translated = kind(str(error))
    translated.sqlite_errorcode = getattr(error, "extendedresult", 0)
    raise translated from error


class Cursor:
    """Rows already read: the store reads all of them anyway."""

    def __init__(self, rows, connection, statement):
        self._rows = iter(rows)
        self._connection = connection
        self._statement = statement
        self.rowcount = connection.changes()
        self.lastrowid = connection.last_insert_rowid()

    @property
    def description(self):
        """The columns; asked for rarely, and not known any more when all is read."""
        found = apsw.ext.query_info(self._connection, self._statement).description
        return [(name, *[None] * 6) for name, _ in found]

    def __iter__(self):
        return self._rows

    def fetchone(self):
        return next(self._rows, None)

    def fetchmany(self, size):
        return list(islice(self._rows, size))

    def fetchall(self):
        return list(self._rows)

    def close(self):
        """Nothing is held: all was read."""


class Connection:
    """A connection of apsw that looks like one of `sqlite3`.

    `committed` is called after every commit; `instead` gives statements to run in place
    of others, and what they are to answer.
    """

    isolation_level = None

    def __init__(self, path, vfs, committed, instead):
        flags = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE
        # What is no URI is a plain name to it; an URI may say that it only reads.
        self._apsw = apsw.Connection(path, flags | apsw.SQLITE_OPEN_URI, vfs)
        self._apsw.set_busy_timeout(10_000)
        self._committed = committed
        self._instead = instead

    @property
    def in_transaction(self):
        return self._apsw.in_transaction

    def execute(self, statement, values=()):
        if statement in self._instead:
            statement, answer = self._instead[statement]
            if answer is not None:
                return Cursor([answer], self._apsw, statement)
        was_open = self.in_transaction
        try:
            rows = self._apsw.execute(statement, values).fetchall()
        except apsw.Error as error:
            _raise_as_sqlite3(error)
        if was_open and not self.in_transaction and "COMMIT" in statement:
            self._committed(self)
        return Cursor(rows, self._apsw, statement)

    def close(self):
        self._apsw.close()


@contextmanager
def instead_of_sqlite3(vfs, committed, *, checkpoint_pages, instead=()):
    """Everything that opens a database here opens it through apsw."""
    real = sqlite3.connect

    def connect(path, **_):
        connection = Connection(str(path), vfs, committed, dict(instead))
        connection.execute(f"PRAGMA wal_autocheckpoint = {checkpoint_pages}")
        return connection

    sqlite3.connect = connect
    try:
        yield
    finally:
        sqlite3.connect = real
