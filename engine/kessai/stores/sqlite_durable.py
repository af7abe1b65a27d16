"""Whether SQLite, as it is here, can keep what is promised: asked for, then checked."""

import sqlite3
import warnings
from contextlib import suppress

from kessai.errors import StoreUnsuitable

OLDEST = (3, 37, 0)
"""The first SQLite with STRICT tables."""


class StoreWarning(UserWarning):
    """Something about the store that its owner should know, but can live with."""


def has_wal_reset_bug(version: tuple[int, ...]) -> bool:
    """Whether this SQLite can lose commits when WAL is reset by two connections.

    Versions 3.7.0 to 3.51.2 can, very rarely: https://sqlite.org/wal.html#walresetbug
    """
    return (3, 7, 0) <= version < (3, 51, 3)


def check_library() -> None:
    """See that this SQLite knows what is used.

    Raises:
        StoreUnsuitable: it is too old.

    """
    if sqlite3.sqlite_version_info < OLDEST:
        needed = ".".join(map(str, OLDEST))
        message = (
            f"SQLite {sqlite3.sqlite_version} is too old: {needed} or later is needed"
        )
        raise StoreUnsuitable(message)


class Neighbours:
    """Whether other connections write to the file, and what SQLite may lose then."""

    def __init__(self) -> None:
        self._seen: int | None = None
        self._is_settled = not has_wal_reset_bug(sqlite3.sqlite_version_info)

    def look(self, connection: sqlite3.Connection) -> None:
        """Warn, once, if somebody else wrote since the last time."""
        if self._is_settled:
            return
        version = connection.execute("PRAGMA data_version").fetchone()[0]
        if self._seen not in {None, version}:
            self._is_settled = True
            message = (
                f"SQLite {sqlite3.sqlite_version} has the WAL-reset bug, fixed in"
                " 3.51.3: with several processes on one file, as here, a commit can be"
                " lost, very rarely"
            )
            with suppress(StoreWarning):  # as an error it must not undo a commit
                warnings.warn(StoreWarning(message), stacklevel=2)
        self._seen = version

    def forget(self) -> None:
        """Begin anew: another connection counts from elsewhere."""
        self._seen = None


def make_durable(connection: sqlite3.Connection) -> None:
    """Ask for WAL and full syncs, and believe only what reads back.

    Raises:
        StoreUnsuitable: the file system, or this SQLite, gives less.

    """
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    mode = connection.execute("PRAGMA journal_mode").fetchone()[0]
    level = connection.execute("PRAGMA synchronous").fetchone()[0]
    if mode != "wal" or level != 2:  # noqa: PLR2004 - FULL, as SQLite counts
        message = (
            f"SQLite gave journal_mode={mode}, synchronous={level};"
            " WAL and FULL (2) are needed"
        )
        raise StoreUnsuitable(message)
