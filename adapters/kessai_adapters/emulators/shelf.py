"""Where the books lie between two runs: one SQLite file, one row of JSON per order.

Knows rows and numbers, and nothing of what an order is. The file is held for as long
as it is open: two emulators on one file would each remember only half of the money.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from os import PathLike
from pathlib import Path
from typing import Final

from kessai_adapters.emulators.errors import BooksInUse

_PATIENCE_SECONDS: Final = 10.0
_NUMBERS_AT_ONCE: Final = 1000
_SCHEMA: Final = """
PRAGMA locking_mode = EXCLUSIVE;
PRAGMA journal_mode = WAL;
PRAGMA synchronous = OFF;
BEGIN EXCLUSIVE;
CREATE TABLE IF NOT EXISTS orders (
  order_id TEXT PRIMARY KEY, content TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS serial (taken INTEGER NOT NULL);
INSERT INTO serial SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM serial);
COMMIT;
"""


class Shelf:
    """The file under the books, open until `close`."""

    def __init__(self, path: str | PathLike[str]) -> None:
        _check_owner(Path(path))
        self._db = sqlite3.connect(
            path,
            timeout=_PATIENCE_SECONDS,
            isolation_level=None,
            # The emulator's one lock lets one thread in at a time.
            check_same_thread=False,
        )
        try:
            self._db.executescript(_SCHEMA)
        except sqlite3.OperationalError as error:
            self._db.close()
            message = f"the books at {path} cannot be opened: {error}"
            raise BooksInUse(message) from error
        except sqlite3.DatabaseError:
            self._db.close()
            raise

    def rows(self) -> Iterator[str]:
        """Yield every order's row."""
        for (content,) in self._db.execute("SELECT content FROM orders"):
            yield content

    def keep(self, order_id: str, row: str) -> None:
        """Write one order's row over its former one."""
        self._db.execute(
            "INSERT INTO orders VALUES (?, ?) "
            "ON CONFLICT (order_id) DO UPDATE SET content = excluded.content",
            (order_id, row),
        )

    @contextmanager
    def whole(self) -> Iterator[None]:
        """Keep all that is written meanwhile, or nothing of it if the process dies.

        Within another it is part of that one: the consumer acts while a request is
        answered.
        """
        is_within = self._db.in_transaction
        if is_within:
            yield
            return
        self._db.execute("BEGIN")
        try:
            yield
        except sqlite3.Error:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise
        except BaseException:
            self._db.execute("COMMIT")
            raise
        self._db.execute("COMMIT")

    def reserve(self, count: int) -> int:
        """Take `count` numbers; return the one before the first of them."""
        found = self._db.execute(
            "UPDATE serial SET taken = taken + ? RETURNING taken", (count,)
        ).fetchall()
        return int(found[0][0]) - count

    def close(self) -> None:
        """Close the file."""
        self._db.close()


class Serial:
    """Counts from 1: no number is given twice, also over restarts with one file."""

    def __init__(self, shelf: Shelf | None) -> None:
        self._shelf = shelf
        self._taken = self._reserved = 0

    def next(self) -> int:
        """A number that was never given before."""
        if self._shelf is not None and self._taken == self._reserved:
            self._taken = self._shelf.reserve(_NUMBERS_AT_ONCE)
            self._reserved = self._taken + _NUMBERS_AT_ONCE
        self._taken += 1
        return self._taken


def _check_owner(path: Path) -> None:
    """See that the file is nobody else's, before anything is made in it, or beside it."""
    if not path.is_file() or not path.stat().st_size:
        return
    place = f"{path.absolute().as_uri()}?immutable=1"
    with closing(sqlite3.connect(place, uri=True)) as database:
        found = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        others = {name for (name,) in found} - {"orders", "serial"}
    if others:
        message = f"it has other tables: {', '.join(sorted(others))}"
        raise sqlite3.DatabaseError(message)
