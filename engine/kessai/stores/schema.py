"""The SQLite schema and its versions. Each migration is whole or not there at all.

Tables are STRICT, so that an amount can never turn into a float or a text unseen.
"""

import sqlite3
from typing import TYPE_CHECKING

from kessai.errors import StoreUnsuitable

if TYPE_CHECKING:
    from sqlite_utils import Database, Migrations

VERSION = 1
"""What `PRAGMA user_version` says of a file that this code can use."""


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the file behind `connection` to `VERSION`, in one transaction.

    Raises:
        StoreUnsuitable: the file is of a newer kessai, or of another program.

    """
    if _version(connection) == VERSION:
        return
    # Its import costs more than everything else here, and most opens need no change.
    from sqlite_utils import Database

    connection.execute("BEGIN IMMEDIATE")
    try:
        _check(connection)
        database = Database(connection)
        _migrations().apply(database)
        connection.execute(f"PRAGMA user_version = {VERSION}")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _check(connection: sqlite3.Connection) -> None:
    version = _version(connection)
    if version > VERSION:
        message = f"the file has schema version {version}; this kessai knows {VERSION}"
        raise StoreUnsuitable(message)
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if version == 0 and tables:
        message = "the file is a database of another program"
        raise StoreUnsuitable(message)


def _migrations() -> "Migrations":
    from sqlite_utils import Migrations

    migrations = Migrations("kessai")

    @migrations(name="1: transactions, events, answers, lifecycles")
    def _first(database: "Database") -> None:
        for statement in _FIRST.split(";"):
            database.execute(statement)

    return migrations


# Rows that are written once and found by their key live in it (WITHOUT ROWID): one page
# less to write, and to sync. Transactions are rewritten, and too long for that.
_FIRST = """
CREATE TABLE transactions (
  id TEXT PRIMARY KEY NOT NULL,
  lifecycle TEXT NOT NULL,
  status TEXT NOT NULL,
  version INTEGER NOT NULL,
  open_since TEXT,
  state BLOB NOT NULL
) STRICT;
CREATE INDEX open_transactions ON transactions (open_since)
  WHERE open_since IS NOT NULL;
CREATE TABLE events (
  transaction_id TEXT NOT NULL,
  number INTEGER NOT NULL,
  body BLOB NOT NULL,
  hash TEXT NOT NULL,
  PRIMARY KEY (transaction_id, number)
) STRICT, WITHOUT ROWID;
CREATE TABLE answers (
  key TEXT PRIMARY KEY NOT NULL,
  transaction_id TEXT NOT NULL,
  outcome TEXT NOT NULL,
  recorded BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE lifecycles (
  hash TEXT PRIMARY KEY NOT NULL,
  name TEXT NOT NULL,
  document BLOB NOT NULL
) STRICT, WITHOUT ROWID
"""
