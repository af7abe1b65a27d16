"""What writes to an SQLite file: one connection for all threads of a process.

Writers begin IMMEDIATE, so a version that was checked cannot change before the commit.
Threads commit together (`group_commit`), and processes take turns (`sqlite_queue`).
"""

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from threading import get_ident
from time import monotonic, sleep
from typing import TypeVar

from kessai.errors import CommitUnknown, KessaiError, StoreBusy
from kessai.limits import BUSY_SECONDS
from kessai.stores.group_commit import Group, GroupCommit, Job
from kessai.stores.query import Query, Row
from kessai.stores.sqlite_durable import Neighbours
from kessai.stores.sqlite_errors import (
    is_busy,
    is_of_one_statement,
    never_committed,
)
from kessai.stores.sqlite_file import SQLiteFile
from kessai.stores.sqlite_queue import PAUSE, WriterQueue
from kessai.stores.sqlite_session import Session

T = TypeVar("T")


class SQLiteWriter:
    """The writer of one process."""

    def __init__(self, file: SQLiteFile) -> None:
        self._file = file
        self._queue = WriterQueue(file.place, lambda: BUSY_SECONDS / 2)
        self._neighbours = Neighbours()
        self._together = GroupCommit(self._write_group)
        self._wrote_last = get_ident()
        self.session = Session(file.place, file.open, self._closed)

    def open(self) -> None:
        """Open the file now."""
        with self.session.lock:
            self.session.opened()

    def _closed(self) -> None:
        self._queue.close()
        self._neighbours.forget()

    def rows(self, query: Query) -> list[Row] | None:
        """What `query` finds; None where a connection that reads must be asked.

        The writing connection has in its cache what it has just written. So the thread
        that wrote last asks it, and no other, so that no writer waits for readers.
        """
        session = self.session
        if self._wrote_last != get_ident() or session.lock.locked():
            return None
        try:
            with session.lock:
                return self._file.rows(session.opened(), query)
        except sqlite3.Error as error:
            if not is_busy(error):  # the other connections wait where this one does not
                raise self._file.meaning(error) from error
        return None

    def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """What `work` gives, once it is committed."""
        return self._together.run(work)

    def scrub(self) -> None:
        """Write the file anew, without what is deleted, and empty its log.

        Raises:
            StoreBusy: a reader still needs the log, or another process writes.

        """
        with self.session.lock:
            connection = self.session.opened()
            try:
                connection.execute(f"PRAGMA busy_timeout = {int(BUSY_SECONDS * 1000)}")
                connection.execute("VACUUM")
                found = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                (is_held, *_), *_ = found.fetchall()
            except sqlite3.Error as error:
                raise self._file.meaning(error) from error
            finally:
                connection.execute("PRAGMA busy_timeout = 0")
        if is_held:
            message = (
                f"{self._file.path}: somebody reads the file, so its log may still hold"
                " what was forgotten; do it again later"
            )
            raise StoreBusy(message)

    def write_each(
        self, works: Iterable[Callable[[sqlite3.Connection], object]]
    ) -> list[KessaiError | None]:
        """Do all of `works` in one commit; the error of each, None if it is committed."""
        return self._together.run_each(works)

    def _write_group(self, group: Group) -> None:
        """Write a group in one transaction of the database, all of it or nothing."""
        with self.session.lock:
            self._wrote_last = get_ident()
            connection = self.session.opened()
            try:
                _roll_back(connection)  # what an earlier failure may have left behind
                self._begin(connection)
                if self._do_all(connection, group):
                    group.is_committing = True
                    self._commit(connection)
            except sqlite3.Error as error:
                raise self._file.meaning(error) from error
            finally:  # after an interrupt too: a lock would stay held
                _roll_back(connection)

    def _begin(self, connection: sqlite3.Connection) -> None:
        """Begin to write, when it is this process's turn.

        Raises:
            StoreBusy: another process held the file for too long.

        """
        if self._queue.is_own_turn and _has_begun(connection):
            return
        until = monotonic() + BUSY_SECONDS
        with self._queue:
            while not _has_begun(connection):
                if monotonic() >= until:
                    message = (
                        f"{self._file.path}: another process held the file"
                        f" for {BUSY_SECONDS:g} s"
                    )
                    raise StoreBusy(message)
                sleep(PAUSE)
        self._neighbours.look(connection)  # once a turn will do: what it sees stays so

    def _do_all(self, connection: sqlite3.Connection, group: Group) -> bool:
        """Do every job that waits; whether anything is to be committed."""
        jobs = group.take()
        if len(jobs) == 1:
            self._do(connection, jobs[0])
            return jobs[0].error is None
        # Nearly always none fails, and one savepoint will do for all.
        connection.execute("SAVEPOINT jobs")
        for job in jobs:
            self._do(connection, job)
            if job.error is not None:
                connection.execute("ROLLBACK TO jobs")
                self._do_each_apart(connection, jobs)
                break
        return any(job.error is None for job in jobs)

    def _do_each_apart(
        self, connection: sqlite3.Connection, jobs: Sequence[Job]
    ) -> None:
        for job in jobs:
            job.error = None
            self._do_apart(connection, job)

    def _do_apart(self, connection: sqlite3.Connection, job: Job) -> None:
        """Do a job so that, if it fails, nothing of it is left among the others."""
        connection.execute("SAVEPOINT job")
        self._do(connection, job)
        if job.error is not None:
            connection.execute("ROLLBACK TO job")
        connection.execute("RELEASE job")

    def _do(self, connection: sqlite3.Connection, job: Job) -> None:
        try:
            job.result = job.work(connection)
        except sqlite3.Error as error:
            if not is_of_one_statement(error):
                raise
            job.error = self._file.meaning(error)
            job.error.__cause__ = error
        except Exception as error:  # noqa: BLE001 - raised again where it belongs
            job.error = error

    def _commit(self, connection: sqlite3.Connection) -> None:
        try:
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            if never_committed(error):
                raise
            message = (
                f"{self._file.path}: the commit failed; it may or may not be there"
            )
            raise CommitUnknown(message) from error


def _has_begun(connection: sqlite3.Connection) -> bool:
    try:
        connection.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as error:
        if is_busy(error):
            return False
        raise
    return True


def _roll_back(connection: sqlite3.Connection) -> None:
    # A failure to roll back must not hide the error before it, and changes nothing:
    # what was not committed is not there.
    try:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
    except sqlite3.Error:
        pass
