"""What reads from an SQLite file beside its writer: a connection a thread.

They see no commit before it is on the disk, and wait for none.
"""

import sqlite3
from collections import deque
from collections.abc import Iterator
from functools import partial

from kessai.stores.query import READ_AHEAD, Query, Row
from kessai.stores.sqlite_file import SQLiteFile
from kessai.stores.sqlite_session import Session


class SQLiteReaders:
    """The readers of one process."""

    def __init__(self, file: SQLiteFile) -> None:
        self._file = file
        self._idle: deque[Session] = deque()
        self._is_closed = False

    def rows(self, query: Query) -> list[Row]:
        """What `query` finds."""
        try:
            session = self._idle.pop()
        except IndexError:
            session = Session(self._file.place, self._file.connect)
        try:
            if self._is_closed:
                session.close()
            with session.lock:
                return self._file.rows(session.opened(), query)
        except sqlite3.Error as error:
            raise self._file.meaning(error) from error
        finally:
            if self._is_closed:
                session.close()
            self._idle.append(session)

    def stream(self, query: str) -> Iterator[Row]:
        """All that `query` finds at one moment, over a connection of its own."""
        session = Session(self._file.place, partial(self._file.connect, read_only=True))
        try:
            with session.lock:
                session.rows = cursor = session.opened().execute(query)
            while rows := _next(session, cursor):
                yield from rows
            self._file.check_unchanged()
        except sqlite3.Error as error:
            raise self._file.meaning(error) from error
        finally:
            session.close()

    def close(self) -> None:
        """Close all, and what is given back later."""
        self._is_closed = True
        for session in tuple(self._idle):
            session.close()


def _next(session: Session, cursor: sqlite3.Cursor) -> list[Row]:
    with session.lock:
        session.opened()  # a child process has it closed, and may not open it
        return cursor.fetchmany(READ_AHEAD)
