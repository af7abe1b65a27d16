"""The SQLite schema and its versions. Each migration is done whole or not at all.

Tables are STRICT, so that an amount can never silently turn into a float or a text.
"""

import sqlite3
from typing import TYPE_CHECKING

from kessai.errors import StoreUnsuitable
from kessai.machine import DENIAL

if TYPE_CHECKING:
    from sqlite_utils import Database, Migrations

VERSION = 1
"""The `PRAGMA user_version` of a file that this code can use."""

OWNER = int.from_bytes(b"kess")
"""The `PRAGMA application_id` of kessai's files, as many programs count from 1."""


def is_empty(connection: sqlite3.Connection) -> bool:
    """Whether the file is empty, or kessai's: seen before anything in it is changed.

    Raises:
        StoreUnsuitable: the file is of a newer kessai, or of another program.

    """
    connection.execute("BEGIN")  # one moment: another process may be migrating it
    try:
        return _is_empty(connection)
    finally:
        _roll_back(connection)


def _is_empty(connection: sqlite3.Connection) -> bool:
    if _pragma(connection, "application_id") != OWNER:
        if _pragma(connection, "user_version") or _has_tables(connection):
            message = "the file is a database of another program"
            raise StoreUnsuitable(message)
        return True
    version = _pragma(connection, "user_version")
    if version > VERSION:
        message = f"the file has schema version {version}; this kessai knows {VERSION}"
        raise StoreUnsuitable(message)
    return False


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the file behind `connection` to `VERSION`, in one transaction.

    Raises:
        StoreUnsuitable: the file is of a newer kessai, or of another program.

    """
    if _pragma(connection, "user_version") == VERSION:
        return
    # Its import costs more than everything else here, and most opens need no change.
    from sqlite_utils import Database

    connection.execute("BEGIN IMMEDIATE")
    try:
        _is_empty(connection)  # who else opened the file may have been faster
        database = Database(connection)
        _migrations().apply(database)
        connection.execute(f"PRAGMA application_id = {OWNER}")
        connection.execute(f"PRAGMA user_version = {VERSION}")
    except BaseException:
        _roll_back(connection)
        raise
    connection.execute("COMMIT")


def _roll_back(connection: sqlite3.Connection) -> None:
    if connection.in_transaction:  # a failing disk ends it by itself
        connection.execute("ROLLBACK")


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])


def _has_tables(connection: sqlite3.Connection) -> bool:
    found = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    return bool(found)


def _migrations() -> "Migrations":
    from sqlite_utils import Migrations

    migrations = Migrations("kessai")

    for name, script in _SCRIPTS.items():

        @migrations(name=name)
        def _run(database: "Database", script: str = script) -> None:
            for statement in script.split(";"):
                database.execute(statement)

    return migrations


# Rows that are written once and found by their key live in it (WITHOUT ROWID): one page
# less to write, and to sync. Transactions are rewritten, and too long for that.
_SCRIPTS = {
    "1: transactions, events, answers, lifecycles": f"""
CREATE TABLE transactions (
  id TEXT PRIMARY KEY NOT NULL,
  account TEXT NOT NULL,
  lifecycle TEXT NOT NULL,
  status TEXT NOT NULL,
  version INTEGER NOT NULL,
  open_since TEXT,
  state BLOB NOT NULL,
  due_at TEXT,
  attempts INTEGER NOT NULL DEFAULT 0,
  lease INTEGER NOT NULL DEFAULT 0,
  leased_until TEXT,
  discrepancies INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX due_transactions ON transactions (account, due_at, id)
  WHERE due_at IS NOT NULL;
CREATE INDEX transactions_of_accounts ON transactions (account);
CREATE INDEX discrepant_transactions ON transactions (id) WHERE discrepancies > 0;
CREATE TABLE events (
  transaction_id TEXT NOT NULL,
  number INTEGER NOT NULL,
  body BLOB NOT NULL,
  hash TEXT NOT NULL,
  PRIMARY KEY (transaction_id, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX events_but_denials ON events (transaction_id, number)
  WHERE instr(body, X'{DENIAL.hex()}') = 0;
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
) STRICT, WITHOUT ROWID;
CREATE TABLE gateway_ids (
  account TEXT NOT NULL,
  kind TEXT NOT NULL,
  gateway_id TEXT NOT NULL,
  transaction_id TEXT NOT NULL,
  PRIMARY KEY (account, kind, gateway_id, transaction_id)
) STRICT, WITHOUT ROWID
"""
}
"""What brings a file from one version to the next, in order; `VERSION` counts them."""
