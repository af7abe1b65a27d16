"""The SQLite store: one file, many processes, every commit on the disk before it counts.

WAL with `synchronous=FULL` is asked for and then checked: a file system or a build that
gives less is refused. Writers begin IMMEDIATE, so a version that was checked cannot
move before the commit.
"""

import sqlite3
import warnings
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import UTC
from itertools import groupby
from pathlib import Path
from threading import Lock
from time import monotonic, sleep
from typing import Any

from kessai.errors import (
    CommitUnknown,
    KessaiError,
    StoreBusy,
    StoreFailed,
    StoreUnsuitable,
    TrailBroken,
    VersionConflict,
)
from kessai.flow import Change, Loaded
from kessai.machine import Record, Transaction
from kessai.stores.encoding import (
    decode_recorded,
    decode_transaction,
    encode_recorded,
    encode_transaction,
)
from kessai.stores.schema import check_owner, migrate

PATIENCE = 10.0
"""Seconds to wait for another process's commit before `StoreBusy`."""

_PAUSE = 0.01
"""Seconds until a file that was busy is opened again."""

OLDEST = (3, 37, 0)
"""The first SQLite with STRICT tables."""

_LOAD = (
    "SELECT 0, recorded FROM answers WHERE key = ?"
    " UNION ALL SELECT 1, state FROM transactions WHERE id = ?"
    " UNION ALL SELECT 2, state FROM transactions WHERE id = ?"
)
_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


class StoreWarning(UserWarning):
    """Something about the store that its owner should know, but can live with."""


class SQLiteStore:
    """Transactions in one SQLite file.

    Raises:
        StoreUnsuitable: SQLite or the file cannot give what is promised.
        StoreFailed: the file cannot be opened or made.

    """

    def __init__(self, path: Path | str) -> None:
        self._path = Path(path)
        self._lock = Lock()
        self._declared: set[str] = set()
        _check_library(sqlite3.sqlite_version_info)
        self._connection = self._open()

    @property
    def path(self) -> Path:
        """The file that holds the store."""
        return self._path

    def _open(self) -> sqlite3.Connection:
        """Open the file, again while another process is just making it.

        SQLite waits for a lock only where it holds none: of two that turn a new file
        into WAL at once, one is told at once that the file is busy.
        """
        until = monotonic() + PATIENCE
        while True:
            try:
                return self._open_once()
            except StoreBusy:
                if monotonic() >= until:
                    raise
            sleep(_PAUSE)

    def _open_once(self) -> sqlite3.Connection:
        try:
            connection = sqlite3.connect(
                self._path,
                timeout=PATIENCE,
                isolation_level=None,
                check_same_thread=False,
            )
        except sqlite3.Error as error:
            raise _translated(error, self._path) from error
        try:
            check_owner(connection)
            _make_durable(connection, self._path)
            migrate(connection)
        except BaseException as error:
            connection.close()
            if isinstance(error, sqlite3.Error):
                raise _translated(error, self._path) from error
            raise
        return connection

    def load(self, key: str | None, transaction: str, agreement: str | None) -> Loaded:
        """See `Store.load`: one statement, so one moment."""
        with self._lock:
            rows = self._fetch(_LOAD, (key, transaction, agreement))
        found: dict[int, bytes] = dict(rows)
        recorded, own, other = (found.get(part) for part in range(3))
        return Loaded(
            None if recorded is None else decode_recorded(recorded),
            None if own is None else decode_transaction(own),
            None if other is None else decode_transaction(other),
        )

    def append(self, change: Change) -> None:
        """See `Store.append`."""
        with self._lock:
            self._roll_back()  # what an earlier failure may have left behind
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                self._write(change)
                self._commit()
            except BaseException as error:  # an interrupt too: a lock would stay held
                self._roll_back()
                if isinstance(error, sqlite3.Error):
                    raise _translated(error, self._path) from error
                raise
            if change.declaration is not None:
                self._declared.add(change.declaration.hash)

    def _commit(self) -> None:
        try:
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            if _never_committed(error):
                raise _translated(error, self._path) from error
            message = f"{self._path}: the commit failed; it may or may not be there"
            raise CommitUnknown(message) from error

    def _roll_back(self) -> None:
        # A failure to roll back must not hide what it follows, and tells nothing more:
        # what was not committed is not there.
        with suppress(sqlite3.Error):
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")

    def _write(self, change: Change) -> None:
        self._write_transaction(change.transaction, change.expected_version)
        if change.agreement is not None:
            self._check_version(*change.agreement)
        execute = self._connection.execute
        for record in change.records:
            execute(
                "INSERT INTO events (transaction_id, number, body, hash)"
                " VALUES (?, ?, ?, ?)",
                (record.transaction, record.number, record.body, record.hash),
            )
        if (opens := change.opens) is not None:
            try:
                execute(
                    "INSERT INTO answers (key, transaction_id, outcome, recorded)"
                    " VALUES (?, ?, ?, ?)",
                    (
                        opens.key,
                        opens.transaction,
                        opens.outcome,
                        encode_recorded(opens),
                    ),
                )
            except sqlite3.IntegrityError:
                message = f"key {opens.key!r} is taken"
                raise VersionConflict(message) from None
        for closed in change.closes:
            execute(
                "UPDATE answers SET outcome = ?, recorded = ? WHERE key = ?",
                (closed.outcome, encode_recorded(closed), closed.key),
            )
        self._declare(change)

    def _write_transaction(self, after: Transaction, expected: int) -> None:
        values = (*_columns(after), encode_transaction(after), after.id)
        if expected:
            cursor = self._connection.execute(
                "UPDATE transactions SET lifecycle = ?, status = ?, version = ?,"
                " open_since = ?, state = ? WHERE id = ? AND version = ?",
                (*values, expected),
            )
        else:
            cursor = self._connection.execute(
                "INSERT INTO transactions"
                " (lifecycle, status, version, open_since, state, id)"
                " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
                values,
            )
        if cursor.rowcount != 1:
            message = f"{after.id}: not at version {expected} any more"
            raise VersionConflict(message)

    def _check_version(self, transaction: str, version: int) -> None:
        rows = self._fetch(
            "SELECT 1 FROM transactions WHERE id = ? AND version = ?",
            (transaction, version),
        )
        if not rows:
            message = f"{transaction}: not at version {version} any more"
            raise VersionConflict(message)

    def _declare(self, change: Change) -> None:
        declared = change.declaration
        if declared is None or declared.hash in self._declared:
            return
        self._connection.execute(
            "INSERT INTO lifecycles (hash, name, document) VALUES (?, ?, ?)"
            " ON CONFLICT (hash) DO NOTHING",
            (declared.hash, declared.name, declared.document),
        )

    def records(self, transaction: str) -> list[Record]:
        """See `Store.records`."""
        with self._lock:
            rows = self._fetch(
                "SELECT transaction_id, number, body, hash FROM events"
                " WHERE transaction_id = ? ORDER BY number",
                (transaction,),
            )
        return [Record(*row) for row in rows]

    def declaration(self, lifecycle_hash: str) -> bytes | None:
        """See `Store.declaration`."""
        with self._lock:
            rows = self._fetch(
                "SELECT document FROM lifecycles WHERE hash = ?", (lifecycle_hash,)
            )
        document: bytes | None = rows[0][0] if rows else None
        return document

    def transactions(self) -> Iterator[Transaction]:
        """See `Store.transactions`: a connection of its own, so writers go on."""
        # A map, because unlike a generator it goes on after a row that is refused.
        return map(
            _read_row,
            self._stream(
                "SELECT id, lifecycle, status, version, open_since, state"
                " FROM transactions ORDER BY id"
            ),
        )

    def trails(self) -> Iterator[tuple[str, list[Record]]]:
        """See `Store.trails`: a connection of its own, so writers go on."""
        rows = self._stream(
            "SELECT transaction_id, number, body, hash FROM events"
            " ORDER BY transaction_id, number"
        )
        for transaction, group in groupby(rows, key=lambda row: row[0]):
            yield transaction, [Record(*row) for row in group]

    def _stream(self, query: str) -> Iterator[tuple[Any, ...]]:
        with closing(self._reader()) as reader:
            try:
                yield from reader.execute(query)
            except sqlite3.Error as error:
                raise _translated(error, self._path) from error

    def _reader(self) -> sqlite3.Connection:
        try:
            return sqlite3.connect(self._path, timeout=PATIENCE, isolation_level=None)
        except sqlite3.Error as error:
            raise _translated(error, self._path) from error

    def open_transactions(self, limit: int) -> list[str]:
        """See `Store.open_transactions`."""
        with self._lock:
            rows = self._fetch(
                "SELECT id FROM transactions WHERE open_since IS NOT NULL"
                " ORDER BY open_since LIMIT ?",
                (limit,),
            )
        return [name for (name,) in rows]

    def _fetch(self, query: str, values: tuple[object, ...]) -> list[tuple[Any, ...]]:
        try:
            return self._connection.execute(query, values).fetchall()
        except sqlite3.Error as error:
            raise _translated(error, self._path) from error

    def close(self) -> None:
        """See `Store.close`."""
        with self._lock:
            self._connection.close()


def _columns(transaction: Transaction) -> tuple[str, str, int, str | None]:
    """What is kept beside the state, to find it by: lifecycle, status, version, age."""
    open_since = min(
        (
            operation.begun_at.astimezone(UTC).isoformat()
            for operation in transaction.operations.values()
        ),
        default=None,
    )
    return transaction.lifecycle, transaction.status, transaction.version, open_since


def _read_row(row: tuple[Any, ...]) -> Transaction:
    name, *columns, state = row
    try:
        transaction = decode_transaction(state)
    except TrailBroken as error:
        raise TrailBroken(str(error), transaction=name) from error
    if transaction.id != name or _columns(transaction) != tuple(columns):
        message = "the columns of a stored transaction do not agree with its state"
        raise TrailBroken(message, transaction=name)
    return transaction


def has_wal_reset_bug(version: tuple[int, ...]) -> bool:
    """Whether this SQLite can lose commits when WAL is reset by two connections.

    Versions 3.7.0 to 3.51.2 can, very rarely: https://sqlite.org/wal.html#walresetbug
    """
    return (3, 7, 0) <= version < (3, 51, 3)


def _check_library(version: tuple[int, ...]) -> None:
    shown = ".".join(map(str, version))
    if version < OLDEST:
        needed = ".".join(map(str, OLDEST))
        message = f"SQLite {shown} is too old: {needed} or later is needed"
        raise StoreUnsuitable(message)
    if has_wal_reset_bug(version):
        message = (
            f"SQLite {shown} has the WAL-reset bug, fixed in 3.51.3: with several"
            " processes on one file a commit can be lost, very rarely"
        )
        warnings.warn(StoreWarning(message), stacklevel=3)


def _make_durable(connection: sqlite3.Connection, path: Path) -> None:
    """Ask for WAL and full syncs, and believe only what reads back."""
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    mode = connection.execute("PRAGMA journal_mode").fetchone()[0]
    level = connection.execute("PRAGMA synchronous").fetchone()[0]
    if mode != "wal" or level != 2:  # noqa: PLR2004 - FULL, as SQLite counts
        message = (
            f"{path}: SQLite gave journal_mode={mode}, synchronous={level};"
            " WAL and FULL (2) are needed"
        )
        raise StoreUnsuitable(message)


def _never_committed(error: sqlite3.Error) -> bool:
    """Whether a failed commit is surely not there.

    It never began, or its frames could not be written whole: the last of them makes a
    commit, and without it a later reader passes over the others.
    """
    unwritten = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE}
    return _code(error) in _BUSY or getattr(error, "sqlite_errorcode", 0) in unwritten


def _code(error: sqlite3.Error) -> int:
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


def _translated(error: sqlite3.Error, path: Path) -> KessaiError:
    """What SQLite's error means for the caller; nothing was written."""
    code = _code(error)
    if code in _BUSY:
        return StoreBusy(f"{path}: another process held the file for {PATIENCE:g} s")
    if code == sqlite3.SQLITE_NOTADB:
        return StoreUnsuitable(f"{path}: not an SQLite database")
    return StoreFailed(f"{path}: {error}")
