"""One SQLite file: how it is opened and read, and what its errors mean."""

import sqlite3
from pathlib import Path
from time import monotonic, sleep

from kessai.errors import KessaiError, StoreBusy, StoreFailed, StoreMissing
from kessai.limits import BUSY_SECONDS, REOPEN_SECONDS
from kessai.stores.naming import naming
from kessai.stores.query import Query, Row
from kessai.stores.schema import MIGRATIONS, migrate, version_of
from kessai.stores.sqlite_durable import make_durable
from kessai.stores.sqlite_errors import translated
from kessai.stores.sqlite_unchanging import Unchanging, is_read_only
from kessai.whole_file import check_folder


class SQLiteFile:
    """The file at `path`; with `must_exist` none is made where there is none.

    If it is `shared`, our tables are made beside those of another program.
    """

    def __init__(self, path: Path, *, must_exist: bool, shared: bool) -> None:
        self.path = path
        # Wherever this process goes; SQLite's own name for no file is left to it.
        self.place = path if str(path) == ":memory:" else path.absolute()
        self._must_exist = must_exist
        self._shared = shared
        self._unchanging: Unchanging | None = None

    def connect(self, *, read_only: bool = False) -> sqlite3.Connection:
        """A new connection; every one is made here."""
        if self._must_exist and not self.place.exists():
            message = f"{self.path}: there is no store"
            raise StoreMissing(message)
        try:
            check_folder(self.place)
        except OSError as error:
            message = f"{self.path}: {error.strerror}"
            raise StoreFailed(message) from None
        uri = f"{self.place.as_uri()}?mode=ro" if read_only else None
        if self._unchanging:
            uri = self._unchanging.uri
        try:
            return sqlite3.connect(
                uri or self.place,
                timeout=BUSY_SECONDS,
                isolation_level=None,
                check_same_thread=False,
                uri=uri is not None,
            )
        except sqlite3.Error as error:
            raise self.meaning(error) from error

    def open(self) -> sqlite3.Connection:
        """Open the file for writing, again while another process is just making it.

        SQLite waits for a lock only where it holds none: if two connections turn a new
        file into WAL, one of them gets "busy" at once.
        """
        until = monotonic() + BUSY_SECONDS
        while True:
            try:
                connection = self._open_once()
            except StoreBusy:
                if monotonic() >= until:
                    raise
            else:
                self._must_exist = True  # should it be gone later, none is made instead
                return connection
            sleep(REOPEN_SECONDS)

    def _open_once(self) -> sqlite3.Connection:
        connection = self.connect()
        try:
            self._prepare(connection)
        except BaseException as error:
            connection.close()
            if self._unchanging is None and is_read_only(error, self.place):
                self._unchanging = Unchanging(self.place)
                return self._open_once()
            if isinstance(error, sqlite3.Error):
                raise self.meaning(error) from error
            raise
        return connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        with naming(self.path):
            found = version_of(connection, shared=self._shared)
            if not found and self._must_exist:
                message = "there is no store in this file"
                raise StoreMissing(message)
            if self._unchanging is None:
                make_durable(connection)
                if found < len(MIGRATIONS):
                    migrate(connection, shared=self._shared)
        connection.execute("PRAGMA busy_timeout = 0")  # the writer waits, and fairly

    def rows(self, connection: sqlite3.Connection, query: Query) -> list[Row]:
        """What `query` finds, over one of the connections to this file."""
        found = connection.execute(str(query.text), query.values).fetchall()
        self.check_unchanged()
        return found

    def check_unchanged(self) -> None:
        """See that a file that is believed not to change has not changed."""
        if self._unchanging is not None:
            self._unchanging.check()

    def meaning(self, error: sqlite3.Error) -> KessaiError:
        """The error of kessai's own that `error` is."""
        return translated(error, self.path, BUSY_SECONDS)
