"""A database that cannot be written to: a backup, a medium, an archive.

SQLite makes files beside a database in WAL mode, even to read it, and changes one that
is in another mode. Where it cannot, it can still be told that the file does not change.
It believes that, so it is checked.
"""

import os
import sqlite3
from pathlib import Path

from kessai.errors import StoreFailed

_PRIMARY = 0xFF
"""The part of SQLite's code for an error that says what kind it is."""


def is_read_only(error: BaseException, path: Path) -> bool:
    """Whether SQLite failed because `path`, or the folder that it is in, is read-only."""
    code = getattr(error, "sqlite_errorcode", 0) & _PRIMARY
    if code not in {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN}:
        return False
    effectively = os.access in os.supports_effective_ids
    places = (path, path.parent)
    return path.is_file() and not all(
        os.access(place, os.W_OK, effective_ids=effectively) for place in places
    )


class Unchanging:
    """The file as it is; what else was committed must be in it, and not beside it.

    Raises:
        StoreFailed: it cannot be read, or commits stand beside it.

    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._wal = path.with_name(f"{path.name}-wal")
        self._state = self._look()
        if self._state[-1]:
            message = (
                f"{path}: it or its folder is read-only, and commits stand in {self._wal.name}:"
                " copy both to a folder that can be written to"
            )
            raise StoreFailed(message)

    @property
    def uri(self) -> str:
        """What SQLite opens."""
        return f"{self._path.absolute().as_uri()}?immutable=1"

    def check(self) -> None:
        """See that nobody has changed the file.

        Raises:
            StoreFailed: somebody has, so what was read may be of two moments.

        """
        if self._look() != self._state:
            message = f"{self._path}: was changed while it was being read"
            raise StoreFailed(message)

    def _look(self) -> tuple[int, int, int]:
        try:
            status = self._path.stat()
            beside = self._wal.stat().st_size if self._wal.exists() else 0
        except OSError as error:
            message = f"{self._path}: {error.strerror or error}"
            raise StoreFailed(message) from error
        return status.st_mtime_ns, status.st_size, beside
