"""The tables in PostgreSQL and their versions, and what the server must promise.

Each migration is done whole or not at all, by one process while others wait.
Names are found along the search path, so a schema of their own can be chosen:
`?options=-csearch_path%3DNAME`.
"""

from kessai.errors import StoreMissing, StoreUnsuitable
from kessai.limits import BUSY_SECONDS, STATEMENT_SECONDS
from kessai.machine import DENIAL
from kessai.stores.query import Query, Row, Steps

LOCK = int.from_bytes(b"kessai")
"""The advisory lock that is held while the tables are made or changed."""

# One statement, so one round trip a connection. What a session has set itself, a later
# change of the server's configuration does not take away.
_SETTINGS = f"""
SELECT current_setting('server_encoding'),
  current_setting('fsync', true),
  set_config('synchronous_commit', current_setting('synchronous_commit'), false),
  set_config('lock_timeout', '{BUSY_SECONDS:g}s', false),
  set_config('statement_timeout', '{STATEMENT_SECONDS:g}s', false)
""".encode()

_READING = (
    b"SELECT set_config('statement_timeout', '0', false),"
    b" set_config('idle_in_transaction_session_timeout', '0', false)"
)

# The catalog as a table, not `to_regclass`: a session remembers what it did not find,
# even if another session has made it while this one waited for the advisory lock.
_FOUND = b"""
SELECT relname FROM pg_catalog.pg_class
JOIN pg_catalog.pg_namespace ON pg_namespace.oid = relnamespace
WHERE nspname = ANY (current_schemas(false)) AND relname IN
  ('kessai_schema', 'transactions', 'events', 'answers', 'lifecycles', 'gateway_ids')
"""

_VERSION_TABLE = b"""
CREATE TABLE IF NOT EXISTS kessai_schema (
  version bigint PRIMARY KEY,
  made_at timestamptz NOT NULL DEFAULT now()
)
"""

MIGRATIONS: tuple[tuple[bytes, ...], ...] = (
    (
        b"""
CREATE TABLE transactions (
  id text COLLATE "C" PRIMARY KEY,
  account text COLLATE "C" NOT NULL,
  lifecycle text NOT NULL,
  status text NOT NULL,
  version bigint NOT NULL,
  open_since timestamptz,
  discrepancies bigint NOT NULL,
  due_at timestamptz,
  attempts bigint NOT NULL DEFAULT 0,
  lease bigint NOT NULL DEFAULT 0,
  leased_until timestamptz,
  state bytea NOT NULL
)""",
        b"""
CREATE INDEX due_transactions ON transactions (account, due_at, id)
  WHERE due_at IS NOT NULL""",
        b"""
CREATE INDEX transactions_of_accounts ON transactions (account)""",
        b"""
CREATE INDEX discrepant_transactions ON transactions (id) WHERE discrepancies > 0""",
        b"""
CREATE TABLE events (
  transaction_id text COLLATE "C" NOT NULL,
  number bigint NOT NULL,
  body bytea NOT NULL,
  hash text NOT NULL,
  PRIMARY KEY (transaction_id, number)
)""",
        b"""
CREATE INDEX events_but_denials ON events (transaction_id, number)
WHERE position('\\x%b'::bytea IN body) = 0"""
        % DENIAL.hex().encode(),
        b"""
CREATE TABLE answers (
  key text COLLATE "C" CONSTRAINT answers_pkey PRIMARY KEY,
  transaction_id text COLLATE "C" NOT NULL,
  outcome text NOT NULL,
  recorded bytea NOT NULL
)""",
        b"""
CREATE TABLE lifecycles (
  hash text PRIMARY KEY,
  name text NOT NULL,
  document bytea NOT NULL
)""",
        b"""
CREATE TABLE gateway_ids (
  account text COLLATE "C" NOT NULL,
  kind text COLLATE "C" NOT NULL,
  gateway_id text COLLATE "C" NOT NULL,
  transaction_id text COLLATE "C" NOT NULL,
  PRIMARY KEY (account, kind, gateway_id, transaction_id)
)""",
    ),
)
"""What makes each version out of the one before."""


def apply_settings() -> Steps[None]:
    """Make a session's settings, and see that its commits are durable.

    Raises:
        StoreUnsuitable: the server does not give what is promised.

    """
    ((encoding, fsync, commit, *_),) = yield Query(_SETTINGS)
    wrong = []
    if encoding != "UTF8":
        wrong.append(f"its encoding is {encoding}, UTF8 is needed")
    if fsync not in {"on", None}:  # other servers may have no such setting
        wrong.append(f"fsync is {fsync}, on is needed")
    if commit not in {"on", "remote_apply"}:
        wrong.append(f"synchronous_commit is {commit}, on is needed")
    if wrong:
        raise StoreUnsuitable("the database is not suitable: " + "; ".join(wrong))


def allow_long_reads() -> Steps[None]:
    """Let a session read for as long as its reader likes."""
    yield Query(_READING)


def prepare(*, must_exist: bool) -> Steps[None]:
    """See that the tables are there and of this version, and make them so.

    With `must_exist` none are made where there are none.

    Raises:
        StoreMissing: there is no store, and it must be there.
        StoreUnsuitable: the tables are of a newer kessai, or of another program.

    """
    yield from apply_settings()
    found = yield from _version()
    if found == len(MIGRATIONS):
        return
    if not found and must_exist:
        message = "there is no store in this database"
        raise StoreMissing(message)
    # Each statement must see what was committed while it waited for the lock.
    yield Query(b"BEGIN ISOLATION LEVEL READ COMMITTED")
    yield Query(b"SET LOCAL statement_timeout = 0")
    yield Query(b"SELECT pg_advisory_xact_lock(%(lock)s)", {"lock": LOCK})
    yield from _migrate((yield from _version()))  # another may have been faster
    yield Query(b"COMMIT", writes=True)


def _migrate(found: int) -> Steps[None]:
    yield Query(_VERSION_TABLE)
    for number, statements in enumerate(MIGRATIONS[found:], found + 1):
        for statement in statements:
            yield Query(statement)
        yield Query(
            b"INSERT INTO kessai_schema (version) VALUES (%(version)s)",
            {"version": number},
        )


def _version() -> Steps[int]:
    """The version of the tables that are there, 0 when there are none."""
    found = {name for (name,) in (yield Query(_FOUND))}
    if "kessai_schema" not in found:
        if found:
            message = (
                "the database has tables of another program by the same names; choose"
                " another database, or a schema: ?options=-csearch_path%3DNAME"
            )
            raise StoreUnsuitable(message)
        ((schema,),) = yield Query(b"SELECT current_schema()")
        if schema is None:
            message = "no schema of the search path exists, so there is no place to use"
            raise StoreUnsuitable(message)
        return 0
    rows: list[Row] = yield Query(b"SELECT max(version) FROM kessai_schema")
    version = int(rows[0][0] or 0)
    if version > len(MIGRATIONS):
        message = (
            f"the tables have schema version {version};"
            f" this kessai knows {len(MIGRATIONS)}"
        )
        raise StoreUnsuitable(message)
    return version
