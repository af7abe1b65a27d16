"""The SQLite store: one file, many processes, each commit on the disk before it counts.

WAL with `synchronous=FULL` is asked for and then checked: a file system or a build that
gives less is refused. Writers begin IMMEDIATE, so a version that was checked cannot
change before the commit. Threads of one process commit together (`group_commit`), and
processes take turns (`sqlite_queue`).
"""

import sqlite3
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from threading import Lock, get_ident
from time import monotonic, sleep

from kessai.errors import (
    CommitUnknown,
    KessaiError,
    StoreBusy,
    StoreFailed,
    StoreMissing,
)
from kessai.flow import Change, Lease
from kessai.limits import BUSY_SECONDS, REOPEN_SECONDS
from kessai.machine import Record, Transaction
from kessai.stores import reading
from kessai.stores import sqlite_rows as rows
from kessai.stores.encoding import Answered, decode_answered
from kessai.stores.group_commit import Group, GroupCommit, Job
from kessai.stores.query import Query, Row, Steps, T, perform
from kessai.stores.reading import ReadingStore
from kessai.stores.schema import is_empty, migrate
from kessai.stores.sqlite_durable import (
    Neighbours,
    StoreWarning,
    check_library,
    make_durable,
)
from kessai.stores.sqlite_errors import (
    is_busy,
    is_of_one_statement,
    never_committed,
    translated,
)
from kessai.stores.sqlite_queue import PAUSE, WriterQueue
from kessai.stores.sqlite_unchanging import Unchanging, is_of_the_folder

__all__ = ["SQLiteStore", "StoreWarning"]


class SQLiteStore(ReadingStore):
    """Transactions in one SQLite file.

    With `must_exist` none is made where there is none. Where the folder is read-only,
    the file is read as it is, as long as nobody else changes it.

    Raises:
        StoreMissing: there is no store, and it must exist.
        StoreUnsuitable: SQLite or the file cannot give what is promised.
        StoreFailed: the file cannot be opened or made.

    """

    def __init__(self, path: Path | str, *, must_exist: bool = False) -> None:
        self._path = Path(path)
        self._must_exist = must_exist
        self._unchanging: Unchanging | None = None
        self._declared: set[str] = set()
        check_library()
        self._in_use = Lock()
        self._connection = self._open()
        self._is_closed = False
        self._wrote_last = get_ident()
        # Other connections see no commit before it is on the disk, and wait for none.
        self._readers: deque[sqlite3.Connection] = deque()
        self._queue = WriterQueue(self._path, lambda: BUSY_SECONDS / 2)
        self._together = GroupCommit(self._write_group)
        self._neighbours = Neighbours()

    @property
    def path(self) -> Path:
        """The file that holds the store."""
        return self._path

    # ── connections ─────────────────────────────────────────────────────────────────

    def _connect(self) -> sqlite3.Connection:
        """A new connection; every one is made here."""
        if self._must_exist and not self._path.exists():
            message = f"{self._path}: there is no store"
            raise StoreMissing(message)
        try:
            return sqlite3.connect(
                self._unchanging.uri if self._unchanging else self._path,
                timeout=BUSY_SECONDS,
                isolation_level=None,
                check_same_thread=False,
                uri=self._unchanging is not None,
            )
        except sqlite3.Error as error:
            raise self._meaning(error) from error

    def _open(self) -> sqlite3.Connection:
        """Open the file, again while another process is just making it.

        SQLite waits for a lock only where it holds none: if two connections turn a new
        file into WAL, one of them gets "busy" at once.
        """
        until = monotonic() + BUSY_SECONDS
        while True:
            try:
                return self._open_once()
            except StoreBusy:
                if monotonic() >= until:
                    raise
            sleep(REOPEN_SECONDS)

    def _open_once(self) -> sqlite3.Connection:
        connection = self._connect()
        try:
            self._prepare(connection)
        except BaseException as error:
            connection.close()
            if self._unchanging is None and is_of_the_folder(error, self._path):
                self._unchanging = Unchanging(self._path)
                return self._open_once()
            if isinstance(error, sqlite3.Error):
                raise self._meaning(error) from error
            raise
        return connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        if is_empty(connection) and self._must_exist:
            message = f"{self._path}: there is no store in this file"
            raise StoreMissing(message)
        if self._unchanging is None:
            make_durable(connection, self._path)
            migrate(connection)
        connection.execute("PRAGMA busy_timeout = 0")  # `_begin` waits, and fairly

    def _meaning(self, error: sqlite3.Error) -> KessaiError:
        return translated(error, self._path, BUSY_SECONDS)

    def close(self) -> None:
        """See `Store.close`."""
        with self._in_use:
            self._is_closed = True
            for connection in (self._connection, *self._readers):
                connection.close()
            self._queue.close()

    # ── writing ─────────────────────────────────────────────────────────────────────

    def append(self, change: Change) -> None:
        """See `Store.append`."""
        write = rows.write_change
        self._together.run(lambda: write(self._connection, change, self._declared))
        if change.declaration is not None:
            self._declared.add(change.declaration.hash)

    def claim(
        self, now: datetime, until: datetime, accounts: Sequence[str]
    ) -> Lease | None:
        """See `Store.claim`."""
        return self._together.run(
            lambda: rows.claim(self._connection, now, until, accounts)
        )

    def release(self, lease: Lease, due_at: datetime) -> None:
        """See `Store.release`."""
        self._together.run(lambda: rows.release(self._connection, lease, due_at))

    def _write_group(self, group: Group) -> None:
        """Write a group in one transaction of the database, all of it or nothing."""
        with self._in_use:
            self._wrote_last = get_ident()
            try:
                self._roll_back()  # what an earlier failure may have left behind
                self._begin()
                self._neighbours.look(self._connection)
                if self._do_all(group):
                    group.is_committing = True
                    self._commit()
            except sqlite3.Error as error:
                raise self._meaning(error) from error
            finally:  # after an interrupt too: a lock would stay held
                self._roll_back()

    def _begin(self) -> None:
        """Begin to write, when it is this process's turn.

        Raises:
            StoreBusy: another process held the file for too long.

        """
        if self._queue.is_own_turn and self._has_begun():
            return
        until = monotonic() + BUSY_SECONDS
        with self._queue:
            while not self._has_begun():
                if monotonic() >= until:
                    message = (
                        f"{self._path}: another process held the file"
                        f" for {BUSY_SECONDS:g} s"
                    )
                    raise StoreBusy(message)
                sleep(PAUSE)

    def _has_begun(self) -> bool:
        try:
            self._connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if is_busy(error):
                return False
            raise
        return True

    def _do_all(self, group: Group) -> bool:
        """Do every job that waits; whether anything is to be committed."""
        jobs = group.take()
        if len(jobs) == 1:
            self._do(jobs[0])
            return jobs[0].error is None
        for job in jobs:
            self._do_apart(job)
        return any(job.error is None for job in jobs)

    def _do_apart(self, job: Job) -> None:
        """Do a job so that, if it fails, nothing of it is left among the others."""
        execute = self._connection.execute
        execute("SAVEPOINT job")
        self._do(job)
        if job.error is not None:
            execute("ROLLBACK TO job")
        execute("RELEASE job")

    def _do(self, job: Job) -> None:
        try:
            job.result = job.work()
        except sqlite3.Error as error:
            if not is_of_one_statement(error):
                raise
            job.error = self._meaning(error)
            job.error.__cause__ = error
        except Exception as error:  # noqa: BLE001 - raised again where it belongs
            job.error = error

    def _commit(self) -> None:
        try:
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            if never_committed(error):
                raise
            message = f"{self._path}: the commit failed; it may or may not be there"
            raise CommitUnknown(message) from error

    def _roll_back(self) -> None:
        # A failure to roll back must not hide the error before it, and changes nothing:
        # what was not committed is not there.
        try:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        except sqlite3.Error:
            pass

    # ── reading ─────────────────────────────────────────────────────────────────────

    _but_denials = rows.BUT_DENIALS

    def _perform(self, step: Steps[T]) -> T:
        return perform(step, self._fetch)

    def unresolved(self, open_before: datetime, limit: int) -> list[str]:
        """See `Store.unresolved`."""
        return self._perform(reading.unresolved(rows.moment(open_before), limit))

    def transactions(self) -> Iterator[Transaction]:
        """See `Store.transactions`: a connection of its own, so writers go on."""
        # A map, because unlike a generator it goes on after a row that is refused.
        return map(rows.read_row, self._stream(reading.TRANSACTIONS))

    def trails(self) -> Iterator[tuple[str, list[Record]]]:
        """See `Store.trails`: a connection of its own, so writers go on."""
        found = self._stream(
            "SELECT transaction_id, number, body, hash FROM events"
            " ORDER BY transaction_id, number"
        )
        for transaction, group in groupby(found, key=itemgetter(0)):
            yield transaction, [Record(*row) for row in group]

    def answers(self) -> Iterator[Answered]:
        """See `Store.answers`: a connection of its own, so writers go on."""
        return map(decode_answered, self._stream(reading.ANSWERS))

    def _stream(self, query: str) -> Iterator[Row]:
        with closing(self._connect()) as reader:
            try:
                yield from reader.execute(query)
                self._check_unchanged()
            except sqlite3.Error as error:
                raise self._meaning(error) from error

    def _fetch(self, query: Query) -> list[Row]:
        """Read what is committed, while a commit of this process is under way too.

        The writing connection has in its cache what it has just written. So the thread
        that wrote last asks it, and no other, so that no writer waits for readers.
        """
        try:
            if self._wrote_last == get_ident() and not self._in_use.locked():
                with self._in_use:
                    return self._rows(self._connection, query)
        except sqlite3.Error as error:
            if not is_busy(error):  # the other connections wait where this one does not
                raise self._meaning(error) from error
        return self._fetch_elsewhere(query)

    def _fetch_elsewhere(self, query: Query) -> list[Row]:
        try:
            reader = self._readers.pop()
        except IndexError:
            reader = self._connect()
        try:
            if self._is_closed:
                message = f"{self._path}: the store was closed"
                raise StoreFailed(message)
            return self._rows(reader, query)
        except sqlite3.Error as error:
            raise self._meaning(error) from error
        finally:
            if self._is_closed:
                reader.close()
            self._readers.append(reader)

    def _rows(self, connection: sqlite3.Connection, query: Query) -> list[Row]:
        found = connection.execute(str(query.text), query.values).fetchall()
        self._check_unchanged()
        return found

    def _check_unchanged(self) -> None:
        if self._unchanging is not None:
            self._unchanging.check()
