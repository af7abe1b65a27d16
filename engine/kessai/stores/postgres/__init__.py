"""The PostgreSQL store: many processes on many machines share one truth.

`PostgresStore` for `Engine`, `AsyncPostgresStore` for `AsyncEngine`: two shells over
the same steps (`steps`), statements (`statements`) and readings of errors (`meaning`).
A step of a command is one statement under autocommit: the version check, the agreement,
the lease, the records and the keys, all of it or nothing, in one round trip and one
commit. `statements` explains why that is right under READ COMMITTED.

For databases that speak PostgreSQL's protocol, this is all that is relied on:

- `WITH` with `INSERT … SELECT`, `UPDATE … FROM` and `SELECT … FOR SHARE` inside;
  `RETURNING`; `unnest` of several arrays as a table; `INSERT … ON CONFLICT … DO NOTHING`
- `FOR UPDATE SKIP LOCKED` for claims
- ids of transactions that count up for the whole server: `pg_current_xact_id`,
  `pg_current_snapshot`, `pg_snapshot_xmin`, `pg_snapshot_xmax` (see `feeding`)
- types `bigint`, `text`, `bytea`, `timestamptz`; `COLLATE "C"` on ids and keys, so that
  they sort by code point; partial indexes; `array_agg(… ORDER BY …)`
- a cursor (`DECLARE`, `FETCH`) in a `REPEATABLE READ`, `READ ONLY` transaction
- for opening: DDL inside a transaction, `pg_advisory_xact_lock`, `pg_class` and
  `pg_namespace` in the catalog, `current_setting`, `set_config`, `pg_backend_pid`,
  `pg_is_in_recovery`
- error codes: 23505 with the constraint's name, 25006, 40001, 40P01, 40003, 55P03, 57014

No triggers, no functions or other code in the server, no LISTEN or NOTIFY, no foreign
keys, no sequences. Any isolation level will do. Settings are made for a session, and
statements are prepared: a pooler in between must pool sessions (see `pooling`).

Connections are encrypted as libpq's settings demand. By default they are if the server
can, and the server's identity is not checked. Over a network add
`?sslmode=verify-full&sslrootcert=FILE`.
"""

try:
    from kessai.stores.postgres.async_store import AsyncPostgresStore
    from kessai.stores.postgres.store import PostgresStore
except ImportError as error:  # psycopg, its pool, or the libpq that it needs
    message = "PostgreSQL needs the extra 'postgres': pip install 'kessai[postgres]'"
    raise ImportError(message) from error

__all__ = ["AsyncPostgresStore", "PostgresStore"]
