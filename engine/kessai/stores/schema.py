"""The SQLite schema and its versions. Each migration is done whole or not at all.

Tables are STRICT, so that an amount can never silently turn into a float or a text.
They stand in a file of their own, or beside those of a shop: a table of ours says which
version they have, as the file's own numbers are the shop's.
"""

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from kessai.errors import StoreUnsuitable
from kessai.machine import DENIAL

if TYPE_CHECKING:
    from sqlite_utils import Database, Migrations

VERSIONS = "kessai_schema"
"""The table that has a row for each migration that was made."""


def version_of(connection: sqlite3.Connection, *, shared: bool) -> int:
    """The version of our tables; 0 where there are none. Nothing is changed.

    A file that has others is taken only if it is `shared`.

    Raises:
        StoreUnsuitable: the file is of a newer kessai, or of another program.

    """
    connection.execute("BEGIN")  # one moment: another process may be migrating it
    try:
        return _version(connection, shared=shared)
    finally:
        _roll_back(connection)


def _version(connection: sqlite3.Connection, *, shared: bool) -> int:
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    if VERSIONS not in tables:
        if not shared and (tables or _is_marked(connection)):
            message = (
                "a database of another program; to keep the tables of kessai"
                " beside its own, open it with SQLiteStore(…, shared=True) first"
            )
            raise StoreUnsuitable(message)
        return 0
    version = int(connection.execute(f"SELECT count(*) FROM {VERSIONS}").fetchone()[0])  # noqa: S608 - ours
    if version > len(MIGRATIONS):
        message = f"schema version {version}; this kessai knows {len(MIGRATIONS)}"
        raise StoreUnsuitable(message)
    return version


def migrate(connection: sqlite3.Connection, *, shared: bool) -> None:
    """Bring our tables to the newest version, in one transaction.

    Raises:
        StoreUnsuitable: see `version_of`.

    """
    # Its import costs more than everything else here, and most opens need no change.
    from sqlite_utils import Database

    connection.execute("BEGIN IMMEDIATE")
    try:
        _version(connection, shared=shared)  # who else opened it may have been faster
        _migrations().apply(Database(connection))
    except BaseException:
        _roll_back(connection)
        raise
    connection.execute("COMMIT")


def statements() -> list[str]:
    """The statements that make our tables, as the newest version has them."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        migrate(connection, shared=False)
        made = connection.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL")
        rows = connection.execute(
            f"SELECT 'INSERT INTO {VERSIONS} (migration_set, name, applied_at) VALUES ('"  # noqa: S608 - ours
            " || quote(migration_set) || ', ' || quote(name) || ', CURRENT_TIMESTAMP)'"
            f" FROM {VERSIONS} ORDER BY id"
        )
        return [text for (text,) in (*made, *rows)]


def _migrations() -> "Migrations":
    from sqlite_utils import Migrations

    migrations = Migrations("kessai")
    migrations.migrations_table = VERSIONS

    for number, script in enumerate(MIGRATIONS, 1):

        @migrations(name=f"version {number}")
        def _run(database: "Database", script: str = script) -> None:
            for statement in script.split(";"):
                database.execute(statement)

    return migrations


def _roll_back(connection: sqlite3.Connection) -> None:
    if connection.in_transaction:  # a failing disk ends it by itself
        connection.execute("ROLLBACK")


def _is_marked(connection: sqlite3.Connection) -> bool:
    """Whether a program has numbered the file, though there is no table yet."""
    numbers = ("PRAGMA application_id", "PRAGMA user_version")
    return any(connection.execute(number).fetchone()[0] for number in numbers)


IS_DENIAL = f"instr(body, X'{DENIAL.hex()}') > 0"
"""Whether an event is a denial, as the index of a transaction's events has it."""

# For people with an SQL client; nothing here reads them. What follows from an operation
# has its command from the event that began it, whose number ends the operation's id.
VIEWS = (
    """CREATE VIEW kessai_transactions AS
SELECT id AS transaction_id, account, lifecycle,
  json_extract(content, '$.agreement') AS agreement,
  status, json_extract(content, '$.currency') AS currency,
  json_extract(content, '$.amounts.authorized') AS authorized,
  json_extract(content, '$.amounts.captured') AS captured,
  json_extract(content, '$.amounts.refunded') AS refunded,
  json_extract(content, '$.amounts') AS amounts,
  opened_at, changed_at, open_since, discrepancies
FROM (SELECT *, CAST(state AS TEXT) AS content FROM kessai_states)
WHERE lifecycle <> ''""",
    f"""CREATE VIEW kessai_movements AS
SELECT replace(json_extract(content, '$.data.at'), 'Z', '+00:00') AS at,
  ended.transaction_id, ended.number AS event, account, lifecycle,
  COALESCE(json_extract(content, '$.data.command'),
    json_extract(CAST(began.body AS TEXT), '$.data.operation.command')) AS command,
  json_extract(content, '$.data.deadline') AS deadline,
  each.key AS amount_name, each.value AS change,
  json_extract(CAST(held.state AS TEXT), '$.currency') AS currency
FROM (SELECT *, CAST(body AS TEXT) AS content FROM kessai_events
  WHERE moved IS NOT NULL) AS ended
JOIN kessai_states AS held ON held.id = ended.transaction_id
JOIN json_each(ended.moved) AS each
LEFT JOIN kessai_events AS began ON began.transaction_id = ended.transaction_id
  AND (instr(began.body, X'{DENIAL.hex()}') > 0) = 0
  AND began.number = CAST(substr(json_extract(content, '$.data.operation'),
    length(ended.transaction_id) + 2) AS INTEGER)""",  # noqa: S608 - a constant
)
"""Each transaction in plain columns, and each time that money moved; in minor units."""

BILLS = """
CREATE TABLE kessai_bills (
  agreement TEXT NOT NULL,
  period TEXT NOT NULL,
  charge TEXT NOT NULL UNIQUE,
  run TEXT NOT NULL,
  status TEXT NOT NULL,
  currency TEXT,
  amount INTEGER,
  due_at TEXT,
  version INTEGER NOT NULL,
  chunk INTEGER,
  bill TEXT NOT NULL,
  PRIMARY KEY (agreement, period)
) STRICT;
CREATE INDEX kessai_bills_due ON kessai_bills (run, due_at, agreement, period)
  WHERE due_at IS NOT NULL AND chunk IS NULL;
CREATE INDEX kessai_bills_of_run ON kessai_bills (run, agreement, period);
CREATE INDEX kessai_bills_of_chunk ON kessai_bills (chunk) WHERE chunk IS NOT NULL;
CREATE TABLE kessai_chunks (
  id INTEGER PRIMARY KEY NOT NULL,
  run TEXT NOT NULL,
  lease INTEGER NOT NULL DEFAULT 0,
  owner TEXT,
  leased_until TEXT,
  is_done INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX kessai_chunks_open ON kessai_chunks (run, id) WHERE is_done = 0
"""
"""What is charged of each agreement and period, and what of it a worker has in hand."""

# Each page that a commit touches is written and synced. So events stand in the order in
# which they are written, in the last page of their table. What is small and found by its
# key lives in that (WITHOUT ROWID): one page less.
MIGRATIONS: tuple[str, ...] = (
    f"""
CREATE TABLE kessai_states (
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
  failure TEXT,
  discrepancies INTEGER NOT NULL DEFAULT 0,
  opened_at TEXT,
  changed_at TEXT
) STRICT;
CREATE INDEX kessai_states_due ON kessai_states (account, due_at, id)
  WHERE due_at IS NOT NULL;
CREATE INDEX kessai_states_changed
  ON kessai_states (account, lifecycle, status, changed_at, id)
  WHERE lifecycle <> '';
CREATE INDEX kessai_states_opened ON kessai_states (opened_at, id)
  WHERE opened_at IS NOT NULL;
CREATE INDEX kessai_states_discrepant ON kessai_states (id) WHERE discrepancies > 0;
CREATE TABLE kessai_events (
  transaction_id TEXT NOT NULL,
  number INTEGER NOT NULL,
  body BLOB NOT NULL,
  hash TEXT NOT NULL,
  moved TEXT,
  position INTEGER PRIMARY KEY NOT NULL
) STRICT;
CREATE UNIQUE INDEX kessai_events_of_transaction
  ON kessai_events (transaction_id, {IS_DENIAL}, number);
CREATE TABLE kessai_answers (
  key TEXT PRIMARY KEY NOT NULL,
  transaction_id TEXT NOT NULL,
  outcome TEXT NOT NULL,
  recorded BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE kessai_lifecycles (
  hash TEXT PRIMARY KEY NOT NULL,
  name TEXT NOT NULL,
  document BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE kessai_gateway_ids (
  account TEXT NOT NULL,
  kind TEXT NOT NULL,
  gateway_id TEXT NOT NULL,
  transaction_id TEXT NOT NULL,
  PRIMARY KEY (account, kind, gateway_id, transaction_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE kessai_subscribers (
  name TEXT PRIMARY KEY NOT NULL,
  version INTEGER NOT NULL,
  position TEXT NOT NULL,
  undelivered BLOB NOT NULL
) STRICT, WITHOUT ROWID;
{";".join(VIEWS)}
""",
    BILLS,
)
"""What makes each version out of the one before."""
