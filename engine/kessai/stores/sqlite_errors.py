"""What SQLite's errors mean for a caller: which ones prove that nothing was written."""

import sqlite3
from pathlib import Path

from kessai.errors import KessaiError, StoreBusy, StoreFailed, StoreUnsuitable

_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_UNWRITTEN = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE}


def is_busy(error: sqlite3.Error) -> bool:
    """Whether another connection holds what is needed; later it may be free."""
    return _code(error) in _BUSY


def is_of_one_statement(error: sqlite3.Error) -> bool:
    """Whether what was asked for is at fault, and not the file or the disk."""
    of_one = (
        sqlite3.IntegrityError,
        sqlite3.DataError,
        sqlite3.InterfaceError,
        sqlite3.ProgrammingError,
    )
    return isinstance(error, of_one)


def never_committed(error: sqlite3.Error) -> bool:
    """Whether a failed commit is surely not there.

    It never began, or its frames could not be written whole: the last of them makes a
    commit, and without it a later reader passes over the others.
    """
    return is_busy(error) or getattr(error, "sqlite_errorcode", 0) in _UNWRITTEN


def translated(error: sqlite3.Error, path: Path, patience: float) -> KessaiError:
    """The error of kessai's own that `error` is; nothing was written."""
    if is_busy(error):
        return StoreBusy(f"{path}: another process held the file for {patience:g} s")
    if _code(error) == sqlite3.SQLITE_NOTADB:
        return StoreUnsuitable(f"{path}: not an SQLite database")
    return StoreFailed(f"{path}: {error}")


def _code(error: sqlite3.Error) -> int:
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF
