"""Whether SQLite, as it is here, can keep what is promised: asked for, then checked."""

import sqlite3
import warnings
from pathlib import Path

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


def check_library(version: tuple[int, ...]) -> None:
    """See that this SQLite knows what is used, and warn of what it may lose.

    Raises:
        StoreUnsuitable: it is too old.

    """
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


def make_durable(connection: sqlite3.Connection, path: Path) -> None:
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
            f"{path}: SQLite gave journal_mode={mode}, synchronous={level};"
            " WAL and FULL (2) are needed"
        )
        raise StoreUnsuitable(message)
